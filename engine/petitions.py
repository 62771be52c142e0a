"""What a unit applies for and posts decide in turn: 申请延期, 提出异议 and its 节点计划. The work goes on until it is
decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import select

from engine.adjusting import terminate_case
from engine.chasing import arm as arm_ladder
from engine.chasing import disarm
from engine.desk import Case, case_of, chain_of, giver, limit_texts, permit
from engine.moving import Said, give_out_anew, rearm, settling
from engine.notices import Notice, tell
from engine.places import overseers
from engine.splitting import require_lower
from engine.steps import StepDraft, ask_for_steps, confirm_steps, planned
from engine.stopped import counts_now
from engine.succeeding import reassign_case
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.directory import unit_fault
from ledger.errors import Conflict, Invalid, Questions, Refused
from ledger.events import canonical
from ledger.people import holders_in
from ledger.rules.texts import due_words
from ledger.rules.verbs import State, Verb
from ledger.schema import petition

Kind = Literal["extension", "objection", "steps"]

DECISION_DAYS = 3  # working days that each post has to decide
LADDER = (0, 1)  # when it is reminded, around that day
_OVERLAYS: dict[str, State] = {
    "extension": State.EXTENDING,
    "objection": State.DISPUTED,
    "steps": State.PLANNING,
}
_OF_UNIT = ("section_head", "deputy_head", "head")


def extend(tx: Tx, assignment_id: int, *, until: date | None, reason: str, progress: str) -> int:
    """申请延期 before expiry; returns the item's id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.EXTEND)
    limit_texts(reason=reason, progress=progress)
    if case.cadence:
        raise Refused("本任务按期次报送，每期各自计时，不能整体延期；个别期次报不出的，请在报送时说明。")
    if case.due_at is None:
        raise Refused("本任务没有定时限，无需申请延期；办理情况请随时填报。")
    if tx.now > case.due_at:
        raise Refused(f"时限 {due_words(case.due_at)} 已过，不能再申请延期；请抓紧办理，并在填报中说明原因。")
    whole = counts_now(tx, case)
    faults = {} if reason.strip() else {"reason": "请写明申请延期的理由。"}
    if not progress.strip():
        faults["progress"] = "请写明目前的进展，审批人据此判断。"
    if until is None or end_of(until) <= case.due_at:
        faults["until"] = f"请填写晚于现时限（{due_words(case.due_at)}）的日期。"
    elif whole and end_of(until) > whole:
        faults["until"] = f"不能晚于{case.parent_name}的时限（{due_words(whole)}）；确需延后的，请先商其申请延期。"
    if faults or until is None:
        raise Invalid(faults)
    chain = _chain(tx, case, ["coordinator"] if case.parent_id else case.extends.split())
    _apply(tx, case, "extension", chain, {"cause": reason, "progress": progress}, asked_due=end_of(until))
    return int(case.item_id)


def dispute(tx: Tx, assignment_id: int, *, facts: str, basis: str, to: str) -> int:
    """提出异议 (职责异议): facts, basis, and the unit that should do it instead (a key; none: nobody is named); returns
    the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.OBJECT)
    limit_texts(facts=facts, basis=basis)
    faults = {} if facts.strip() else {"facts": "请写明事实和理由。"}
    if not basis.strip():
        faults["basis"] = "请写明依据，如“三定”规定、文件条款。"
    if to == case.unit:
        faults["to"] = "建议的承办单位不能是本单位。"
    elif to and (fault := unit_fault(tx.connection, to)):
        faults["to"] = fault
    if faults:
        raise Invalid(faults)
    if to and case.parent_id:
        require_lower(tx, case.parent_unit, [to])
    chain = _chain(tx, case, ["coordinator"])
    _apply(tx, case, "objection", chain, {"facts": facts, "basis": basis}, asked_unit=to or None)
    return int(case.item_id)


def plan_steps(tx: Tx, assignment_id: int, *, steps: Sequence[StepDraft], ground: str = "") -> int:
    """报节点计划: the dated steps of a share, for whoever handed it out to confirm; confirmed ones change only with a
    ground. Returns the item's id. Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.PLAN_STEPS)
    said, texts = planned(tx, case, steps, ground)
    _apply(tx, case, "steps", _chain(tx, case, ["coordinator"]), texts, more=said)
    if case.needs_steps:
        disarm(tx, [("planning", case.id)])
    return int(case.item_id)


@dataclass(frozen=True)
class PetitionRef:
    """What lies before a post: which share's petition, and at whose turn."""

    assignment_id: int
    petition: int
    turn: int


def answer(tx: Tx, ref: PetitionRef, *, agree: bool, reason: str = "", to: str = "", confirmed: bool = False) -> int:
    """What a post decides on a petition: the last in turn grants it, one that declines ends it. An objection is met by
    moving the share to a unit (`to`), or by ending it where none is named. Returns the item's id.

    Raises: Invalid, Conflict, Refused, NotAllowed, NotFound, Questions (ask, then call again with `confirmed`).
    """
    case = case_of(tx, ref.assignment_id)
    if (case.petition_id, case.turn) != (ref.petition, ref.turn):
        raise _decided_by_other(tx, ref)
    permit(tx, case, Verb.GRANT if agree else Verb.DECLINE)
    limit_texts(reason=reason)
    if not agree and not reason.strip():
        raise Invalid({"reason": "请写明不同意的理由，对方据此办理。"})
    whole = counts_now(tx, case)
    if agree and case.petition_kind == "extension" and whole and case.asked_due > whole:
        raise Refused(
            f"申请的时限晚于{case.parent_name}现在的时限（{due_words(whole)}），不能同意；"
            "请不同意并说明，或先由上级单位申请延期。"
        )
    if agree and case.petition_kind == "extension" and case.asked_due < tx.now and not confirmed:
        raise Questions(
            {
                "reason": f"申请延期至 {due_words(case.asked_due)}，这个时限已经过了：同意以后仍按新时限计为逾期，"
                "也不再有到期提醒；是否仍要同意？"
            }
        )
    disarm(tx, [("petition", case.petition_id)])
    said = Said({"reason": reason}, upholds=agree and case.petition_kind == "objection")
    match case.petition_kind:
        case _ if not agree:
            _settle(tx, case, "declined", said)
        case "extension" if case.turn < len(chain_of(case)):
            _pass_on(tx, case, said)
        case "extension":
            _grant(tx, case, said)
        case "steps":
            confirm_steps(tx, case, settling(case, "granted"), said.texts)
        case _ if to:
            reassign_case(tx, case, to, said)
        case _:
            terminate_case(tx, case, said)
    return int(case.item_id)


def take_back_petition(tx: Tx, case: Case) -> None:
    """撤回 of what was applied for and is not decided yet."""
    disarm(tx, [("petition", case.petition_id)])
    _settle(tx, case, "taken_back", Said())


def _apply(
    tx: Tx,
    case: Case,
    kind: Kind,
    chain: Sequence[tuple[str, str]],
    texts: dict[str, str],
    *,
    asked_due: datetime | None = None,
    asked_unit: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    petition_id = tx.allocate("petition")[0]
    payload = {
        **_named(case),
        "petition": petition_id,
        "petition_kind": kind,
        "chain": canonical(chain),
        "overlay": _OVERLAYS[kind],
        "asked_due": asked_due,
        "asked_unit": asked_unit,
        **_turn(tx, chain, 1),
        **(more or {}),
    }
    tx.record(f"item:{case.item_id}", "petition.made", payload, texts)
    _lay_before(tx, case, petition_id, chain, 1)


def _named(case: Case) -> dict[str, Any]:
    return {"assignment": case.id, "item": case.item_id, "run": case.run_id}


def _turn(tx: Tx, chain: Sequence[tuple[str, str]], turn: int) -> dict[str, Any]:
    """Whose turn it is, and until when."""
    decider, role = chain[turn - 1]
    return {"turn": turn, "to_unit": decider, "to_role": role, "due_at": _decision_due(tx)}


def _decision_due(tx: Tx) -> datetime:
    return end_of(tx.calendar.after(local_day(tx.now), DECISION_DAYS))


def _lay_before(tx: Tx, case: Case, petition_id: int, chain: Sequence[tuple[str, str]], turn: int) -> None:
    arm_ladder(tx, "petition", [petition_id], _decision_due(tx), LADDER, turn=turn, only_ahead=True)
    tell(tx, [_notice(case, f"applied:{petition_id}.{turn}", *chain[turn - 1])])


def _notice(case: Case, tier: str, to_unit: str, role: str) -> Notice:
    return Notice("assignment", case.id, case.arm, tier, to_unit, role, case.run_id, case.item_id, immediate=True)


def _pass_on(tx: Tx, case: Case, said: Said) -> None:
    """One has agreed, the next one decides."""
    chain = chain_of(case)
    payload = {
        **_named(case),
        "petition": case.petition_id,
        "petition_kind": case.petition_kind,
        **_turn(tx, chain, case.turn + 1),
    }
    tx.record(f"item:{case.item_id}", "petition.passed", payload, said.texts)
    _lay_before(tx, case, case.petition_id, chain, case.turn + 1)


def _grant(tx: Tx, case: Case, said: Said) -> None:
    """The new date holds from now on, beside the original one; the ladder is armed anew under the next arm."""
    dates = {"due_at": case.asked_due, "original_due": case.original_due or case.due_at}
    extra = {**dates, "settles": settling(case, "granted"), "giver": giver(case)}
    rearm(tx, case, give_out_anew(tx, case, "assignment.extended", extra, said), case.asked_due)
    tell(tx, [_notice(case, f"granted:{case.petition_id}", *place) for place in _concerned(case)])


def _settle(tx: Tx, case: Case, outcome: str, said: Said) -> None:
    """Nothing comes of it; what lay over the share is lifted."""
    payload = {**_named(case), "settles": settling(case, outcome)}
    tx.record(f"item:{case.item_id}", "petition.settled", payload, said.texts)
    if case.petition_kind == "steps":
        ask_for_steps(tx, case, case.petition_id)
    if outcome == "declined":
        tell(tx, [_notice(case, f"declined:{case.petition_id}", case.unit, "liaison")])


def _concerned(case: Case) -> list[tuple[str, str]]:
    return [(case.unit, "liaison"), giver(case)]


# ---------------------------------------------------------------- who decides
def _chain(tx: Tx, case: Case, roles: Sequence[str]) -> list[tuple[str, str]]:
    """The posts that decide in turn. One that nobody holds is passed over, a section head's falls to the deputy head;
    where nobody at all is left, whoever handed the share out decides, as on every part that was handed down."""
    seats = overseers(tx, case.jurisdiction)
    of_unit = [(case.unit, role) for role in _OF_UNIT]
    answered = holders_in(tx.connection, {(*place, case.plan) for place in of_unit})
    held = {(unit_key, role) for (unit_key, role, _), people in answered.items() if people}
    found: list[tuple[str, str]] = []
    for role in roles:
        if role in _OF_UNIT:
            found += [place for place in of_unit[_OF_UNIT.index(role) :] if place in held][:1]
        elif role == "coordinator":
            found.append(giver(case))
        elif role in seats:
            found.append((seats[role], role))
    return list(dict.fromkeys(found)) or [giver(case)]


def _decided_by_other(tx: Tx, ref: PetitionRef) -> Conflict:
    found = tx.connection.execute(
        select(petition.c.settled_at, petition.c.state).where(
            petition.c.id == ref.petition, petition.c.assignment_id == ref.assignment_id
        )
    ).one_or_none()
    who, what = _SETTLED.get(found.state if found else "", ("另一岗位", "处理了这份申请"))
    return Conflict(who, found.settled_at if found else None, what)


_SETTLED = {  # where no post has decided on a petition
    "lapsed": ("这份申请", "因任务移交、终止、暂停计时或者申请办结而失效"),
    "taken_back": ("申请单位", "撤回了这份申请"),
}
