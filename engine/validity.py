"""单位的启用和撤销: what keeps a unit from being given up without a successor, or from beginning later.

A unit whose duties are over ends when nothing is left to do in its name; whatever is left is named here, with the way
out. So nobody has to answer for what it left, and a tick never meets its name in a plan that runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, exists, select

from engine import published
from ledger.directory import known_units
from ledger.places import ANSWERED_FOR, seat
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, assignment, item, plan_draft, post, run, todo, unit, unit_change

_SHOWN = 5

_works = (
    select(run.c.short, item.c.no)
    .select_from(assignment.join(item, item.c.id == assignment.c.item_id).join(run, run.c.id == assignment.c.run_id))
    .where(assignment.c.unit.in_(ANSWERED_FOR), assignment.c.closed_at.is_(None))
    .order_by(assignment.c.run_id, item.c.ord, assignment.c.id)
)
_own_share = exists().where(
    assignment.c.id == todo.c.owner_id, assignment.c.unit.in_(ANSWERED_FOR), todo.c.owner_kind == "assignment"
)
_todos = (
    select(todo.c.owner_kind)
    .where(todo.c.unit.in_(ANSWERED_FOR), todo.c.closed_at.is_(None), ~_own_share)
    .order_by(todo.c.owner_kind)
)
_offices = select(run.c.short).where(run.c.office.in_(ANSWERED_FOR), run.c.ended_at.is_(None)).order_by(run.c.id)
_drafts = select(plan_draft.c.title).where(plan_draft.c.office.in_(ANSWERED_FOR)).order_by(plan_draft.c.id)
_to_come = (
    select(item.c.run_id, item.c.element, item.c.no, run.c.short, run.c.jurisdiction)
    .join(run, run.c.id == item.c.run_id)
    .where(item.c.state == "pending", run.c.ended_at.is_(None))
    .order_by(item.c.run_id, item.c.ord)
)


def in_hand(connection: Connection, unit_key: str) -> list[str]:
    """What a unit still has to do, or will have to in plans that run: a line each, with who can settle it."""
    names = {"b_unit": unit_key}
    works = connection.execute(_works, names).all()
    ahead = _ahead(connection, unit_key)
    offices, drafts = (connection.execute(s, names).scalars().all() for s in (_offices, _drafts))
    found = []
    if works:
        found.append(f"在办任务 {len(works)} 件（{_items(works)}），由专班办调整责任单位或终止")
    kinds = connection.execute(_todos, names).scalars().all()
    if n_reports := kinds.count("share"):
        found.append(f"尚未报送的期次 {n_reports} 期，请先报送")
    if n_others := len(kinds) - n_reports:
        found.append(f"待审核、审批的 {n_others} 件，请先办理")
    if ahead:
        found.append(f"尚未启动、到时由它承担的任务 {len(ahead)} 件（{_items(ahead)}），由专班办终止")
    if offices:
        found.append(f"统筹的方案 {len(offices)} 个（{_listed(offices)}），请等方案结束")
    if drafts:
        found.append(f"正在起草的方案 {len(drafts)} 个（{_listed(drafts)}），请先发布或删除草稿")
    return found


def _items(rows: Sequence[AnyRow]) -> str:
    return _listed([f"{r.short}第{r.no}项" for r in rows])


def _listed(names: Sequence[str]) -> str:
    return "、".join(names[:_SHOWN]) + ("等" if len(names) > _SHOWN else "")


def _ahead(connection: Connection, unit_key: str) -> list[AnyRow]:
    """Items that are not open yet and name just this unit; from a group it drops out."""
    found, known = [], {}
    for r in connection.execute(_to_come):
        if r.jurisdiction not in known:
            known[r.jurisdiction] = known_units(connection, r.jurisdiction)
        planned = next((i for i in published.of_run(connection, r.run_id).plan.items if i.id == r.element), None)
        meant = [known[r.jurisdiction].resolve(share.unit) for share in planned.shares] if planned else []
        if any(m is not None and [u.key for u in m.units] == [unit_key] for m in meant):
            found.append(r)
    return found


_living = select(unit.c.short).where(unit.c.ended_at.is_(None)).order_by(unit.c.ord)
_hosted, _below = (_living.where(column == bindparam("b_unit")) for column in (unit.c.host, unit.c.parent))
_coming = (
    select(unit.c.short)
    .join(unit_change, unit_change.c.unit == unit.c.key)
    .where(unit_change.c.to_unit.in_(ANSWERED_FOR), unit_change.c.state == "planned")
    .order_by(unit_change.c.id)
)
_administrators = (
    select(post.c.unit, seat().label("place"))
    .join(unit, unit.c.key == post.c.unit)
    .where(post.c.role == Role.ADMINISTRATOR, post.c.until.is_(None))
)


def tied(connection: Connection, unit_key: str) -> Iterator[str]:
    """What hangs on a unit and has to be put elsewhere before it ends, a line each."""
    names = {"b_unit": unit_key}
    hosted, below, coming = (connection.execute(s, names).scalars().all() for s in (_hosted, _below, _coming))
    if hosted:
        yield f"{_listed(hosted)}挂靠在本单位，请先改挂靠单位"
    if below:
        yield f"{_listed(below)}是本单位的下级单位，请先改上级单位"
    if coming:
        yield f"{_listed(coming)}已登记由本单位承接，请先取消那项调整"
    held = connection.execute(_administrators).all()
    own = {r.place for r in held if r.unit == unit_key}
    if own - {r.place for r in held if r.unit != unit_key}:
        yield "本行政区的管理员都在本单位，请先在别的单位任命管理员"


def still_there(connection: Connection, unit_key: str) -> list[str]:
    """Everything that keeps a unit from being given up."""
    return [*in_hand(connection, unit_key), *tied(connection, unit_key)]
