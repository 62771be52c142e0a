"""What the checks of the engine share."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists

from ledger.rules.verbs import State
from ledger.schema import assignment, due, notice, share, todo

IN_HAND = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED, State.SIGNING)  # a unit is chased for these
OWNERS = {"assignment": "责任分工", "share": "期次报送", "round": "期次", "run": "方案实施"}

is_open = todo.c.closed_at.is_(None)
of_assignment = and_(todo.c.owner_kind == "assignment", todo.c.owner_id == assignment.c.id)
of_share = and_(todo.c.owner_kind == "share", todo.c.owner_id == share.c.id)


def armed(kind: str, owner: ColumnElement[int], name: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(due.c.owner_kind == kind, due.c.owner_id == owner, due.c.kind == name)


def notified(kind: str, owner: ColumnElement[int], tier: str) -> ColumnElement[bool]:
    return exists().where(notice.c.owner_kind == kind, notice.c.owner_id == owner, notice.c.tier == tier)
