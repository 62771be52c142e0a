"""What signers and reviewers decide: 审签, 认可, 审核, 退回修改, 退回补正, 同意办结.

What comes back to a unit that has ended meanwhile goes on with its successor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from engine import published
from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, TodoRef, cases_of, limit_texts, open_case, permit, take
from engine.filing import handed_in
from engine.going_on import go_to_successor
from engine.looking import Seen, changed
from engine.moments import chased_after_return
from engine.moving import NOTHING_SAID, Next, Said, close_item, is_done, next_of, record_move, siblings
from engine.notices import Notice, tell
from engine.steps import let_go
from engine.stopped import come_back, meanwhile, whole_due
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.errors import DubanError, Invalid, NotEvery
from ledger.rules.due import counted_steps
from ledger.rules.levels import inner
from ledger.rules.texts import due_words
from ledger.rules.timeliness import mend_due
from ledger.rules.verbs import State, Verb


def sign_many(tx: Tx, todos: Sequence[TodoRef], *, seen: Mapping[int, Seen] | None = None) -> list[int]:
    """批量审签: all or none; `seen`: by share the figures that the signer looked at. Returns the items' ids.

    Raises: NotEvery with the reason of each that cannot be signed; NotFound."""
    wanted = sorted(set(todos), key=lambda t: t.assignment_id)
    cases, refused, left = cases_of(tx, [todo.assignment_id for todo in wanted]), {}, []
    other = changed(tx, list(cases.values()), seen or {})
    for todo in wanted:
        try:
            case = take(tx, todo, cases[todo.assignment_id])
            permit(tx, case, Verb.SIGN)
            if case.id in other:
                raise other[case.id]
        except DubanError as error:
            refused[todo] = str(error)
            continue
        if _agree(tx, case, NOTHING_SAID):
            left.append(case.id)
    if refused:
        raise NotEvery(refused, len(wanted))
    disarm(tx, [("assignment", i) for i in left])
    return [case.item_id for case in cases.values()]


def decide(
    tx: Tx, todo: TodoRef, *, agree: bool, reason: str = "", files: Sequence[int] = (), seen: Seen | None = None
) -> int:
    """What a signer or reviewer decides: 审签同意 / 退回修改, 认可 or 同意办结 / 退回补正 (with a reason); `files` are
    uploads that go with the reason, `seen` the figures that were looked at. Returns the item's id.

    Raises: Invalid (a return without reason), Refused, Conflict, NotAllowed.
    """
    case = open_case(tx, todo)
    signing = case.state == State.SIGNING
    limit_texts(reason=reason)
    agreeing, returning = (Verb.SIGN, Verb.SIGN_RETURN) if signing else (Verb.APPROVE, Verb.RETURN)
    permit(tx, case, agreeing if agree else returning)
    if not agree and not reason.strip():
        raise Invalid({"reason": "请写明退回理由和需要补正的内容，对方据此修改。"})
    if seen is not None and (other := changed(tx, [case], {case.id: seen})):
        raise other[case.id]
    said = Said({"reason": reason}, handed_in(tx, case.id, files))
    if agree:
        if _agree(tx, case, said):
            disarm(tx, [("assignment", case.id)])
        return int(case.item_id)
    to = next_of(tx, case, {"decision": "return"})
    if signing:
        record_move(tx, case, "assignment.sent_back", to, come_back(tx, case), said)
        _tell_returned(tx, case, to)
    else:
        _return(tx, case, to, said)
    go_to_successor(tx, case)
    return int(case.item_id)


def _agree(tx: Tx, case: Case, said: Said) -> bool:
    """One who stands at a step agrees: others still have to (会签), or the share goes on, to the next level or to its
    end. Returns whether it leaves its unit with that, which is no longer chased."""
    if len(case.seats) > 1 and published.lifecycle(case.lifecycle).step(case.step).rule == "all":
        _agree_beside(tx, case, said)
        return False
    to = next_of(tx, case, {"decision": "pass"})
    if case.state == State.SIGNING:
        leaves_unit = to.state is not State.SIGNING
        record_move(tx, case, "assignment.signed", to, {"leaves_unit": leaves_unit}, said)
        return leaves_unit
    if to.step:
        record_move(tx, case, "assignment.passed", to, said=said)
    else:
        _accept(tx, case, to, said)
    return False


def _agree_beside(tx: Tx, case: Case, said: Said) -> None:
    """会签: this post has agreed, those that are left still have to."""
    payload = {
        "assignment": case.id,
        "item": case.item_id,
        "run": case.run_id,
        "step": case.step,
        "arm": case.arm,
        "version": case.version,
        "unit": case.todo_unit,
        "role": case.todo_role,
        "left": len(case.seats) - 1,
    }
    tx.record(f"item:{case.item_id}", "assignment.agreed", payload, said.texts, said.files)


def _return(tx: Tx, case: Case, to: Next, said: Said) -> None:
    """退回补正: some working days to mend, the ladder armed anew, the unit told at once. They run also where the whole
    stands still, for what was handed in is decided all the same."""
    due_at = inner(_time_to_mend(tx, case), whole_due(tx, case), case.due_at)
    why = _why_mended(tx, case, due_at)
    record_move(tx, case, "assignment.returned", to, {"due_at": due_at, **({"why": why} if why else {})}, said)
    if due_at and not case.cadence:
        chased = chased_after_return(due_at, tx.now, case.mend_days, tx.calendar)
        arm_ladder(tx, "assignment", [case.id], chased, parse_ladder(case.ladder), turn=to.arm, only_ahead=True)
    _tell_returned(tx, case, to)


def _time_to_mend(tx: Tx, case: Case) -> datetime | None:
    if case.due_at is None:
        return None
    is_late = case.submitted_at is not None and case.submitted_at > case.due_at
    due_at = case.due_at if is_late else meanwhile(tx, case, case.due_at)
    return mend_due(due_at, tx.now, case.mend_days, tx.calendar, submitted_at=case.submitted_at)


def _why_mended(tx: Tx, case: Case, due_at: datetime | None) -> Sequence[tuple[str, str]]:
    """How the date after a return came about, as the time sheet tells it."""
    if due_at is None:
        return ()
    if due_at == case.due_at:
        is_late = case.submitted_at is not None and case.submitted_at > due_at
        return [("规则", "报送时已逾期，不另给补正时间" if is_late else "补正时间在时限以内，时限不变")]
    mended = end_of(tx.calendar.after(local_day(tx.now), case.mend_days))
    if due_at > mended:
        return [("规则", f"上级任务暂停计时的工作日不计，顺延至 {due_words(due_at)}")]
    steps = counted_steps("退回", local_day(tx.now), case.mend_days, tx.calendar)
    return steps if due_at == mended else [*steps, ("上级时限", f"不超过上级任务的时限 {due_words(due_at)}")]


def _tell_returned(tx: Tx, case: Case, to: Next) -> None:
    told = Notice(
        "assignment", case.id, to.arm, "returned", case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
    tell(tx, [told])


def _accept(tx: Tx, case: Case, to: Next, said: Said) -> None:
    """同意办结 or 认可; where it was the last that counted, the item closes with it."""
    rows = siblings(tx, case.item_id)
    done = case.parent_id is None and is_done(case, rows, accepted=case.id)
    record_move(tx, case, "assignment.accepted", to, {"closes": done, "counts": case.parent_id is None}, said)
    let_go(tx, case.needs_steps, [case])
    if done:
        close_item(tx, case, "item.closed", [r for r in rows if r.id != case.id], {"counts": 1})
