"""The stored instance of each run against its items, and the timers it waits at against due rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import and_, func, or_, select

from bpmn.plan import Plan
from engine import instances, published
from engine.moments import Moment, timer_moments
from engine.opening import opens_at
from ledger.rules.intakes import ELEMENT
from ledger.rules.verbs import ENDED
from ledger.schema import AnyRow, advance, assignment, due, item, run, run_state
from ledger.verification.scene import Check, Found, Scene

Said = Iterator[tuple[str, str]]  # rule, sentence

# A 整改 is no part of the diagram: it begins when an item of it is over, and may outlive the run. Nor is what an intake
# opened.
_is_drawn = and_(item.c.origin.is_(None), item.c.element.not_like(f"{ELEMENT}%"))
_of_diagram = select(item).where(_is_drawn).order_by(item.c.ord)


def _runs(scene: Scene) -> Found:
    rows = scene.connection.execute(
        select(run.c.id, run.c.ended_at, run_state.c.state)
        .outerjoin(run_state, run_state.c.run_id == run.c.id)
        .order_by(run.c.id)
    ).all()
    scene.counts["runs"] = len(rows)
    for r in rows:
        for rule, sentence in _run(scene, r):
            yield rule, f"方案实施第 {r.id} 号：{sentence}", {"table": "run", "row": str(r.id)}
    yield from _orphans(scene)


def _run(scene: Scene, r: AnyRow) -> Said:
    if r.state is None:
        yield "no-state", "流程状态不见了"
        return
    try:
        made = published.of_run(scene.connection, r.id)
        instance = instances.restore(made.version, r.state)
    except Exception as error:  # whatever was written over the state
        yield "unreadable", f"流程状态不能载入（{error}）"
        return
    if instances.is_ended(instance) != (r.ended_at is not None):
        yield "ended", "流程已经走完，方案却没有结束" if r.ended_at is None else "方案已经结束，流程却没有走完"
    items = scene.connection.execute(_of_diagram.where(item.c.run_id == r.id)).all()
    if r.ended_at is not None:
        yield from _still_open(scene, r.id, items)
    reached = set(instances.waits(instance))
    yield from (
        ("not-reached", f"清单第 {i.no} 项在办，流程却不在“{i.heading or i.element}”")
        for i in items
        if i.state == "open" and (i.heading or i.element) not in reached
    )
    if scene.connection.execute(select(advance.c.item_id).where(advance.c.run_id == r.id)).first() is None:
        yield from _behind(scene, r.id, made.plan, reached, items)  # else the diagram is still to be told
    yield from _timers(scene, r.id, instance)


def _timers(scene: Scene, run_id: int, instance: instances.Instance) -> Said:
    """The dates the diagram waits at, each with its row."""
    planted = select(due.c.kind, due.c.arm, due.c.at, due.c.rank).where(
        due.c.owner_kind == "run", due.c.owner_id == run_id, due.c.kind.like("timer:%")
    )
    there = {Moment(*r) for r in scene.connection.execute(planted)}
    wanted = set(timer_moments(instance))
    for m in sorted(wanted - there):
        yield "timer", f"流程等待日期“{m.kind}”（{m.at:%Y-%m-%d}），到期安排里没有这一天（被删除或改动）"
    for m in sorted(there - wanted):
        yield "timer", f"到期安排“{m.kind}”（{m.at:%Y-%m-%d}）在流程里无人等待（被添加或改动）"


def _behind(scene: Scene, run_id: int, plan: Plan, reached: Collection[str], items: Sequence[AnyRow]) -> Said:
    """A heading that waits has an item that is not closed; an item it has reached is open, or waits for others
    or, when they are closed, for its date."""
    state = {i.element: i.state for i in items}
    for wait in sorted(reached):
        if all(i.state in ENDED for i in items if (i.heading or i.element) == wait):
            yield "all-closed", f"流程停在“{wait}”，其中的任务却都已办结"
    to_open = _to_open(scene, run_id)
    after = {i.id: i.opens_after for i in plan.items}
    for i in items:
        if i.state != "pending":
            continue
        is_held = any(state.get(other) not in ENDED for other in after.get(i.element, ()))
        may_open = (i.heading or i.element) in reached and not is_held
        if may_open and i.id not in to_open:
            yield "unopened", f"清单第 {i.no} 项应当启动，却没有启动，也没有启动日期的安排"
        elif not may_open and i.id in to_open:
            yield "opens", f"清单第 {i.no} 项还在等前面的任务办结，却已有启动日期的安排"
        elif i.id in to_open and to_open[i.id] != _opening(scene, run_id, plan, i.element):
            yield "opens", f"清单第 {i.no} 项的启动日期（{to_open[i.id].at:%Y-%m-%d}）与方案不符（被改动）"


def _to_open(scene: Scene, run_id: int) -> dict[int, Moment]:
    """Items that wait for their date."""
    planted = (
        select(due.c.owner_id, due.c.kind, due.c.arm, due.c.at, due.c.rank)
        .join(item, item.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "item", due.c.kind == "open", item.c.run_id == run_id)
    )
    return {r[0]: Moment(*r[1:]) for r in scene.connection.execute(planted)}


def _opening(scene: Scene, run_id: int, plan: Plan, element: str) -> Moment | None:
    planned = next(i for i in plan.items if i.id == element)
    return opens_at(scene.connection, scene.calendar, plan, run_id, planned)


def _still_open(scene: Scene, run_id: int, items: Sequence[AnyRow]) -> Said:
    yield from (("open-item", f"方案已经结束，清单第 {i.no} 项却仍在办") for i in items if i.state == "open")
    left = (
        select(func.count())
        .select_from(assignment.join(item, item.c.id == assignment.c.item_id))
        .where(assignment.c.run_id == run_id, assignment.c.closed_at.is_(None), _is_drawn)
    )
    if n := scene.connection.execute(left).scalar_one():
        yield "open-share", f"方案已经结束，却还有 {n} 项责任分工没有了结"


def _orphans(scene: Scene) -> Found:
    stray = (
        select(advance.c.item_id)
        .outerjoin(item, item.c.id == advance.c.item_id)
        .where(or_(item.c.id.is_(None), item.c.state.not_in(ENDED), item.c.run_id != advance.c.run_id))
    )
    for item_id in scene.connection.execute(stray).scalars():
        yield "advance", f"任务第 {item_id} 号没有办结，却登记了推进", {"table": "advance", "row": str(item_id)}


RUNS = Check(
    "runs",
    "方案与流程状态",
    _runs,
    (
        *("no-state", "unreadable", "ended", "open-item", "open-share", "not-reached"),
        *("all-closed", "unopened", "opens", "timer", "advance"),
    ),
)
