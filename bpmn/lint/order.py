"""What waits for what: items that wait for each other never open."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from bpmn.lint.finding import Findings, error, listed
from bpmn.plan import Plan


def check_order(plan: Plan) -> Findings:
    """One circle at a time is told, by the items in it."""
    try:
        TopologicalSorter({item.id: item.after for item in plan.items}).prepare()
    except CycleError as found:
        within = set(found.args[1])
        items = [item for item in plan.items if item.id in within]
        message = f"有任务互相等待，都不会启动：{listed([item.no for item in items])}；请删去其中一条线。"
        yield error("order-circle", items[0].id, message)
