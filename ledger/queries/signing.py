"""批量审签: the applications that wait for a person's signature, with what a signer has to read of each."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from ledger.calendar import WorkCalendar
from ledger.clearing import CLEARED
from ledger.people import Actor
from ledger.queries.navigation import MINE, desks_of
from ledger.queries.standing import Part, Standing, standings
from ledger.rules.verbs import State
from ledger.schema import assignment, content, event, todo

MOST = 100  # on one page


@dataclass(frozen=True)
class Application:
    """An application (or feedback) before its signer; `figures`: name, value, unit of measure."""

    assignment_id: int
    step: str
    arm: int
    standing: Standing
    part: Part
    at: datetime
    summary: str
    problem: str
    figures: Sequence[tuple[str, Decimal, str]]
    files: int

    @property
    def ref(self) -> str:
        return f"{self.assignment_id}.{self.step}.{self.arm}"

    @property
    def is_late(self) -> bool:
        return self.part.due_at is not None and self.at > self.part.due_at


_to_sign = (
    select(todo.c.owner_id, todo.c.step, todo.c.arm, todo.c.opened_at, assignment.c.item_id)
    .distinct()  # a person may hold two of the posts that sign together
    .join(assignment, assignment.c.id == todo.c.owner_id)
    .where(MINE, todo.c.owner_kind == "assignment", assignment.c.state == State.SIGNING)
    .order_by(todo.c.opened_at, todo.c.owner_id)
    .limit(MOST)
)
_submitted = (
    select(event.c.id, event.c.at, event.c.payload, content.c.field, content.c.text)
    .outerjoin(content, and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq))
    .where(event.c.stream.in_(bindparam("streams", expanding=True)), event.c.kind == "assignment.submitted")
    .order_by(event.c.id)
)


def applications(connection: Connection, calendar: WorkCalendar, now: datetime, actor: Actor) -> list[Application]:
    """Everything that the actor may sign, what has waited longest first; in a fixed number of statements."""
    rows = connection.execute(_to_sign, desks_of(actor)).all() if actor.desks else []
    known = standings(connection, calendar, now, {r.item_id for r in rows})
    said = _said(connection, {r.item_id for r in rows})
    return [_application(r.owner_id, r.step, r.arm, known[r.item_id], said[r.owner_id]) for r in rows]


def _said(connection: Connection, item_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The last application of each share of these items: its instant, payload and texts."""
    found: dict[int, dict[str, Any]] = {}
    streams = sorted(f"item:{i}" for i in item_ids)
    for r in connection.execute(_submitted, {"streams": streams}) if streams else ():
        payload = json.loads(r.payload)
        last = found.get(payload["assignment"])
        if last is None or last["id"] != r.id:
            last = found[payload["assignment"]] = {"id": r.id, "at": r.at, "payload": payload}
        if r.field is not None:
            last[r.field] = CLEARED if r.text is None else r.text
    return found


def _application(assignment_id: int, step: str, arm: int, standing: Standing, said: Mapping[str, Any]) -> Application:
    part = standing.part(assignment_id)
    return Application(
        assignment_id,
        step,
        arm,
        standing,
        part,
        said["at"],
        said.get("summary", ""),
        said.get("problem", ""),
        [(g.name, part.figures[g.id].value, g.measure) for g in standing.gauges if g.id in part.figures],
        len(said["payload"].get("files", ())),
    )
