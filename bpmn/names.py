"""Element ids that the writer and the layout agree on. Items, headings and timers bring their own."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.plan import Item, Plan, Timer

START, SPLIT, JOIN, CLOSED = "start", "split", "join", "closed"
RHYTHM, RHYTHM_LINE = "rhythm", "rhythm_line"


def flow_id(source: str, target: str) -> str:
    return f"f_{source}_{target}"


def end_id(first: str) -> str:
    """The end event of a branch, after the first element of the branch."""
    return f"{first}_end"


def titled_box(no: str, title: str) -> str:
    """What stands in the box of an item of this number and title."""
    return f"{no}\n{title}"


def box_name(item: Item) -> str:
    """The number on a line of its own, so that titles stand clear of the user icon; they break by themselves."""
    return titled_box(item.no, item.title)


def branches(plan: Plan) -> Iterator[tuple[Timer | None, tuple[Item, ...]]]:
    """What runs beside the headings: a timer with the items behind it, or an item that opens at once."""
    by_id = {item.id: item for item in plan.branch_items}
    dated = {ident for timer in plan.timers for ident in timer.items}
    for timer in plan.timers:
        yield timer, tuple(by_id[ident] for ident in timer.items)
    for item in plan.branch_items:
        if item.id not in dated:
            yield None, (item,)


def branch_ids(timer: Timer | None, items: tuple[Item, ...]) -> tuple[str, ...]:
    """The elements of a branch from top to bottom, its end event last."""
    ids = (*((timer.id,) if timer else ()), *(item.id for item in items))
    return (*ids, end_id(ids[0]))
