"""启动前检查: what a plan would meet if it were started now: units where nobody would receive a task, dates that have
passed. Looked at before a start; only dates ask for a word, for a start cannot be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from bpmn.plan import Plan
from engine.opening import due_of
from ledger.calendar import WorkCalendar, local_day
from ledger.directory import known_units
from ledger.people import unheld
from ledger.rules.verbs import Role


@dataclass(frozen=True)
class Readiness:
    """`nobody`: units without a liaison and without a head; `heads`: those where the head answers for the empty post.
    `early`: units that are not there yet, with the day from which on they are; `gone`: what is said of those that were
    given up, for which the plan cannot start. `over`: the last day of a period that has ended; `late`: items, of
    `dated` ones, whose date has passed."""

    nobody: Sequence[str]
    heads: Sequence[str]
    early: Sequence[str]
    gone: Sequence[str]
    over: date | None
    late: int
    dated: int

    @property
    def asks(self) -> bool:
        """Whether somebody has to say that the plan is to start nevertheless."""
        return bool(self.over or self.late)


def readiness(connection: Connection, calendar: WorkCalendar, now: datetime, plan: Plan) -> Readiness:
    """How a start of this plan would go now."""
    known = known_units(connection, plan.facts.jurisdiction)
    printed = dict.fromkeys(share.unit for planned in plan.items for share in planned.shares)
    named = [found for name in printed if (found := known.resolve(name)) is not None]
    units = {u.key: u.short for found in named for u in found.units}
    early = {u.short: u.valid_from for found in named for u in found.units if u.valid_from is not None}
    empty = unheld(connection, {(key, Role.LIAISON.value, plan.facts.key) for key in units})
    answered = {key: bool(heads) for (key, _, _), heads in empty.items()}
    dues = [due_of(plan, planned, calendar, lambda anchor: now if anchor == "run" else None) for planned in plan.items]
    dated = [due for due, planned in zip(dues, plan.items, strict=True) if due is not None and not planned.cadence]
    last = plan.facts.period[1]
    return Readiness(
        [short for key, short in units.items() if answered.get(key) is False],
        [short for key, short in units.items() if answered.get(key)],
        [f"{short}（{day} 起）" for short, day in early.items()],
        list(dict.fromkeys(found.ended.words for found in named if found.ended is not None)),
        last if last is not None and last < local_day(now) else None,
        sum(due.at < now for due in dated),
        len(dated),
    )
