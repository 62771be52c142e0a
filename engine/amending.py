"""What the office amends of work under way: 更正文字, 调整目标值, 调整份额, 调整时限.

The published version stays as it is, byte for byte; what the ledger keeps changes by events that name what stood there
before. A date is changed as an extension changes it: the original one stays beside it, the share is given out anew
under the next arm, its ladder is armed for what lies ahead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, bindparam, or_, select

from engine.adjusting import item_for, require_ground
from engine.chasing import arm_again, disarm, parse_ladder
from engine.dating import IN_HAND
from engine.desk import Case, case_of, cases_of, limit_texts, permit
from engine.moving import NOTHING_SAID, Said, give_out_all_anew, parts_of, siblings
from engine.notices import Notice, tell
from engine.splitting import number_fault
from engine.steps import go_on, to_do_after
from engine.stopped import counts_now
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.errors import Invalid, NotFound, Refused
from ledger.events import canonical
from ledger.queries.time_sheet import REMINDED
from ledger.rules.figures import of_quotas
from ledger.rules.levels import gap as lacking_of
from ledger.rules.personal import refusal_of
from ledger.rules.texts import as_seen, due_words, full_day, lacking_words, number_words
from ledger.rules.verbs import LEFT_OUT, State, Verb
from ledger.schema import AnyRow, assignment, indicator, petition, todo, unit

Place = tuple[str, str]
LABELS = {"title": "标题", "clause": "原文"}
MOST_TITLE = 200  # characters: as long as one of a plan


# ---------------------------------------------------------------- 更正文字
def amend_text(tx: Tx, item_id: int, *, title: str, clause: str, ground: str) -> int:
    """更正文字: the title of an item, or its clause, as it should read. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    found = item_for(tx, item_id, Verb.AMEND_TEXT)
    given = {"title": as_seen(title).strip(), "clause": as_seen(clause).strip()}
    changed = {name: words for name, words in given.items() if words != as_seen(getattr(found, name)).strip()}
    limit_texts(**changed)
    faults = require_ground(ground) | _text_faults(changed)
    if not changed:
        faults["title"] = "标题和原文都没有改动，请写成更正后的文字。"
    if faults:
        raise Invalid(faults)
    was = {name: getattr(found, name) for name in changed}
    _record_of_item(tx, found, "item.text_corrected", "retitled", {**changed, "was": was}, {"ground": ground})
    return item_id


def _text_faults(changed: Mapping[str, str]) -> dict[str, str]:
    faults = {}
    for name, words in changed.items():
        if not words:
            faults[name] = f"请填写更正后的{LABELS[name]}。"
        elif said := refusal_of(words):  # they stand in the chain itself, as those of a plan do
            faults[name] = f"“{LABELS[name]}”{said.removeprefix('文字里')}"
    title = changed.get("title", "")
    if len(title) > MOST_TITLE or "\n" in title:
        faults["title"] = f"标题请写成一行，不超过 {MOST_TITLE} 字。"
    return faults


# ---------------------------------------------------------------- 调整目标值, 调整份额
_indicators = select(indicator).where(indicator.c.item_id == bindparam("b_item")).order_by(indicator.c.id)
_quotas = (
    select(assignment.c.id, assignment.c.parent_id, assignment.c.quota)
    .where(assignment.c.item_id == bindparam("b_item"), assignment.c.state.not_in(LEFT_OUT))
    .order_by(assignment.c.id)
)


def amend_target(tx: Tx, item_id: int, *, indicator: int, target: Decimal | None, ground: str, gap: str = "") -> int:
    """调整目标值 of one of an item's indicators; `gap` says why the quotas of its units do not add up to it. Returns
    the item's id. Raises: as `amend_text`."""
    found = item_for(tx, item_id, Verb.AMEND_TARGET)
    limit_texts(gap=gap)
    known = tx.read(_indicators, {"b_item": item_id})
    if not known:
        raise Refused("本任务没有数字指标，没有目标值可以调整；文字上的要求，请用“更正文字”。")
    own = next((r for r in known if r.id == indicator), None)
    faults = require_ground(ground) | ({} if own else {"indicator": "请选择要调整的指标。"})
    if own and target is not None:
        faults |= {"target": fault} if (fault := _target_fault(own, target)) else {}
    elif target is None:
        faults["target"] = "请填写调整后的目标值。"
    if faults or own is None or target is None:
        raise Invalid(faults)
    if (counted := _counted(known)) and counted.id == own.id:
        quotas = [r.quota for r in tx.read(_quotas, {"b_item": item_id}) if r.parent_id is None]
        _require_sum(target, quotas, "各单位的份额合计比目标值", gap)
    said = {"indicator": own.id, "was": own.target, "target": target}
    _record_of_item(tx, found, "item.target_changed", "target", said, {"ground": ground, "gap": gap})
    return item_id


def _target_fault(own: AnyRow, target: Decimal) -> str:
    if fault := number_fault(target):
        return fault
    if own.target_max is not None and target > own.target_max:
        return f"不能大于上限 {number_words(own.target_max)}。"
    return "与现在的目标值相同，请填写调整后的数。" if target == own.target else ""


def _counted(known: Sequence[AnyRow]) -> AnyRow | None:
    """The one of an item's indicators of which the quotas of its shares are what they have to reach together."""
    n = of_quotas([r.sum_rule for r in known])
    return None if n is None or known[n].each is not None else known[n]


def amend_quota(tx: Tx, assignment_id: int, *, quota: Decimal | None, ground: str, gap: str = "") -> int:
    """调整份额 of one share; `gap` says why the quotas do not add up: to the target, or to what the unit above has to
    reach, or those that it was handed down in. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.AMEND_QUOTA)
    limit_texts(gap=gap)
    known = tx.read(_indicators, {"b_item": case.item_id})
    if case.quota is None and of_quotas([r.sum_rule for r in known]) is None:
        raise Refused("本单位没有按数字分担的份额，不能调整；文字上的要求，请用“更正文字”。")
    faults = require_ground(ground)
    if quota is None:
        faults["quota"] = "请填写调整后的份额，没有的填 0。"
    elif fault := number_fault(quota):
        faults["quota"] = fault
    elif quota == case.quota:
        faults["quota"] = "与现在的份额相同，请填写调整后的数。"
    if faults or quota is None:
        raise Invalid(faults)
    _require_quotas(tx, case, quota, known, gap)
    _give_quotas(tx, [case], {case.id: quota}, {"ground": ground, "gap": gap})
    return int(case.item_id)


def _give_quotas(tx: Tx, cases: Sequence[Case], quotas: Mapping[int, Decimal], texts: Mapping[str, str]) -> None:
    """Each of these shares of an item has another quota, and whom it concerns is told."""
    places, notices = _places_of(tx, cases), []
    for seq, case in enumerate(cases, start=cases[0].stream_seq + 1):
        tier, told = f"quota:{seq}", places[case.id]
        said = {"assignment": case.id, "item": case.item_id, "run": case.run_id, "was": case.quota}
        said |= {"quota": quotas[case.id], "tier": tier, "told": [[case.arm, *place] for place in told]}
        tx.record(f"item:{case.item_id}", "assignment.quota_changed", said, texts)
        notices += [_notice(case, tier, place) for place in told]
    tell(tx, notices)


def amend_quotas(tx: Tx, item_id: int, *, quotas: Mapping[int, Decimal | None], ground: str, gap: str = "") -> int:
    """调整份额 of an item's shares at once, by share; one that is not named keeps its own. `gap` says why they do not
    add up to the target, or what one was handed down in to it. Returns the item's id. Faults are named by share
    (`quota-7`). Raises: as `amend_text`."""
    found = item_for(tx, item_id, Verb.AMEND_QUOTA)
    limit_texts(gap=gap)
    counted = _counted(tx.read(_indicators, {"b_item": item_id}))
    if counted is None:
        raise Refused("本任务没有由各单位合计的数字指标，份额不能一并调整；有份额的，请逐家调整。")
    rows = tx.read(_quotas, {"b_item": item_id})
    before = {r.id: r.quota for r in rows if r.parent_id is None}
    if not before.keys() >= quotas.keys():
        raise NotFound("份额所属的单位不在本任务里，请刷新页面后重填。")
    faults = require_ground(ground)
    for share, quota in quotas.items():
        if quota is None and before[share] is not None:
            faults[f"quota-{share}"] = "请填写份额，没有任务数的填 0。"
        elif quota is not None and (fault := number_fault(quota)):
            faults[f"quota-{share}"] = fault
    changed = {i: q for i, q in sorted(quotas.items()) if q is not None and q != before[i]}
    if not changed and not faults:
        faults["quotas"] = "各单位的份额都没有改动，请填写调整后的数。"
    if faults:
        raise Invalid(faults)
    cases = list(cases_of(tx, changed).values())
    for case in cases:
        permit(tx, case, Verb.AMEND_QUOTA)
    after = before | changed
    _require_sum(counted.target, after.values(), "各单位的份额合计比目标值", gap)
    for case in cases:
        below = [r.quota for r in rows if r.parent_id == case.id]
        _require_sum(changed[case.id], below, f"{case.unit_name}已分解给下级单位的数合计比它的", gap)
    _give_quotas(tx, cases, changed, {"ground": ground, "gap": gap})
    return int(found.id)


def _require_quotas(tx: Tx, case: Case, quota: Decimal, known: Sequence[AnyRow], reason: str) -> None:
    """Raises: Invalid."""
    rows = tx.read(_quotas, {"b_item": case.item_id})
    beside = [r.quota for r in rows if r.parent_id == case.parent_id and r.id != case.id]
    if case.parent_id:
        _require_sum(case.parent_quota, [*beside, quota], f"各下级单位的分解数合计比{case.parent_name}的", reason)
    elif counted := _counted(known):
        _require_sum(counted.target, [*beside, quota], "各单位的份额合计比目标值", reason)
    if case.n_parts:
        below = [r.quota for r in rows if r.parent_id == case.id]
        _require_sum(quota, below, "已分解给下级单位的数合计比本单位的", reason)


def _require_sum(whole: Decimal | None, quotas: Iterable[Decimal | None], words: str, reason: str) -> None:
    """Quotas add up to the whole, or somebody says why not. Raises: Invalid."""
    each = list(quotas)
    lacking = lacking_of(whole, each) if any(q is not None for q in each) else None
    if lacking and not reason.strip():
        said = f"{words} {number_words(whole or Decimal(0))} {lacking_words(lacking)}"
        raise Invalid({"gap": f"{said}；请改成一致，或者在这里写明原因。"})


# ---------------------------------------------------------------- 调整时限
_by_its_date = (
    select(assignment.c.id)
    .where(
        assignment.c.item_id == bindparam("b_item"),
        assignment.c.parent_id.is_(None),
        assignment.c.state.in_(IN_HAND),
        assignment.c.due_at == bindparam("b_due", type_=assignment.c.due_at.type),
    )
    .order_by(assignment.c.id)
)
_stopped = (
    select(unit.c.short)
    .select_from(assignment.join(unit, unit.c.key == assignment.c.unit))
    .where(assignment.c.id.in_(bindparam("ids", expanding=True)), assignment.c.overlay.is_not(None))
    .order_by(assignment.c.ord)
)


def amend_due(tx: Tx, item_id: int, *, until: date | None, ground: str) -> int:
    """调整时限 of an item, earlier or later: the open shares that go by its date go by the new one. Who has another one
    (extended, given days to mend, changed apart), or has handed in, keeps it. Returns the item's id.

    Raises: as `amend_text`.
    """
    found = item_for(tx, item_id, Verb.AMEND_DUE)
    _require_dated(found.due_at, found.cadence, found.due_text)
    due_at = _new_date(tx, found.due_at, until, require_ground(ground))
    ids = [r.id for r in tx.read(_by_its_date, {"b_item": item_id, "b_due": found.due_at})]
    _require_none_stopped(tx, ids)
    steps = [*(s for s in json.loads(found.due_steps) if s[0] != REMINDED)]
    steps.append(["调整", f"专班办 {full_day(local_day(tx.now))} 调整，原为 {due_words(found.due_at)}"])
    said = {"item": item_id, "run": found.run_id, "was": found.due_at, "due_at": due_at, "due_steps": canonical(steps)}
    tx.record(f"item:{item_id}", "item.due_changed", {**said, "shares": len(ids)}, {"ground": ground})
    cases = list(cases_of(tx, ids).values()) if ids else []
    beyond = _beyond(tx, cases, due_at)
    _give_other_dates(tx, [*cases, *beyond], due_at, "assignment.due_followed", NOTHING_SAID)
    return item_id


def amend_share_due(tx: Tx, assignment_id: int, *, until: date | None, ground: str) -> int:
    """调整时限 of one share; what it was handed down in ends within it. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.AMEND_DUE)
    _require_dated(case.due_at, case.cadence, case.due_text)
    faults = require_ground(ground)
    if until and (whole := counts_now(tx, case)) and end_of(until) > whole:
        faults["until"] = f"不能晚于{case.parent_name}的时限（{due_words(whole)}）。"
    due_at = _new_date(tx, case.due_at, until, faults)
    beyond = _beyond(tx, [case], due_at)
    _give_other_dates(tx, [case], due_at, "assignment.due_changed", Said({"ground": ground}), {"parts": len(beyond)})
    _give_other_dates(tx, beyond, due_at, "assignment.due_followed", NOTHING_SAID)
    return int(case.item_id)


def _require_dated(due_at: datetime | None, cadence: str | None, due_text: str) -> None:
    if cadence:
        raise Refused("本任务按期次报送，每期各自计时，不能整体调整时限；个别期次报不出的，请由承办单位在报送时说明。")
    if due_at is None and due_text:
        raise Refused(f"本任务的时限按“{due_text}”确定，还没有统一的日期；请先核定时限，或在签收起算后逐家调整。")
    if due_at is None:
        raise Refused("本任务还没有定时限，不用调整；请用“核定时限”。")


def _new_date(tx: Tx, was: datetime, until: date | None, faults: dict[str, str]) -> datetime:
    """Raises: Invalid."""
    if until is None or until < local_day(tx.now):
        faults["until"] = "请填写新的时限，不早于今天。"
    elif end_of(until) == was:
        faults["until"] = f"与现时限（{due_words(was)}）相同，请填写调整后的日期。"
    if faults or until is None:
        raise Invalid(faults)
    return end_of(until)


def _require_none_stopped(tx: Tx, shares: Sequence[int]) -> None:
    """Raises: Refused."""
    names = [r.short for r in tx.connection.execute(_stopped, {"ids": shares})] if shares else []
    if names:
        raise Refused(
            f"{'、'.join(names)}已暂停计时，或有申请在等审批，不能整体调整；"
            "请先恢复计时或审批申请，或者对其他单位逐家调整。"
        )


def _beyond(tx: Tx, wholes: Sequence[Case], until: datetime) -> list[Case]:
    """Of what these shares were handed down in, the parts that would end after them. What stands still gets its date
    when it goes on."""
    if not any(case.n_parts_open for case in wholes):
        return []
    rows = siblings(tx, wholes[0].item_id)
    below = {r.id for case in wholes for r in parts_of(rows, case.id) if r.state in IN_HAND}
    parts = cases_of(tx, below).values() if below else ()
    return [p for p in parts if p.due_at and p.due_at > until and p.overlay != State.SUSPENDED]


def _give_other_dates(
    tx: Tx, cases: Sequence[Case], due_at: datetime, kind: str, said: Said, more: Mapping[str, Any] | None = None
) -> None:
    """Each share is given out anew with its new date, the one before and the original one; its ladder is armed for what
    lies ahead, steps beyond the new date are due by it."""
    if not cases:
        return
    steps = to_do_after(tx, cases, due_at)
    places = _places_of(tx, cases)
    facts = [
        {
            "due_at": due_at,
            "was": case.due_at,
            "original_due": case.original_due or case.due_at,
            "steps": [[s.id, due_at] for s in steps.get(case.id, ())],
            "told": places[case.id],
            **(more or {}),
        }
        for case in cases
    ]
    turns = give_out_all_anew(tx, cases, kind, facts, said)
    disarm(tx, [("assignment", case.id) for case in cases])
    again = [(case.id, due_at, turn) for case, turn in zip(cases, turns, strict=True)]
    arm_again(tx, again, parse_ladder(cases[0].ladder))
    disarm(tx, [("step", s.id) for moved in steps.values() for s in moved])
    for share, _, turn in again:
        moved = steps.get(share, ())
        go_on(tx, moved, {s.id: due_at for s in moved}, cases[0].ladder, turn)
    tell(tx, [_notice(case, "due_changed", place) for case in cases for place in places[case.id]])


# ---------------------------------------------------------------- who is told
_open = (
    select(
        assignment.c.id,
        assignment.c.arm,
        assignment.c.unit,
        todo.c.unit.label("todo_unit"),
        todo.c.role.label("todo_role"),
    )
    .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
    .outerjoin(
        todo,
        and_(
            todo.c.closed_at.is_(None),
            or_(
                and_(todo.c.owner_kind == "assignment", todo.c.owner_id == assignment.c.id),
                and_(todo.c.owner_kind == "petition", todo.c.owner_id == petition.c.id),
            ),
        ),
    )
    .where(assignment.c.closed_at.is_(None))
    .order_by(assignment.c.id, todo.c.unit, todo.c.role)
)
_open_of_item = _open.where(assignment.c.item_id == bindparam("b_item"))
_open_among = _open.where(assignment.c.id.in_(bindparam("ids", expanding=True)))


def _of_row(tx: Tx, r: AnyRow) -> list[Place]:
    """The liaison of a share's unit, and whoever has it on the desk; not who acts."""
    own = (tx.desk.unit, tx.desk.role) if tx.desk else None
    laid = [(r.todo_unit, r.todo_role)] if r.todo_role else []
    return [place for place in ((r.unit, "liaison"), *laid) if place != own]


def _places_of(tx: Tx, cases: Sequence[Case]) -> dict[int, list[Place]]:
    """By share, whom an act on it concerns."""
    found: dict[int, list[Place]] = {case.id: [] for case in cases}
    for r in tx.connection.execute(_open_among, {"ids": sorted(found)}):
        found[r.id] += _of_row(tx, r)
    return {share: list(dict.fromkeys(places)) for share, places in found.items()}


def _places(tx: Tx, case: Case) -> list[Place]:
    return _places_of(tx, [case])[case.id]


def _notice(case: Case, tier: str, place: Place) -> Notice:
    return Notice("assignment", case.id, case.arm, tier, *place, case.run_id, case.item_id, immediate=True)


def _record_of_item(
    tx: Tx, found: AnyRow, kind: str, tier: str, facts: Mapping[str, Any], texts: Mapping[str, str]
) -> None:
    """An act on a whole item: everybody whom its open shares concern is told, each post once."""
    tier = f"{tier}:{found.stream_seq + 1}"  # it may be done again
    told: dict[Place, tuple[int, int]] = {}
    for r in tx.connection.execute(_open_of_item, {"b_item": found.id}):
        for place in _of_row(tx, r):
            told.setdefault(place, (r.id, r.arm))
    said = {"item": found.id, "run": found.run_id, **facts, "tier": tier}
    said["told"] = [[*share, *place] for place, share in told.items()]
    tx.record(f"item:{found.id}", kind, said, texts)
    tell(
        tx,
        [
            Notice("assignment", share, arm, tier, *place, found.run_id, found.id, immediate=True)
            for place, (share, arm) in told.items()
        ],
    )
