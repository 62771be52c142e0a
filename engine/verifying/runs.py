"""The stored instance of each run against its items, and the timers it waits at against due rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import func, or_, select

from bpmn.plan import Plan
from engine import instances, published
from engine.verifying.common import Found
from ledger.rules.verbs import ENDED
from ledger.schema import AnyRow, advance, assignment, due, item, run, run_state
from ledger.verification.scene import Check, Scene

# A 整改 is no part of the diagram: it begins when an item of it is over, and may outlive the run.
_of_diagram = select(item).where(item.c.origin.is_(None)).order_by(item.c.ord)


def _runs(scene: Scene) -> Found:
    rows = scene.connection.execute(
        select(run.c.id, run.c.ended_at, run_state.c.state)
        .outerjoin(run_state, run_state.c.run_id == run.c.id)
        .order_by(run.c.id)
    ).all()
    scene.counts["runs"] = len(rows)
    for r in rows:
        for sentence in _run(scene, r):
            yield f"方案实施第 {r.id} 号：{sentence}", {"table": "run", "row": str(r.id)}
    yield from _orphans(scene)


def _run(scene: Scene, r: AnyRow) -> Iterator[str]:
    if r.state is None:
        yield "流程状态不见了"
        return
    try:
        made = published.of_run(scene.connection, r.id)
        instance = instances.restore(made.version, r.state)
    except Exception as error:  # whatever was written over the state
        yield f"流程状态不能载入（{error}）"
        return
    if instances.is_ended(instance) != (r.ended_at is not None):
        yield "流程已经走完，方案却没有结束" if r.ended_at is None else "方案已经结束，流程却没有走完"
    items = scene.connection.execute(_of_diagram.where(item.c.run_id == r.id)).all()
    if r.ended_at is not None:
        yield from _still_open(scene, r.id, items)
    reached = set(instances.waits(instance))
    yield from (
        f"清单第 {i.no} 项在办，流程却不在“{i.heading or i.element}”"
        for i in items
        if i.state == "open" and (i.heading or i.element) not in reached
    )
    if scene.connection.execute(select(advance.c.item_id).where(advance.c.run_id == r.id)).first() is None:
        yield from _behind(scene, r.id, made.plan, reached, items)  # else the diagram is still to be told
    waiting, planted = {d.timer for d in instances.dues(instance)}, _timers(scene, r.id)
    yield from (f"流程等待日期“{t}”，到期安排里没有它（被删除）" for t in sorted(waiting - planted))
    yield from (f"到期安排“{t}”在流程里无人等待" for t in sorted(planted - waiting))


def _timers(scene: Scene, run_id: int) -> set[str]:
    kinds = select(due.c.kind).where(due.c.owner_kind == "run", due.c.owner_id == run_id, due.c.kind.like("timer:%"))
    return {kind.removeprefix("timer:") for kind in scene.connection.execute(kinds).scalars()}


def _behind(scene: Scene, run_id: int, plan: Plan, reached: Collection[str], items: Sequence[AnyRow]) -> Iterator[str]:
    """A heading that waits has an item that is not closed; an item it has reached is open, or waits for its date."""
    state = {i.element: i.state for i in items}
    for wait in sorted(reached):
        if all(i.state in ENDED for i in items if (i.heading or i.element) == wait):
            yield f"流程停在“{wait}”，其中的任务却都已办结"
    to_open = _to_open(scene, run_id)
    after = {i.id: i.after for i in plan.items}
    for i in items:
        is_reached = i.state == "pending" and (i.heading or i.element) in reached
        is_held = any(state.get(other) not in ENDED for other in after.get(i.element, ()))
        if is_reached and not is_held and i.id not in to_open:
            yield f"清单第 {i.no} 项应当启动，却没有启动，也没有启动日期的安排"


def _to_open(scene: Scene, run_id: int) -> set[int]:
    """Items that wait for their date."""
    planted = (
        select(due.c.owner_id)
        .join(item, item.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "item", due.c.kind == "open", item.c.run_id == run_id)
    )
    return set(scene.connection.execute(planted).scalars())


def _still_open(scene: Scene, run_id: int, items: Sequence[AnyRow]) -> Iterator[str]:
    yield from (f"方案已经结束，清单第 {i.no} 项却仍在办" for i in items if i.state == "open")
    left = (
        select(func.count())
        .select_from(assignment.join(item, item.c.id == assignment.c.item_id))
        .where(assignment.c.run_id == run_id, assignment.c.closed_at.is_(None), item.c.origin.is_(None))
    )
    if n := scene.connection.execute(left).scalar_one():
        yield f"方案已经结束，却还有 {n} 项责任分工没有了结"


def _orphans(scene: Scene) -> Found:
    stray = (
        select(advance.c.item_id)
        .outerjoin(item, item.c.id == advance.c.item_id)
        .where(or_(item.c.id.is_(None), item.c.state.not_in(ENDED), item.c.run_id != advance.c.run_id))
    )
    for item_id in scene.connection.execute(stray).scalars():
        yield f"任务第 {item_id} 号没有办结，却登记了推进", {"table": "advance", "row": str(item_id)}


RUNS = Check("runs", "方案与流程状态", _runs)
