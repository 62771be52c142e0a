"""Commands that report: 填报 on a share at any time, 期次报送 for a round, 本期无新进展 in one tap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, literal, select
from sqlalchemy import case as sql_case

from engine import published
from engine.chasing import disarm
from engine.desk import Case, Entry, TodoRef, case_of, done_of, items_of, limit_texts, permit, seat
from engine.filing import handed_in
from engine.notices import Notice, tell
from ledger.database import Tx, head_columns
from ledger.errors import Conflict, Invalid, NotFound, Questions, Refused
from ledger.places import ANSWERED_FOR
from ledger.rules.figures import Reading, differs, roll_up
from ledger.rules.figures import questions as doubts
from ledger.rules.texts import number_words
from ledger.rules.verbs import LEFT_OUT, Capacity, State, Verb, refusal
from ledger.schema import (
    AnyRow,
    assignment,
    figure,
    indicator,
    item,
    person,
    post,
    reading,
    round_,
    run,
    share,
    stream,
    todo,
    unit,
)
from ledger.schema import entry as entry_table

MAX_FIGURE = Decimal(10) ** 11

_printed, _reporter = unit.alias("printed"), unit.alias("reporter")  # as the plan names it, as it answers today
_kept_as, _kept_by, _kept_run = indicator.alias("kept_as"), item.alias("kept_by"), run.alias("kept_run")
# Who fills a figure: where it is kept in another plan, whoever does so there.
_fills = sql_case((_kept_by.c.id.is_not(None), _kept_as.c.reporter), else_=indicator.c.reporter)
_above, _top = assignment.alias("above"), assignment.alias("top")
# Shares with what their figures are measured by: a row for each indicator, or one without.
_reportable = (
    select(
        assignment.c.id,
        assignment.c.item_id,
        assignment.c.state,
        assignment.c.unit,
        assignment.c.parent_id,
        assignment.c.quota,
        item.c.no,
        indicator.c.id.label("indicator_id"),
        indicator.c.target,
        indicator.c.op,
        indicator.c.per,
        indicator.c.sum_rule,
        indicator.c.measure,
        _above.c.unit.label("above_unit"),
        _top.c.unit.label("top_unit"),
        indicator.c.reporter.label("printed"),
        _reporter.c.key.label("reporter"),
        _reporter.c.short.label("reporter_name"),
        _kept_by.c.no.label("kept_no"),
        _kept_run.c.short.label("kept_plan"),
        figure.c.value,
    )
    .select_from(
        assignment.join(item, item.c.id == assignment.c.item_id)
        .outerjoin(indicator, indicator.c.item_id == assignment.c.item_id)
        .outerjoin(figure, and_(figure.c.indicator_id == indicator.c.id, figure.c.assignment_id == assignment.c.id))
        .outerjoin(_above, _above.c.id == assignment.c.parent_id)
        .outerjoin(_top, _top.c.id == _above.c.parent_id)
        .outerjoin(_kept_as, _kept_as.c.id == indicator.c.same_as)
        .outerjoin(_kept_by, and_(_kept_by.c.id == _kept_as.c.item_id, _kept_by.c.state.in_(("pending", "open"))))
        .outerjoin(_printed, _printed.c.key == _fills)
        .outerjoin(_reporter, _reporter.c.key == func.coalesce(_printed.c.successor, _printed.c.key))
        .outerjoin(_kept_run, _kept_run.c.id == _kept_by.c.run_id)
    )
    .where(assignment.c.id.in_(bindparam("b_ids", expanding=True)))
)


def report(tx: Tx, assignment_id: int, entry: Entry, *, nothing_new: bool = False, confirmed: bool = False) -> int:
    """填报: figures and progress of a share, any time while it is in the unit's hands; returns the item's id.

    Raises: Invalid, Questions (ask, then call again with `confirmed`), Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.NOTHING_NEW if nothing_new else Verb.REPORT)
    if entry.is_empty and not nothing_new:
        raise Invalid({"progress": "请填写数字或进展；没有新情况，请点“本期无新进展”。"})
    figures = checked_figures(tx, case, entry.figures, confirmed=confirmed)
    _record_report(tx, case, figures, entry, None, nothing_new=nothing_new)
    return int(case.item_id)


SOURCES = {"phone": "电话", "paper": "纸质材料", "sheet": "表格"}


def enter(
    tx: Tx,
    assignment_id: int,
    *,
    source: str,
    told_by: str,
    progress: str,
    figures: Mapping[int, Decimal],
    confirmed: bool = False,
) -> int:
    """代录: the office enters what a unit told by phone, on paper or in a sheet; it counts at once, is marked with its
    source, and the unit confirms it. Returns the item's id.

    Raises: Invalid, Questions, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.ENTER)
    limit_texts(told_by=told_by)
    faults = {} if source in SOURCES else {"source": "请选择来源：电话、纸质材料或表格。"}
    if not told_by.strip():
        faults["told_by"] = "请写明谁在什么时候提供的。"
    entry = Entry(figures, progress)
    if entry.is_empty:
        faults["progress"] = "请填写数字或进展。"
    if faults:
        raise Invalid(faults)
    checked = checked_figures(tx, case, figures, confirmed=confirmed)
    entry_id = tx.allocate("entry")[0]
    by_proxy = {"entry": entry_id, "source": source, "unit": case.unit, "run": case.run_id}
    _record_report(tx, case, checked, entry, None, by_proxy=by_proxy, told_by=told_by)
    told = Notice(
        "assignment", case.id, 1, f"entered:{entry_id}", case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
    tell(tx, [told])
    return int(case.item_id)


_unconfirmed = (
    select(entry_table.c.id)
    .where(entry_table.c.assignment_id == bindparam("b_id"), entry_table.c.confirmed_at.is_(None))
    .order_by(entry_table.c.id)
)


def confirm(tx: Tx, assignment_id: int) -> int:
    """确认代录: what the office has entered for this share is so; returns the item's id. What is not so is put right
    (更正). Raises: Refused, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.CONFIRM)
    waiting = list(tx.connection.execute(_unconfirmed, {"b_id": case.id}).scalars())
    if not waiting:
        raise Refused("没有等待确认的代录内容，可能已由同事确认；请刷新页面查看。")
    payload = {"assignment": case.id, "item": case.item_id, "entries": waiting}
    tx.record(f"item:{case.item_id}", "assignment.confirmed", payload)
    return int(case.item_id)


# ---------------------------------------------------------------- 更正, 审核值, 核定值
_latest = reading.alias("latest")
_last_readings = select(reading.c.indicator_id, reading.c.seq, reading.c.settled, indicator.c.name).where(
    reading.c.assignment_id == bindparam("b_id"),
    reading.c.item_id == indicator.c.item_id,
    reading.c.indicator_id == indicator.c.id,
    ~select(_latest.c.seq)
    .where(
        _latest.c.assignment_id == reading.c.assignment_id,
        _latest.c.indicator_id == reading.c.indicator_id,
        _latest.c.seq > reading.c.seq,
    )
    .exists(),
)


_figures_of = select(figure.c.indicator_id, figure.c.value).where(figure.c.assignment_id == bindparam("b_id"))


def correct(tx: Tx, assignment_id: int, *, figures: Mapping[int, Decimal], reason: str, confirmed: bool = False) -> int:
    """更正: the unit puts its last reading right; the wrong one is kept. Returns the item's id.

    Raises: Invalid, Questions, Refused, NotAllowed, NotFound.
    """
    return _put_right(tx, assignment_id, Verb.CORRECT, "assignment.corrected", figures, reason, confirmed=confirmed)


def check(tx: Tx, assignment_id: int, *, figures: Mapping[int, Decimal], reason: str, confirmed: bool = False) -> int:
    """填审核值: what the office, or the lead, holds a reading to be. Raises: as `correct`."""
    return _put_right(tx, assignment_id, Verb.CHECK, "assignment.checked", figures, reason, confirmed=confirmed)


def settle(tx: Tx, assignment_id: int, *, figures: Mapping[int, Decimal], reason: str, confirmed: bool = False) -> int:
    """填核定值: what an inspector holds a reading to be. Raises: as `correct`."""
    return _put_right(tx, assignment_id, Verb.SETTLE, "assignment.settled", figures, reason, confirmed=confirmed)


def _put_right(
    tx: Tx,
    assignment_id: int,
    verb: Verb,
    kind: str,
    figures: Mapping[int, Decimal],
    reason: str,
    *,
    confirmed: bool,
) -> int:
    case = case_of(tx, assignment_id)
    permit(tx, case, verb)
    limit_texts(reason=reason)
    faults = {} if reason.strip() else {"reason": "请写明理由和依据。"}
    if not figures:
        faults["figures"] = "请填写要改成的数字。"
    if faults:
        raise Invalid(faults)
    now = {r.indicator_id: r.value for r in tx.read(_figures_of, {"b_id": case.id})}
    # Who judges a number holds it to be less as a rule; only what would be more is doubted.
    is_less = verb is not Verb.CORRECT and all(value <= now.get(i, value) for i, value in figures.items())
    checked = checked_figures(tx, case, figures, confirmed=confirmed or is_less)
    last = {r.indicator_id: r for r in tx.read(_last_readings, {"b_id": case.id})}
    if any(i not in last for i in figures):
        raise Refused("这个指标还没有填报过，没有可以改的数；请先填报。")
    if verb is not Verb.SETTLE:
        _require_unsettled(verb, [last[i] for i in sorted(figures)])
    values = [[i, last[i].seq, value] for i, value in checked]
    payload: dict[str, Any] = {"assignment": case.id, "item": case.item_id, "values": values}
    told, tier = [(case.unit, "liaison")], f"{verb}:{case.stream_seq + 1}"  # a reading may be judged more than once
    if verb is not Verb.CORRECT:
        payload |= {"tier": tier}
    elif told := _looking_at(tx, case):
        payload |= {"told": told, "arm": case.arm, "correction": tx.allocate("correction")[0]}
        tier = f"corrected:{payload['correction']}"
    tx.record(f"item:{case.item_id}", kind, payload, {"reason": reason})
    tell(
        tx,
        [
            Notice("assignment", case.id, case.arm, tier, *place, case.run_id, case.item_id, immediate=True)
            for place in told
        ],
    )
    return int(case.item_id)


def _require_unsettled(verb: Verb, last: Sequence[AnyRow]) -> None:
    """核定值 is the last word on a reading. Raises: Refused."""
    settled = [r for r in last if r.settled is not None]
    if settled:
        said = "、".join(f"{r.name} {number_words(r.settled)}" for r in settled)
        raise Refused(
            f"这个数已由督查人员核定（{said}），按核定值计算，不能再{verb.label}；"
            "确有出入的，请联系督查人员重新核定；有新进展的，由承办单位另行填报。"
        )


def _looking_at(tx: Tx, case: Case) -> list[tuple[str, str]]:
    """The posts before which an application lies, and of those who sign together (会签) who have agreed to it."""
    if case.state not in (State.SIGNING, State.REVIEWING):
        return []
    if published.lifecycle(case.lifecycle).step(case.step).rule == "one":
        return list(case.seats)
    agreed = done_of(tx, TodoRef(case.id, case.step, case.arm))
    return sorted({*case.seats, *((r.unit, r.role) for r in agreed)})


def checked_figures(
    tx: Tx, case: Case, figures: Mapping[int, Decimal], *, confirmed: bool
) -> list[tuple[int, Decimal]]:
    """Figures that belong to the share's item and look right, or were confirmed. Raises: Invalid, Questions."""
    if not figures:
        return []
    known = tx.read(_reportable, {"b_ids": [case.id]})
    parts = _part_figures(tx, [case.id]) if case.n_parts and not confirmed else {}
    return _checked(known, {case.id: figures}, parts, confirmed=confirmed)[case.id]


# What the parts of a share have come to, as each was read last.
_of_parts = (
    select(assignment.c.parent_id, figure.c.indicator_id, figure.c.value, figure.c.reported_at)
    .join(figure, figure.c.assignment_id == assignment.c.id)
    .where(
        assignment.c.parent_id.in_(bindparam("b_ids", expanding=True)),
        assignment.c.state.not_in(LEFT_OUT),
    )
    .order_by(assignment.c.id)
)
PartFigures = Mapping[tuple[int, int], Sequence[Reading]]


def _part_figures(tx: Tx, share_ids: Sequence[int]) -> PartFigures:
    """The readings of the parts of these shares, by share and indicator."""
    found: dict[tuple[int, int], list[Reading]] = defaultdict(list)
    for r in tx.read(_of_parts, {"b_ids": list(share_ids)}):
        found[r.parent_id, r.indicator_id].append(Reading(r.value, r.reported_at))
    return found


def _checked(
    rows: Sequence[AnyRow],
    by_share: Mapping[int, Mapping[int, Decimal]],
    parts: PartFigures,
    *,
    confirmed: bool,
    field: str = "figure-{indicator}",
) -> dict[int, list[tuple[int, Decimal]]]:
    """Figures by share, as they are recorded; `field`: what the form calls one of them."""
    known = {(r.id, r.indicator_id): r for r in rows}
    sums = Counter(r.id for r in rows if r.sum_rule == "sum")  # a quota is part of the one figure that adds up
    questions: dict[str, str] = {}
    for share_id, figures in by_share.items():
        for indicator_id, value in figures.items():
            found, name = known.get((share_id, indicator_id)), field.format(indicator=indicator_id, share=share_id)
            if found is None:
                raise NotFound("这个指标不属于本任务，请刷新页面后重填。")
            if not value.is_finite() or value < 0 or value >= MAX_FIGURE or value != round(value, 4):
                raise Invalid({name: "请填 0 到一千亿之间的数，小数不超过四位。"})
            if words := _not_here(found):
                raise Invalid({name: words})
            quota = found.quota if sums[share_id] == 1 else None
            if asked := _doubts(found, value, quota, parts.get((share_id, indicator_id), ())):
                questions[name] = asked
    if questions and not confirmed:
        raise Questions(questions)
    return {i: sorted(figures.items()) for i, figures in by_share.items()}


def _not_here(found: AnyRow) -> str:
    """一数一源: why this share does not fill in a figure; nothing where it does."""
    if found.kept_no is not None:
        return f"这个数由{found.reporter_name}在“{found.kept_plan}”清单第 {found.kept_no} 项统一填报，这里不用再填。"
    own = (found.unit, found.above_unit, found.top_unit)  # a part adds to what the unit above sums up
    if found.reporter is not None and not {found.printed, found.reporter} & set(own):
        return f"这个数由{found.reporter_name}统一填报，本单位不用填。"
    return ""


def _doubts(found: AnyRow, value: Decimal, quota: Decimal | None, parts: Sequence[Reading]) -> str:
    """`quota`: what this share was given to reach of the figure's target, where it was."""
    given = found.target if quota is None else quota
    target = given if found.sum_rule == "sum" and found.per in (None, "total") else None
    asked = doubts(
        value, previous=found.value, target=target, op=found.op, cumulative=found.sum_rule == "sum", unit=found.measure
    )
    return "".join(asked) + differs(value, roll_up(found.sum_rule, parts), len(parts), found.measure)


def _record_report(
    tx: Tx,
    case: Case | AnyRow,
    figures: list[tuple[int, Decimal]],
    entry: Entry,
    round_id: int | None,
    *,
    nothing_new: bool = False,
    by_proxy: Mapping[str, Any] | None = None,
    told_by: str = "",
) -> None:
    limit_texts(progress=entry.progress, problem=entry.problem)
    payload = {
        "assignment": case.id,
        "item": case.item_id,
        "round": round_id,
        "figures": figures,
        "nothing_new": nothing_new,
        **(by_proxy or {}),
    }
    texts = {"progress": entry.progress, "problem": entry.problem, "told_by": told_by}
    tx.record(f"item:{case.item_id}", "assignment.reported", payload, texts, handed_in(tx, case.id, entry.files))


# ---------------------------------------------------------------- rounds
# Every stream a round's report writes: that of the round, those of the items reported on.
_streams = items_of.union_all(
    select(
        sql_case(
            (round_.c.item_id.is_(None), literal("run:").concat(cast(round_.c.run_id, String))),
            else_=literal("item:").concat(cast(round_.c.item_id, String)),
        )
    )
    .join(share, share.c.round_id == round_.c.id)
    .where(share.c.id == bindparam("b_id"))
)
_share_case = (  # a row for each of these streams
    select(
        share.c.id,
        share.c.unit,
        share.c.state,
        share.c.assignment_id,
        share.c.reported_at,
        round_.c.id.label("round_id"),
        round_.c.run_id,
        round_.c.item_id,
        round_.c.name,
        round_.c.n,
        run.c.plan,
        *head_columns,
    )
    .join(round_, round_.c.id == share.c.round_id)
    .join(run, run.c.id == share.c.run_id)
    .join(stream, stream.c.name.in_(_streams))
    .where(share.c.id == bindparam("b_id"))
    .order_by(stream.c.name)
    .with_for_update(of=stream)
)


def report_round(
    tx: Tx,
    share_id: int,
    entries: Mapping[int, Entry],
    *,
    nothing_new: bool = False,
    confirmed: bool = False,
) -> None:
    """A unit's report for a round, by assignment id; `nothing_new` (本期无新进展) needs no entry.

    Raises: Invalid, Questions, Refused, Conflict when a colleague reported first, NotAllowed, NotFound.
    """
    filled = {i: e for i, e in entries.items() if not e.is_empty}
    locked = tx.read_locked(_share_case, {"b_id": share_id, "b_ids": sorted(filled)})
    if not locked:
        raise NotFound("没有这一期报送。")
    asked = locked[0]
    tx.desk = seat(tx.actor, asked.unit, "liaison", asked.plan, asked.unit)
    _require_owed(tx, asked)
    if not filled and not nothing_new:
        raise Invalid({"progress": "还没有填写任何内容；没有新情况，请点“本期无新进展”。"})
    rows = _shares_of(tx, asked, filled)
    shares = {r.id: r for r in rows}
    given = {i: e.figures for i, e in filled.items()}
    parts = _part_figures(tx, sorted(i for i in given if given[i])) if not confirmed else {}
    figures = _checked(rows, given, parts, confirmed=confirmed, field="figure-{indicator}-{share}")
    faults: dict[str, str] = {}
    for assignment_id, entry in filled.items():
        try:
            _record_report(tx, shares[assignment_id], figures[assignment_id], entry, asked.round_id)
        except Invalid as error:  # a round's form has a field of each kind for each item
            faults |= {f"{name}-{assignment_id}": words for name, words in error.fields.items()}
    if faults:
        raise Invalid(faults)
    name = f"item:{asked.item_id}" if asked.item_id else f"run:{asked.run_id}"
    payload = {
        "share": share_id,
        "round": asked.round_id,
        "unit": asked.unit,
        "nothing_new": nothing_new and not filled,
    }
    tx.record(name, "round.reported", payload)
    disarm(tx, [("share", share_id)])


def _require_owed(tx: Tx, asked: AnyRow) -> None:
    if asked.state == "missed":
        raise Refused(f"第 {asked.n} 期{asked.name}已经截止，请把情况并入新一期报送。")
    if asked.state == "withdrawn":
        raise Refused(f"第 {asked.n} 期{asked.name}不再需要本单位报送：任务已移交、暂停计时或者了结。")
    if asked.state == "reported":
        who = tx.connection.execute(
            select(unit.c.short, person.c.name)
            .select_from(
                todo.join(post, post.c.id == todo.c.closed_post)
                .join(unit, unit.c.key == post.c.unit)
                .join(person, person.c.id == post.c.person_id)
            )
            .where(todo.c.owner_kind == "share", todo.c.owner_id == asked.id)
        ).one_or_none()
        raise Conflict(f"{who.short} {who.name}" if who else "本单位", asked.reported_at, "报送了这一期")


def _shares_of(tx: Tx, asked: AnyRow, filled: Mapping[int, Entry]) -> Sequence[AnyRow]:
    """The shares that were filled in: this unit's own, or of one that it answers for, in this round's scope, and signed
    for."""
    if not filled and asked.assignment_id is None:
        return ()
    ids = sorted({*filled, *([asked.assignment_id] if asked.assignment_id else [])})
    rows = tx.read(_reportable, {"b_ids": ids})
    found, units = {r.id: r for r in rows}, {asked.unit}
    if any(r.unit != asked.unit for r in rows):
        units.update(tx.connection.execute(ANSWERED_FOR, {"b_unit": asked.unit}).scalars())
    for assignment_id in ids:
        row = found.get(assignment_id)
        if row is None or row.parent_id or row.unit not in units or asked.assignment_id not in (None, assignment_id):
            raise NotFound("填报的任务不在这一期里，请刷新页面后重填。")
        if words := refusal(State(row.state), Verb.REPORT, {Capacity.UNIT}):
            raise Refused(f"清单第 {row.no} 项：{words}")
    return rows
