"""Units change: 更名, 合并, 拆分 and 职责划转, decided by an administrator for now or for a day to come.

Open work moves to the successor as a share of its own, with the figures that were reported; what has been handed in is
decided where it stands. Old papers keep old names, lateness until then stays with the predecessor, and whoever succeeds
a unit that has ended answers for what is left of it (`ledger.people`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, select, text, update

from engine import deputies, published
from engine.adjusting import Share, end_share, hand_out, item_row
from engine.chasing import arm, disarm, wake
from engine.desk import Case, cases_of, limit_texts
from engine.moments import change_moment
from engine.moving import Said, close_if_done, siblings
from engine.notices import Notice, tell
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
    round_,
    run,
    share,
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


_open_shares = (
    select(
        *(assignment.c.id, assignment.c.run_id, assignment.c.item_id, assignment.c.role, assignment.c.state),
        *(assignment.c.due_at, run.c.short, item.c.no, item.c.title),
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .where(assignment.c.unit == bindparam("b_unit"), assignment.c.closed_at.is_(None))
    .order_by(assignment.c.run_id, item.c.ord)
)
_own_there = select(assignment.c.item_id, assignment.c.id, assignment.c.role).where(
    assignment.c.unit == bindparam("b_unit"),
    assignment.c.state.not_in(LEFT_OUT),
    assignment.c.item_id.in_(bindparam("items", expanding=True)),
)


def moves(connection: Connection, now: datetime, unit_key: str, to: str | None) -> list[Move]:
    """Every open share of a unit, and where it would go; without a successor they stay."""
    rows = connection.execute(_open_shares, {"b_unit": unit_key}).all()
    items = sorted({r.item_id for r in rows})
    there = {r.item_id: r.role for r in connection.execute(_own_there, {"b_unit": to or "", "items": items})}
    return [
        Move(
            *(r.id, r.run_id, r.item_id, r.short, r.no, r.title, r.role, r.state),
            r.due_at is not None and r.due_at < now,
            *_way(r, there.get(r.item_id)),
        )
        for r in rows
    ]


def _way(r: AnyRow, own: str | None) -> tuple[Way, str]:
    if r.state in _HANDED_IN:
        return "stays", "已提交，在原单位名下审结"
    if own is None:
        return "new", "由承接单位签收后继续办理"
    if _STRENGTH.index(own) <= _STRENGTH.index(r.role):
        return "joins", "并入承接单位在本任务中原有的分工"
    return "stays", "承接单位在本任务中分工较轻，由专班办调整责任单位"


@dataclass(frozen=True)
class Preview:
    """What a change would do beside moving shares."""

    moves: Sequence[Move]
    petitions: int
    reports: int
    reminders: int
    posts: Sequence[str]
    plans: Sequence[str]


def preview(connection: Connection, now: datetime, found: AnyRow, change: Change) -> Preview:
    """What a change would do if it came now."""
    if change.kind == "rename":
        return Preview((), 0, 0, 0, (), ())
    is_merge = change.kind == "merge"
    every = moves(connection, now, found.key, change.to or None)
    shown = [m for m in every if is_merge or m.id in set(change.shares)]
    ids = {"ids": [m.id for m in shown if m.way != "stays"]}
    reports = connection.execute(_owed, {"b_unit": found.key}).all()
    posts = select(post.c.role, post.c.rank, post.c.field, person.c.name).join(person, person.c.id == post.c.person_id)
    held = posts.where(post.c.unit == found.key, post.c.until.is_(None), post.c.deputy_for.is_(None))
    offices = select(run.c.short).where(run.c.office == found.key, run.c.ended_at.is_(None)).order_by(run.c.id)
    return Preview(
        shown,
        connection.execute(_petitions, ids).scalar_one(),
        sum(r.assignment_id in ids["ids"] if r.assignment_id else is_merge for r in reports),
        connection.execute(_reminders, ids).scalar_one(),
        [_leaving(r) for r in (connection.execute(held.order_by(post.c.id)) if is_merge else ())],
        list(connection.execute(offices).scalars()) if is_merge else [],
    )


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
    planned = select(unit_change.c.id).where(unit_change.c.unit == found.key, unit_change.c.state == "planned")
    if connection.execute(planned).first():
        faults["kind"] = "这个单位已有一项尚未生效的调整，请先撤销它，或等它生效。"
    if change.kind == "rename" or not change.to:
        faults |= unit_faults(connection, found, change.name, change.short)
    elif change.kind in KINDS:
        to = connection.execute(
            select(unit).where(unit.c.key == change.to, unit.c.jurisdiction == found.jurisdiction)
        ).one_or_none()
        if to is None or to.ended_at is not None or found.key in (to.key, to.host):
            faults["to"] = "请从列表中选择另一个单位；本单位挂靠的机构和已经撤并的单位不能承接。"
    open_ = {r.id for r in connection.execute(_open_shares, {"b_unit": found.key})}
    if change.kind == "transfer" and not (change.shares and set(change.shares) <= open_):
        faults["shares"] = "请勾选要划转的任务；已经办结或调整的，请刷新页面后重选。"
    return faults


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
    """A change takes effect now. What the successor cannot take over stays, and is answered for by it."""
    change = _change(tx, number)
    tx.record(STREAM, "unit.changed", {"change": number})
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
    reports = _reports(tx, change.unit)
    moved = _move_shares(tx, change, going)
    _move_reports(tx, change, reports, moved)
    if change.kind == "merge":
        _move_offices(tx, change)
    tx.flush()


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


_figures = select(figure).where(figure.c.assignment_id.in_(bindparam("ids", expanding=True)))


def _move_shares(tx: Tx, change: AnyRow, going: Sequence[Move]) -> dict[int, int]:
    """End the shares in favour of the successor's; returns whose place each new one took."""
    cases = cases_of(tx, [m.id for m in going]) if going else {}
    reported: dict[int, list[tuple[int, Any, datetime]]] = {}
    for f in tx.connection.execute(_figures, {"ids": sorted(cases)}):
        reported.setdefault(f.assignment_id, []).append((f.indicator_id, f.value, f.reported_at))
    items = sorted({m.item_id for m in going})
    own = {r.item_id: r.id for r in tx.connection.execute(_own_there, {"b_unit": change.to_unit, "items": items})}
    said = Said({"ground": _ground_of(tx, change)})
    moved = {}
    for m in going:
        case = cases[m.id]
        if case.state in (*_HANDED_IN, *ENDED):  # in the meantime
            continue
        if m.way == "joins":
            rows = siblings(tx, case.item_id)
            end_share(tx, case, rows, said, own[m.item_id])
            close_if_done(tx, case, [r for r in rows if r.id != case.id])
        else:
            moved[case.id] = _succeed(tx, case, change.to_unit, reported.get(case.id, ()), said)
    return moved


def _succeed(tx: Tx, case: Case, to: str, figures: Sequence[tuple[int, Any, datetime]], said: Said) -> int:
    new = tx.allocate("assignment")[0]
    end_share(tx, case, siblings(tx, case.item_id), said, new)
    found = item_row(tx, case.item_id)
    due_at = case.due_at if found.due_at is not None else None
    hand_out(tx, found, Share(to, case.role, case.ord, case.quota, new, due_at, figures))
    return new


_grounds = text("SELECT text FROM content WHERE stream = 'admin' AND field = 'ground' AND seq = :seq")


def _ground_of(tx: Tx, change: AnyRow) -> str:
    return tx.connection.execute(_grounds, {"seq": change.seq}).scalar() or ""


# ---------------------------------------------------------------- reports that are owed, offices
_owed = (
    select(
        *(share.c.id, share.c.round_id, share.c.run_id, share.c.assignment_id),
        *(round_.c.item_id, round_.c.cadence, round_.c.due_at),
    )
    .join(round_, round_.c.id == share.c.round_id)
    .where(share.c.unit == bindparam("b_unit"), share.c.state == "owed")
    .order_by(share.c.id)
)
_asked = select(share.c.round_id).where(
    share.c.unit == bindparam("b_unit"), share.c.round_id.in_(bindparam("rounds", expanding=True))
)


def _reports(tx: Tx, unit_key: str) -> Sequence[AnyRow]:
    return tx.connection.execute(_owed, {"b_unit": unit_key}).all()


def _move_reports(tx: Tx, change: AnyRow, reports: Sequence[AnyRow], moved: Mapping[int, int]) -> None:
    """What the unit owes in open rounds is owed by its successor: of occurrences with their shares, of plan-wide rounds
    when the unit ends."""
    going = [r for r in reports if (change.kind == "merge" if r.assignment_id is None else r.assignment_id in moved)]
    rounds = sorted({r.round_id for r in going})
    asked = set(tx.connection.execute(_asked, {"b_unit": change.to_unit, "rounds": rounds}).scalars())
    ids = iter(tx.allocate("share", len(going)) if going else ())
    for r in going:
        new = None if r.round_id in asked else next(ids)
        is_occurrence = r.assignment_id is not None  # its report was withdrawn with the share
        payload = {
            **{"round": r.round_id, "run": r.run_id, "item": r.item_id, "unit": change.to_unit, "share": new},
            "assignment": moved[r.assignment_id] if is_occurrence else None,
            "owed": [] if is_occurrence else [r.id],
            "due_at": r.due_at,
        }
        tx.record(f"item:{r.item_id}" if r.item_id else f"run:{r.run_id}", "round.handed_on", payload)
        disarm(tx, [("share", r.id)])
        if new is not None:
            _ask(tx, r, new, change.to_unit)


def _ask(tx: Tx, r: AnyRow, new: int, to: str) -> None:
    cadences = published.of_run(tx.connection, r.run_id).plan.cadences
    ladder = next(c.ladder for c in cadences if c.id == r.cadence)
    arm(tx, "share", [new], r.due_at, ladder, only_ahead=True)
    tell(tx, [Notice("share", new, 1, "request", to, "liaison", r.run_id, r.item_id, immediate=True)])


_draft_office = update(plan_draft).where(plan_draft.c.office == bindparam("b_unit")).values(office=bindparam("b_to"))


def _move_offices(tx: Tx, change: AnyRow) -> None:
    """Plans that the unit coordinates, and those it is writing, go to its successor."""
    offices = select(run.c.id).where(run.c.office == change.unit, run.c.ended_at.is_(None)).order_by(run.c.id)
    for run_id in tx.connection.execute(offices).scalars().all():
        facts = {"run": run_id, "office": change.to_unit, "old": change.unit}
        tx.record(f"run:{run_id}", "run.office_changed", facts)
    tx.writes.write(_draft_office, {"b_unit": change.unit, "b_to": change.to_unit})
