"""What the office changes while work is under way: 增加单位, 终止; 调整责任单位 is in `engine.succeeding`, 撤销办结 in
`engine.revoking`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, func, literal, select

from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, carried_by, case_of, limit_texts, permit
from engine.moving import (
    NOTHING_SAID,
    Next,
    Said,
    close_if_done,
    close_item,
    ending,
    parts_of,
    record_move,
    settling,
    siblings,
    tell_parts,
)
from engine.notices import Notice, tell
from engine.owing import release
from engine.seating import seat_anew
from engine.splitting import first_step, gap_left
from engine.steps import let_go
from ledger.calendar import local_day
from ledger.database import Tx, head_columns
from ledger.directory import unit_fault
from ledger.errors import Invalid, NotAllowed, NotFound, Refused
from ledger.rules.due import counted_steps
from ledger.rules.timeliness import taken_over
from ledger.rules.verbs import ENDED, LEFT_OUT, Capacity, State, Verb, item_refusal
from ledger.schema import AnyRow, assignment, item, run, stream

ROLES = ("lead", "responsible", "cooperating")
_item_states = {s.value: s for s in (State.PENDING, *ENDED)} | {"open": State.WORKING}

_items = (
    select(
        item,
        item.c.id.label("item_id"),
        carried_by(item.c.id),
        run.c.office,
        run.c.jurisdiction,
        run.c.ladder,
        run.c.mend_days,
        *head_columns,
    )
    .join(run, run.c.id == item.c.run_id)
    .join(stream, stream.c.name == literal("item:").concat(cast(item.c.id, String)))
    .where(item.c.id == bindparam("b_id"))
    .with_for_update(of=stream)
)
_last_ord = select(func.max(assignment.c.ord)).where(assignment.c.item_id == bindparam("b_item"))
_taking_part = select(assignment.c.id).where(
    assignment.c.item_id == bindparam("b_item"),
    assignment.c.unit == bindparam("b_unit"),
    assignment.c.state.not_in(LEFT_OUT),
)


def add_unit(tx: Tx, item_id: int, *, to: str, role: str, ground: str) -> int:
    """增加单位: a unit takes a share of an open item. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    found = item_for(tx, item_id, Verb.ADD)
    faults = require_ground(ground)
    if role not in ROLES:
        faults["role"] = "请选择牵头、责任或配合。"
    if faults:
        raise Invalid(faults)
    require_new(tx, item_id, to)
    last = tx.connection.execute(_last_ord, {"b_item": item_id}).scalar_one() or 0
    hand_out(tx, found, Share(to, role, last + 1), Said({"ground": ground}))
    if role == "lead":
        seat_anew(tx, item_id)
    return item_id


def terminate(tx: Tx, assignment_id: int, *, ground: str, gap: str = "") -> int:
    """终止 of one unit's share (减少单位); `gap` says why the quotas of the parts that are left do not add up. Returns
    the item's id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.TERMINATE)
    limit_texts(gap=gap)
    if faults := require_ground(ground) | gap_left(tx, case, gap):
        raise Invalid(faults)
    terminate_case(tx, case, Said({"ground": ground, "gap": gap}))
    return int(case.item_id)


def terminate_item(tx: Tx, item_id: int, *, ground: str) -> int:
    """终止 of a whole item. Returns its id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    found = item_for(tx, item_id, Verb.TERMINATE)
    require_said(ground)
    rows = siblings(tx, item_id)
    close_item(tx, found, "item.terminated", rows, {}, Said({"ground": ground}))
    open_ = {r.id: r for r in rows if r.state not in ENDED}.values()
    tell(tx, [_ended(found, r) for r in open_])
    return item_id


def terminate_case(tx: Tx, case: Case, said: Said) -> None:
    """End a share; where only it was waited for, the item closes with what the others have achieved."""
    rows = siblings(tx, case.item_id)
    closers = ("lead",) if case.completion == "lead" else ("lead", "responsible")
    others = [r for r in rows if r.role in closers and r.id != case.id and r.parent_id is None]
    if case.parent_id is None and case.role in closers and not others:
        raise Refused("没有别的单位能使本任务办结，不能终止这一家；请先增加单位，或者终止整项任务。")
    end_share(tx, case, rows, said)
    release(tx, case)
    if case.parent_id is None:
        gone = {case.id, *(r.id for r in parts_of(rows, case.id))}
        close_if_done(tx, case, [r for r in rows if r.id not in gone])
        if case.role == "lead":
            seat_anew(tx, case.item_id)


def end_share(
    tx: Tx,
    case: Case,
    rows: Sequence[AnyRow],
    said: Said,
    successor: int | None = None,
    missed: Collection[int] = (),
) -> None:
    """End a share with what it was handed down in. `missed`: of the reports that it owes those that it is late with
    for good, for nobody takes them over."""
    owed = [r.owed for r in rows if r.id == case.id and r.owed is not None]
    to = Next(None, case.arm, (), State.TERMINATED)
    parts = ending(parts_of(rows, case.id), "recalled" if successor else "ended")
    extra = {
        "owed": [o for o in owed if o not in missed],
        **({"missed": sorted(missed)} if missed else {}),
        "successor": successor,
        "settles": settling(case, "granted" if said.upholds else "lapsed"),
        "withdrawn": parts.withdrawn,
        "counts": case.parent_id is None,
    }
    record_move(tx, case, "assignment.terminated", to, extra, said)
    petitions = [("petition", case.petition_id)] if case.petition_id else []
    disarm(tx, [("assignment", case.id), *(("share", o) for o in owed), *petitions, *parts.armed])
    let_go(tx, case.needs_steps, [case, *parts.left])
    tell(tx, [notice_of(case, "moved" if successor else "terminated")])
    tell_parts(tx, case.run_id, case.item_id, parts)


@dataclass(frozen=True)
class Share:
    """A share to be handed out. `due_at`: by when, where not by the item's date; `still`: since when time has stood
    still for whom it succeeds, and does for it."""

    unit: str
    role: str
    ord: int
    quota: Any = None
    id: int | None = None
    due_at: datetime | None = None
    still: datetime | None = None


def hand_out(tx: Tx, found: AnyRow, part: Share, said: Said = NOTHING_SAID) -> datetime | None:
    """A share for one more unit: due as the item is, or when that has passed, after the days a return is given. Returns
    by when."""
    first = first_step(found.lifecycle)
    new = part.id or tx.allocate("assignment")[0]
    given, at = part.due_at or found.due_at, part.still or tx.now
    due_at = taken_over(given, at, found.mend_days, tx.calendar)
    why = counted_steps("交办", local_day(at), found.mend_days, tx.calendar) if due_at != given else ()
    facts = {"unit": part.unit, "role": part.role, "ord": part.ord, "quota": part.quota}
    payload = {
        "item": found.id,
        "run": found.run_id,
        "assignment": new,
        "step": first.id,
        "role": first.role,
        "state": State.ACKNOWLEDGING,
        "due_at": due_at,
        "assignments": [{"id": new, **facts, "presumed": False, **({"why": why} if why else {})}],
    }
    tx.record(f"item:{found.id}", "item.unit_added", payload, said.texts)
    if due_at and not found.cadence and not part.still:
        arm_ladder(tx, "assignment", [new], due_at, parse_ladder(found.ladder))
    tell(tx, [Notice("assignment", new, 1, "handed", part.unit, first.role, found.run_id, found.id, immediate=True)])
    return due_at


# ---------------------------------------------------------------- what every one of them asks
def item_for(tx: Tx, item_id: int, verb: Verb) -> AnyRow:
    """An item as its office may change it. Raises: NotFound, Refused, NotAllowed."""
    found = item_row(tx, item_id)
    tx.desk = tx.actor.desk(found.office, "coordinator")
    mine = {Capacity.OFFICE} if tx.desk else set()
    if words := item_refusal(_item_states[found.state], verb, mine):
        raise (Refused if mine else NotAllowed)(words)
    return found


def item_row(tx: Tx, item_id: int) -> AnyRow:
    rows = tx.read_locked(_items, {"b_id": item_id})
    if not rows:
        raise NotFound("没有这项任务。")
    return rows[0]


def require_new(tx: Tx, item_id: int, to: str) -> None:
    """Raises: Invalid for a unit that is unknown, has ended, or takes part already."""
    if fault := unit_fault(tx.connection, to):
        raise Invalid({"to": fault})
    if tx.connection.execute(_taking_part, {"b_item": item_id, "b_unit": to}).first():
        raise Invalid({"to": "这个单位已经在本任务的责任分工里，请选择别的单位。"})


def require_ground(ground: str) -> dict[str, str]:
    limit_texts(ground=ground)
    return {} if ground.strip() else {"ground": "请写明理由和依据，有关单位在办理记录里看到。"}


def require_said(ground: str) -> None:
    if faults := require_ground(ground):
        raise Invalid(faults)


def _ended(found: AnyRow, r: AnyRow) -> Notice:
    return Notice("assignment", r.id, r.arm, "terminated", r.unit, "liaison", found.run_id, found.id, immediate=True)


def notice_of(case: Case, tier: str) -> Notice:
    return Notice(
        "assignment", case.id, case.arm, tier, case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
