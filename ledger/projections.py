"""The only writer of projections: what an event does to the tables that pages read, live and in a replay alike.

A handler takes the event and writes; it decides nothing and reads nothing but what it updates. A guard that does not meet exactly
one row raises `Stale`: somebody was faster, or the log does not fit its projections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, insert, text, update
from sqlalchemy.sql import Executable

from ledger.events import Event, upcast
from ledger.schema import (
    assignment, figure, indicator, item, plan_version, post, reading, round_, run, share, todo, unit,
)  # fmt: skip


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


def on_batch(kind: str) -> Callable[[BatchHandler], BatchHandler]:
    """Register a handler of neighbouring events of one kind: a weekly report must not cost statements for each item."""

    def register(handler: BatchHandler) -> BatchHandler:
        HANDLERS[kind] = handler
        return handler

    return register


def project(connection: Connection, events: Iterable[Event]) -> None:
    """Write what the events say, in their order. Raises LookupError for an unknown kind, Stale for a guard that failed."""
    for kind, batch in groupby(events, key=attrgetter("kind")):
        HANDLERS[kind](connection, [(e, upcast(e.kind, e.schema, e.payload)) for e in batch])


def instant(value: str | datetime | None) -> datetime | None:
    """An instant of a payload: live it still is one, in a replay it is text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _day(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _guarded(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> None:
    if connection.execute(statement, values).rowcount != 1:
        raise Stale(f"{statement} {values}")


# ---------------------------------------------------------------- administration
@on("unit.registered")
def _unit_registered(c: Connection, e: Event, p: Payload) -> None:
    c.execute(insert(unit), {k: p[k] for k in ("key", "jurisdiction", "name", "short", "kind", "host", "ord")})


@on("post.taken")
def _post_taken(c: Connection, e: Event, p: Payload) -> None:
    c.execute(insert(post), {"id": p["post"], "person_id": p["person"], "unit": p["unit"], "role": p["role"], "since": e.at})


@on("plan.published")
def _plan_published(c: Connection, e: Event, p: Payload) -> None:
    c.execute(
        insert(plan_version),
        {"id": p["version"], "published_at": e.at, **{k: p[k] for k in ("plan", "number", "title", "jurisdiction", "digest")}},
    )


# ---------------------------------------------------------------- run
_RUN_FACTS = ("plan", "title", "short", "jurisdiction", "office", "sign_roles", "mend_days", "mail", "ladder")


@on("run.started")
def _run_started(c: Connection, e: Event, p: Payload) -> None:
    c.execute(
        insert(run),
        {
            "id": p["run"],
            "version_id": p["version"],
            "period_start": _day(p["period_start"]),
            "period_end": _day(p["period_end"]),
            "started_at": e.at,
            **{k: p[k] for k in _RUN_FACTS},
        },
    )


@on("run.ended")
def _run_ended(c: Connection, e: Event, p: Payload) -> None:
    _guarded(c, update(run).where(run.c.id == bindparam("b_run"), run.c.ended_at.is_(None)).values(ended_at=bindparam("b_at")), {"b_run": p["run"], "b_at": e.at})


# ---------------------------------------------------------------- items
_ITEM_FACTS = ("element", "ord", "no", "title", "clause", "heading", "heading_name", "completion", "lifecycle", "cadence", "due_text", "due_steps", "open_units")


@on("item.planned")
def _item_planned(c: Connection, e: Event, p: Payload) -> None:
    c.execute(
        insert(item),
        {
            "id": p["item"],
            "run_id": p["run"],
            "state": "pending",
            "due_at": instant(p["due_at"]),
            "n_total": 0,
            "n_done": 0,
            **{k: p[k] for k in _ITEM_FACTS},
        },
    )
    if p["indicators"]:
        c.execute(
            insert(indicator),
            [
                {**i, "item_id": p["item"], "target": Decimal(i["target"]), "target_max": _number(i["target_max"])}
                for i in p["indicators"]
            ],
        )


_open_item = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "pending")
    .values(state="open", opened_at=bindparam("b_at"), n_total=bindparam("b_n"), due_at=bindparam("b_due"), due_steps=bindparam("b_steps"))
)


@on("item.opened")
def _item_opened(c: Connection, e: Event, p: Payload) -> None:
    shares = p["assignments"]
    due_at = instant(p["due_at"])
    _guarded(c, _open_item, {"b_item": p["item"], "b_at": e.at, "b_n": len(shares), "b_due": due_at, "b_steps": p["due_steps"]})
    if not shares:
        return
    c.execute(
        insert(assignment),
        [
            {
                "id": a["id"], "item_id": p["item"], "run_id": p["run"], "unit": a["unit"], "role": a["role"], "ord": a["ord"],
                "quota": _number(a["quota"]), "state": p["state"], "step": p["step"], "arm": 1, "version": 1, "due_at": due_at, "returns": 0,
            }
            for a in shares
        ],
    )  # fmt: skip
    c.execute(
        insert(todo),
        [
            {
                "owner_kind": "assignment", "owner_id": a["id"], "step": p["step"], "arm": 1, "run_id": p["run"], "item_id": p["item"],
                "unit": a["unit"], "role": p["role"], "due_at": due_at, "opened_at": e.at,
            }
            for a in shares
        ],
    )  # fmt: skip


_close_todo = (
    update(todo)
    .where(
        todo.c.owner_kind == bindparam("b_kind"), todo.c.owner_id == bindparam("b_owner"), todo.c.step == bindparam("b_step"),
        todo.c.arm == bindparam("b_arm"), todo.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("b_at"), closed_post=bindparam("b_post"))
)  # fmt: skip
_close_item = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "open")
    .values(state="closed", closed_at=bindparam("b_at"))
)


_withdraw = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"), assignment.c.closed_at.is_(None))
    .values(state="withdrawn", step=None, closed_at=bindparam("b_at"), version=assignment.c.version + 1)
)


@on("item.closed")
def _item_closed(c: Connection, e: Event, p: Payload) -> None:
    """The item is done; shares that could not hold it up and are still open (配合 under rule `all`) are withdrawn with their todos."""
    _guarded(c, _close_item, {"b_item": p["item"], "b_at": e.at})
    for left in p["withdrawn"]:
        closing = {"b_kind": "assignment", "b_owner": left["id"], "b_step": left["step"], "b_arm": left["arm"], "b_at": e.at, "b_post": None}
        _guarded(c, _close_todo, closing)
        _guarded(c, _withdraw, {"b_id": left["id"], "b_at": e.at})


# ---------------------------------------------------------------- assignments
_insert_todo = insert(todo)
_count_done = update(item).where(item.c.id == bindparam("b_item")).values(n_done=item.c.n_done + 1)
_guard_move = (assignment.c.id == bindparam("b_id"), assignment.c.version == bindparam("b_version"))
_MOVED = {"state": bindparam("b_state"), "step": bindparam("b_to"), "arm": bindparam("b_to_arm"), "version": assignment.c.version + 1, "touched_at": bindparam("b_at")}
_MOVES = {
    "assignment.acknowledged": {"acknowledged_at": bindparam("b_at")},
    "assignment.submitted": {"submitted_at": bindparam("b_submitted"), "reported_at": bindparam("b_at")},
    "assignment.signed": {"submitted_at": bindparam("b_at")},
    "assignment.sent_back": {},
    "assignment.accepted": {"closed_at": bindparam("b_at")},
    "assignment.returned": {"due_at": bindparam("b_due"), "returns": assignment.c.returns + 1, "submitted_at": None},
}
_move = {kind: update(assignment).where(*_guard_move).values(**_MOVED, **extra) for kind, extra in _MOVES.items()}


@on(*_MOVES)
def _assignment_moved(c: Connection, e: Event, p: Payload) -> None:
    """One step of a lifecycle: the done todo closes, the next one opens, the share counts when it is accepted."""
    closing = {"b_kind": "assignment", "b_owner": p["assignment"], "b_step": p["step"], "b_arm": p["arm"], "b_at": e.at, "b_post": e.actor.get("post")}
    _guarded(c, _close_todo, closing)
    values = {"b_id": p["assignment"], "b_version": p["version"], "b_state": p["state"], "b_to": p["to"], "b_to_arm": p["to_arm"], "b_at": e.at}
    if e.kind == "assignment.returned":
        values["b_due"] = instant(p["due_at"])
    if e.kind == "assignment.submitted":  # the application counts from the moment it leaves the unit, not from the desk of its signer
        values["b_submitted"] = e.at if p["leaves_unit"] else None
    _guarded(c, _move[e.kind], values)
    if p["to"] is not None:
        c.execute(
            _insert_todo,
            {
                "owner_kind": "assignment", "owner_id": p["assignment"], "step": p["to"], "arm": p["to_arm"], "run_id": p["run"], "item_id": p["item"],
                "unit": p["to_unit"], "role": p["to_role"], "due_at": instant(p["due_at"]), "opened_at": e.at,
            },
        )  # fmt: skip
    else:
        c.execute(_count_done, {"b_item": p["item"]})
    if e.kind == "assignment.submitted":
        _read(c, [(e, p)])


_reported = update(assignment).where(assignment.c.id == bindparam("b_id")).values(reported_at=bindparam("b_at"), touched_at=bindparam("b_at"))
_insert_reading = insert(reading)
_set_figure = text(
    "INSERT INTO figure (indicator_id, assignment_id, value, reported_at) VALUES (:indicator_id, :assignment_id, :value, :reported_at)"
    " ON CONFLICT (indicator_id, assignment_id) DO UPDATE SET value = excluded.value, reported_at = excluded.reported_at"
).bindparams(bindparam("value", type_=figure.c.value.type), bindparam("reported_at", type_=figure.c.reported_at.type))


def _read(c: Connection, batch: Sequence[tuple[Event, Payload]]) -> None:
    """The figures of reports and applications: every reading is kept, the latest of each share stands in `figure`."""
    readings = [
        {
            "item_id": p["item"], "seq": e.seq, "indicator_id": i, "assignment_id": p["assignment"],
            "value": Decimal(value), "round_id": p["round"], "reported_at": e.at,
        }
        for e, p in batch
        for i, value in p["figures"]
    ]  # fmt: skip
    if readings:
        c.execute(_insert_reading, readings)
        c.execute(_set_figure, readings)


@on_batch("assignment.reported")
def _assignment_reported(c: Connection, batch: Sequence[tuple[Event, Payload]]) -> None:
    c.execute(_reported, [{"b_id": p["assignment"], "b_at": e.at} for e, p in batch])
    _read(c, batch)


_touched = update(assignment).where(assignment.c.id == bindparam("b_id")).values(touched_at=bindparam("b_at"))


@on("assignment.urged")
def _assignment_urged(c: Connection, e: Event, p: Payload) -> None:
    c.execute(_touched, {"b_id": p["assignment"], "b_at": e.at})


# ---------------------------------------------------------------- rounds
@on("round.opened")
def _round_opened(c: Connection, e: Event, p: Payload) -> None:
    due_at = instant(p["due_at"])
    c.execute(
        insert(round_),
        {
            "id": p["round"], "run_id": p["run"], "item_id": p["item"], "cadence": p["cadence"], "name": p["name"], "n": p["n"], "n_last": p["n_last"],
            "opens_at": instant(p["opens_at"]), "due_at": due_at, "steps": p["steps"], "n_total": len(p["shares"]), "n_done": 0,
        },
    )  # fmt: skip
    if not p["shares"]:
        return
    c.execute(
        insert(share),
        [
            {"id": s["id"], "round_id": p["round"], "run_id": p["run"], "unit": s["unit"], "assignment_id": s["assignment"], "state": "owed", "nothing_new": False}
            for s in p["shares"]
        ],
    )
    c.execute(
        _insert_todo,
        [
            {
                "owner_kind": "share", "owner_id": s["id"], "step": "report", "arm": 1, "run_id": p["run"], "item_id": p["item"],
                "unit": s["unit"], "role": "liaison", "due_at": due_at, "opened_at": e.at,
            }
            for s in p["shares"]
        ],
    )  # fmt: skip


_report_share = (
    update(share)
    .where(share.c.id == bindparam("b_id"), share.c.state == "owed")
    .values(state="reported", reported_at=bindparam("b_at"), nothing_new=bindparam("b_nothing"))
)
_count_share = update(round_).where(round_.c.id == bindparam("b_id")).values(n_done=round_.c.n_done + 1)


@on("round.reported")
def _round_reported(c: Connection, e: Event, p: Payload) -> None:
    closing = {"b_kind": "share", "b_owner": p["share"], "b_step": "report", "b_arm": 1, "b_at": e.at, "b_post": e.actor.get("post")}
    _guarded(c, _close_todo, closing)
    _guarded(c, _report_share, {"b_id": p["share"], "b_at": e.at, "b_nothing": p["nothing_new"]})
    c.execute(_count_share, {"b_id": p["round"]})


_miss_share = update(share).where(share.c.id == bindparam("b_id"), share.c.state == "owed").values(state="missed")
_close_round = update(round_).where(round_.c.id == bindparam("b_id"), round_.c.closed_at.is_(None)).values(closed_at=bindparam("b_at"))


@on("round.closed")
def _round_closed(c: Connection, e: Event, p: Payload) -> None:
    """A round that takes no more reports: what is still owed was missed (逾期未报)."""
    _guarded(c, _close_round, {"b_id": p["round"], "b_at": e.at})
    for owed in p["missed"]:
        _guarded(c, _miss_share, {"b_id": owed})
        closing = {"b_kind": "share", "b_owner": owed, "b_step": "report", "b_arm": 1, "b_at": e.at, "b_post": None}
        _guarded(c, _close_todo, closing)
