"""Registering handlers, and what every handler uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from ledger.events import Event, upcast
from ledger.schema import todo
from ledger.writing import Writer

REPLAYED_AT_ONCE = 1000

Payload = Mapping[str, Any]
Handler = Callable[[Writer, Event, Payload], None]
BatchHandler = Callable[[Writer, Sequence[tuple[Event, Payload]]], None]
HANDLERS: dict[str, BatchHandler] = {}


def on(*kinds: str) -> Callable[[Handler], Handler]:
    """Register a handler of one event at a time."""

    def register(handler: Handler) -> Handler:
        def each(w: Writer, batch: Sequence[tuple[Event, Payload]]) -> None:
            for e, payload in batch:
                handler(w, e, payload)

        HANDLERS.update(dict.fromkeys(kinds, each))
        return handler

    return register


def on_batch(*kinds: str) -> Callable[[BatchHandler], BatchHandler]:
    """Register a handler of neighbouring events of one kind: a weekly report must not cost statements for each item."""

    def register(handler: BatchHandler) -> BatchHandler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def project(w: Writer, events: Iterable[Event]) -> None:
    """Queue what the events say, in their order. Raises LookupError for an unknown kind."""
    for kind, batch in groupby(events, key=attrgetter("kind")):
        HANDLERS[kind](w, [(e, upcast(e.kind, e.schema, e.payload)) for e in batch])


def replay(connection: Connection, events: Iterable[Event]) -> None:
    """Write the projections of a whole log. Raises LookupError, and Stale where the log does not fit itself."""
    rest = iter(events)
    while chunk := list(islice(rest, REPLAYED_AT_ONCE)):
        w = Writer(connection)
        project(w, chunk)
        w.send()


def instant(value: str | datetime | None) -> datetime | None:
    """An instant of a payload: live it still is one, in a replay it is text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def day(value: str | date | None) -> date | None:
    """A day of a payload."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def number(value: Any) -> Decimal | None:
    """A decimal of a payload."""
    return None if value is None else Decimal(value)


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
