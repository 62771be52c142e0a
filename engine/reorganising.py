"""Units change: 更名, 合并, 拆分 and 职责划转, decided by an administrator for now or for a day to come.

Open work moves to the successor as a share of its own, with the figures that were reported; what has been handed in is
decided where it stands. Old papers keep old names, lateness until then stays with the predecessor, and whoever succeeds
a unit that has ended answers for what is left of it (`ledger.people`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, exists, func, or_, select, text, update

from engine import deputies, owing, succeeding
from engine.chasing import disarm, wake
from engine.desk import cases_of, limit_texts
from engine.moments import change_moment
from engine.moving import Said
from engine.rounds import OPEN_SHARES
from engine.seating import seat_anew, seat_apart
from ledger.calendar import local_day, moment
from ledger.database import Tx
from ledger.directory import STREAM, Scope, held_post, leave_post, take_post, unit_faults
from ledger.errors import Conflict, Invalid, NotFound
from ledger.people import Actor
from ledger.queries.words import post_words
from ledger.rules.verbs import ENDED, LEFT_OUT, Role, State
from ledger.schema import (
    AnyRow,
    assignment,
    due,
    figure,
    item,
    person,
    petition,
    plan_draft,
    post,
    run,
    unit,
    unit_change,
)
from ledger.visibility import administers

Kind = Literal["rename", "merge", "transfer"]
Way = Literal["new", "joins", "stays"]
KINDS: dict[str, str] = {"rename": "更名", "merge": "合并", "transfer": "拆分、职责划转"}
LONGEST = 366  # days ahead
_STRENGTH = ("lead", "responsible", "cooperating")
_HANDED_IN = (State.SIGNING, State.REVIEWING)


# ---------------------------------------------------------------- what would move
@dataclass(frozen=True)
class Move:
    """An open share of the unit and what becomes of it: a new share of the successor, its own share there, or none of
    these; `why` says so."""

    id: int
    run_id: int
    item_id: int
    plan: str
    no: str
    title: str
    role: str
    state: str
    is_late: bool
    way: Way
    why: str


_whole, _above = assignment.alias("whole"), unit.alias("above")
_part = assignment.alias("part")
_handed_down = (
    select(func.count())
    .where(_part.c.parent_id == assignment.c.id, _part.c.closed_at.is_(None))
    .correlate(assignment)
    .scalar_subquery()
)
_has_figures = exists().where(figure.c.assignment_id == assignment.c.id)
_open_shares = (
    select(
        *(assignment.c.id, assignment.c.run_id, assignment.c.item_id, assignment.c.role, assignment.c.state),
        *(assignment.c.due_at, run.c.short, item.c.no, item.c.title),
        *(assignment.c.parent_id, _whole.c.unit.label("above"), _above.c.short.label("above_name")),
        *(assignment.c.suspended_at, assignment.c.steps_in_force, _handed_down.label("n_parts")),
        or_(assignment.c.quota.is_not(None), _has_figures).label("has_numbers"),
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(_whole, _whole.c.id == assignment.c.parent_id)
    .outerjoin(_above, _above.c.key == _whole.c.unit)
    .where(assignment.c.unit == bindparam("b_unit"), assignment.c.closed_at.is_(None))
    .order_by(assignment.c.run_id, item.c.ord)
)
_own_there = (
    select(*(assignment.c[name] for name in ("item_id", "id", "role", "state", "parent_id")))
    .where(
        assignment.c.unit == bindparam("b_unit"),
        assignment.c.state.not_in(LEFT_OUT),
        assignment.c.item_id.in_(bindparam("items", expanding=True)),
    )
    .order_by(assignment.c.id)
)
_stands_below = select(unit.c.parent).where(unit.c.key == bindparam("b_unit"))


def moves(connection: Connection, now: datetime, unit_key: str, to: str | None) -> list[Move]:
    """Every open share of a unit, and where it would go; without a successor they stay."""
    rows = connection.execute(_open_shares, {"b_unit": unit_key}).all()
    items = sorted({r.item_id for r in rows})
    there = {r.item_id: r for r in connection.execute(_own_there, {"b_unit": to or "", "items": items})}
    below = connection.execute(_stands_below, {"b_unit": to or unit_key}).scalar()  # a new one is set up beside it
    return [
        Move(
            *(r.id, r.run_id, r.item_id, r.short, r.no, r.title, r.role, r.state),
            r.due_at is not None and r.due_at < now,
            *_way(r, there.get(r.item_id), below),
        )
        for r in rows
    ]


def _way(r: AnyRow, own: AnyRow | None, below: str | None) -> tuple[Way, str]:
    """`own`: the successor's share of the item, `below`: the unit directly above it."""
    if r.state in _HANDED_IN:
        return "stays", "已提交，在原单位名下审结"
    if r.parent_id and r.above != below:
        return "stays", f"由{r.above_name}分解下达，承接单位不是它的下级单位，留在原单位名下办理"
    if own is None:
        return "new", f"由承接单位签收后继续办理{_kept(r)}"
    if own.parent_id != r.parent_id:
        return "stays", "承接单位在本任务中另有上下级之间的分工，留在原单位名下办理"
    if own.state in (*_HANDED_IN, *ENDED):
        return "stays", "承接单位在本任务中的分工已提交或办结，留在原单位名下办理"
    if _STRENGTH.index(own.role) <= _STRENGTH.index(r.role):
        added = "，任务数、填报数合并计算" if r.has_numbers else ""
        return "joins", f"并入承接单位在本任务中原有的分工{added}{_lost(r)}"
    return "stays", "承接单位在本任务中分工较轻，由专班办调整责任单位"


def _kept(r: AnyRow) -> str:
    """What holds for the successor as it did for the unit."""
    said = [
        f"，仍由{r.above_name}审核" if r.parent_id else "",
        "，继续暂停计时" if r.suspended_at else "",
        "，节点计划照旧" if r.steps_in_force else "",
    ]
    return "".join(said) + _ending(r)


def _lost(r: AnyRow) -> str:
    """What does not, where the successor goes by its own share."""
    mine = [*(["暂停计时"] if r.suspended_at else []), *(["节点计划"] if r.steps_in_force else [])]
    return (f"，原来的{'、'.join(mine)}不再执行" if mine else "") + _ending(r)


def _ending(r: AnyRow) -> str:
    return f"；分解给下级的 {r.n_parts} 件随之终止" if r.n_parts else ""


@dataclass(frozen=True)
class Preview:
    """What a change would do beside moving shares."""

    moves: Sequence[Move]
    petitions: int
    reports: int
    reminders: int
    posts: Sequence[str]
    plans: Sequence[str]
    follow: Sequence[str] = ()  # planned changes in favour of a unit that ends: its successor takes them


def preview(connection: Connection, now: datetime, found: AnyRow, change: Change) -> Preview:
    """What a change would do if it came now."""
    if change.kind == "rename":
        return Preview((), 0, 0, 0, (), ())
    is_merge = change.kind == "merge"
    every = moves(connection, now, found.key, change.to or None)
    shown = [m for m in every if is_merge or m.id in set(change.shares)]
    ids = {"ids": [m.id for m in shown if m.way != "stays"]}
    asked = {m.run_id for m in shown if m.way != "stays" and m.role in OPEN_SHARES}

    def is_asked(report: AnyRow) -> bool:
        return report.run_id in asked and report.due_at > now

    reports = owing.reports_owed(connection, found.key)
    posts = select(post.c.role, post.c.rank, post.c.field, person.c.name).join(person, person.c.id == post.c.person_id)
    held = posts.where(post.c.unit == found.key, post.c.until.is_(None), post.c.deputy_for.is_(None))
    offices = select(run.c.short).where(run.c.office == found.key, run.c.ended_at.is_(None)).order_by(run.c.id)
    return Preview(
        shown,
        connection.execute(_petitions, ids).scalar_one(),
        sum(r.assignment_id in ids["ids"] if r.assignment_id else is_merge or is_asked(r) for r in reports),
        connection.execute(_reminders, ids).scalar_one(),
        [_leaving(r) for r in (connection.execute(held.order_by(post.c.id)) if is_merge else ())],
        list(connection.execute(offices).scalars()) if is_merge else [],
        [_coming(r) for r in _planned(connection) if r.to_unit == found.key] if is_merge else [],
    )


def _coming(r: AnyRow) -> str:
    return f"{r.short_name}{KINDS[r.kind]}（{local_day(r.at)} 生效）"


def _leaving(r: AnyRow) -> str:
    words = f"{post_words(r.role, None, r.rank, r.field)} {r.name}"
    return f"{words}（免去，承接单位已有）" if r.role == Role.HEAD else f"{words}（到承接单位任同一岗位）"


_petitions = select(func.count()).select_from(petition).where(
    petition.c.state == "open", petition.c.assignment_id.in_(bindparam("ids", expanding=True))
)  # fmt: skip
_reminders = select(func.count()).select_from(due).where(
    due.c.owner_kind == "assignment", due.c.owner_id.in_(bindparam("ids", expanding=True))
)  # fmt: skip


# ---------------------------------------------------------------- deciding
def unit_to_change(connection: Connection, actor: Actor, unit_key: str) -> AnyRow:
    """A unit that the actor administers and that has not ended. Raises: NotFound."""
    found = connection.execute(
        select(unit).where(unit.c.key == unit_key, unit.c.ended_at.is_(None), administers(actor))
    ).one_or_none()
    if found is None:
        raise NotFound("没有这个单位，或者它不归您管理。")
    return found


@dataclass(frozen=True)
class Change:
    """What is to change: the kind; the successor's key, or the names of one to be set up (for a rename: the new ones);
    which open shares go (of a transfer); from which day on (none: from now on)."""

    kind: str
    to: str = ""
    name: str = ""
    short: str = ""
    shares: Collection[int] = ()
    day: date | None = None


def faults_of(connection: Connection, now: datetime, found: AnyRow, change: Change) -> dict[str, str]:
    """What is wrong with a change, by field."""
    faults: dict[str, str] = {}
    today = local_day(now)
    if change.kind not in KINDS:
        faults["kind"] = "请选择更名、合并，或拆分、职责划转。"
    if change.day is not None and not today <= change.day <= today + timedelta(LONGEST):
        faults["day"] = "生效日期从今天起，不超过一年；立即生效的请留空。"
    planned = _planned(connection)
    if any(r.unit == found.key for r in planned):
        faults["kind"] = "这个单位已有一项尚未生效的调整，请先撤销它，或等它生效。"
    if change.kind == "rename" or not change.to:
        faults |= unit_faults(connection, found, change.name, change.short) or _taken(planned, found, change)
    elif change.kind in KINDS:
        to = connection.execute(
            select(unit).where(unit.c.key == change.to, unit.c.jurisdiction == found.jurisdiction)
        ).one_or_none()
        if to is None or to.ended_at is not None or found.key in (to.key, to.host):
            faults["to"] = "请从列表中选择另一个单位；本单位挂靠的机构和已经撤并的单位不能承接。"
        elif (back := _leads_back(planned, found.key, change)) is not None:
            faults["to"] = (
                f"{back.short_name}已登记{KINDS[back.kind]}（{local_day(back.at)} 生效），由本单位承接，"
                "不能反过来承接本单位；请先撤销那项调整，或选择别的单位。"
            )
    open_ = {r.id for r in connection.execute(_open_shares, {"b_unit": found.key})}
    if change.kind == "transfer" and not (change.shares and set(change.shares) <= open_):
        faults["shares"] = "请勾选要划转的任务；已经办结或调整的，请刷新页面后重选。"
    return faults


_answering = unit.alias("answering")
_planned_changes = (
    select(
        *(unit_change.c.unit, unit_change.c.kind, unit_change.c.at, unit_change.c.name, unit_change.c.short),
        *(unit.c.short.label("short_name"), func.coalesce(_answering.c.successor, _answering.c.key).label("to_unit")),
    )
    .join(unit, unit.c.key == unit_change.c.unit)
    .outerjoin(_answering, _answering.c.key == unit_change.c.to_unit)
    .where(unit_change.c.state == "planned")
    .order_by(unit_change.c.id)
)


def _planned(connection: Connection) -> Sequence[AnyRow]:
    """Changes that have not taken effect; `to_unit` is whoever would take over as things stand."""
    return connection.execute(_planned_changes).all()


def _taken(planned: Sequence[AnyRow], found: AnyRow, change: Change) -> dict[str, str]:
    """Whether another unit is to bear one of these names, by field."""
    names = {change.name, change.short}
    other = next((r for r in planned if r.kind == "rename" and r.unit != found.key and names & {r.name, r.short}), None)
    if other is None:
        return {}
    return {"name": f"{other.short_name}已定于 {local_day(other.at)} 更名为“{other.name}”，请核对。"}


def _leads_back(planned: Sequence[AnyRow], unit_key: str, change: Change) -> AnyRow | None:
    """The planned change by which what this one gives away would come back to the unit."""
    coming = {r.unit: r for r in planned if r.kind != "rename"}
    key, passed = change.to, set[str]()
    while (r := coming.get(key)) is not None and key not in passed:
        if r.to_unit == unit_key:
            return r if "merge" in (r.kind, change.kind) else None
        if r.kind != "merge":
            return None
        passed.add(key)
        key = r.to_unit
    return None


def reorganise(tx: Tx, unit_key: str, change: Change, *, ground: str) -> tuple[int, bool]:
    """Decide on a change of a unit; returns its number, and whether it has been carried out at once.

    Raises: Invalid, NotFound.
    """
    found = unit_to_change(tx.connection, tx.actor, unit_key)
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    limit_texts(ground=ground)
    faults = faults_of(tx.connection, tx.now, found, change)
    if not ground.strip():
        faults["ground"] = "请写明依据的文件和理由，有关单位在办理记录里看到。"
    if faults:
        raise Invalid(faults)
    to = None if change.kind == "rename" else change.to or _set_up(tx, found, change)
    later = change.day is not None and change.day > local_day(tx.now)
    at = moment(change.day, time()) if later and change.day else tx.now
    number = tx.allocate("unit_change")[0]
    names = {"name": change.name, "short": change.short} if change.kind == "rename" else {"name": None, "short": None}
    facts = {"change": number, "kind": change.kind, "unit": found.key, "to_unit": to, **names, "at": at}
    tx.record(STREAM, "unit.change_decided", facts | {"shares": sorted(set(change.shares))}, {"ground": ground})
    tx.flush()
    if later:
        wake(tx, "change", [number], [change_moment(at)])
    else:
        carry_out(tx, number)
    return number, not later


def _set_up(tx: Tx, found: AnyRow, change: Change) -> str:
    """Register a new unit beside the old one; returns its key."""
    key = f"{found.key[:50]}-{tx.allocate('unit')[0]}"
    facts = {"key": key, "name": change.name, "short": change.short, "kind": found.kind, "host": found.host}
    beside = {"jurisdiction": found.jurisdiction, "ord": found.ord, "parent": found.parent}
    tx.record(STREAM, "unit.registered", {**beside, **facts})
    tx.flush()
    return key


def cancel(tx: Tx, number: int) -> str:
    """撤销 of a change that has not taken effect; returns the unit's key. Raises: NotFound, Conflict."""
    found = _change(tx, number)
    ours = select(unit.c.key).where(unit.c.key == found.unit, administers(tx.actor))
    if tx.connection.execute(ours).first() is None:
        raise NotFound("没有这项单位调整，或者它不归您管理。")
    if found.state != "planned":
        raise Conflict("另一位管理员或系统", found.done_at, "办理了这项调整")
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    tx.record(STREAM, "unit.change_cancelled", {"change": number})
    disarm(tx, [("change", number)])
    tx.flush()
    return str(found.unit)


def _change(tx: Tx, number: int) -> AnyRow:
    found = tx.connection.execute(select(unit_change).where(unit_change.c.id == number)).one_or_none()
    if found is None:
        raise NotFound("没有这项单位调整。")
    return found


# ---------------------------------------------------------------- carrying out
def carry_out(tx: Tx, number: int) -> None:
    """A change takes effect now: for whoever has succeeded the unit that was chosen, if that has ended since; one that
    makes no sense any more is cancelled. What the successor cannot take over stays, and is answered for by it."""
    change = _change(tx, number)
    to = tx.connection.execute(_answers, {"b_unit": change.to_unit}).scalar()
    if why := _pointless(tx, change, to):
        tx.record(STREAM, "unit.change_cancelled", {"change": number, "why": why})
        tx.flush()
        return
    tx.record(STREAM, "unit.changed", {"change": number, "to": to})
    tx.flush()
    change = _change(tx, number)
    if change.kind == "rename":
        _rename(tx, change)
        tx.flush()
        return
    if change.kind == "merge":
        tx.record(STREAM, "unit.ended", {"change": number, "unit": change.unit, "successor": change.to_unit})
        _move_posts(tx, change.unit, change.to_unit)
    tx.flush()
    chosen = set(json.loads(change.shares))
    going = [
        m
        for m in moves(tx.connection, tx.now, change.unit, change.to_unit)
        if m.way != "stays" and (change.kind == "merge" or m.id in chosen)
    ]
    reports = owing.reports_owed(tx.connection, change.unit)
    _move_reports(tx, change, reports, _move_shares(tx, change, going))
    if change.kind == "merge":
        _move_offices(tx, change)
        seat_apart(tx, [change.unit, change.to_unit])
    tx.flush()


_answers = select(func.coalesce(unit.c.successor, unit.c.key)).where(unit.c.key == bindparam("b_unit"))


def _pointless(tx: Tx, change: AnyRow, to: str | None) -> str:
    """Why a change cannot be carried out as things stand; empty where it can."""
    units = {r.key: r for r in tx.connection.execute(select(unit).where(unit.c.key.in_([change.unit, to])))}
    found = units[change.unit]
    if found.ended_at is not None:
        return "ended"
    if change.kind == "rename":
        return "name" if unit_faults(tx.connection, found, change.name, change.short) else ""
    return "successor" if to is None or found.key in (to, units[to].host) else ""


def _rename(tx: Tx, change: AnyRow) -> None:
    old = tx.connection.execute(select(unit.c.name, unit.c.short).where(unit.c.key == change.unit)).one()
    facts = {"change": change.id, "unit": change.unit, "name": change.name, "short": change.short}
    tx.record(STREAM, "unit.renamed", facts | {"old_name": old.name, "old_short": old.short})


def _move_posts(tx: Tx, unit_key: str, to: str) -> None:
    """The people of a unit take the same posts in its successor; its head leaves, for there is one already."""
    held = select(post).where(post.c.unit == unit_key, post.c.until.is_(None)).order_by(post.c.id)
    rows = tx.connection.execute(held).all()
    for r in rows:
        if r.deputy_for is not None:
            deputies.end(tx, r.id)
    for r in rows:
        if r.deputy_for is not None:
            continue
        leave_post(tx, r.id)
        if r.role != Role.HEAD and held_post(tx.connection, r.person_id, to, r.role, r.plan) is None:
            take_post(tx, r.person_id, to, r.role, Scope(r.plan, r.rank, r.field))


@dataclass(frozen=True)
class Gone:
    """Shares that have left a unit. `moved`: those that go on as new ones of the successor; `asked`: the runs whose
    rounds ask about any of them."""

    shares: set[int]
    moved: dict[int, int]
    asked: set[int]


def _move_shares(tx: Tx, change: AnyRow, going: Sequence[Move]) -> Gone:
    """End the shares in favour of the successor's."""
    items = sorted({m.item_id for m in going if m.way == "joins"})
    own = {r.item_id: r.id for r in tx.connection.execute(_own_there, {"b_unit": change.to_unit, "items": items})}
    cases = cases_of(tx, [*(m.id for m in going), *own.values()]) if going else {}
    figures = succeeding.reported(tx, cases)
    said = Said({"ground": _ground_of(tx, change)})
    gone = Gone(set(), {}, set())
    for m in going:
        case = cases[m.id]
        into = cases[own[m.item_id]] if m.way == "joins" else None
        if any(one.state in (*_HANDED_IN, *ENDED) for one in (case, into) if one):  # in the meantime
            continue
        gone.shares.add(case.id)
        if case.role in OPEN_SHARES and not (case.parent_id or case.suspended_at):
            gone.asked.add(case.run_id)
        if into:
            succeeding.join(tx, case, into, figures, said)
        else:
            gone.moved[case.id] = succeeding.hand_on(tx, case, change.to_unit, figures.get(case.id, ()), said)
    for item_id in sorted({m.item_id for m in going if m.role == "lead"}):
        seat_anew(tx, item_id)
    return gone


_grounds = text("SELECT text FROM content WHERE stream = 'admin' AND field = 'ground' AND seq = :seq")


def _ground_of(tx: Tx, change: AnyRow) -> str:
    return tx.connection.execute(_grounds, {"seq": change.seq}).scalar() or ""


# ---------------------------------------------------------------- reports that are owed, offices
def _move_reports(tx: Tx, change: AnyRow, reports: Sequence[AnyRow], gone: Gone) -> None:
    """What the unit owes in open rounds is owed by its successor: occurrences with their shares; rounds of a whole plan
    when the unit ends, else as far as it is not late with them and the duties that it gives away are asked about."""
    occurrences = [owing.Passed(r, gone.moved[r.assignment_id]) for r in reports if r.assignment_id in gone.moved]
    others = [r for r in reports if r.assignment_id is None]
    if change.kind == "merge":
        passed = [owing.Passed(r) for r in others]
    else:
        going = [r for r in others if r.run_id in gone.asked and not owing.is_late(tx, r)]
        works_on = {n: owing.works_on(tx, n, change.unit, gone.shares) for n in sorted({r.run_id for r in going})}
        passed = [owing.Passed(r, beside=works_on[r.run_id]) for r in going]
    owing.pass_on(tx, [*occurrences, *passed], change.to_unit)


_draft_office = update(plan_draft).where(plan_draft.c.office == bindparam("b_unit")).values(office=bindparam("b_to"))


def _move_offices(tx: Tx, change: AnyRow) -> None:
    """Plans that the unit coordinates, and those it is writing, go to its successor."""
    offices = select(run.c.id).where(run.c.office == change.unit, run.c.ended_at.is_(None)).order_by(run.c.id)
    for run_id in tx.connection.execute(offices).scalars().all():
        facts = {"run": run_id, "office": change.to_unit, "old": change.unit}
        tx.record(f"run:{run_id}", "run.office_changed", facts)
    tx.writes.write(_draft_office, {"b_unit": change.unit, "b_to": change.to_unit})
