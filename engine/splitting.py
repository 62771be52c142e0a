"""分解下达: the holder of a share hands it down to its own lower units, each with a part of the quota and a date within
its own; it sums up what they send, reviews what they apply for, and reports once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from bpmn.lifecycle import LOCAL, Step
from engine import instances, published
from engine.chasing import arm as arm_ladder
from engine.chasing import disarm, parse_ladder
from engine.desk import Case, case_of, limit_texts, permit
from engine.notices import Notice, tell
from engine.stopped import counts_now
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.directory import unit_fault
from ledger.errors import Invalid, Refused
from ledger.rules.due import counted_steps
from ledger.rules.levels import LOWEST, ROLE, gap, inner, splits
from ledger.rules.texts import due_words, lacking_words, number_words
from ledger.rules.verbs import LEFT_OUT, State, Verb
from ledger.schema import AnyRow, assignment, unit

MOST = 60  # parts handed down at once
MAX_QUOTA = Decimal(10) ** 11


@dataclass(frozen=True)
class Part:
    """A row of the form: to which lower unit (its key), how much of the quota, until which day (None: as the whole)."""

    unit: str
    quota: Decimal | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        return not self.unit and self.quota is None and self.until is None


def split(tx: Tx, assignment_id: int, *, parts: Sequence[Part], gap: str = "", note: str = "") -> int:
    """分解下达 to lower units, once or in several goes; `gap` says why the quotas do not add up, by itself where they
    came not to, `note` what is asked for. Returns the item's id. Empty rows are passed over; faults are named by row
    (`unit-1`, `quota-1`, `until-1`).

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.SPLIT)
    limit_texts(gap=gap, note=note)
    if not splits(case.unit_kind):
        raise Refused("乡镇（街道）不再向下分解，请由本单位直接办理。")
    rows = {n: p for n, p in enumerate(parts, start=1) if not p.is_empty}
    if not rows:
        return _explain(tx, case, gap)
    if len(rows) > MOST:
        raise Invalid({"unit-1": f"一次最多下达 {MOST} 家，请分几次办理。"})
    until = _latest(tx, case)
    faults = _unit_faults(tx, case, rows) | _date_faults(tx, rows, until) | _quota_faults(case, rows)
    faults |= {} if faults else _gap_faults(tx, case, rows, gap)
    if faults:
        raise Invalid(faults)
    facts = [(p.unit, p.quota, end_of(p.until) if p.until else until) for p in rows.values()]
    _hand_down(tx, case, case.id, case.item_id, facts, {"gap": gap, "note": note})
    return int(case.item_id)


def hand_over(tx: Tx, case: Case, to: str, new: int, still: datetime | None = None) -> datetime | None:
    """What another unit was handed is handed to this one instead, under the same whole; `still`: since when its time
    has stood still, and does. Returns by when."""
    due_at: datetime | None = case.due_at
    at = still or tx.now
    why: Sequence[tuple[str, str]] = ()
    if due_at and due_at <= at:
        whole = case.parent_due if still else counts_now(tx, case)
        is_late = whole is not None and whole <= at
        due_at = inner(_days_to_mend(tx, case, at), None if is_late else whole)
        why = _why_anew(tx, case, at, due_at)
    _hand_down(tx, case, case.parent_id, case.item_id, [(to, case.quota, due_at)], {}, [new], why)
    if still:
        disarm(tx, [("assignment", new)])
    return due_at


def hand_down_again(tx: Tx, case: Case, to: str, new: int, due_at: datetime) -> None:
    """A part whose acceptance was taken back, to the same unit, or who has succeeded it, under the same whole."""
    _hand_down(tx, case, case.parent_id, case.item_id, [(to, case.quota, due_at)], {}, [new])


# ---------------------------------------------------------------- the tree of units
_holder = unit.alias("holder")
_answering = (  # below whom they stand where the unit has ended
    select(func.coalesce(_holder.c.successor, _holder.c.key)).where(_holder.c.key == bindparam("b_unit"))
).scalar_subquery()
_lower = (
    select(unit.c.key, unit.c.short, unit.c.name, unit.c.kind)
    .where(unit.c.parent == _answering, unit.c.ended_at.is_(None), unit.c.begins_at.is_(None))
    .order_by(unit.c.kind == LOWEST, unit.c.ord)
)


def lower_units(connection: Connection, unit_key: str) -> Sequence[AnyRow]:
    """The units to which this one, or whoever answers for it, may hand its shares down: those directly below."""
    found: Sequence[AnyRow] = connection.execute(_lower, {"b_unit": unit_key}).all()
    return found


def require_lower(tx: Tx, above: str, units: Iterable[str]) -> None:
    """Raises: Invalid."""
    known = {r.key for r in lower_units(tx.connection, above)}
    if not known.issuperset(units):
        raise Invalid({"to": "只能交给本单位的下级单位，请从列表中选择。"})


# ---------------------------------------------------------------- what a row may say
_in_item = (
    select(assignment.c.unit, assignment.c.parent_id, assignment.c.quota)
    .where(assignment.c.item_id == bindparam("b_item"), assignment.c.state.not_in(LEFT_OUT))
    .order_by(assignment.c.id)
)


def _unit_faults(tx: Tx, case: Case, rows: Mapping[int, Part]) -> dict[str, str]:
    known = {r.key: r.short for r in lower_units(tx.connection, case.unit)}
    if not known:
        raise Refused("本单位没有可以下达的下级单位；如单位目录不全，请联系管理员。")
    taking_part = {r.unit for r in tx.connection.execute(_in_item, {"b_item": case.item_id})}
    faults, seen = {}, set[str]()
    for n, p in rows.items():
        if not p.unit:
            faults[f"unit-{n}"] = "请填写下达给哪家单位。"
        elif p.unit not in known:
            faults[f"unit-{n}"] = _not_lower(tx, case.unit, p.unit)
        elif p.unit in taking_part:
            faults[f"unit-{n}"] = f"{known[p.unit]}已经在本任务的责任分工里，不能重复下达。"
        elif p.unit in seen:
            faults[f"unit-{n}"] = f"{known[p.unit]}填了两行，请合并。"
        seen.add(p.unit)
    return faults


_not_there_below = select(unit.c.key).where(
    unit.c.parent == _answering,
    unit.c.key == bindparam("b_lower"),
    or_(unit.c.ended_at.is_not(None), unit.c.begins_at.is_not(None)),
)


def _not_lower(tx: Tx, above: str, unit_key: str) -> str:
    if tx.connection.execute(_not_there_below, {"b_unit": above, "b_lower": unit_key}).first():
        return unit_fault(tx.connection, unit_key)
    return f"“{unit_key[:40]}”不是本单位的下级单位，请从列表中选择。"


def _latest(tx: Tx, case: Case) -> datetime | None:
    """The last instant that a part may be given; of a whole that is late, as much time as a return gives."""
    due_at: datetime | None = case.due_at
    return _days_to_mend(tx, case, tx.now) if due_at and due_at <= tx.now else due_at


def _days_to_mend(tx: Tx, case: Case, at: datetime) -> datetime:
    return end_of(tx.calendar.after(local_day(at), case.mend_days))


def _why_anew(tx: Tx, case: Case, at: datetime, due_at: datetime | None) -> Sequence[tuple[str, str]]:
    """How the date of a part came about whose own had passed."""
    if due_at == _days_to_mend(tx, case, at):
        return counted_steps("交办", local_day(at), case.mend_days, tx.calendar)
    return [("规则", "以上级任务的时限为限")]


def _date_faults(tx: Tx, rows: Mapping[int, Part], latest: datetime | None) -> dict[str, str]:
    faults = {}
    for n, p in rows.items():
        if p.until is None:
            continue
        if p.until < local_day(tx.now):
            faults[f"until-{n}"] = "时限不能早于今天。"
        elif latest and end_of(p.until) > latest:
            faults[f"until-{n}"] = f"不能晚于 {due_words(latest)}（本单位的时限）。"
    return faults


def _quota_faults(case: Case, rows: Mapping[int, Part]) -> dict[str, str]:
    faults = {}
    for n, p in rows.items():
        if p.quota is None:
            if case.quota is not None:
                faults[f"quota-{n}"] = "请填写分解数，没有任务数的填 0。"
        elif fault := number_fault(p.quota):
            faults[f"quota-{n}"] = fault
    return faults


def number_fault(number: Decimal) -> str:
    """What is wrong with a quota or a target; nothing, if it may stand."""
    is_right = number.is_finite() and 0 <= number < MAX_QUOTA and number == round(number, 4)
    return "" if is_right else "请填 0 到一千亿之间的数，小数不超过四位。"


def _gap_faults(tx: Tx, case: Case, rows: Mapping[int, Part], reason: str) -> dict[str, str]:
    before = [r.quota for r in tx.connection.execute(_in_item, {"b_item": case.item_id}) if r.parent_id == case.id]
    return _sum_faults(case.quota, [*before, *(p.quota for p in rows.values())], "本单位", reason)


def gap_left(tx: Tx, case: Case, reason: str) -> dict[str, str]:
    """What is wrong with ending a part that has a quota: those that are left do not add up, and nobody says why."""
    if not case.parent_id or not case.quota:
        return {}
    rows = tx.connection.execute(_in_item, {"b_item": case.item_id})
    left = [r.quota for r in rows if r.parent_id == case.parent_id and r.unit != case.unit]
    return _sum_faults(case.parent_quota, left, case.parent_name, reason)


def _explain(tx: Tx, case: Case, reason: str) -> int:
    """Nothing more is handed down, and those that have been do not add up (any more): this is why. Raises: Invalid."""
    lacking = lacking_of_parts(tx, case, case.quota)
    if not lacking:
        raise Invalid({"unit-1": "请填写至少一家下级单位。"})
    if not reason.strip():
        raise Invalid({"unit-1": "请填写至少一家下级单位；不再分解的，请在下面写明分解数与任务数不一致的原因。"})
    payload = {"assignment": case.id, "item": case.item_id, "lacking": lacking}
    tx.record(f"item:{case.item_id}", "assignment.gap_explained", payload, {"gap": reason})
    return int(case.item_id)


def lacking_of_parts(tx: Tx, case: Case, quota: Decimal | None) -> Decimal | None:
    """What the quotas of the parts of a share would lack of this one (negative: what they are above it); none where
    it has no parts with quotas."""
    rows = tx.connection.execute(_in_item, {"b_item": case.item_id}) if case.n_parts else ()
    below = [r.quota for r in rows if r.parent_id == case.id]
    return gap(quota, below) if any(q is not None for q in below) else None


def _sum_faults(whole: Decimal | None, quotas: Sequence[Decimal | None], whose: str, reason: str) -> dict[str, str]:
    lacking = gap(whole, quotas)
    if whole is None or not lacking or reason.strip():
        return {}
    words = f"{whose}的 {number_words(whole)} {lacking_words(lacking)}"
    return {"gap": f"各下级单位的分解数合计比{words}；请改成一致，或者在这里写明原因。"}


# ---------------------------------------------------------------- handing down
_last_ord = select(func.max(assignment.c.ord)).where(assignment.c.item_id == bindparam("b_item"))


def _hand_down(
    tx: Tx,
    case: Case,
    parent: int,
    item_id: int,
    facts: Sequence[tuple[str, Decimal | None, datetime | None]],
    texts: Mapping[str, str],
    ids: Sequence[int] = (),
    why: Sequence[tuple[str, str]] = (),
) -> None:
    """Parts (unit, quota, due instant) of a share: a todo for each, its ladder armed, its unit told; `why`: how the
    date of one came about that was given anew."""
    first = first_step(LOCAL)
    ids = ids or list(tx.allocate("assignment", len(facts)))
    last = tx.connection.execute(_last_ord, {"b_item": item_id}).scalar_one()
    known = {"why": why} if why else {}
    payload = {
        "assignment": parent,
        "parent": parent,
        "item": item_id,
        "run": case.run_id,
        "step": first.id,
        "role": first.role,
        "state": State.ACKNOWLEDGING,
        "lifecycle": LOCAL,
        "assignments": [
            {
                "id": i,
                "unit": u,
                "role": ROLE,
                "ord": last + n,
                "quota": quota,
                "presumed": False,
                "due_at": due_at,
                **known,
            }
            for n, (i, (u, quota, due_at)) in enumerate(zip(ids, facts, strict=True), start=1)
        ],
    }
    tx.record(f"item:{item_id}", "assignment.split", payload, texts)
    by_date: dict[datetime, list[int]] = defaultdict(list)
    for i, (_, _, due_at) in zip(ids, facts, strict=True):
        if due_at:
            by_date[due_at].append(i)
    for due_at, own in by_date.items():
        arm_ladder(tx, "assignment", own, due_at, parse_ladder(case.ladder))
    tell(tx, [_handed(case, i, u, first) for i, (u, _, _) in zip(ids, facts, strict=True)])


def _handed(case: Any, part: int, unit_key: str, first: Step) -> Notice:
    return Notice("assignment", part, 1, "handed", unit_key, first.role, case.run_id, case.item_id, immediate=True)


def first_step(lifecycle: str) -> Step:
    """Where a lifecycle begins."""
    return published.lifecycle(lifecycle).step(instances.entry(published.lifecycle_version(lifecycle)))
