"""撤销办结: what was closed is not done after all, and is done again by its unit, or whoever has succeeded that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, select

from engine.adjusting import Share, hand_out, item_row, notice_of, require_ground
from engine.chasing import arm as arm_ladder
from engine.chasing import parse_ladder
from engine.desk import Case, case_of, permit
from engine.moving import Said, siblings
from engine.notices import Notice, tell
from engine.seating import seat_anew
from engine.splitting import first_step, hand_down_again, lower_units
from engine.succeeding import IN_UNIT, take_in
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.directory import answering, unit_fault
from ledger.errors import Invalid, Refused
from ledger.events import canonical
from ledger.rules.levels import inner
from ledger.rules.texts import due_words, full_day, month_day
from ledger.rules.verbs import ENDED, LEFT_OUT, State, Verb
from ledger.schema import AnyRow, assignment, item

_taking_part = select(assignment.c.id).where(
    assignment.c.item_id == bindparam("b_item"),
    assignment.c.unit == bindparam("b_unit"),
    assignment.c.state.not_in(LEFT_OUT),
    assignment.c.id != bindparam("b_own"),
)


def revoke(tx: Tx, assignment_id: int, *, until: date | None, ground: str) -> int:
    """撤销办结: a closed share counts no longer. While its item is open the unit is given the share anew, with what it
    had handed down; after that a linked item (整改), since the plan's diagram does not run backwards. A part is given
    anew while its whole is worked on. Returns the id of the item to go on with.

    What a unit has achieved that has ended since is mended by whoever has succeeded it.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.REVOKE)
    faults = require_ground(ground)
    if until is None or until < local_day(tx.now):
        faults["until"] = "请填写整改期限，不早于今天。"
    if faults or until is None:
        raise Invalid(faults)
    said, to = Said({"ground": ground}), _answering(tx, case)
    if case.parent_id:
        _reopen_part(tx, case, until, said, to)
        return int(case.item_id)
    found = item_row(tx, case.item_id)
    if case.item_state in ENDED:
        new = tx.allocate("item")[0]
        _take_away(tx, case, "revoked", new, said, {"parts": []})
        _plan_mending(tx, found, new, until)
        _open_mending(tx, to, found, new, until)
        return int(new)
    own = _share_of(tx, case, to)
    new = own.id if own else tx.allocate("assignment")[0]
    _take_away(tx, case, "reopened", new, said, {"parts": _handed_down(tx, case)})
    if own:
        take_in(tx, case, own, {})
    else:
        hand_out(tx, found, Share(to, case.role, case.ord, case.quota, new, end_of(until)))
    if to != case.unit and case.role == "lead":
        seat_anew(tx, case.item_id)
    return int(found.id)


def _share_of(tx: Tx, case: Case, to: str) -> Case | None:
    """The share of the item that the successor (`to`) of the unit has already, into which this one goes. Raises:
    Refused."""
    found = tx.connection.execute(_taking_part, {"b_item": case.item_id, "b_unit": to, "b_own": case.id})
    own_id = found.scalar_one_or_none()
    if own_id is None:
        return None
    own = case_of(tx, own_id)
    if own.parent_id == case.parent_id and own.state in IN_UNIT:
        return own
    why, first = "另有上下级之间的分工", "请先终止那一份"
    if own.state in ENDED:
        why, first = "中的分工已经办结", f"请先撤销{own.unit_name}的办结"
    elif own.parent_id == case.parent_id:
        why, first = "中的分工已经提交", "请先由审签、审核岗位退回"
    raise Refused(f"{case.unit_name}已撤并，{own.unit_name}承接，而它在本任务{why}；{first}，再撤销这一份的办结。")


def _answering(tx: Tx, case: Case) -> str:
    """Who does again what a unit had done: itself, or who has succeeded it. Raises: Refused."""
    to = answering(tx.connection, [case.unit])[case.unit]
    if unit_fault(tx.connection, to):
        raise Refused(f"{case.unit_name}已经撤销，没有单位承接，不能退回重办；确需继续办理的，请增加单位或另行交办。")
    return to


def _handed_down(tx: Tx, case: Case) -> list[int]:
    """What a share was handed down in and goes on with its successor, as far as it was accepted."""
    rows = siblings(tx, case.item_id) if case.n_parts else ()
    return sorted({r.id for r in rows if r.parent_id == case.id})


def _take_away(tx: Tx, case: Case, kind: str, successor: int, said: Said, more: Mapping[str, Any]) -> None:
    payload = {"assignment": case.id, "item": case.item_id, "version": case.version, "successor": successor, **more}
    tx.record(f"item:{case.item_id}", f"assignment.{kind}", payload, said.texts)
    tell(tx, [notice_of(case, kind)])


def _reopen_part(tx: Tx, case: Case, until: date, said: Said, to: str) -> None:
    """What the unit above has accepted is not done after all: the lower unit is given it anew, and the whole waits for
    it again. A whole that has been summed up and handed in comes back first."""
    if case.parent_state not in (State.WORKING, State.RETURNED):
        raise Refused(
            f"{case.parent_name}已汇总提交或办结，不能再撤销下级办结；请先撤回申请，或请专班办退回、撤销办结。"
        )
    if case.parent_suspended:
        raise Refused(f"{case.parent_name}的任务已暂停计时，恢复后才能撤销下级办结。")
    due_at = end_of(until)
    if inner(due_at, case.parent_due) != due_at and case.parent_due > tx.now:
        raise Invalid({"until": f"不能晚于 {due_words(case.parent_due)}（{case.parent_name}的时限）。"})
    if to not in {r.key for r in lower_units(tx.connection, case.parent_unit)}:
        to = case.unit  # who has succeeded it does it by its name
    own = _share_of(tx, case, to)
    new = own.id if own else tx.allocate("assignment")[0]
    _take_away(tx, case, "reopened", new, said, {"counts": False, "parts": _handed_down(tx, case)})
    if own:
        take_in(tx, case, own, {})
    else:
        hand_down_again(tx, case, to, new, due_at)


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
        "due_steps": _steps_of_mending(tx),
        "open_units": "[]",
        "indicators": [],
    }
    same = {key: getattr(found, key) for key in ("clause", "heading", "heading_name", "lifecycle")}
    tx.record(f"item:{new}", "item.planned", facts | same)


def _steps_of_mending(tx: Tx) -> str:
    """How the date of a 整改 came about."""
    return canonical([["核定", f"{full_day(local_day(tx.now))} 撤销办结时由专班办核定"]])


def _open_mending(tx: Tx, to: str, found: AnyRow, new: int, until: date) -> None:
    first, share = first_step(found.lifecycle), tx.allocate("assignment")[0]
    handed_out = {"id": share, "unit": to, "role": "responsible", "ord": 1, "quota": None, "presumed": False}
    opened = {
        "item": new,
        "run": found.run_id,
        "step": first.id,
        "state": State.ACKNOWLEDGING,
        "role": first.role,
        "due_at": end_of(until),
        "due_steps": _steps_of_mending(tx),
        "assignments": [handed_out],
    }
    tx.record(f"item:{new}", "item.opened", opened)
    arm_ladder(tx, "assignment", [share], end_of(until), parse_ladder(found.ladder))
    handed = Notice("assignment", share, 1, "handed", to, first.role, found.run_id, new, immediate=True)
    tell(tx, [handed])
