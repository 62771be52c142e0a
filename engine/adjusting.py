"""What the office changes while work is under way: 增加单位, 终止, 调整责任单位, 暂停计时 and 恢复, 撤销办结."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, bindparam, cast, func, literal, select

from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, case_of, limit_texts, permit
from engine.moving import (
    NOTHING_SAID,
    Next,
    Said,
    close_if_done,
    close_item,
    ending,
    give_out_anew,
    parts_of,
    rearm,
    record_move,
    settling,
    siblings,
    tell_parts,
)
from engine.notices import Notice, tell
from engine.splitting import first_step, hand_over, require_lower
from engine.steps import let_go
from ledger.calendar import end_of, last_day, local_day
from ledger.database import Tx, head_columns
from ledger.errors import Invalid, NotAllowed, NotFound, Refused
from ledger.rules.levels import inner
from ledger.rules.texts import month_day
from ledger.rules.timeliness import taken_over
from ledger.rules.verbs import ENDED, LEFT_OUT, Capacity, State, Verb, refusal
from ledger.schema import AnyRow, assignment, item, run, stream, unit

ROLES = ("lead", "responsible", "cooperating")
_item_states = {s.value: s for s in (State.PENDING, *ENDED)} | {"open": State.WORKING}

_items = (
    select(
        item,
        item.c.id.label("item_id"),
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
    _require_new(tx, item_id, to)
    last = tx.connection.execute(_last_ord, {"b_item": item_id}).scalar_one() or 0
    hand_out(tx, found, Share(to, role, last + 1), Said({"ground": ground}))
    return item_id


def terminate(tx: Tx, assignment_id: int, *, ground: str) -> int:
    """终止 of one unit's share (减少单位). Returns the item's id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.TERMINATE)
    _require(ground)
    terminate_case(tx, case, Said({"ground": ground}))
    return int(case.item_id)


def terminate_item(tx: Tx, item_id: int, *, ground: str) -> int:
    """终止 of a whole item. Returns its id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    found = item_for(tx, item_id, Verb.TERMINATE)
    _require(ground)
    rows = siblings(tx, item_id)
    close_item(tx, found, "item.terminated", rows, {}, Said({"ground": ground}))
    open_ = {r.id: r for r in rows if r.state not in ENDED}.values()
    tell(tx, [_ended(found, r) for r in open_])
    return item_id


def reassign(tx: Tx, assignment_id: int, *, to: str, ground: str) -> int:
    """调整责任单位: this share ends, another unit's begins. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.REASSIGN)
    _require(ground)
    reassign_case(tx, case, to, Said({"ground": ground}))
    return int(case.item_id)


def reassign_case(tx: Tx, case: Case, to: str, said: Said) -> None:
    """End a share in favour of another unit, which takes its role, place and quota."""
    _require_new(tx, case.item_id, to)
    rows = siblings(tx, case.item_id)
    successor = tx.allocate("assignment")[0]
    if case.parent_id:
        require_lower(tx, case.parent_unit, [to])
    end_share(tx, case, rows, said, successor)
    if case.parent_id:
        hand_over(tx, case, to, successor)
        return
    found = item_row(tx, case.item_id)
    hand_out(tx, found, Share(to, case.role, case.ord, case.quota, successor))


def terminate_case(tx: Tx, case: Case, said: Said) -> None:
    """End a share; where only it was waited for, the item closes with what the others have achieved."""
    rows = siblings(tx, case.item_id)
    closers = ("lead",) if case.completion == "lead" else ("lead", "responsible")
    others = [r for r in rows if r.role in closers and r.id != case.id and r.parent_id is None]
    if case.parent_id is None and case.role in closers and not others:
        raise Refused("没有别的单位能使本任务办结，不能终止这一家；请先增加单位，或者终止整项任务。")
    end_share(tx, case, rows, said)
    if case.parent_id is None:
        gone = {case.id, *(r.id for r in parts_of(rows, case.id))}
        close_if_done(tx, case, [r for r in rows if r.id not in gone])


def end_share(tx: Tx, case: Case, rows: Sequence[AnyRow], said: Said, successor: int | None = None) -> None:
    owed = [r.owed for r in rows if r.id == case.id and r.owed is not None]
    to = Next(None, case.arm, None, None, State.TERMINATED)
    parts = ending(parts_of(rows, case.id))
    extra = {
        "owed": owed,
        "successor": successor,
        "settles": settling(case, "lapsed"),
        "withdrawn": parts.withdrawn,
        "counts": case.parent_id is None,
    }
    record_move(tx, case, "assignment.terminated", to, extra, said)
    petitions = [("petition", case.petition_id)] if case.petition_id else []
    disarm(tx, [("assignment", case.id), *(("share", o) for o in owed), *petitions, *parts.armed])
    let_go(tx, case.needs_steps, [case, *parts.left])
    tell(tx, [_notice(case, "moved" if successor else "terminated")])
    tell_parts(tx, case.run_id, case.item_id, parts.left)


@dataclass(frozen=True)
class Share:
    """A share to be handed out. `due_at`: by when, where not by the item's date; `figures`: what its predecessor had
    reported: indicator, value, when."""

    unit: str
    role: str
    ord: int
    quota: Any = None
    id: int | None = None
    due_at: datetime | None = None
    figures: Sequence[tuple[int, Any, datetime]] = ()


def hand_out(tx: Tx, found: AnyRow, part: Share, said: Said = NOTHING_SAID) -> None:
    """A share for one more unit: due as the item is, or when that has passed, after the days a return is given."""
    first = first_step(found.lifecycle)
    new = part.id or tx.allocate("assignment")[0]
    due_at = taken_over(part.due_at or found.due_at, tx.now, found.mend_days, tx.calendar)
    facts = {"unit": part.unit, "role": part.role, "ord": part.ord, "quota": part.quota}
    payload = {
        "item": found.id,
        "run": found.run_id,
        "assignment": new,
        "step": first.id,
        "role": first.role,
        "state": State.ACKNOWLEDGING,
        "due_at": due_at,
        "assignments": [{"id": new, **facts, "presumed": False}],
        "figures": [list(one) for one in part.figures],
    }
    tx.record(f"item:{found.id}", "item.unit_added", payload, said.texts)
    if due_at and not found.cadence:
        arm_ladder(tx, "assignment", [new], due_at, parse_ladder(found.ladder))
    tell(tx, [Notice("assignment", new, 1, "handed", part.unit, first.role, found.run_id, found.id, immediate=True)])


# ---------------------------------------------------------------- time
def suspend(tx: Tx, assignment_id: int, *, ground: str) -> int:
    """暂停计时: nobody is chased until it is lifted. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.SUSPEND)
    _require(ground)
    if case.due_at is None or case.cadence:
        raise Refused("本任务没有单独计算的时限，无需暂停计时；按期次报送的，请在报送时说明。")
    give_out_anew(tx, case, "assignment.suspended", {"todo_due": None}, Said({"ground": ground}))
    disarm(tx, [("assignment", case.id)])
    tell(tx, [_notice(case, "suspended")])
    return int(case.item_id)


def resume(tx: Tx, assignment_id: int, *, ground: str) -> int:
    """恢复计时: the date moves by the working days suspended, the ladder is armed anew. Returns the item's id.

    Raises: Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.RESUME)
    limit_texts(ground=ground)
    days = max(tx.calendar.days_left(local_day(case.suspended_at), local_day(tx.now)), 0)
    due_at = inner(_moved(tx, case.due_at, days), case.parent_due, case.due_at)
    original = _moved(tx, case.original_due, days)
    extra = {"due_at": due_at, "original_due": original, "days": days, "since": case.suspended_at}
    rearm(tx, case, give_out_anew(tx, case, "assignment.resumed", extra, Said({"ground": ground})), due_at)
    tell(tx, [_notice(case, "resumed")])
    return int(case.item_id)


def _moved(tx: Tx, due_at: datetime | None, days: int) -> datetime | None:
    """A date moved by working days."""
    return end_of(tx.calendar.after(last_day(due_at), days)) if due_at and days else due_at


# ---------------------------------------------------------------- 撤销办结
def revoke(tx: Tx, assignment_id: int, *, until: date | None, ground: str) -> int:
    """撤销办结: a closed share counts no longer. While its item is open the unit is given the share anew; after that a
    linked item (整改), since the plan's diagram does not run backwards. Returns the id of the item to go on with.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.REVOKE)
    faults = require_ground(ground)
    if until is None or until < local_day(tx.now):
        faults["until"] = "请填写整改期限，不早于今天。"
    if faults or until is None:
        raise Invalid(faults)
    found = item_row(tx, case.item_id)
    is_over = case.item_state in (State.CLOSED, State.REVOKED)
    new = tx.allocate("item" if is_over else "assignment")[0]
    payload = {"assignment": case.id, "item": case.item_id, "version": case.version, "successor": new}
    kind, said = ("revoked" if is_over else "reopened"), Said({"ground": ground})
    tx.record(f"item:{case.item_id}", f"assignment.{kind}", payload, said.texts)
    tell(tx, [_notice(case, kind)])
    if is_over:
        _plan_mending(tx, found, new, until)
        _open_mending(tx, case, found, new, until)
        return int(new)
    hand_out(tx, found, Share(case.unit, case.role, case.ord, case.quota, new, end_of(until)))
    return int(found.id)


_mendings = select(func.count()).where(item.c.origin == bindparam("b_item"))
_last_item = select(func.max(item.c.ord)).where(item.c.run_id == bindparam("b_run"))


def _plan_mending(tx: Tx, found: AnyRow, new: int, until: date) -> None:
    n = tx.connection.execute(_mendings, {"b_item": found.id}).scalar_one() + 1
    facts = {
        "item": new,
        "origin": found.id,
        "run": found.run_id,
        "element": f"{found.element[:60]}~{new}",
        "ord": tx.connection.execute(_last_item, {"b_run": found.run_id}).scalar_one() + 1,
        "no": f"{found.no[:14]}改{n}",
        "title": f"整改：{found.title}"[:200],
        "completion": "all",
        "gated": False,
        "cadence": None,
        "needs_steps": False,
        "due_at": end_of(until),
        "due_text": f"{month_day(until)}前",
        "due_steps": "[]",
        "open_units": "[]",
        "indicators": [],
    }
    same = {key: getattr(found, key) for key in ("clause", "heading", "heading_name", "lifecycle")}
    tx.record(f"item:{new}", "item.planned", facts | same)


def _open_mending(tx: Tx, case: Case, found: AnyRow, new: int, until: date) -> None:
    first, share = first_step(found.lifecycle), tx.allocate("assignment")[0]
    handed_out = {"id": share, "unit": case.unit, "role": "responsible", "ord": 1, "quota": None, "presumed": False}
    opened = {
        "item": new,
        "run": found.run_id,
        "step": first.id,
        "state": State.ACKNOWLEDGING,
        "role": first.role,
        "due_at": end_of(until),
        "due_steps": "[]",
        "assignments": [handed_out],
    }
    tx.record(f"item:{new}", "item.opened", opened)
    arm_ladder(tx, "assignment", [share], end_of(until), parse_ladder(found.ladder))
    handed = Notice("assignment", share, 1, "handed", case.unit, first.role, found.run_id, new, immediate=True)
    tell(tx, [handed])


# ---------------------------------------------------------------- what every one of them asks
def item_for(tx: Tx, item_id: int, verb: Verb) -> AnyRow:
    """An item as its office may change it. Raises: NotFound, Refused, NotAllowed."""
    found = item_row(tx, item_id)
    tx.desk = tx.actor.desk(found.office, "coordinator")
    mine = {Capacity.OFFICE} if tx.desk else set()
    if words := refusal(_item_states[found.state], verb, mine):
        raise (Refused if mine else NotAllowed)(words)
    return found


def item_row(tx: Tx, item_id: int) -> AnyRow:
    rows = tx.read_locked(_items, {"b_id": item_id})
    if not rows:
        raise NotFound("没有这项任务。")
    return rows[0]


def _require_new(tx: Tx, item_id: int, to: str) -> None:
    """Raises: Invalid for a unit that is unknown, or takes part already."""
    if tx.connection.execute(select(unit.c.key).where(unit.c.key == to)).first() is None:
        raise Invalid({"to": "单位目录中没有这个单位，请从列表中选择。"})
    if tx.connection.execute(_taking_part, {"b_item": item_id, "b_unit": to}).first():
        raise Invalid({"to": "这个单位已经在本任务的责任分工里，请选择别的单位。"})


def require_ground(ground: str) -> dict[str, str]:
    limit_texts(ground=ground)
    return {} if ground.strip() else {"ground": "请写明理由和依据，有关单位在办理记录里看到。"}


def _require(ground: str) -> None:
    if faults := require_ground(ground):
        raise Invalid(faults)


def _ended(found: AnyRow, r: AnyRow) -> Notice:
    return Notice("assignment", r.id, r.arm, "terminated", r.unit, "liaison", found.run_id, found.id, immediate=True)


def _notice(case: Case, tier: str) -> Notice:
    return Notice(
        "assignment", case.id, case.arm, tier, case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
