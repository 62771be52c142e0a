"""What the checks of the engine share."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, select, union_all

from ledger.rules.verbs import State
from ledger.schema import assignment, heartbeat, notice, seal, share, todo
from ledger.verification.scene import Scene

IN_HAND = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED, State.SIGNING)  # a unit is chased for these
# Chased while it is in the unit's hands and its time runs.
is_chased = and_(assignment.c.state.in_(IN_HAND), assignment.c.overlay.is_distinct_from(State.SUSPENDED.value))
OWNERS = {
    "assignment": "责任分工",
    "petition": "申请",
    "step": "节点",
    "planning": "节点计划",
    "intake": "来件",
    "post": "代理岗位",
    "change": "单位调整",
    "share": "期次报送",
    "round": "期次",
    "run": "方案实施",
}

is_open = todo.c.closed_at.is_(None)
of_assignment = and_(todo.c.owner_kind == "assignment", todo.c.owner_id == assignment.c.id)
of_share = and_(todo.c.owner_kind == "share", todo.c.owner_id == share.c.id)


def notified(kind: str, owner: ColumnElement[int], tier: str) -> ColumnElement[bool]:
    return exists().where(notice.c.owner_kind == kind, notice.c.owner_id == owner, notice.c.tier == tier)


def has_ticked(scene: Scene) -> bool:
    """Whether a scheduler has run: it beats, and nothing else seals."""
    beats = select(heartbeat.c.name).where(heartbeat.c.name == "tick")
    traces = union_all(beats, select(seal.c.stream).where(seal.c.ordinal == 1))
    return scene.connection.execute(traces).first() is not None
