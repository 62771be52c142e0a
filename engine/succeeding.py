"""承接: a share goes on with another unit as it stands, a share of the item as one, a part of what another unit holds
as a part of the same. By 调整责任单位 the office, or the unit above, moves one; when units merge or split, all that are
chosen move. Where a successor has a share there already, it goes into that, and what was to be reached and has been
reported counts with it; the office's word makes a weaker one as strong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select

from engine import owing
from engine.adjusting import (
    ROLES,
    Share,
    end_share,
    hand_out,
    item_row,
    notice_of,
    require_said,
)
from engine.desk import Case, case_of, permit
from engine.moving import Said, siblings
from engine.notices import tell
from engine.seating import seat_anew
from engine.splitting import hand_over, lacking_of_parts, require_lower
from engine.steps import taken_over
from ledger.database import Tx
from ledger.directory import unit_fault
from ledger.errors import Invalid, Refused
from ledger.rules.figures import Reading, SumRule, roll_up
from ledger.rules.verbs import ENDED, LEFT_OUT, State, Verb
from ledger.schema import AnyRow, assignment, figure, indicator, reading, unit

IN_UNIT = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED)  # a share that may take in another


def reassign(tx: Tx, assignment_id: int, *, to: str, ground: str) -> int:
    """调整责任单位: this share ends, another unit's begins. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.REASSIGN)
    require_said(ground)
    reassign_case(tx, case, to, Said({"ground": ground}))
    return int(case.item_id)


def reassign_case(tx: Tx, case: Case, to: str, said: Said) -> None:
    """End a share in favour of another unit, which takes it over as it stands and owes what it still has to report. It
    goes into a share that the unit has of the item, and makes that as strong."""
    if case.parent_suspended:
        raise Refused(f"{case.parent_name}的任务已暂停计时，恢复后才能调整下级单位。")
    own = _own_share(tx, case, to)
    if case.parent_id:
        require_lower(tx, case.parent_unit, [to])
    reports = owing.reports_of(tx, case)
    missed = [r.id for r in reports if r.assignment_id is not None and owing.is_late(tx, r)]
    figures = reported(tx, [case.id, own.id] if own else [case.id])
    if own:
        new = int(own.id)
        join(tx, case, own, figures, said, missed)
    else:
        new = hand_on(tx, case, to, figures.get(case.id, ()), said, missed)
    _hand_reports_on(tx, case, new, to, [r for r in reports if not owing.is_late(tx, r)])
    if case.role == "lead" and not case.parent_id:
        seat_anew(tx, case.item_id)


_own = select(assignment.c.id).where(
    assignment.c.item_id == bindparam("b_item"),
    assignment.c.unit == bindparam("b_unit"),
    assignment.c.state.not_in(LEFT_OUT),
)


def _own_share(tx: Tx, case: Case, to: str) -> Case | None:
    """The share of the item that a unit has already, if it may take this one in. Raises: Invalid."""
    if fault := unit_fault(tx.connection, to):
        raise Invalid({"to": fault})
    found = tx.connection.execute(_own, {"b_item": case.item_id, "b_unit": to}).scalars().all()
    own = case_of(tx, found[-1]) if found else None
    if own is None or not (words := _why_not(case, own)):
        return own
    raise Invalid({"to": words})


def _why_not(case: Case, own: Case) -> str:
    if own.id == case.id:
        return f"{own.unit_name}现在就承担这份责任，请选择别的单位。"
    if own.parent_id != case.parent_id:
        return f"{own.unit_name}在本任务中另有上下级之间的分工；请先终止那一份，或者选择别的单位。"
    if own.state in ENDED:
        return f"{own.unit_name}在本任务中的分工已经办结；请先撤销它的办结再调整，或者选择别的单位。"
    if own.state not in IN_UNIT:
        return f"{own.unit_name}在本任务中的分工已经提交；请先由审签、审核岗位退回再调整，或者选择别的单位。"
    return ""


def _hand_reports_on(tx: Tx, case: Case, new: int, to: str, reports: Sequence[AnyRow]) -> None:
    """Whoever answers for a share when a round is due owes its report; the unit before, where it works on something
    else in the plan, goes on owing its own."""
    occurrences = [owing.Passed(r, new) for r in reports if r.assignment_id is not None]
    others = [r for r in reports if r.assignment_id is None]
    is_left = bool(others) and owing.works_on(tx, case.run_id, others[0].unit, [case.id])
    owing.pass_on(tx, [*occurrences, *(owing.Passed(r, beside=is_left) for r in others)], to)


@dataclass(frozen=True)
class Judged:
    """What was reported, and what the office (审核值) or an inspector (核定值) then held it to be."""

    reported: Decimal
    reported_at: datetime
    checked: Decimal | None
    settled: Decimal | None


@dataclass(frozen=True)
class Figure:
    """What a share has come to by an indicator, as of when; `rule`: how shares are summed up by it; `judged`: of a
    reading that was."""

    indicator: int
    rule: SumRule
    value: Decimal
    at: datetime
    judged: Judged | None = None


_newest = (
    select(func.max(reading.c.seq))
    .where(
        reading.c.assignment_id == figure.c.assignment_id,
        reading.c.indicator_id == figure.c.indicator_id,
        reading.c.item_id == indicator.c.item_id,
    )
    .correlate(figure, indicator)
    .scalar_subquery()
)
_figures = (
    select(
        figure,
        indicator.c.sum_rule,
        reading.c.value.label("reported"),
        reading.c.reported_at.label("first_at"),
        reading.c.checked,
        reading.c.settled,
    )
    .join(indicator, indicator.c.id == figure.c.indicator_id)
    .join(
        reading,
        and_(
            reading.c.item_id == indicator.c.item_id,
            reading.c.indicator_id == indicator.c.id,
            reading.c.assignment_id == figure.c.assignment_id,
            reading.c.seq == _newest,
        ),
    )
    .where(figure.c.assignment_id.in_(bindparam("ids", expanding=True)))
    .order_by(figure.c.indicator_id)
)


def reported(tx: Tx, shares: Iterable[int]) -> Mapping[int, Sequence[Figure]]:
    """The figures of shares, by share."""
    found = defaultdict(list)
    for r in tx.connection.execute(_figures, {"ids": sorted(shares)}):
        is_judged = r.checked is not None or r.settled is not None
        judged = Judged(r.reported, r.first_at, r.checked, r.settled) if is_judged else None
        found[r.assignment_id].append(Figure(r.indicator_id, r.sum_rule, r.value, r.reported_at, judged))
    return found


def hand_on(tx: Tx, case: Case, to: str, figures: Sequence[Figure], said: Said, missed: Collection[int] = ()) -> int:
    """The successor's own share, which it acknowledges; returns its id. Time that stands still does so for it, an
    extended date and the steps that were confirmed hold for it; what was late begins anew. `missed`: of the reports
    that are owed, see `end_share`."""
    new = tx.allocate("assignment")[0]
    end_share(tx, case, siblings(tx, case.item_id), said, new, missed)
    due_at = case.due_at
    if case.parent_id:
        until = hand_over(tx, case, to, new, case.suspended_at)
    else:
        found = item_row(tx, case.item_id)
        if found.due_at is None and case.due_text and not (case.original_due or case.suspended_at):
            due_at = None  # counted from its own 签收
        until = hand_out(tx, found, Share(to, case.role, case.ord, case.quota, new, due_at, case.suspended_at))
    in_time = due_at is not None and due_at > (case.suspended_at or tx.now)
    facts = {**_numbers(tx, case, to, figures), "suspended_at": case.suspended_at, **taken_over(tx, case, until)}
    facts["original_due"] = case.original_due if in_time else None
    if any(facts.values()):
        _take_over(tx, case, new, facts)
    return new


def join(
    tx: Tx,
    case: Case,
    own: Case,
    known: Mapping[int, Sequence[Figure]],
    said: Said,
    missed: Collection[int] = (),
) -> None:
    """A share ends in favour of one that its successor has, and goes into that. `known`: the figures of both;
    `missed`: see `end_share`."""
    end_share(tx, case, siblings(tx, case.item_id), said, own.id, missed)
    take_in(tx, case, own, known)


def take_in(tx: Tx, case: Case, own: Case, known: Mapping[int, Sequence[Figure]]) -> None:
    """Into the successor's own share: quotas add up, figures by the rule of their indicator, a stronger role goes along
    with its place in the order. Where it has handed its own down, the quotas of those parts are what they were, and it
    is asked to say why."""
    figures = combined(known.get(own.id, ()), known.get(case.id, ()))
    quota = None if case.quota is None else case.quota + (own.quota or 0)
    is_stronger = ROLES.index(case.role) < ROLES.index(own.role)
    role = {"role": case.role, "was": own.role, "ord": case.ord} if is_stronger else {}
    facts = {**_numbers(tx, case, own.unit, figures), "quota": quota, **role}
    lacking = lacking_of_parts(tx, own, quota) if case.quota else None
    if figures or quota is not None or "fills" in facts or role:
        asked = {"lacking": lacking, "told": [own.arm, own.unit, "liaison"]} if lacking else {}
        _take_over(tx, case, own.id, {**facts, **asked, "joined": True})
    if lacking:
        tell(tx, [notice_of(own, f"gap:{case.id}")])


def combined(own: Sequence[Figure], taken: Sequence[Figure]) -> list[Figure]:
    """What a share has come to with what it takes over, by each indicator of which that makes another figure."""
    before = {f.indicator: f for f in own}
    found = []
    for f in taken:
        both = [before[f.indicator], f] if f.indicator in before else [f]
        value = roll_up(f.rule, [Reading(one.value, one.at) for one in both])
        if len(both) == 1:
            found.append(f)
        elif value is not None and value != both[0].value:
            found.append(Figure(f.indicator, f.rule, value, max(one.at for one in both)))
    return found


def _numbers(tx: Tx, case: Case, to: str, figures: Sequence[Figure]) -> dict[str, Any]:
    """What the successor takes over of numbers, as the event says it: what counts, what was judged of it, and of which
    figures its unit (`to`) is the one that fills them from now on (一数一源)."""
    judged = [(f.indicator, f.judged) for f in figures if f.judged]
    fills = tx.connection.execute(_filled_by, {"b_item": case.item_id, "b_unit": case.unit}).scalars().all()
    return {
        "figures": [[f.indicator, f.value, f.at] for f in figures],
        **({"judged": [[i, j.reported, j.reported_at, j.checked, j.settled] for i, j in judged]} if judged else {}),
        **({"fills": {"unit": to, "indicators": list(fills)}} if fills else {}),
    }


# The figures of an item that one unit alone fills, by the name it has in the plan or as whom it has succeeded.
_filled_by = (
    select(indicator.c.id)
    .join(unit, unit.c.key == indicator.c.reporter)
    .where(
        indicator.c.item_id == bindparam("b_item"),
        or_(unit.c.key == bindparam("b_unit"), unit.c.successor == bindparam("b_unit")),
    )
    .order_by(indicator.c.id)
)


def _take_over(tx: Tx, case: Case, to: int, facts: Mapping[str, Any]) -> None:
    payload = {"assignment": to, "item": case.item_id, "predecessor": case.id, **facts}
    tx.record(f"item:{case.item_id}", "assignment.taken_over", payload)
