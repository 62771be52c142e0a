"""What a request stands on: the database, a view to read from, the time, the person, and the way to the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar, cast

from flask import current_app, g
from flask_login import current_user
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from engine import desk
from ledger.calendar import WorkCalendar
from ledger.database import Database, Tx, calendar_of
from ledger.errors import DubanError
from ledger.files import Store
from ledger.people import Actor
from ledger.visibility import Sight, sight_of
from webapp.settings import Settings

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


def database() -> Database:
    return cast(Database, current_app.extensions["duban"]["database"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["duban"]["settings"])


def store() -> Store:
    """Where the files of the ledger are."""
    return settings().store


def reading() -> Connection:
    """The request's one consistent view; opened when it is first asked for."""
    if "reading" not in g:
        stack = ExitStack()
        g.reading = stack.enter_context(database().read())
        g.reading_stack = stack
    return cast(Connection, g.reading)


def close_reading(_error: BaseException | None = None) -> None:
    """Give the view up: at the end of the request, and before a write, so that what follows sees what was written."""
    for name in ("reading", "now", "calendar", "sight"):
        g.pop(name, None)
    stack: ExitStack | None = g.pop("reading_stack", None)
    if stack is not None:
        try:
            stack.close()
        except SQLAlchemyError as error:  # the connection is gone, and with it the view
            log.warning("a view could not be closed: %s", error)


def now() -> datetime:
    """Business time, read once a view."""
    if "now" not in g:
        g.now = database().seen_now(reading())
    return cast(datetime, g.now)


def calendar() -> WorkCalendar:
    if "calendar" not in g:
        g.calendar = calendar_of(reading())
    return cast(WorkCalendar, g.calendar)


def actor() -> Actor:
    """The person who is logged in; only behind `login_required`."""
    return cast(Actor, current_user.actor)


def sight() -> Sight:
    """What this person may look at, read once a view."""
    if "sight" not in g:
        g.sight = sight_of(reading(), actor())
    return cast(Sight, g.sight)


def perform(command: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Give the engine one act of the person who is logged in. Raises: DubanError."""
    acting = actor()
    close_reading()
    try:
        return desk.perform(database(), acting, command, *args, **kwargs)
    except DubanError as error:
        g.refused = type(error).__name__
        raise
