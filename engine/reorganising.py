"""Units change: 更名, 合并, 拆分 and 职责划转, 撤销 and 启用, decided by an administrator for now or for a day to come.

Open work moves to the successor as a share of its own, with the figures that were reported; what has been handed in is
decided where it stands. Old papers keep old names, lateness until then stays with the predecessor, and whoever succeeds
a unit that has ended answers for what is left of it (`ledger.people`) and has its lower units below it (`engine.tree`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, func, select, text, update

from engine import deputies, owing
from engine.chasing import disarm, wake
from engine.desk import limit_texts
from engine.going_on import Gone, Move, carry_on, moves, open_shares
from engine.moments import change_moment
from engine.moving import Said
from engine.rounds import OPEN_SHARES
from engine.seating import seat_apart
from engine.tree import UNNAMED, below_anew, place_anew, placed_anew
from engine.validity import in_hand, still_there
from ledger.calendar import local_day, moment
from ledger.database import Tx
from ledger.directory import STREAM, Scope, held_post, leave_post, take_post, unit_faults
from ledger.errors import Conflict, Invalid, NotFound
from ledger.people import Actor
from ledger.queries.words import post_words
from ledger.rules.verbs import Role
from ledger.schema import (
    AnyRow,
    due,
    person,
    petition,
    plan_draft,
    post,
    run,
    unit,
    unit_change,
)
from ledger.visibility import administers

Kind = Literal["rename", "merge", "transfer", "end", "begin"]
KINDS: dict[str, str] = {
    "rename": "更名",
    "merge": "合并",
    "transfer": "拆分、职责划转",
    "end": "撤销（工作已经了结，没有承接单位）",
    "begin": "设定启用日期（以后才启用的单位）",
}
NAMES: dict[str, str] = {**KINDS, "end": "撤销", "begin": "启用"}  # as records say it
_ALONE = ("end", "begin")  # nobody takes over, nothing is called anew
LONGEST = 366  # days ahead


# ---------------------------------------------------------------- what would move


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
    lower: Sequence[str] = ()  # the units that come to stand below its successor


def preview(connection: Connection, now: datetime, found: AnyRow, change: Change) -> Preview:
    """What a change would do if it came now."""
    if change.kind == "end":
        return Preview(
            (), 0, 0, 0, [_leaving(r, to=False) for r in connection.execute(_held, {"b_unit": found.key})], ()
        )
    if change.kind in ("rename", "begin"):
        return Preview((), 0, 0, 0, (), ())
    is_merge = change.kind == "merge"
    to = change.to or UNNAMED  # one that is to be set up has no key yet
    placed = placed_anew(connection, found.key, to) if is_merge else ()
    every = moves(connection, now, found.key, change.to or None, placed)
    shown = [m for m in every if is_merge or m.id in set(change.shares)]
    ids = {"ids": [m.id for m in shown if m.way != "stays"]}
    asked = {m.run_id for m in shown if m.way != "stays" and m.role in OPEN_SHARES}

    def is_asked(report: AnyRow) -> bool:
        return report.run_id in asked and report.due_at > now

    reports = owing.reports_owed(connection, found.key)
    offices = select(run.c.short).where(run.c.office == found.key, run.c.ended_at.is_(None)).order_by(run.c.id)
    return Preview(
        shown,
        connection.execute(_petitions, ids).scalar_one(),
        sum(r.assignment_id in ids["ids"] if r.assignment_id else is_merge or is_asked(r) for r in reports),
        connection.execute(_reminders, ids).scalar_one(),
        [_leaving(r) for r in (connection.execute(_held, {"b_unit": found.key}) if is_merge else ())],
        list(connection.execute(offices).scalars()) if is_merge else [],
        [_coming(r) for r in _planned(connection) if r.to_unit == found.key] if is_merge else [],
        below_anew(placed, to),
    )


def _coming(r: AnyRow) -> str:
    return f"{r.short_name}{NAMES[r.kind]}（{local_day(r.at)} 生效）"


_held = (
    select(post.c.role, post.c.rank, post.c.field, person.c.name)
    .join(person, person.c.id == post.c.person_id)
    .where(post.c.unit == bindparam("b_unit"), post.c.until.is_(None), post.c.deputy_for.is_(None))
    .order_by(post.c.id)
)


def _leaving(r: AnyRow, *, to: bool = True) -> str:
    words = f"{post_words(r.role, None, r.rank, r.field)} {r.name}"
    if not to:
        return f"{words}（免去）"
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
        faults["kind"] = "请选择更名、合并，拆分、职责划转，撤销，或设定启用日期。"
    if change.day is not None and not today <= change.day <= today + timedelta(LONGEST):
        faults["day"] = "生效日期从今天起，不超过一年；立即生效的请留空。"
    planned = _planned(connection)
    if any(r.unit == found.key for r in planned):
        faults["kind"] = "这个单位已有一项尚未生效的调整，请先取消它，或等它生效。"
    if change.kind in _ALONE:
        faults = _validity_faults(connection, today, found, change) | faults
    elif change.kind == "rename" or not change.to:
        faults |= unit_faults(connection, found, change.name, change.short) or _taken(planned, found, change)
    elif change.kind in KINDS:
        faults |= _successor_faults(connection, today, found, change, planned)
    open_ = {r.id for r in open_shares(connection, found.key)}
    if change.kind == "transfer" and not (change.shares and set(change.shares) <= open_):
        faults["shares"] = "请勾选要划转的任务；已经办结或调整的，请刷新页面后重选。"
    return faults


def _successor_faults(
    connection: Connection, today: date, found: AnyRow, change: Change, planned: Sequence[AnyRow]
) -> dict[str, str]:
    """What keeps the unit that was chosen from taking over, by field."""
    to = connection.execute(
        select(unit).where(unit.c.key == change.to, unit.c.jurisdiction == found.jurisdiction)
    ).one_or_none()
    if to is None or to.ended_at is not None or found.key in (to.key, to.host):
        why = "请从列表中选择另一个单位；本单位挂靠的机构和已经撤并的单位不能承接。"
    elif to.begins_at is not None and local_day(to.begins_at) > (change.day or today):
        why = f"{to.short}自 {local_day(to.begins_at)} 起启用，请把生效日期定在那天以后，或选择别的单位。"
    elif ending := next((r for r in planned if r.unit == to.key and r.kind == "end"), None):
        why = f"{to.short}已定于 {local_day(ending.at)} 撤销，请先取消那项调整，或选择别的单位。"
    elif (back := _leads_back(planned, found.key, change)) is not None:
        why = (
            f"{back.short_name}已登记{NAMES[back.kind]}（{local_day(back.at)} 生效），由本单位承接，"
            "不能反过来承接本单位；请先取消那项调整，或选择别的单位。"
        )
    else:
        return {}
    return {"to": why}


def _validity_faults(connection: Connection, today: date, found: AnyRow, change: Change) -> dict[str, str]:
    """What keeps a unit from being given up, or from beginning on a day to come, by field."""
    if change.kind == "begin" and (change.day is None or change.day <= today):
        return {"day": "请填写从今天以后的哪一天起启用。"}
    if change.kind == "begin":
        left = in_hand(connection, found.key)
        return {"kind": f"本单位已经在办理工作，不能改为以后启用：{'；'.join(left)}。"} if left else {}
    left = still_there(connection, found.key)
    ways = "了结以后再撤销；有单位承接的，请选“合并”。"
    return {"kind": f"本单位还有未了的事项，不能撤销：{'；'.join(left)}。{ways}"} if left else {}


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
    coming = {r.unit: r for r in planned if r.to_unit is not None}
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
    to = None if change.kind in ("rename", *_ALONE) else change.to or _set_up(tx, found, change)
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
    """取消 of a change that has not taken effect; returns the unit's key. Raises: NotFound, Conflict."""
    found = _change(tx, number)
    ours = select(unit.c.key).where(unit.c.key == found.unit, administers(tx.actor))
    if tx.connection.execute(ours).first() is None:
        raise NotFound("没有这项单位调整，或者它不归您管理。")
    if found.state != "planned":
        raise Conflict("另一位管理员或系统", found.done_at, "办理了这项调整")
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    tx.record(STREAM, "unit.change_cancelled", {"change": number})
    if found.kind == "begin":
        tx.record(STREAM, "unit.begun", {"change": number, "unit": found.unit})
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
    if change.kind == "begin":
        tx.record(STREAM, "unit.begun", {"change": number, "unit": change.unit})
        tx.flush()
        return
    if change.kind in ("merge", "end"):
        tx.record(STREAM, "unit.ended", {"change": number, "unit": change.unit, "successor": change.to_unit})
        _move_posts(tx, change.unit, change.to_unit)
    if change.kind == "merge":
        place_anew(tx, placed_anew(tx.connection, change.unit, change.to_unit))
    tx.flush()
    if change.kind == "end":
        return
    chosen = set(json.loads(change.shares))
    going = [
        m
        for m in moves(tx.connection, tx.now, change.unit, change.to_unit)
        if m.way != "stays" and (change.kind == "merge" or m.id in chosen)
    ]
    reports = owing.reports_owed(tx.connection, change.unit)
    gone = carry_on(tx, going, change.to_unit, Said({"ground": _ground_of(tx, change)}))
    _move_reports(tx, change, reports, gone)
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
    if change.kind in _ALONE:
        return "work" if change.kind == "end" and still_there(tx.connection, found.key) else ""
    is_there = to is not None and units[to].ended_at is None
    return "successor" if to is None or not is_there or found.key in (to, units[to].host) else ""


def _rename(tx: Tx, change: AnyRow) -> None:
    old = tx.connection.execute(select(unit.c.name, unit.c.short).where(unit.c.key == change.unit)).one()
    facts = {"change": change.id, "unit": change.unit, "name": change.name, "short": change.short}
    tx.record(STREAM, "unit.renamed", facts | {"old_name": old.name, "old_short": old.short})


def _move_posts(tx: Tx, unit_key: str, to: str | None) -> None:
    """The people of a unit take the same posts in its successor; its head leaves, for there is one already. Without a
    successor all leave."""
    held = select(post).where(post.c.unit == unit_key, post.c.until.is_(None)).order_by(post.c.id)
    rows = tx.connection.execute(held).all()
    for r in rows:
        if r.deputy_for is not None:
            deputies.end(tx, r.id)
    for r in rows:
        if r.deputy_for is not None:
            continue
        leave_post(tx, r.id)
        if to is not None and r.role != Role.HEAD and held_post(tx.connection, r.person_id, to, r.role, r.plan) is None:
            take_post(tx, r.person_id, to, r.role, Scope(r.plan, r.rank, r.field))


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
