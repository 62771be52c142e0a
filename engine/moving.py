"""Commands that move a share through its lifecycle: 签收, 申请办结, 审签, 认可, 审核, 退回补正, 同意办结."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, literal, select

from bpmn.lifecycle import Step
from engine import instances, published
from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, Entry, TodoRef, cases_of, limit_texts, open_case, permit, take
from engine.filing import handed_in
from engine.notices import Notice, tell
from engine.reporting import checked_figures
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.errors import Invalid, Refused
from ledger.events import File
from ledger.rules.completion import Share as RuleShare
from ledger.rules.completion import blockers, closes
from ledger.rules.due import resolve
from ledger.rules.timeliness import mend_due
from ledger.rules.verbs import State, Verb
from ledger.schema import AnyRow, advance, assignment, due, round_, share, unit

# The state of a share by what its open step is for; any other step is a review.
STATE_FOR = {"acknowledge": State.ACKNOWLEDGING, "submit": State.WORKING, "sign": State.SIGNING}


@dataclass(frozen=True)
class _Next:
    """Where a share goes: the step (None: the lifecycle is over) and who stands there."""

    step: Step | None
    arm: int
    unit: str | None
    role: str | None
    state: State


@dataclass(frozen=True)
class _Said:
    """What a person gives with an act."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()


_NOTHING = _Said()


def acknowledge(tx: Tx, todo: TodoRef) -> int:
    """签收; returns the item's id. Raises: Conflict, NotAllowed, NotFound."""
    return acknowledge_many(tx, [todo])[0]


def acknowledge_many(tx: Tx, todos: Sequence[TodoRef]) -> list[int]:
    """批量签收: all or none; returns the items' ids. Raises: Conflict, NotAllowed, NotFound."""
    cases = cases_of(tx, [todo.assignment_id for todo in todos])
    for todo in sorted(set(todos), key=lambda t: t.assignment_id):
        case = take(tx, todo, cases[todo.assignment_id])
        permit(tx, case, Verb.ACKNOWLEDGE)
        due_at = _due_after_acknowledgement(tx, case)
        _record_move(tx, case, "assignment.acknowledged", _next(case, {}), {"due_at": due_at})
    return [case.item_id for case in cases.values()]


def submit(tx: Tx, todo: TodoRef, entry: Entry, *, summary: str, confirmed: bool = False) -> int:
    """申请办结 (a cooperating share: 提交反馈), with the last figures and what was achieved; returns the item's id.

    Raises: Invalid (summary, figures), Questions, Refused when others still have to report first, Conflict, NotAllowed.
    """
    case = open_case(tx, todo)
    permit(tx, case, Verb.SUBMIT)
    limit_texts(summary=summary, problem=entry.problem)
    if not summary.strip():
        raise Invalid({"summary": "请写明完成情况和成果，审核人据此判断能否办结。"})
    figures = checked_figures(tx, case, entry.figures, confirmed=confirmed)
    _require_others(tx, case)
    to = _next(case, {"needs_sign": case.role in case.sign_roles.split() and case.unit_kind != "body"})
    leaves_unit = to.state is not State.SIGNING
    extra = {"figures": figures, "round": None, "leaves_unit": leaves_unit}
    said = _Said({"summary": summary, "problem": entry.problem}, handed_in(tx, case.id, entry.files))
    _record_move(tx, case, "assignment.submitted", to, extra, said)
    if leaves_unit:
        disarm(tx, [("assignment", case.id)])
    return int(case.item_id)


def decide(tx: Tx, todo: TodoRef, *, agree: bool, reason: str = "", files: Sequence[int] = ()) -> int:
    """What a signer or reviewer decides: 审签同意 / 退回修改, 认可 or 同意办结 / 退回补正 (with a reason); `files` are
    uploads that go with the reason. Returns the item's id.

    Raises: Invalid (a return without reason), Refused, Conflict, NotAllowed.
    """
    case = open_case(tx, todo)
    signing = case.state == State.SIGNING
    limit_texts(reason=reason)
    agreeing, returning = (Verb.SIGN, Verb.SIGN_RETURN) if signing else (Verb.APPROVE, Verb.RETURN)
    permit(tx, case, agreeing if agree else returning)
    if not agree and not reason.strip():
        raise Invalid({"reason": "请写明退回理由和需要补正的内容，对方据此修改。"})
    to = _next(case, {"decision": "pass" if agree else "return"})
    said = _Said({"reason": reason}, handed_in(tx, case.id, files))
    if signing:
        _record_move(tx, case, "assignment.signed" if agree else "assignment.sent_back", to, said=said)
        if agree:
            disarm(tx, [("assignment", case.id)])
        else:
            _tell_returned(tx, case, to)
    elif agree:
        _accept(tx, case, to, said)
    else:
        _return(tx, case, to, said)
    return int(case.item_id)


def _return(tx: Tx, case: Case, to: _Next, said: _Said) -> None:
    """退回补正: some working days to mend, the ladder armed anew, the unit told at once."""
    due_at = _time_to_mend(tx, case)
    _record_move(tx, case, "assignment.returned", to, {"due_at": due_at}, said)
    if due_at and not case.cadence:
        # What is late and returned stays late, but is chased again: as if due when the days to mend are over.
        mended = end_of(tx.calendar.after(local_day(tx.now), case.mend_days))
        chased = due_at if due_at > tx.now else mended
        arm_ladder(tx, "assignment", [case.id], chased, parse_ladder(case.ladder), turn=to.arm, only_ahead=True)
    _tell_returned(tx, case, to)


def _time_to_mend(tx: Tx, case: Case) -> datetime | None:
    if case.due_at is None:
        return None
    return mend_due(case.due_at, tx.now, case.mend_days, tx.calendar, submitted_at=case.submitted_at)


def _due_after_acknowledgement(tx: Tx, case: Case) -> datetime | None:
    """The share's own date, where the plan counts from 签收; its ladder is armed then."""
    if case.due_at is not None or not case.due_text:
        return case.due_at  # type: ignore[no-any-return]
    rule = next(i.due for i in published.of_run(tx.connection, case.run_id).plan.items if i.id == case.element)
    if rule is None or rule.anchor != "acknowledge":
        return None
    limit = resolve(rule, tx.calendar, anchor=tx.now)
    if limit is None:
        return None
    arm_ladder(tx, "assignment", [case.id], limit.at, parse_ladder(case.ladder), only_ahead=True)
    return limit.at


def _tell_returned(tx: Tx, case: Case, to: _Next) -> None:
    told = Notice(
        "assignment", case.id, to.arm, "returned", case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
    tell(tx, [told])


# ---------------------------------------------------------------- where a share goes
def _next(case: Case, decided: Mapping[str, str | bool]) -> _Next:
    """The lifecycle's answer to a step done with these values."""
    cycle, version = published.lifecycle(case.lifecycle), published.lifecycle_version(case.lifecycle)
    values: dict[str, str | bool] = {"role": case.role, "held_by_office": case.unit_kind == "body", **decided}
    open_steps = instances.outcome(version, case.step, frozenset(values.items()))
    if not open_steps:
        return _Next(None, case.arm, None, None, State.CLOSED)
    step = cycle.step(open_steps[0])
    loops = step.verb == "submit" and case.state != State.ACKNOWLEDGING
    state = STATE_FOR.get(step.verb, State.REVIEWING)
    if loops and decided.get("decision") == "return":
        state = State.RETURNED
    return _Next(step, case.arm + loops, _holder(case, step), step.role, state)


def _holder(case: Case, step: Step) -> str:
    """The unit that stands at a step; where an item has no lead, its office accepts the feedback."""
    match step.holder:
        case "office":
            return str(case.office)
        case "host":
            return str(case.host or case.office)
        case "lead":
            return str(case.lead_unit or case.office)
    return str(case.unit)


def _record_move(
    tx: Tx,
    case: Case,
    kind: str,
    to: _Next,
    extra: Mapping[str, Any] | None = None,
    said: _Said = _NOTHING,
) -> None:
    payload: dict[str, Any] = {
        "assignment": case.id,
        "item": case.item_id,
        "run": case.run_id,
        "step": case.step,
        "arm": case.arm,
        "version": case.version,
        "to": to.step.id if to.step else None,
        "to_arm": to.arm,
        "to_unit": to.unit,
        "to_role": to.role,
        "state": to.state.value,
        "due_at": case.due_at,
        **(extra or {}),
    }
    payload["todo_due"] = None if to.state is State.REVIEWING else payload["due_at"]  # a review has no due date
    tx.record(f"item:{case.item_id}", kind, payload, said.texts, said.files)


# ---------------------------------------------------------------- what closes an item
_siblings = (
    select(
        assignment.c.id,
        assignment.c.role,
        assignment.c.ord,
        assignment.c.state,
        assignment.c.step,
        assignment.c.arm,
        unit.c.short,
    )
    .join(unit, unit.c.key == assignment.c.unit)
    .where(assignment.c.item_id == bindparam("b_item"))
    .order_by(assignment.c.ord)
)


_owed = (
    select(func.min(round_.c.n))
    .select_from(share.join(round_, round_.c.id == share.c.round_id))
    .where(share.c.assignment_id == assignment.c.id, share.c.state == "owed")
    .correlate(assignment)
    .scalar_subquery()
)
_to_come = (
    select(func.count())
    .select_from(due)
    .where(
        due.c.owner_kind == "run",
        due.c.owner_id == assignment.c.run_id,
        due.c.kind.like(literal("round:").concat(bindparam("b_cadence")).concat(":%")),
    )
    .correlate(assignment)
    .scalar_subquery()
)
_siblings_owing = (  # a row for each report that a share still owes, or one without
    _siblings.add_columns(share.c.id.label("owed"))
    .outerjoin(share, and_(share.c.assignment_id == assignment.c.id, share.c.state == "owed"))
    .order_by(share.c.id)
)
_insert_advance = insert(advance)
_siblings_in_rounds = _siblings.add_columns(_owed.label("n_owed"), _to_come.label("n_to_come"))


def _shares(rows: Sequence[AnyRow], accepted: int | None = None) -> list[RuleShare]:
    return [RuleShare(str(r.id), r.role, r.ord, r.state == State.CLOSED or r.id == accepted) for r in rows]


def _require_others(tx: Tx, case: Case) -> None:
    """What an application still waits for: its own occurrences, the feedback of others."""
    leads = case.completion == "lead" and case.role == "lead"
    if not (case.cadence or leads):
        return
    rows = tx.connection.execute(_siblings_in_rounds, {"b_item": case.item_id, "b_cadence": case.cadence or ""}).all()
    if case.cadence:
        _require_all_occurrences(next(r for r in rows if r.id == case.id))
    if leads:
        _require_feedback(case, rows)


def _require_feedback(case: Case, rows: Sequence[AnyRow]) -> None:
    """The first lead applies when the feedback of all others is accepted."""
    waiting = {share.id for share in blockers(case.completion, _shares(rows), str(case.id), gated=case.gated)}
    if waiting:
        names = "、".join(r.short for r in rows if str(r.id) in waiting)
        raise Refused(f"还有 {len(waiting)} 家单位的反馈没有认可（{names}）。请先催办或审核他们的反馈，再申请办结。")


def _require_all_occurrences(own: AnyRow) -> None:
    """A recurring item is applied for after its last occurrence, with none still owed."""
    if own.n_to_come:
        raise Refused(f"本任务按期次报送，还有 {own.n_to_come} 期没有开始。最后一期报送以后才能申请办结。")
    if own.n_owed:
        raise Refused(f"本任务第 {own.n_owed} 期还没有报送，请先报送，再申请办结。")


def _accept(tx: Tx, case: Case, to: _Next, said: _Said) -> None:
    """同意办结 or 认可; where it was the last that counted, the item closes with it."""
    found = tx.connection.execute(_siblings_owing, {"b_item": case.item_id}).all()
    rows = list({r.id: r for r in found}.values())
    done = closes(case.completion, _shares(rows, accepted=case.id), gated=case.gated)
    _record_move(tx, case, "assignment.accepted", to, {"closes": done}, said)
    if not done:
        return
    left = [r for r in rows if r.state not in ("closed", "withdrawn") and r.id != case.id]
    withdrawn = [{"id": r.id, "step": r.step, "arm": r.arm} for r in left]
    owed = [r.owed for r in found if r.owed is not None]  # nobody can report them any more
    tx.record(f"item:{case.item_id}", "item.closed", {"item": case.item_id, "withdrawn": withdrawn, "owed": owed})
    disarm(tx, [*(("assignment", r.id) for r in left), *(("share", o) for o in owed)])
    tx.writes.write(_insert_advance, {"run_id": case.run_id, "item_id": case.item_id})
    tx.closed_runs.add(case.run_id)
