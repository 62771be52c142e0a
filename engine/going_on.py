"""Which open shares of a unit go on with another one, and how: as shares of its own, or in those that it has there.

By this units change (`engine.reorganising`), and whatever comes back later to a unit that has ended goes to its
successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, exists, func, or_, select

from engine import succeeding
from engine.desk import Case, cases_of
from engine.moving import NOTHING_SAID, Said
from engine.rounds import OPEN_SHARES
from engine.seating import seat_anew
from engine.tree import Placed
from ledger.database import Tx
from ledger.rules.verbs import ENDED, LEFT_OUT, State
from ledger.schema import AnyRow, assignment, figure, item, run, unit

Way = Literal["new", "joins", "stays"]
_STRENGTH = ("lead", "responsible", "cooperating")
_HANDED_IN = (State.SIGNING, State.REVIEWING)


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


_whole, _holder, _above = assignment.alias("whole"), unit.alias("holder"), unit.alias("above")
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
        *(assignment.c.due_at, assignment.c.quota, run.c.short, item.c.no, item.c.title),
        *(assignment.c.parent_id, _above.c.key.label("above"), _above.c.short.label("above_name")),
        *(assignment.c.suspended_at, assignment.c.steps_in_force, _handed_down.label("n_parts")),
        or_(assignment.c.quota.is_not(None), _has_figures).label("has_numbers"),
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(_whole, _whole.c.id == assignment.c.parent_id)
    .outerjoin(_holder, _holder.c.key == _whole.c.unit)
    .outerjoin(_above, _above.c.key == func.coalesce(_holder.c.successor, _holder.c.key))
    .where(assignment.c.unit == bindparam("b_unit"), assignment.c.closed_at.is_(None))
    .order_by(assignment.c.run_id, item.c.ord)
)


def open_shares(connection: Connection, unit_key: str) -> Sequence[AnyRow]:
    """What a unit has in hand, or has handed in, by plan and item."""
    return connection.execute(_open_shares, {"b_unit": unit_key}).all()


_divided = (  # whether it was handed down in parts with quotas
    exists()
    .where(_part.c.parent_id == assignment.c.id, _part.c.quota.is_not(None), _part.c.state.not_in(LEFT_OUT))
    .correlate(assignment)
    .label("is_divided")
)
_own_there = (
    select(*(assignment.c[name] for name in ("item_id", "id", "role", "state", "parent_id")), _divided)
    .where(
        assignment.c.unit == bindparam("b_unit"),
        assignment.c.state.not_in(LEFT_OUT),
        assignment.c.item_id.in_(bindparam("items", expanding=True)),
    )
    .order_by(assignment.c.id)
)
_stands_below = select(unit.c.parent).where(unit.c.key == bindparam("b_unit"))


def moves(
    connection: Connection, now: datetime, unit_key: str, to: str | None, placed: Sequence[Placed] = ()
) -> list[Move]:
    """Every open share of a unit, and where it would go; without a successor they stay. `placed`: the units that come
    to stand elsewhere with it."""
    rows = open_shares(connection, unit_key)
    items = sorted({r.item_id for r in rows})
    there = {r.item_id: r for r in connection.execute(_own_there, {"b_unit": to or "", "items": items})}
    below = connection.execute(_stands_below, {"b_unit": to or unit_key}).scalar()  # a new one is set up beside it
    below = next((p.parent for p in placed if p.key == to), below)
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
        added += "，承接单位已分解下达的，由其补充分解或说明原因" if r.quota and own.is_divided else ""
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
class Gone:
    """Shares that have left a unit. `moved`: those that go on as new ones of the successor; `asked`: the runs whose
    rounds ask about any of them."""

    shares: set[int]
    moved: dict[int, int]
    asked: set[int]


def carry_on(tx: Tx, going: Sequence[Move], to: str, said: Said) -> Gone:
    """End the shares in favour of the successor's."""
    items = sorted({m.item_id for m in going if m.way == "joins"})
    own = {r.item_id: r.id for r in tx.connection.execute(_own_there, {"b_unit": to, "items": items})}
    cases = cases_of(tx, [*(m.id for m in going), *own.values()]) if going else {}
    figures = succeeding.reported(tx, cases)
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
            gone.moved[case.id] = succeeding.hand_on(tx, case, to, figures.get(case.id, ()), said)
    for item_id in sorted({m.item_id for m in going if m.role == "lead"}):
        seat_anew(tx, item_id)
    return gone


def go_to_successor(tx: Tx, case: Case) -> None:
    """What comes back to a unit that has ended goes on with whoever has succeeded it, as far as it may; lateness until
    then stays with that unit."""
    if case.successor is None:
        return
    tx.flush()  # where it stands now is read
    every = moves(tx.connection, tx.now, case.unit, case.successor)
    carry_on(tx, [m for m in every if m.id == case.id and m.way != "stays"], case.successor, NOTHING_SAID)
