"""A case (来件) on its way through its lifecycle: who stands at the next step, and what the end of its item means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from bpmn.lifecycle import Step
from engine import instances, published
from engine.chasing import arm, disarm
from engine.notices import Notice, tell
from engine.places import overseers
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.rules.intakes import DAYS, ENDED_BY, LADDER, STATE_AT, Outcome, State, Verb
from ledger.schema import AnyRow, intake, run

_carried = (
    select(intake, run.c.office, run.c.jurisdiction)
    .join(run, run.c.id == intake.c.run_id)
    .where(intake.c.item_id == bindparam("b_item"), intake.c.state == "carrying")
    .order_by(intake.c.id)
)


@dataclass(frozen=True)
class Next:
    """Where a case goes: the step (None: it has ended) and who stands there (nobody while the units work)."""

    step: Step | None
    arm: int
    post: tuple[str, str] | None
    due_at: datetime | None
    state: State

    @property
    def payload(self) -> dict[str, Any]:
        unit, role = self.post or (None, None)
        return {
            "to": self.step.id if self.step else None,
            "to_arm": self.arm,
            "to_unit": unit,
            "to_role": role,
            "due_at": self.due_at,
            "state": self.state,
        }


def place(tx: Tx, step: Step, office: str, jurisdiction: str, arm: int) -> Next:
    """A case at a step, with who stands there and until when."""
    verb = Verb(step.verb)
    days = DAYS.get(verb)
    due_at = end_of(tx.calendar.after(local_day(tx.now), days)) if days else None
    holder = _holder(tx, step, office, jurisdiction) if days else None
    return Next(step, arm, holder, due_at, STATE_AT[verb])


def _holder(tx: Tx, step: Step, office: str, jurisdiction: str) -> tuple[str, str]:
    """Where a place has no leader in the directory, the office records what was decided."""
    if step.holder == "jurisdiction":
        seat = overseers(tx, jurisdiction).get(step.role)
        return (seat, step.role) if seat else (office, "coordinator")
    return office, step.role


def following(tx: Tx, row: AnyRow, outcome: str | None) -> Next:
    """The lifecycle's answer to the present step of a case, done with this outcome."""
    cycle, version = published.intake_cycle(row.kind), published.intake_version(row.kind)
    values = frozenset({("outcome", outcome)} if outcome else ())
    steps = instances.outcome(version, row.step, values)
    if not steps:
        return Next(None, row.arm, None, None, ENDED_BY[Outcome(outcome or Outcome.FILE)])
    return place(tx, cycle.step(steps[0]), row.office, row.jurisdiction, row.arm + (outcome == Outcome.RETURN))


def record_step(
    tx: Tx, row: AnyRow, kind: str, to: Next, more: Mapping[str, Any], texts: Mapping[str, str] | None = None
) -> None:
    """One step of a case: its event, and whoever stands at the next one is told with the day's digest."""
    payload = {
        "intake": row.id,
        "item": row.item_id,
        "run": row.run_id,
        "step": row.step,
        "arm": row.arm,
        "stood": row.state != State.CARRYING,
        **to.payload,
        **more,
    }
    tx.record(f"item:{row.item_id}", kind, payload, texts)
    if row.state != State.CARRYING:
        disarm(tx, [("intake", row.id)])
    tell_next(tx, row.id, row.run_id, row.item_id, to)


def tell_next(tx: Tx, intake_id: int, run_id: int, item_id: int, to: Next) -> None:
    """Whoever stands at the next step is told with the day's digest, and chased from its last day on."""
    if to.post and to.step and to.due_at:
        arm(tx, "intake", [intake_id], to.due_at, LADDER, turn=to.arm, only_ahead=True)
        tell(tx, [Notice("intake", intake_id, to.arm, f"waiting:{to.step.id}", *to.post, run_id, item_id)])


def item_over(tx: Tx, item_id: int) -> None:
    """The item is closed or given up: what was only to be read has ended, everything else is to be reported."""
    for row in tx.read(_carried, {"b_item": item_id}):
        record_step(tx, row, "intake.carried", following(tx, row, row.outcome), {})
