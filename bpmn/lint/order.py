"""What waits for what: items that wait for each other never open."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from bpmn.lint.finding import Findings, error, listed
from bpmn.lint.graph import Graph
from bpmn.plan import Plan


def check_order(plan: Plan, graph: Graph) -> Findings:
    """Whether every item comes to open. One circle at a time is told, by the items in it."""
    try:
        TopologicalSorter(_earlier(plan, graph)).prepare()
    except CycleError as found:
        within = set(found.args[1])
        items = [item for item in plan.items if item.id in within]
        message = (
            f"有任务互相等待，都不会启动：{listed([item.no for item in items])}；"
            "请删去其中一条线，或改动启动时间的起算点。"
        )
        yield error("order-circle", items[0].id, message)


def _earlier(plan: Plan, graph: Graph) -> dict[str, set[str]]:
    """What must be over before an element is reached. A heading is over, as "/id", when all its items are."""
    headings = {heading.id for heading in plan.headings}
    earlier = {
        ident: {f"/{before}" if before in headings else before for before in graph.into[ident]} for ident in graph.nodes
    }
    for heading in plan.headings:
        earlier[f"/{heading.id}"] = {item.id for item in heading.items}
    for item in plan.items:
        earlier.setdefault(item.id, set()).update(item.opens_after, () if item.heading is None else (item.heading,))
    return earlier
