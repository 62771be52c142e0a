"""What becomes of a share that another unit takes over, for whoever decides on it."""

from __future__ import annotations

from datetime import datetime

from ledger.queries.items import ItemView
from ledger.queries.standing import Part
from ledger.rules.texts import due_words


def what_moves(view: ItemView, part: Part, now: datetime) -> list[str]:
    """What goes with it, what ends, and what stays with its unit, a sentence each."""
    found = (_along(view, part), _joining(view, part), _ending(view, part), _reports(view, part))
    return [*(said for each in found for said in each), *_staying(view, part, now)]


def _along(view: ItemView, part: Part) -> list[str]:
    in_force = view.plan_in_force(part)
    steps = f"节点计划（还有 {len(in_force.to_do)} 个节点没有完成）" if in_force else ""
    going = [
        "已填报的数字" if part.figures else "",
        f"批准的延期（原时限 {due_words(part.original_due)}）" if part.original_due else "",
        "暂停计时" if part.is_paused else "",
        steps,
    ]
    said = "、".join(words for words in going if words)
    return [f"一并移交新单位：{said}。"] if said else []


def _joining(view: ItemView, part: Part) -> list[str]:
    """Where another unit beside it takes part, too."""
    if not any(p.is_open and p.id != part.id and p.parent_id == part.parent_id for p in view.standing.every):
        return []
    return [
        "新单位在本任务中已有分工的，并入那一份：份额、填报数合并计算，分工较轻的随之加重，时限和节点计划按那一份。"
    ]


def _ending(view: ItemView, part: Part) -> list[str]:
    open_ = sum(p.is_open for p in view.standing.parts_of(part.id))
    if not open_:
        return []
    said = f"{part.unit_name}分解给下级、还没有办结的 {open_} 件随之终止，这些单位会收到通知"
    return [f"{said}；已填报的留在办理记录里。"]


def _reports(view: ItemView, part: Part) -> list[str]:
    """Whoever answers for a share when a round is due owes its report; of parts, and for cooperating, none is asked."""
    is_asked = part.role != "cooperating" or view.standing.item.cadence
    if part.parent_id is not None or part.is_paused or not is_asked:
        return []
    return [f"还没有到期的期次报送由新单位报送；已经过期没有报的，记在{part.unit_name}。"]


def _staying(view: ItemView, part: Part, now: datetime) -> list[str]:
    """What is late by now, of which the new unit has nothing but some days to do it."""
    if part.is_paused:
        return []
    is_late = part.due_at is not None and now > part.due_at and not part.submitted_at
    in_force = view.plan_in_force(part)
    steps = sum(s.is_late(now) for s in in_force.to_do) if in_force else 0
    late = [
        f"时限 {due_words(part.due_at)} 已过" if part.due_at and is_late else "",
        f"{steps} 个节点已逾期" if steps else "",
    ]
    said = "，".join(words for words in late if words)
    days = view.standing.item.mend_days
    return [f"{said}，逾期记在{part.unit_name}；新单位另有 {days} 个工作日。"] if said else []
