"""Shares on their way through a lifecycle, and what they report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, text, update

from ledger.events import Event
from ledger.prepared import Row
from ledger.projections.petitions import move_steps, settle, take_over_steps
from ledger.projections.registry import (
    Payload,
    close_todo,
    insert_todo,
    instant,
    number,
    on,
    on_batch,
)
from ledger.projections.rounds import miss_reports
from ledger.projections.shares import insert_shares, withdraw
from ledger.rules.verbs import State
from ledger.schema import assignment, entry, figure, indicator, item, reading, todo
from ledger.writing import Writer

_count_done = update(item).where(item.c.id == bindparam("b_item")).values(n_done=item.c.n_done + 1)
_count_out = (
    update(item)
    .where(item.c.id == bindparam("b_item"))
    .values(n_total=item.c.n_total - bindparam("b_n"), n_done=item.c.n_done - bindparam("b_done"))
)
_guard_move = (assignment.c.id == bindparam("b_id"), assignment.c.version == bindparam("b_version"))
_MOVED = {
    "state": bindparam("b_state"),
    "step": bindparam("b_to"),
    "arm": bindparam("b_to_arm"),
    "version": assignment.c.version + 1,
    "touched_at": bindparam("b_at"),
}
_OTHER_DATE: dict[str, Any] = {"due_at": bindparam("b_due"), "original_due": bindparam("b_original")}
_MOVES: dict[str, dict[str, Any]] = {
    "assignment.acknowledged": {"acknowledged_at": bindparam("b_at"), "due_at": bindparam("b_due")},
    "assignment.read": {  # 阅知: nothing but to read it was asked
        "acknowledged_at": bindparam("b_at"),
        "submitted_at": bindparam("b_at"),
        "closed_at": bindparam("b_at"),
    },
    "assignment.submitted": {
        "submitted_at": bindparam("b_submitted"),
        "reported_at": bindparam("b_at"),
        "overlay": None,
    },
    "assignment.signed": {"submitted_at": bindparam("b_submitted")},
    "assignment.passed": {},
    "assignment.sent_back": {},
    "assignment.accepted": {"closed_at": bindparam("b_at")},
    "assignment.returned": {"due_at": bindparam("b_due"), "returns": assignment.c.returns + 1, "submitted_at": None},
    "assignment.taken_back": {"submitted_at": None},
    "assignment.extended": {**_OTHER_DATE, "overlay": None},
    "assignment.dated": {"due_at": bindparam("b_due")},
    "assignment.due_changed": _OTHER_DATE,
    "assignment.due_followed": _OTHER_DATE,
    "assignment.reseated": {},  # the same step before another unit
    "assignment.suspended": {"overlay": "suspended", "suspended_at": bindparam("b_at")},
    "assignment.resumed": {**_OTHER_DATE, "overlay": None, "suspended_at": None},
    "assignment.terminated": {"closed_at": bindparam("b_at"), "overlay": None},
}
_move = {kind: update(assignment).where(*_guard_move).values(**_MOVED, **extra) for kind, extra in _MOVES.items()}


@on_batch(*_MOVES)
def _assignments_moved(w: Writer, batch: Sequence[tuple[Event, Payload]]) -> None:
    """One step of a lifecycle: the done todo closes, the next one opens, the share counts when it is accepted.

    The share that closes its item counts with the closing.
    """
    kind = batch[0][0].kind
    w.write(_carry, [_closing(e, p) | {"b_to_arm": p["to_arm"]} for e, p in batch if p.get("seats") and _stays(p)])
    w.guard(close_todo, [_closing(e, p) for e, p in batch])
    w.guard(_move[kind], [_moving(e, p) for e, p in batch])
    w.write(insert_todo, [t for e, p in batch if p["to"] is not None for t in _next_todos(e, p)])
    settle(w, [(e, settled) for e, p in batch if (settled := p.get("settles"))])
    match kind:
        case "assignment.accepted" | "assignment.read":
            w.write(_count_done, [{"b_item": p["item"]} for _, p in batch if _counts(p) and not p["closes"]])
        case "assignment.submitted":
            _read(w, batch)
        case "assignment.sent_back" | "assignment.taken_back":
            w.guard(_stand_still, [_stopped(p) for _, p in batch if p.get("with")])
        case "assignment.resumed" | "assignment.due_changed" | "assignment.due_followed":
            move_steps(w, [moved for _, p in batch for moved in p.get("steps", ())])
        case "assignment.terminated":
            w.write(_count_out, [{"b_item": p["item"], "b_n": 1, "b_done": 0} for _, p in batch if _counts(p)])
            left = [(e, part) for e, p in batch for part in p.get("withdrawn", ())]
            withdraw(w, left, [(e, owed) for e, p in batch for owed in p["owed"]], State.TERMINATED)
            miss_reports(w, [(e, report) for e, p in batch for report in p.get("missed", ())])


_of_step = (
    todo.c.owner_kind == bindparam("b_kind"),
    todo.c.owner_id == bindparam("b_owner"),
    todo.c.step == bindparam("b_step"),
    todo.c.arm == bindparam("b_arm"),
)
# Who has agreed at a step where several do stays so when the others are asked anew under the next arm.
_carry = update(todo).where(*_of_step, todo.c.closed_at.is_not(None)).values(arm=bindparam("b_to_arm"))
_close_seat = (
    update(todo)
    .where(
        *_of_step, todo.c.unit == bindparam("b_unit"), todo.c.role == bindparam("b_role"), todo.c.closed_at.is_(None)
    )
    .values(closed_at=bindparam("b_at"), closed_post=bindparam("b_post"))
)
_agree = update(assignment).where(*_guard_move).values(version=assignment.c.version + 1, touched_at=bindparam("b_at"))


@on("assignment.agreed")
def _agreed(w: Writer, e: Event, p: Payload) -> None:
    """One of several has agreed; the share stays where it is, before the others."""
    w.guard(_close_seat, _closing(e, p) | {"b_unit": p["unit"], "b_role": p["role"]})
    w.guard(_agree, {"b_id": p["assignment"], "b_version": p["version"], "b_at": e.at})


def _stays(p: Payload) -> bool:
    return bool(p["to"] == p["step"])


def _counts(p: Payload) -> bool:
    """Whether a share that has ended counts for its item; a part that was handed down counts for nobody above."""
    return p["to"] is None and p.get("counts", True)


def _closing(e: Event, p: Payload) -> dict[str, Any]:
    return {
        "b_kind": "assignment",
        "b_owner": p["assignment"],
        "b_step": p["step"],
        "b_arm": p["arm"],
        "b_at": e.at,
        "b_post": e.actor.get("post"),
    }


def _moving(e: Event, p: Payload) -> dict[str, Any]:
    values = {
        "b_id": p["assignment"],
        "b_version": p["version"],
        "b_state": p["state"],
        "b_to": p["to"],
        "b_to_arm": p["to_arm"],
        "b_at": e.at,
    }
    match e.kind:
        case "assignment.returned" | "assignment.acknowledged" | "assignment.dated":
            values["b_due"] = instant(p["due_at"])
        case "assignment.extended" | "assignment.resumed" | "assignment.due_changed" | "assignment.due_followed":
            values["b_due"], values["b_original"] = instant(p["due_at"]), instant(p["original_due"])
        # It counts from the moment it leaves the unit, not from the desk of a signer.
        case "assignment.submitted" | "assignment.signed":
            values["b_submitted"] = e.at if p.get("leaves_unit", True) else None
    return values


def _next_todos(e: Event, p: Payload) -> list[dict[str, Any]]:
    """A todo for each post at the next step: one, or `seats` where several sign."""
    common = {
        "owner_kind": "assignment",
        "owner_id": p["assignment"],
        "step": p["to"],
        "arm": p["to_arm"],
        "run_id": p["run"],
        "item_id": p["item"],
        "due_at": instant(p["todo_due"]),
        "opened_at": e.at,
    }
    seats = p.get("seats") or [(p["to_unit"], p["to_role"])]
    return [{**common, "unit": unit, "role": role} for unit, role in seats]


@on("assignment.split")
def _handed_down(w: Writer, e: Event, p: Payload) -> None:
    """Parts of a share with a todo for each; the item counts the whole alone."""
    insert_shares(w, e, p)


_reported = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"))
    .values(reported_at=bindparam("b_at"), touched_at=bindparam("b_at"))
)
_insert_reading = insert(reading)
_set_figure = text(
    "INSERT INTO figure (indicator_id, assignment_id, value, reported_at)"
    " VALUES (:indicator_id, :assignment_id, :value, :reported_at)"
    " ON CONFLICT (indicator_id, assignment_id)"
    " DO UPDATE SET value = excluded.value, reported_at = excluded.reported_at"
).bindparams(bindparam("value", type_=figure.c.value.type), bindparam("reported_at", type_=figure.c.reported_at.type))


def _read(w: Writer, batch: Sequence[tuple[Event, Payload]]) -> None:
    """The figures of reports and applications: every reading is kept, the latest of each share stands in `figure`."""
    _keep_readings(
        w, [_reading(e, p, i, value, e.at, round_id=p["round"]) for e, p in batch for i, value in p["figures"]]
    )


def inherit(w: Writer, e: Event, p: Payload) -> None:
    """What a share takes over counts as its predecessor had reported it."""
    _keep_readings(w, [_reading(e, p, i, value, instant(at)) for i, value, at in p.get("figures", ())])
    w.guard(_set_judged, [_judged_before(e, p, said) for said in p.get("judged", ())])


def _judged_before(e: Event, p: Payload, said: Sequence[Any]) -> Row:
    indicator_id, value, at, checked, settled = said
    return {
        "b_item": p["item"],
        "b_seq": e.seq,
        "b_indicator": indicator_id,
        "b_value": Decimal(value),
        "b_at": instant(at),
        "b_checked": number(checked),
        "b_settled": number(settled),
    }


_own = assignment.c.id == bindparam("b_id")
_set_original = update(assignment).where(_own).values(original_due=bindparam("b_original"))
_stand_still = update(assignment).where(_own).values(overlay="suspended", suspended_at=bindparam("b_at"))
_undate = (
    update(todo)
    .where(todo.c.owner_kind == "assignment", todo.c.owner_id == bindparam("b_id"), todo.c.closed_at.is_(None))
    .values(due_at=None)
)
_is_reading = (
    reading.c.item_id == bindparam("b_item"),
    reading.c.seq == bindparam("b_seq"),
    reading.c.indicator_id == bindparam("b_indicator"),
)
_set_judged = (
    update(reading)
    .where(*_is_reading)
    .values(
        value=bindparam("b_value"),
        reported_at=bindparam("b_at"),
        checked=bindparam("b_checked"),
        settled=bindparam("b_settled"),
    )
)
_set_reporter = update(indicator).where(indicator.c.id == bindparam("b_id")).values(reporter=bindparam("b_reporter"))
_set_role = update(assignment).where(_own).values(role=bindparam("b_role"), ord=bindparam("b_ord"))
_set_quota = update(assignment).where(_own).values(quota=bindparam("b_quota"))


def _stopped(p: Payload) -> dict[str, Any]:
    """What comes back while its whole stands still does so, too."""
    return {"b_id": p["assignment"], "b_at": instant(p["since"])}


@on("assignment.taken_over")
def _taken_over(w: Writer, e: Event, p: Payload) -> None:
    """What a share takes over, or takes in beside its own, from one whose unit is succeeded by its own."""
    inherit(w, e, p)
    if fills := p.get("fills"):
        w.guard(_set_reporter, [{"b_id": i, "b_reporter": fills["unit"]} for i in fills["indicators"]])
    if p.get("quota") is not None:
        w.guard(_set_quota, {"b_id": p["assignment"], "b_quota": number(p["quota"])})
    if p.get("role"):
        w.guard(_set_role, {"b_id": p["assignment"], "b_role": p["role"], "b_ord": p["ord"]})
    if p.get("original_due"):
        w.guard(_set_original, {"b_id": p["assignment"], "b_original": instant(p["original_due"])})
    if p.get("suspended_at"):
        w.guard(_stand_still, {"b_id": p["assignment"], "b_at": instant(p["suspended_at"])})
        w.guard(_undate, {"b_id": p["assignment"]})
    if p.get("steps"):
        take_over_steps(w, e, p)


@on("assignment.quota_changed")
def _quota_changed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_set_quota, {"b_id": p["assignment"], "b_quota": number(p["quota"])})


@on("assignment.corrected")
def _assignment_corrected(w: Writer, e: Event, p: Payload) -> None:
    """A new reading beside the one that it puts right."""
    _keep_readings(w, [_reading(e, p, i, value, e.at, corrects=seq) for i, seq, value in p["values"]])


def _reading(
    e: Event,
    p: Payload,
    indicator_id: int,
    value: str,
    reported_at: datetime | None,
    *,
    round_id: int | None = None,
    corrects: int | None = None,
) -> Row:
    return {
        "item_id": p["item"],
        "seq": e.seq,
        "indicator_id": indicator_id,
        "assignment_id": p["assignment"],
        "value": Decimal(value),
        "round_id": round_id,
        "reported_at": reported_at,
        "corrects": corrects,
    }


def _keep_readings(w: Writer, readings: Sequence[Row]) -> None:
    """Readings, and what each of them makes of the share's figure."""
    w.write(_insert_reading, readings)
    counting = ("indicator_id", "assignment_id", "value", "reported_at")
    w.write(_set_figure, [{key: row[key] for key in counting} for row in readings])


_judge = {
    kind: update(reading).where(*_is_reading).values(**{column: bindparam("b_value", type_=reading.c.value.type)})
    for kind, column in (("assignment.checked", "checked"), ("assignment.settled", "settled"))
}


@on(*_judge)
def _reading_judged(w: Writer, e: Event, p: Payload) -> None:
    """审核值 or 核定值 beside what was reported; it is what counts until the unit reports again."""
    judged = [
        {"b_item": p["item"], "b_seq": seq, "b_indicator": i, "b_value": Decimal(value)}
        for i, seq, value in p["values"]
    ]
    w.guard(_judge[e.kind], judged)
    figures = [
        {"indicator_id": i, "assignment_id": p["assignment"], "value": Decimal(value), "reported_at": e.at}
        for i, _, value in p["values"]
    ]
    w.write(_set_figure, figures)


@on_batch("assignment.reported")
def _assignment_reported(w: Writer, batch: Sequence[tuple[Event, Payload]]) -> None:
    w.write(_reported, [{"b_id": p["assignment"], "b_at": e.at} for e, p in batch])
    _read(w, batch)
    by_proxy = [(e, p) for e, p in batch if p.get("entry")]
    w.write(_insert_entry, [_entry(e, p) for e, p in by_proxy])
    w.write(insert_todo, [_to_confirm(e, p) for e, p in by_proxy])


_insert_entry = insert(entry)


def _entry(e: Event, p: Payload) -> Row:
    return {
        "id": p["entry"],
        "assignment_id": p["assignment"],
        "seq": e.seq,
        "source": p["source"],
        "entered_at": e.at,
    }


def _to_confirm(e: Event, p: Payload) -> Row:
    return {
        "owner_kind": "entry",
        "owner_id": p["entry"],
        "step": "confirm",
        "arm": 1,
        "run_id": p["run"],
        "item_id": p["item"],
        "unit": p["unit"],
        "role": "liaison",
        "due_at": None,
        "opened_at": e.at,
    }


_confirm = (
    update(entry)
    .where(entry.c.id == bindparam("b_id"), entry.c.confirmed_at.is_(None))
    .values(confirmed_at=bindparam("b_at"))
)


@on("assignment.confirmed")
def _entries_confirmed(w: Writer, e: Event, p: Payload) -> None:
    closing = [
        {
            "b_kind": "entry",
            "b_owner": i,
            "b_step": "confirm",
            "b_arm": 1,
            "b_at": e.at,
            "b_post": e.actor.get("post"),
        }
        for i in p["entries"]
    ]
    w.guard(close_todo, closing)
    w.guard(_confirm, [{"b_id": i, "b_at": e.at} for i in p["entries"]])


_keep = update(assignment).where(assignment.c.id == bindparam("b_id")).values(keeper=bindparam("b_post"))


@on_batch("assignment.handed_on")
def _handed_on(w: Writer, batch: Sequence[tuple[Event, Payload]]) -> None:
    w.guard(_keep, [{"b_id": p["assignment"], "b_post": p["to_post"]} for _, p in batch])


@on("assignment.gap_explained")
def _gap_explained(w: Writer, e: Event, p: Payload) -> None:
    """Why quotas do not add up is told by the log alone."""


@on("assignment.copied")
def _copied(w: Writer, e: Event, p: Payload) -> None:
    """Told to somebody for information: nothing changes."""


_revoke = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"), assignment.c.version == bindparam("b_version"))
    .values(state="revoked", version=assignment.c.version + 1, touched_at=bindparam("b_at"))
)
_move_part = update(assignment).where(assignment.c.id == bindparam("b_id")).values(parent_id=bindparam("b_parent"))
_revoke_item = (  # one that was given up stays so
    update(item).where(item.c.id == bindparam("b_item"), item.c.state == "closed").values(state="revoked")
)


@on("assignment.revoked", "assignment.reopened")
def _assignment_revoked(w: Writer, e: Event, p: Payload) -> None:
    """What was closed counts no longer; the unit mends it in a share of the open item, which takes what was handed down
    with it, or in an item of its own."""
    w.guard(_revoke, {"b_id": p["assignment"], "b_version": p["version"], "b_at": e.at})
    if e.kind == "assignment.revoked":
        w.write(_revoke_item, {"b_item": p["item"]})
    w.write(_move_part, [{"b_id": part, "b_parent": p["successor"]} for part in p.get("parts", ())])
    if p.get("counts", True):
        w.write(_count_out, {"b_item": p["item"], "b_n": 1, "b_done": 1})


_touched = update(assignment).where(assignment.c.id == bindparam("b_id")).values(touched_at=bindparam("b_at"))


@on("assignment.urged")
def _assignment_urged(w: Writer, e: Event, p: Payload) -> None:
    w.write(_touched, {"b_id": p["assignment"], "b_at": e.at})


_confirm_unit = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"), assignment.c.presumed)
    .values(presumed=False, touched_at=bindparam("b_at"))
)


@on("assignment.unit_confirmed")
def _unit_confirmed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_confirm_unit, {"b_id": p["assignment"], "b_at": e.at})
