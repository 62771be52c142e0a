"""Commands that move a share through its lifecycle: 签收 and 申请办结, and what every move records. What signers and
reviewers decide is in `engine.deciding`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, bindparam, func, insert, literal, select, update

from bpmn.lifecycle import Step
from engine import instances, published
from engine.carrying import item_over
from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, Entry, TodoRef, cases_of, limit_texts, open_case, permit, take
from engine.filing import handed_in
from engine.notices import Notice, tell
from engine.owing import release_unit
from engine.places import places_of
from engine.reporting import checked_figures
from engine.rounds import OPEN_SHARES
from engine.steps import ask_for_steps, let_go
from ledger.database import Tx
from ledger.errors import Invalid, Refused
from ledger.events import File
from ledger.rules.completion import Share as RuleShare
from ledger.rules.completion import blockers, closes
from ledger.rules.due import resolve
from ledger.rules.verbs import ENDED, LEFT_OUT, State, Verb
from ledger.schema import AnyRow, advance, assignment, draft, due, petition, post, round_, share, unit, upload

# The state of a share by what its open step is for; any other step is a review.
STATE_FOR = {"acknowledge": State.ACKNOWLEDGING, "submit": State.WORKING, "sign": State.SIGNING}


@dataclass(frozen=True)
class Next:
    """Where a share goes: the step (None: the lifecycle is over) and the posts that stand there (unit, role)."""

    step: Step | None
    arm: int
    places: Sequence[tuple[str, str]]
    state: State


@dataclass(frozen=True)
class Said:
    """What a person gives with an act; `upholds`: an objection is met by it."""

    texts: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()
    upholds: bool = False


NOTHING_SAID = Said()


def acknowledge(tx: Tx, todo: TodoRef) -> int:
    """签收; returns the item's id. Raises: Conflict, NotAllowed, NotFound."""
    return acknowledge_many(tx, [todo])[0]


def acknowledge_many(tx: Tx, todos: Sequence[TodoRef]) -> list[int]:
    """批量签收: all or none; returns the items' ids. Raises: Conflict, NotAllowed, NotFound."""
    cases = cases_of(tx, [todo.assignment_id for todo in todos])
    for todo in sorted(set(todos), key=lambda t: t.assignment_id):
        case = take(tx, todo, cases[todo.assignment_id])
        permit(tx, case, Verb.ACKNOWLEDGE)
        if (to := next_of(tx, case, {})).step is None:
            _read(tx, case, to)
            continue
        dates = _due_after_acknowledgement(tx, case) | ({"todo_due": None} if case.overlay == State.SUSPENDED else {})
        record_move(tx, case, "assignment.acknowledged", to, dates)
        ask_for_steps(tx, case)
    return [case.item_id for case in cases.values()]


def _read(tx: Tx, case: Case, to: Next) -> None:
    """阅知: with the tap that says it was read the share is done."""
    tx.flush()  # what the same person has read for another unit of the item counts already
    rows = siblings(tx, case.item_id)
    done = is_done(case, rows, accepted=case.id)
    record_move(tx, case, "assignment.read", to, {"closes": done})
    disarm(tx, [("assignment", case.id)])
    if done:
        close_item(tx, case, "item.closed", [r for r in rows if r.id != case.id], {"counts": 1})


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
    to = next_of(tx, case, _needs_sign(case.role, case.unit_kind, case.sign_roles))
    leaves_unit = to.state is not State.SIGNING
    lapsed = settling(case, "lapsed")  # who has done the work needs no more time for it, nor another to do it
    extra = {"figures": figures, "round": None, "leaves_unit": leaves_unit, "settles": lapsed}
    said = Said({"summary": summary, "problem": entry.problem}, handed_in(tx, case.id, entry.files))
    record_move(tx, case, "assignment.submitted", to, extra, said)
    if leaves_unit:
        disarm(tx, [("assignment", case.id)])
    if lapsed:
        disarm(tx, [("petition", case.petition_id)])
        if case.petition_kind == "steps":
            ask_for_steps(tx, case, case.petition_id)
    return int(case.item_id)


def _due_after_acknowledgement(tx: Tx, case: Case) -> dict[str, Any]:
    """The share's date, its own where the plan counts from 签收, and then how it came about; its ladder is armed
    then."""
    if case.due_at is not None or not case.due_text or case.parent_id:
        return {"due_at": case.due_at}
    rule = next(i.due for i in published.of_run(tx.connection, case.run_id).plan.items if i.id == case.element)
    limit = resolve(rule, tx.calendar, anchor=tx.now) if rule and rule.anchor == "acknowledge" else None
    if limit is None:
        return {"due_at": None}
    arm_ladder(tx, "assignment", [case.id], limit.at, parse_ladder(case.ladder), only_ahead=True)
    return {"due_at": limit.at, "why": limit.steps}


# ---------------------------------------------------------------- where a share goes
def handed_to(lifecycle: str, role: str, unit_kind: str, sign_roles: str) -> Step:
    """The step to which an application comes first."""
    work = next(s for s in published.lifecycle(lifecycle).steps if s.verb == "submit")
    step = step_after(lifecycle, work.id, role, unit_kind, _needs_sign(role, unit_kind, sign_roles))
    assert step is not None
    return step


def _needs_sign(role: str, unit_kind: str, sign_roles: str) -> dict[str, str | bool]:
    return {"needs_sign": role in sign_roles.split() and unit_kind != "body"}


def step_after(lifecycle: str, step: str, role: str, unit_kind: str, decided: Mapping[str, str | bool]) -> Step | None:
    """The lifecycle's answer to a step done with these values; None: it is over."""
    cycle, version = published.lifecycle(lifecycle), published.lifecycle_version(lifecycle)
    values: dict[str, str | bool] = {"role": role, "held_by_office": unit_kind == "body", **decided}
    open_steps = instances.outcome(version, step, frozenset(values.items()))
    return cycle.step(open_steps[0]) if open_steps else None


def next_of(tx: Tx, case: Case, decided: Mapping[str, str | bool]) -> Next:
    """Where a share goes from a step done with these values."""
    step = step_after(case.lifecycle, case.step, case.role, case.unit_kind, decided)
    if step is None:
        return Next(None, case.arm, (), State.CLOSED)
    loops = step.verb == "submit" and case.state != State.ACKNOWLEDGING
    state = STATE_FOR.get(step.verb, State.REVIEWING)
    if loops and decided.get("decision") == "return":
        state = State.RETURNED
    return Next(step, case.arm + loops, places_of(tx, case, step), state)


def give_out_anew(tx: Tx, case: Case, kind: str, extra: Mapping[str, Any], said: Said) -> int:
    """The same step under the next arm, which is returned: its todo has another date from now on. What somebody is
    typing for it stays with it."""
    return give_out_all_anew(tx, [case], kind, [extra], said)[0]


def give_out_all_anew(
    tx: Tx, cases: Sequence[Case], kind: str, extras: Sequence[Mapping[str, Any]], said: Said
) -> list[int]:
    """`give_out_anew` for several shares, with what the event says of each, in the statements of one."""
    names = []
    for case, extra in zip(cases, extras, strict=True):
        step = published.lifecycle(case.lifecycle).step(case.step)
        to = Next(step, case.arm + 1, case.seats, State(case.state))
        record_move(tx, case, kind, to, extra, said)
        renamed = {"b_old": f"submit-{case.id}-{case.arm}", "b_new": f"submit-{case.id}-{to.arm}"}
        names.append(renamed | {"b_unit": case.unit})
    for statement in _rename_forms:
        tx.writes.write(statement, names)
    return [case.arm + 1 for case in cases]


_people_of_unit = select(post.c.person_id).where(post.c.unit == bindparam("b_unit"), post.c.until.is_(None))
_rename_forms = [
    update(table)
    .where(table.c.person_id.in_(_people_of_unit), table.c.form == bindparam("b_old"))
    .values(form=bindparam("b_new"))
    for table in (draft, upload)
]


def settling(case: Case, outcome: str) -> dict[str, Any] | None:
    """What an event says of the share's open petition, which it settles."""
    return _settled(case.petition_id, case.petition_kind, case.turn, outcome) if case.petition_id else None


def _settled(petition_id: int, kind: str, turn: int, outcome: str) -> dict[str, Any]:
    return {"petition": petition_id, "petition_kind": kind, "turn": turn, "outcome": outcome}


def rearm(tx: Tx, case: Case, turn: int, due_at: datetime | None) -> None:
    """The ladder of a share counts from this date from now on."""
    disarm(tx, [("assignment", case.id)])
    if due_at and not case.cadence:
        arm_ladder(tx, "assignment", [case.id], due_at, parse_ladder(case.ladder), turn=turn, only_ahead=True)


def record_move(
    tx: Tx,
    case: Case,
    kind: str,
    to: Next,
    extra: Mapping[str, Any] | None = None,
    said: Said = NOTHING_SAID,
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
        "to_unit": to.places[0][0] if to.places else None,
        "to_role": to.places[0][1] if to.places else None,
        "state": to.state.value,
        "due_at": case.due_at,
        **(extra or {}),
    }
    if to.step and to.step.rule != "one":
        payload.setdefault("seats", to.places)
    if len(case.seats) > 1 and (to.step is None or to.step.id != case.step):  # whose todos end with this one
        payload["others"] = [place for place in case.seats if place != (case.todo_unit, case.todo_role)]
    payload.setdefault("todo_due", None if to.state is State.REVIEWING else payload["due_at"])  # a review has none
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
        assignment.c.unit,
        assignment.c.steps_in_force,
        assignment.c.parent_id,
        unit.c.short,
    )
    .join(unit, unit.c.key == assignment.c.unit)
    .where(assignment.c.item_id == bindparam("b_item"), assignment.c.state.not_in(LEFT_OUT))
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
    _siblings.add_columns(
        share.c.id.label("owed"),
        petition.c.id.label("petition_id"),
        petition.c.kind.label("petition_kind"),
        petition.c.turn,
    )
    .outerjoin(share, and_(share.c.assignment_id == assignment.c.id, share.c.state == "owed"))
    .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
    .order_by(share.c.id)
)
_insert_advance = insert(advance)
_siblings_in_rounds = _siblings.add_columns(_owed.label("n_owed"), _to_come.label("n_to_come"))


def _shares(rows: Sequence[AnyRow], accepted: int | None = None) -> list[RuleShare]:
    """The shares that an item is completed by: what they were handed down in is their own affair."""
    whole = [r for r in rows if r.parent_id is None]
    return [RuleShare(str(r.id), r.role, r.ord, r.state == State.CLOSED or r.id == accepted) for r in whole]


def parts_of(rows: Sequence[AnyRow], share_id: int) -> list[AnyRow]:
    """Of the shares of an item those that one was handed down in, at every level."""
    own = [r for r in rows if r.parent_id == share_id]
    return [*own, *(below for i in dict.fromkeys(r.id for r in own) for below in parts_of(rows, i))]


def _require_others(tx: Tx, case: Case) -> None:
    """What an application still waits for: its own parts and occurrences, the feedback of others."""
    if case.n_parts_open:
        _require_parts(tx, case)
    leads = case.completion == "lead" and case.role == "lead"
    if not (case.cadence or leads):
        return
    rows = tx.read(_siblings_in_rounds, {"b_item": case.item_id, "b_cadence": case.cadence or ""})
    if case.cadence:
        _require_all_occurrences(next(r for r in rows if r.id == case.id))
    if leads:
        _require_feedback(case, rows)


def _require_parts(tx: Tx, case: Case) -> None:
    """What was handed down is done, or given up, before the whole is reported."""
    rows = tx.connection.execute(_siblings, {"b_item": case.item_id}).all()
    names = [r.short for r in rows if r.parent_id == case.id and r.state not in ENDED]
    raise Refused(
        f"还有 {len(names)} 家下级单位没有办结（{'、'.join(names)}）。"
        "请先催办或审核，不再需要的可以终止，再由本单位汇总申请办结。"
    )


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


def siblings(tx: Tx, item_id: int) -> Sequence[AnyRow]:
    """The shares of an item that count, a row for each report that one still owes, or one without."""
    return tx.read(_siblings_owing, {"b_item": item_id})


def is_done(case: Case | AnyRow, rows: Sequence[AnyRow], accepted: int | None = None) -> bool:
    each = list({r.id: r for r in rows}.values())
    return closes(case.completion, _shares(each, accepted), gated=case.gated)


def close_if_done(tx: Tx, case: Case, rows: Sequence[AnyRow]) -> None:
    """Where a share was ended for which alone the item waited, it closes with what these others have achieved."""
    if is_done(case, rows):
        close_item(tx, case, "item.closed", rows, {"counts": 0})


@dataclass(frozen=True)
class Ending:
    """Open shares that end without a result: what the event says of them, what is armed for them."""

    left: Sequence[AnyRow]
    withdrawn: Sequence[Mapping[str, Any]]
    armed: Sequence[tuple[str, int]]
    tier: PartEnd


PartEnd = Literal["ended", "recalled"]  # what the units below are told: it is over, or it went to another unit


def ending(rows: Sequence[AnyRow], tier: PartEnd = "ended") -> Ending:
    """What ends with an item, or with the share that these were handed down from."""
    left = list({r.id: r for r in rows if r.state not in ENDED}.values())
    withdrawn = [
        {
            "id": r.id,
            "step": r.step,
            "arm": r.arm,
            "part": r.parent_id is not None,
            **({"told": tier} if tier != "ended" else {}),
            "settles": _settled(r.petition_id, r.petition_kind, r.turn, "lapsed") if r.petition_id else None,
        }
        for r in left
    ]
    petitions = [("petition", r.petition_id) for r in left if r.petition_id]
    return Ending(left, withdrawn, [*(("assignment", r.id) for r in left), *petitions], tier)


def tell_parts(tx: Tx, run_id: int, item_id: int, ended: Ending) -> None:
    """Whom a share was handed down to is told that there is nothing left to do."""
    own = [r for r in ended.left if r.parent_id is not None]
    told = [Notice("assignment", r.id, r.arm, ended.tier, r.unit, "liaison", run_id, item_id, True) for r in own]
    tell(tx, told)


def close_item(
    tx: Tx,
    case: Case | AnyRow,
    kind: str,
    rows: Sequence[AnyRow],
    extra: Mapping[str, Any],
    said: Said = NOTHING_SAID,
) -> None:
    """An item is over (closed or terminated): what is still open of these shares is withdrawn, the plan goes on."""
    ended = ending(rows)
    owed = [r.owed for r in rows if r.owed is not None]  # nobody can report them any more
    payload = {"item": case.item_id, "withdrawn": ended.withdrawn, "owed": owed, **extra}
    tx.record(f"item:{case.item_id}", kind, payload, said.texts)
    disarm(tx, [*ended.armed, *(("share", o) for o in owed)])
    let_go(tx, case.needs_steps, ended.left)
    for r in ended.left:
        if r.parent_id is None and r.role in OPEN_SHARES:
            release_unit(tx, case.run_id, r.unit, [s.id for s in ended.left])
    if kind == "item.closed":
        tell_parts(tx, case.run_id, case.item_id, ended)
    if case.n_intakes:
        item_over(tx, case.item_id)
    tx.writes.write(_insert_advance, {"run_id": case.run_id, "item_id": case.item_id})
    tx.closed_runs.add(case.run_id)
