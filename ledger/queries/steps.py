"""节点计划 as pages show them: every version that a share has handed in, with the words of its steps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, String, and_, bindparam, case, cast, literal, select

from ledger import prepared
from ledger.clearing import CLEARED
from ledger.schema import assignment, content, event, petition, step


@dataclass(frozen=True)
class StepLine:
    """A step: `share` is the part of the target, in per cent, that is to be reached with it."""

    id: int
    n: int
    words: str
    who: str
    due_at: datetime
    share: Decimal | None
    done_at: datetime | None
    still_since: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether it was done late, or is: time that stands still makes nothing late."""
        at = self.done_at or now
        return (min(at, self.still_since) if self.still_since else at) > self.due_at

    @property
    def stands_still(self) -> bool:
        return self.done_at is None and self.still_since is not None


@dataclass(frozen=True)
class StepPlan:
    """One version of a share's plan of steps."""

    petition_id: int
    state: str  # of its petition
    applied_at: datetime
    settled_at: datetime | None
    is_in_force: bool
    steps: Sequence[StepLine]

    @property
    def words(self) -> str:
        """How it stands: 执行中, 待确认, 已调整 ..."""
        return "执行中" if self.is_in_force else _STATES[self.state]

    @property
    def to_do(self) -> list[StepLine]:
        return [s for s in self.steps if s.done_at is None]


_STATES = {
    "open": "待确认",
    "granted": "已被新的计划替代",
    "declined": "未获确认",
    "taken_back": "已撤回",
    "lapsed": "随申请办结失效",
}

_said, _who = content.alias("said"), content.alias("who")
_stream = literal("item:").concat(cast(assignment.c.item_id, String))
_plans = (
    select(
        assignment.c.id.label("share_id"),
        assignment.c.steps_in_force,
        petition.c.id.label("petition_id"),
        petition.c.state,
        petition.c.applied_at,
        petition.c.settled_at,
        step.c.id,
        step.c.n,
        _said.c.text.label("said"),
        _who.c.text.label("who"),
        step.c.due_at,
        step.c.share,
        step.c.done_at,
        case((assignment.c.overlay == "suspended", assignment.c.suspended_at)).label("still_since"),
    )
    .join(step, step.c.assignment_id == assignment.c.id)
    .outerjoin(petition, petition.c.id == step.c.petition_id)  # outer, so that no plan begins with it
    .outerjoin(
        _said,
        and_(
            _said.c.stream == _stream,
            _said.c.seq == step.c.seq,
            _said.c.field == literal("step-").concat(cast(step.c.field, String)),
        ),
    )
    .outerjoin(
        _who,
        and_(
            _who.c.stream == _stream,
            _who.c.seq == step.c.seq,
            _who.c.field == literal("who-").concat(cast(step.c.field, String)),
        ),
    )
    .where(assignment.c.item_id == bindparam("b_item"))
    .order_by(petition.c.id.desc(), step.c.n)
)


def step_plans(connection: Connection, item_id: int) -> Mapping[int, Sequence[StepPlan]]:
    """The plans of steps of an item's shares by share, the newest first."""
    lines: dict[int, list[StepLine]] = defaultdict(list)
    plans: dict[int, dict[int, StepPlan]] = defaultdict(dict)
    for r in prepared.rows(connection, _plans, {"b_item": item_id}):
        said, who = r.said or CLEARED, r.who or CLEARED
        line = StepLine(r.id, r.n, said, who, r.due_at, r.share, r.done_at, r.still_since)
        lines[r.petition_id].append(line)
        in_force = r.petition_id == r.steps_in_force
        made = StepPlan(r.petition_id, r.state, r.applied_at, r.settled_at, in_force, lines[r.petition_id])
        plans[r.share_id].setdefault(r.petition_id, made)
    return {share_id: list(versions.values()) for share_id, versions in plans.items()}


_went_on = (
    select(assignment.c.id, event.c.at, event.c.payload)
    .join(event, and_(event.c.stream == _stream, event.c.kind == "assignment.resumed"))
    .order_by(event.c.seq)
)


def asked_again(connection: Connection, which: ColumnElement[bool]) -> Mapping[int, tuple[datetime, int]]:
    """When, and under which turn, shares were last asked for the plan of steps that they owe because their time went
    on (恢复计时); `which`: of the shares."""
    found = {}
    for e in connection.execute(_went_on.where(which)):
        said = json.loads(e.payload)
        if said["assignment"] == e.id and "asked" in said:
            found[e.id] = e.at, said["asked"]
    return found
