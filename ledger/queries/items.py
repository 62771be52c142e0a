"""One item as its page shows it: its standing, its open todos, its occurrences, what was sent about it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select

from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.errors import NotFound
from ledger.people import Actor
from ledger.queries.standing import Part, Standing, standings
from ledger.queries.steps import StepPlan, asked_again, step_plans
from ledger.queries.unit_names import former_names
from ledger.queries.words import ROLE_WORDS, TIER_WORDS
from ledger.rules.timeliness import planning_due
from ledger.rules.verbs import LEFT_OUT, State
from ledger.schema import (
    AnyRow,
    assignment,
    delivery,
    entry,
    item,
    message,
    notice,
    petition,
    reading,
    round_,
    run,
    share,
    step,
    todo,
    unit,
)
from ledger.visibility import Sight, readable, visible


@dataclass(frozen=True)
class Desk:
    """A todo of the step at which a share stands, and its post."""

    assignment_id: int
    step: str
    arm: int
    unit: str
    unit_name: str
    role: str
    opened_at: datetime
    closed_at: datetime | None = None  # when this post agreed at a step where others still have to (会签)

    @property
    def words(self) -> str:
        return f"{self.unit_name} {ROLE_WORDS.get(self.role, self.role)}"


@dataclass(frozen=True)
class Occurrence:
    """A turn of a recurring item, with the share of it that the actor owes, if any."""

    n: int
    n_last: int
    name: str
    due_at: datetime
    n_done: int
    n_total: int
    closed_at: datetime | None
    own_share: int | None


@dataclass(frozen=True)
class Sent:
    """A mail about the item: when, why, to which posts, and how it went."""

    at: datetime
    words: str
    posts: Sequence[str]
    state: str


@dataclass(frozen=True)
class Petition:
    """What a unit has applied for and waits for; `decider` is the post whose turn it is."""

    assignment_id: int
    id: int
    kind: str  # extension, objection, steps
    turn: int
    decider: tuple[str, str]
    decider_words: str
    applied_at: datetime
    asked_due: datetime | None
    asked_unit: str | None
    asked_unit_key: str | None
    left: int  # how many decide after this one


@dataclass(frozen=True)
class Stand:
    """Where a share stands, as `ledger.capacities` sees it."""

    unit: str
    role: str
    plan: str
    office: str
    jurisdiction: str
    place: str
    parent_unit: str | None
    lead_unit: str | None
    holders: Sequence[tuple[str, str]]
    decider: tuple[str, str] | None


@dataclass(frozen=True)
class ItemView:
    standing: Standing
    seats: Mapping[int, Sequence[Desk]]  # of each share, where it stands: one, or several where they sign together
    petitions: Mapping[int, Petition]
    mendings: Sequence[tuple[int, str]]  # items (整改) that took the place of a revoked closing: id and number
    unconfirmed: frozenset[int]  # shares for which the office has entered what the unit has not confirmed yet
    readable: frozenset[int]
    occurrences: Sequence[Occurrence]
    sent: Sequence[Sent]
    why_due: Sequence[tuple[str, str]]
    open_units: Sequence[str]
    steps: Mapping[int, Sequence[StepPlan]]  # plans of steps by share, the newest first
    owing: Mapping[int, datetime]  # shares that have to hand in a plan of steps (待报节点计划), and until when
    settled: frozenset[tuple[int, int]]  # (share, indicator) whose last reading was settled (核定)

    def open_seats(self, part: Part) -> list[Desk]:
        """The posts that still have to act on a share."""
        return [desk for desk in self.seats.get(part.id, ()) if desk.closed_at is None]

    def desk(self, part: Part, actor: Actor) -> Desk | None:
        """Where a share stands: before the actor, or else before the first of those who have to act."""
        seats, plan = self.open_seats(part), self.standing.item.plan
        own = (d for d in seats if actor.seat((d.unit, d.role), plan, part.unit))
        return next(own, seats[0] if seats else None)

    def stand(self, part: Part) -> Stand:
        """Where a share stands, for `ledger.capacities`."""
        found = self.petitions.get(part.id)
        lead = next((p.unit for p in self.standing.parts if p.role == "lead" and p.state not in LEFT_OUT), None)
        return Stand(
            part.unit,
            part.role,
            self.standing.item.plan,
            self.standing.item.office,
            self.standing.item.jurisdiction,
            part.place,
            above.unit if (above := self.above(part)) else None,
            lead,
            [(desk.unit, desk.role) for desk in self.open_seats(part)],
            found.decider if found else None,
        )

    def plan_in_force(self, part: Part) -> StepPlan | None:
        return next((p for p in self.steps.get(part.id, ()) if p.is_in_force), None)

    @property
    def parts(self) -> list[Part]:
        """The shares that the reader knows of: every whole, and of what was handed down what may be read."""
        return [*self.standing.parts, *(p for p in self.standing.lower if p.id in self.readable)]

    def part(self, assignment_id: int) -> Part:
        return next(p for p in self.parts if p.id == assignment_id)

    def above(self, part: Part) -> Part | None:
        """The share that this one is a part of."""
        return self.standing.part(part.parent_id) if part.parent_id else None


def item_view(connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight, item_id: int) -> ItemView:
    """The item, if it may be seen. Raises: NotFound, for what does not exist and what may not be seen alike."""
    require_visible(connection, sight, item_id)
    standing = _as_named_then(connection, standings(connection, calendar, now, [item_id])[item_id])
    read = readable(sight, standing.item.office, standing.item.jurisdiction, standing.every)
    known = {p.id for p in standing.parts} | read
    plans = step_plans(connection, item_id)
    return ItemView(
        standing,
        _seats(connection, item_id),
        _petitions(connection, item_id) if any(p.overlay for p in standing.every) else {},
        _mendings(connection, item_id) if standing.item.state == "revoked" else (),
        _unconfirmed(connection, item_id),
        read,
        _occurrences(connection, sight.actor, standing.item) if standing.item.cadence else (),
        _sent(connection, item_id, {p.id for p in standing.lower} - read),
        tuple((label, words) for label, words in json.loads(standing.item.due_steps)),
        tuple(json.loads(standing.item.open_units)),
        {share_id: versions for share_id, versions in plans.items() if share_id in known},
        _owing(connection, calendar, standing, plans),
        _settled(connection, item_id) if standing.gauges else frozenset(),
    )


def _owing(
    connection: Connection, calendar: WorkCalendar, standing: Standing, plans: Mapping[int, Sequence[StepPlan]]
) -> dict[int, datetime]:
    """Counted from 签收, from the day on which a plan came to nothing, or from 恢复计时. What was handed down owes
    none."""
    wanted = [p for p in standing.parts if standing.item.needs_steps and p.role != "cooperating"]
    lacking = [p for p in wanted if p.is_open and p.steps_in_force is None and p.overlay not in _NOT_OWED]
    owing = {p.id: p.acknowledged_at for p in lacking if p.acknowledged_at is not None}
    again = asked_again(connection, assignment.c.item_id == standing.item.id) if owing else {}
    for share_id, at in owing.items():
        settled = (v.settled_at for v in plans.get(share_id, ()) if v.settled_at)
        owing[share_id] = max([at, *settled, *again.get(share_id, ())[:1]])
    return {share_id: planning_due(at, calendar) for share_id, at in owing.items()}


_NOT_OWED = (State.PLANNING, State.SUSPENDED)  # handed in already, or time stands still


def _as_named_then(connection: Connection, standing: Standing) -> Standing:
    """A share that has ended shows its unit under the name it had then."""
    former = former_names(connection, {p.unit for p in standing.every if p.closed_at})

    def named(parts: Sequence[Part]) -> list[Part]:
        return [replace(p, unit_name=former.short(p.unit, p.closed_at, p.unit_name)) for p in parts]

    return replace(standing, parts=named(standing.parts), lower=named(standing.lower))


_seen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id).where(item.c.id == bindparam("item_id")))


def require_visible(connection: Connection, sight: Sight, item_id: int) -> None:
    """Raises: NotFound."""
    if not prepared.rows(connection, _seen, {**sight.binds, "item_id": item_id}):
        raise NotFound("没有这项任务，或者它不在您的岗位可见的范围内。")


def item_of(connection: Connection, sight: Sight, assignment_id: int) -> int:
    """The item of a share, if the actor may see both. Raises: NotFound."""
    found = connection.execute(_share, {"b_id": assignment_id}).one_or_none()
    if found is None:
        raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。")
    require_visible(connection, sight, found.item_id)
    if found.parent_id is not None and assignment_id not in shares_seen(connection, sight, found.item_id):
        raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。")
    return int(found.item_id)


_share = select(assignment.c.item_id, assignment.c.parent_id).where(assignment.c.id == bindparam("b_id"))
_shares = (
    select(
        assignment.c.id,
        assignment.c.unit,
        assignment.c.role,
        assignment.c.state,
        assignment.c.parent_id,
        run.c.office,
        run.c.jurisdiction,
    )
    .join(run, run.c.id == assignment.c.run_id)
    .where(assignment.c.item_id == bindparam("b_item"))
)


def shares_seen(connection: Connection, sight: Sight, item_id: int) -> set[int]:
    """The shares of an item, which may be seen, that the actor knows of: all but parts handed down elsewhere."""
    shares = connection.execute(_shares, {"b_item": item_id}).all()
    if not shares:
        return set()
    read = readable(sight, shares[0].office, shares[0].jurisdiction, shares)
    return {s.id for s in shares if s.parent_id is None or s.id in read}


def _seats(connection: Connection, item_id: int) -> dict[int, list[Desk]]:
    rows = connection.execute(
        select(
            *(todo.c.owner_id, todo.c.step, todo.c.arm, todo.c.unit, unit.c.short, todo.c.role),
            *(todo.c.opened_at, todo.c.closed_at),
        )
        .join(assignment, assignment.c.id == todo.c.owner_id)
        .join(unit, unit.c.key == todo.c.unit)
        .where(
            todo.c.owner_kind == "assignment",
            # What its primary key begins with: else SQLite reads every todo there is.
            todo.c.owner_id.in_(select(assignment.c.id).where(assignment.c.item_id == item_id)),
            todo.c.step == assignment.c.step,
            todo.c.arm == assignment.c.arm,
        )
        .order_by(todo.c.closed_at.is_(None), todo.c.closed_at, todo.c.unit, todo.c.role)
    )
    found: dict[int, list[Desk]] = {}
    for r in rows:
        found.setdefault(r.owner_id, []).append(Desk(*r))
    return found


def _mendings(connection: Connection, item_id: int) -> list[tuple[int, str]]:
    rows = connection.execute(select(item.c.id, item.c.no).where(item.c.origin == item_id).order_by(item.c.id))
    return [(r.id, r.no) for r in rows]


def _unconfirmed(connection: Connection, item_id: int) -> frozenset[int]:
    found = select(entry.c.assignment_id).join(assignment, assignment.c.id == entry.c.assignment_id)
    waiting = found.where(assignment.c.item_id == item_id, entry.c.confirmed_at.is_(None))
    return frozenset(connection.execute(waiting).scalars())


_judged = (
    select(reading.c.assignment_id, reading.c.indicator_id, reading.c.settled)
    .where(reading.c.item_id == bindparam("b_item"))
    .order_by(reading.c.seq)
)


def _settled(connection: Connection, item_id: int) -> frozenset[tuple[int, int]]:
    last = {(r.assignment_id, r.indicator_id): r.settled for r in connection.execute(_judged, {"b_item": item_id})}
    return frozenset(place for place, settled in last.items() if settled is not None)


_asked = unit.alias("asked")


def _petitions(connection: Connection, item_id: int) -> dict[int, Petition]:
    rows = connection.execute(
        select(petition, _asked.c.short.label("asked"), _asked.c.successor.label("asked_successor"))
        .join(assignment, assignment.c.id == petition.c.assignment_id)
        .outerjoin(_asked, _asked.c.key == petition.c.asked_unit)
        .where(assignment.c.item_id == item_id, petition.c.state == "open")
    ).all()
    chains = {r.id: [tuple(post) for post in json.loads(r.chain)] for r in rows}
    keys = {unit_key for chain in chains.values() for unit_key, _ in chain}
    named = connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(sorted(keys))))
    names = {r.key: r.short for r in named}
    found = {}
    for r in rows:
        decider = chains[r.id][r.turn - 1]
        words = f"{names.get(decider[0], '')}{ROLE_WORDS[decider[1]]}"
        left = len(chains[r.id]) - r.turn
        found[r.assignment_id] = Petition(
            r.assignment_id,
            r.id,
            r.kind,
            r.turn,
            decider,
            words,
            r.applied_at,
            r.asked_due,
            r.asked,
            r.asked_successor or r.asked_unit,
            left,
        )
    return found


def _occurrences(connection: Connection, actor: Actor, found: AnyRow) -> list[Occurrence]:
    units = sorted({d.unit for d in actor.desks if d.role == "liaison" and d.serves(found.plan)})
    own = and_(share.c.round_id == round_.c.id, share.c.unit.in_(units), share.c.state == "owed")
    rows = connection.execute(
        select(
            round_.c.n,
            round_.c.n_last,
            round_.c.name,
            round_.c.due_at,
            round_.c.n_done,
            round_.c.n_total,
            round_.c.closed_at,
            func.min(share.c.id).label("own"),
        )
        .outerjoin(share, own)
        .where(round_.c.item_id == found.id)
        .group_by(round_.c.id)
        .order_by(round_.c.n)
    )
    return [Occurrence(*r) for r in rows]


_MAIL_WORDS = {"queued": "待发送", "sending": "发送中", "sent": "已发出", "dead": "未能送达"}


def tier_words(tier: str) -> str:
    """What a notice was about: 到期前 3 个工作日提醒, 逾期 5 个工作日催报, 催办."""
    kind = tier.split(":")[0]
    if kind in TIER_WORDS:
        return TIER_WORDS[kind]
    if kind.removeprefix("-").removeprefix("+").isdigit():
        days = int(kind)
        return f"到期前 {-days} 个工作日提醒" if days < 0 else f"逾期 {days} 个工作日催报" if days else "到期当日提醒"
    return "提醒"


_ABOUT = {"step": "节点", "planning": "节点计划"}


def _sent(connection: Connection, item_id: int, hidden: Collection[int]) -> list[Sent]:
    """Mails that carried a notice about the item, one line for each mail kind and minute, newest first; none about
    these shares."""
    rows = connection.execute(
        select(message.c.at, message.c.state, notice.c.owner_kind, notice.c.tier, unit.c.short, notice.c.role)
        .select_from(
            notice.join(delivery, delivery.c.notice_id == notice.c.id)
            .join(message, message.c.id == delivery.c.message_id)
            .outerjoin(step, and_(notice.c.owner_kind == "step", step.c.id == notice.c.owner_id))
        )
        .join(unit, unit.c.key == notice.c.unit)
        .where(
            notice.c.item_id == item_id,
            ~and_(notice.c.owner_kind == "assignment", notice.c.owner_id.in_(hidden)),
            func.coalesce(step.c.assignment_id, 0).not_in(hidden),
        )
        .order_by(message.c.at.desc(), message.c.id.desc())
    )
    lines: dict[tuple[datetime, str, str], list[str]] = {}
    for r in rows:
        posts = lines.setdefault((r.at, _ABOUT.get(r.owner_kind, "") + tier_words(r.tier), r.state), [])
        if (post := f"{r.short}{ROLE_WORDS.get(r.role, r.role)}") not in posts:
            posts.append(post)
    return [Sent(at, words, posts, _MAIL_WORDS.get(state, state)) for (at, words, state), posts in lines.items()]


# ---------------------------------------------------------------- what a decision is about
@dataclass(frozen=True)
class Change:
    """A figure of a share: what was reported before the application, and what is applied for."""

    name: str
    measure: str
    before: Any
    value: Any


def changes(part: Part, view: ItemView, previous: Mapping[int, Any]) -> list[Change]:
    """The figures of a share, each beside its value before the last submission."""
    return [
        Change(g.name, g.measure, previous.get(g.id), part.figures[g.id].value)
        for g in view.standing.gauges
        if g.id in part.figures
    ]
