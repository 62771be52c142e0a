"""分解下达: every part that was handed down belongs to a whole of the same item, and to a unit below the whole's."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from bpmn.lifecycle import LOCAL
from ledger.schema import assignment, unit
from ledger.verification.scene import Check, Found, Scene

_whole, _holder = assignment.alias("whole"), unit.alias("holder")
_above = func.coalesce(_holder.c.successor, _holder.c.key)  # who answers for the unit of the whole
_parts = (
    select(assignment.c.id, assignment.c.unit, _whole.c.id.label("whole"), _whole.c.unit.label("above"))
    .outerjoin(_whole, _whole.c.id == assignment.c.parent_id)
    .outerjoin(unit, unit.c.key == assignment.c.unit)
    .outerjoin(_holder, _holder.c.key == _whole.c.unit)
    .where(assignment.c.parent_id.is_not(None))
    .order_by(assignment.c.id)
)
_RULES = {
    "whole": (
        "责任分工第 {0} 号是分解下达的，却找不到同一任务里的上级责任分工（被删除或改动）",
        _parts.where(or_(_whole.c.id.is_(None), _whole.c.item_id != assignment.c.item_id)),
    ),
    "tree": (
        "责任分工第 {0} 号分解下达给 {1}，它不是 {3} 的直接下级（单位或上级被改动）",
        _parts.where(
            unit.c.parent.is_distinct_from(_above),
            unit.c.key.is_distinct_from(_above),  # it has succeeded the unit above it
            assignment.c.closed_at.is_(None),
        ),
    ),
    "left": (
        "责任分工第 {0} 号还在办理，上级责任分工第 {2} 号却已了结",
        _parts.where(assignment.c.closed_at.is_(None), _whole.c.closed_at.is_not(None)),
    ),
    "path": (
        "责任分工第 {0} 号的办理流程与它是否分解下达不符（被改动）",
        select(assignment.c.id)
        .where(assignment.c.parent_id.is_(None) == (assignment.c.lifecycle.is_not_distinct_from(LOCAL)))
        .order_by(assignment.c.id),
    ),
}


def _levels(scene: Scene) -> Found:
    for rule, (sentence, statement) in _RULES.items():
        for r in scene.rows(statement):
            yield rule, sentence.format(*r), {"table": "assignment", "row": str(r.id)}


LEVELS = Check("levels", "分解下达", _levels, tuple(_RULES))
