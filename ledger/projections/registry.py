"""Registering handlers, and what every handler uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update
from sqlalchemy.sql import Executable

from ledger.events import Event, upcast
from ledger.schema import todo


class Stale(Exception):
    """A guarded row was not as the event expects it."""


Payload = Mapping[str, Any]
Handler = Callable[[Connection, Event, Payload], None]
BatchHandler = Callable[[Connection, Sequence[tuple[Event, Payload]]], None]
HANDLERS: dict[str, BatchHandler] = {}


def on(*kinds: str) -> Callable[[Handler], Handler]:
    """Register a handler of one event at a time."""

    def register(handler: Handler) -> Handler:
        def each(connection: Connection, batch: Sequence[tuple[Event, Payload]]) -> None:
            for e, payload in batch:
                handler(connection, e, payload)

        HANDLERS.update(dict.fromkeys(kinds, each))
        return handler

    return register


def on_batch(*kinds: str) -> Callable[[BatchHandler], BatchHandler]:
    """Register a handler of neighbouring events of one kind: a weekly report must not cost statements for each item."""

    def register(handler: BatchHandler) -> BatchHandler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def project(connection: Connection, events: Iterable[Event]) -> None:
    """Write what the events say, in their order. Raises LookupError for an unknown kind, Stale for a guard that
    failed."""
    for kind, batch in groupby(events, key=attrgetter("kind")):
        HANDLERS[kind](connection, [(e, upcast(e.kind, e.schema, e.payload)) for e in batch])


def instant(value: str | datetime | None) -> datetime | None:
    """An instant of a payload: live it still is one, in a replay it is text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def day(value: str | date) -> date:
    """A day of a payload."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def number(value: Any) -> Decimal | None:
    """A decimal of a payload."""
    return None if value is None else Decimal(value)


def guarded(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> None:
    """Write exactly one row. Raises: Stale."""
    guarded_each(connection, statement, [values])


def guarded_each(connection: Connection, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write exactly one row for each of these values, which name it by its key. Raises: Stale."""
    if rows and connection.execute(statement, rows).rowcount != len(rows):
        raise Stale(f"{statement} {rows}")


close_todo = (
    update(todo)
    .where(
        todo.c.owner_kind == bindparam("b_kind"),
        todo.c.owner_id == bindparam("b_owner"),
        todo.c.step == bindparam("b_step"),
        todo.c.arm == bindparam("b_arm"),
        todo.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("b_at"), closed_post=bindparam("b_post"))
)
insert_todo = insert(todo)
