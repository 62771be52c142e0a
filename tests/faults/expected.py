"""What must stand in the database after the storm, worked out anew from the log of events and the rules alone.

The log is the oracle: whoever was handed something, asked, sent back, urged or waited upon must have a notice, whoever
was told must have exactly one mail of it, and exactly the moments that lie ahead must be armed. Where an act and the
clock met within one stop of the clock, either may have come first.
"""

from __future__ import annotations

import bisect
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from bpmn.plan import Cadence, Plan
from engine import instances, published
from engine.chasing import parse_ladder
from engine.moments import chased_after_return, close_moments, ladder_moments, round_moments
from ledger.calendar import local_day, moment
from ledger.database import Database, calendar_of
from ledger.people import holders
from ledger.rules.ladder import NOTICE_TIME
from ledger.schema import advance, delivery, due, event, item, message, notice, run, run_state
from ledger.verification import broken_chains, replay_differences

Key = tuple[str, int, int, str]  # owner kind, owner, arm, tier
COPIED = ("deputy_head", "coordinator")


def wrongs(db: Database, taken: Counter[str], plan: Plan) -> list[str]:
    """Everything that is not as it must be, a sentence each. `taken`: Message-IDs the mail server took, how often."""
    with db.read() as connection:
        found = [*broken_chains(connection), *replay_differences(connection)]
        story = Story.read(connection, plan, db.clock.now(connection))
        found += story.wrong_notices(connection)
        found += story.wrong_dues(connection)
        found += _wrong_mails(connection, taken)
        found += _half_done(connection)
    return found


# ---------------------------------------------------------------- what was armed, open, told
@dataclass
class Span:
    """From one instant to another; None is still so."""

    start: datetime
    end: datetime | None = None


@dataclass
class Armed(Span):
    """A ladder that was armed: the moments of its tiers."""

    owner: tuple[str, int] = ("", 0)
    arm: int = 1
    unit: str = ""
    moments: tuple[tuple[int, datetime], ...] = ()


@dataclass
class Waiting(Span):
    """A todo that waited for a signer or reviewer."""

    key: Key = ("", 0, 0, "")


@dataclass
class Story:
    """The log, read once in the order in which it was committed."""

    plan: Plan
    now: datetime
    calendar: Any
    run: Any
    told: dict[Key, tuple[str, str]] = field(default_factory=dict)  # to whom (unit, role)
    armed: list[Armed] = field(default_factory=list)
    waits: list[Waiting] = field(default_factory=list)
    stops: list[datetime] = field(default_factory=list)
    open_rounds: dict[int, datetime] = field(default_factory=dict)
    opened_turns: set[tuple[str, int]] = field(default_factory=set)
    _unit: dict[int, str] = field(default_factory=dict)
    _arm_of: dict[int, int] = field(default_factory=dict)
    _todo: dict[int, tuple[str, str]] = field(default_factory=dict)
    _standing: dict[tuple[str, int], Armed] = field(default_factory=dict)
    _waiting: dict[int, Waiting] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection, plan: Plan, now: datetime) -> Story:
        story = cls(plan, now, calendar_of(connection), connection.execute(select(run)).one())
        log = connection.execute(select(event.c.kind, event.c.at, event.c.payload).order_by(event.c.id)).all()
        seen = {r.at for r in log} | set(connection.execute(select(notice.c.at).distinct()).scalars())
        story.stops = sorted(seen)
        for kind, at, payload in log:
            story.take(kind, at, json.loads(payload))
        return story

    # ---------------------------------------------------------------- one event after another
    def take(self, kind: str, at: datetime, p: dict[str, Any]) -> None:
        match kind:
            case "item.opened":
                self._open_item(p, at)
            case "assignment.urged":
                one = p["assignment"]
                told = (self._unit[one], self._todo[one][1])
                self.told["assignment", one, self._arm_of[one], f"urged:{p['urging']}"] = told
            case "item.closed":
                for withdrawn in p["withdrawn"]:
                    self._leave(withdrawn["id"], at)
                for owed in p["owed"]:
                    self._disarm(("share", owed), at)
            case "round.opened":
                self._open_round(p, at)
            case "round.reported":
                self._disarm(("share", p["share"]), at)
            case "round.closed":
                self.open_rounds.pop(p["round"], None)
            case _ if kind.startswith("assignment.") and "to_arm" in p:
                self._move(kind, at, p)

    def _open_item(self, p: dict[str, Any], at: datetime) -> None:
        for a in p["assignments"]:
            one, unit = a["id"], a["unit"]
            self._unit[one], self._todo[one], self._arm_of[one] = unit, (unit, p["role"]), 1
            self.told["assignment", one, 1, "handed"] = (unit, p["role"])
            self._arm(("assignment", one), 1, unit, at, _instant(p["due_at"]), only_ahead=False)

    def _move(self, kind: str, at: datetime, p: dict[str, Any]) -> None:
        one = p["assignment"]
        self._arm_of[one] = p["to_arm"]
        if one in self._waiting:
            self._waiting.pop(one).end = at
        if p["to"] is None:
            self._leave(one, at)
            return
        self._todo[one] = (p["to_unit"], p["to_role"])
        if p["state"] in ("signing", "reviewing"):
            wait = Waiting(at, None, ("assignment", one, p["to_arm"], f"waiting:{p['to']}"))
            self.told[wait.key] = self._todo[one]
            self.waits.append(wait)
            self._waiting[one] = wait
        if kind == "assignment.signed" or (kind == "assignment.submitted" and p["leaves_unit"]):
            self._disarm(("assignment", one), at)
        if kind in ("assignment.returned", "assignment.sent_back"):
            self.told["assignment", one, p["to_arm"], "returned"] = (self._unit[one], "liaison")
        if kind == "assignment.returned" and p["due_at"]:
            due_at = _instant(p["due_at"])
            assert due_at is not None
            chased = chased_after_return(due_at, at, self.run.mend_days, self.calendar)
            self._arm(("assignment", one), p["to_arm"], self._unit[one], at, chased, only_ahead=True)

    def _leave(self, one: int, at: datetime) -> None:
        self._todo.pop(one, None)
        self._disarm(("assignment", one), at)

    def _open_round(self, p: dict[str, Any], at: datetime) -> None:
        cadence = self._cadence(p["cadence"])
        due_at = datetime.fromisoformat(p["due_at"])
        self.opened_turns.add((p["cadence"], p["n"]))
        for ends in close_moments(cadence, due_at, self.calendar):
            self.open_rounds[p["round"]] = ends.at
        for s in p["shares"]:
            self.told["share", s["id"], 1, "request"] = (s["unit"], "liaison")
            self._arm(("share", s["id"]), 1, s["unit"], at, due_at, only_ahead=True, ladder=cadence.ladder)

    def _cadence(self, ident: str) -> Cadence:
        return next(c for c in self.plan.cadences if c.id == ident)

    def _arm(
        self,
        owner: tuple[str, int],
        arm: int,
        unit: str,
        at: datetime,
        due_at: datetime | None,
        *,
        only_ahead: bool,
        ladder: Sequence[int] | None = None,
    ) -> None:
        if due_at is None:
            return
        rungs = ladder or parse_ladder(self.run.ladder)
        moments = ladder_moments(due_at, rungs, self.calendar, arm=arm, after=at if only_ahead else None)
        made = Armed(at, None, owner, arm, unit, tuple((int(m.kind.removeprefix("tier:")), m.at) for m in moments))
        self.armed.append(made)
        self._standing[owner] = made

    def _disarm(self, owner: tuple[str, int], at: datetime) -> None:
        if (standing := self._standing.pop(owner, None)) is not None:
            standing.end = at

    # ---------------------------------------------------------------- notices
    def wrong_notices(self, connection: Connection) -> Iterator[str]:
        rows = connection.execute(select(notice)).all()
        there: dict[Key, set[tuple[str, str]]] = defaultdict(set)
        for n in rows:
            there[n.owner_kind, n.owner_id, n.arm, n.tier].add((n.unit, n.role))
        must, may = dict(self._must()), dict(self._may())
        for key, to in must.items():
            if not any(unit == to[0] and role in (to[1], "liaison", "deputy_head") for unit, role in there[key]):
                yield f"notice {key} to {to} is missing"
        for key, told in there.items():
            if told and key not in may:
                yield f"notice {key} to {told} should not be"
        fixed = [k for k in must if k[3].partition(":")[0] in ("handed", "request", "returned", "urged", "waiting")]
        for key in fixed:
            if there[key] != {must[key]}:
                yield f"notice {key} went to {there[key]}, not to {must[key]}"

    def _must(self) -> Iterator[tuple[Key, tuple[str, str]]]:
        waits = {w.key for w in self.waits}
        yield from ((key, to) for key, to in self.told.items() if key not in waits)
        for a in self.armed:
            for tier, at in a.moments:
                if at <= self.now and (a.end is None or a.end > at):
                    yield (*a.owner, a.arm, str(tier)), (a.unit, "liaison")
        for w in self.waits:
            if any(w.start < self._stop_before(at) and (w.end is None or w.end > at) for at in self._digests(w)):
                yield w.key, self.told[w.key]
        for key, monday, at in self._weeks():
            # After a downtime only the week in which the clock goes on has its mail.
            stood = any(at <= stop < moment(monday + timedelta(days=7), time(0)) for stop in self.stops)
            if stood and (self.run.ended_at is None or self.run.ended_at > at):
                yield key, (self.run.office, "coordinator")

    def _may(self) -> Iterator[tuple[Key, None]]:
        waits = {w.key for w in self.waits}
        yield from ((key, None) for key in self.told if key not in waits)
        for a in self.armed:
            for tier, at in a.moments:
                if at <= self.now and (a.end is None or a.end >= self._stop_before(at)):
                    yield (*a.owner, a.arm, str(tier)), None
        for w in self.waits:
            if any(w.end is None or w.end >= self._stop_before(at) for at in self._digests(w)):
                yield w.key, None
        for key, _, at in self._weeks():
            if self.run.ended_at is None or self.run.ended_at >= self._stop_before(at):
                yield key, None

    def _weeks(self) -> Iterator[tuple[Key, date, datetime]]:
        """The coordinators' mail of each week that has begun: (notice, Monday, nine o'clock of its first working
        day)."""
        monday = local_day(self.run.started_at) - timedelta(days=local_day(self.run.started_at).weekday())
        while (at := moment(self.calendar.on_or_after(monday), NOTICE_TIME)) <= self.now:
            if at > self.run.started_at:
                yield ("run", self.run.id, 1, f"weekly:{monday}"), monday, at
            monday += timedelta(days=7)

    def _digests(self, span: Span) -> Iterator[datetime]:
        """Nine o'clock of each working day that the span may have met."""
        day, last = local_day(span.start), local_day(span.end or self.now)
        while day <= last:
            at = moment(day, NOTICE_TIME)
            if self.calendar.is_working_day(day) and span.start <= at <= self.now:
                yield at
            day += timedelta(days=1)

    def _stop_before(self, at: datetime) -> datetime:
        """Where the clock stood last before it came to this instant."""
        place = bisect.bisect_left(self.stops, at)
        return self.stops[place - 1] if place else at

    # ---------------------------------------------------------------- due rows
    def wrong_dues(self, connection: Connection) -> Iterator[str]:
        """What is armed, against what must be: exactly what lies ahead."""
        there = {
            (r.owner_kind, r.owner_id, r.kind, r.arm, r.at)
            for r in connection.execute(select(due).where(due.c.owner_kind != "system"))
        }
        must = set(self._ahead())
        yield from (f"due row {row} is missing" for row in sorted(must - there, key=str))
        yield from (f"due row {row} should not be" for row in sorted(there - must, key=str))
        regular = connection.execute(select(due.c.kind).where(due.c.owner_kind == "system", due.c.at > self.now))
        if sorted(regular.scalars()) != ["digest", "weekly"]:
            yield "there is not one digest and one mail of the week ahead"

    def _ahead(self) -> Iterator[tuple[str, int, str, int, datetime]]:
        for a in self.armed:
            if a.end is None:
                yield from ((*a.owner, f"tier:{tier}", a.arm, at) for tier, at in a.moments if at > self.now)
        if self.run.ended_at is None:
            for m in round_moments(self.plan, self.run.started_at, self.calendar):
                if m.at > self.now:
                    yield "run", self.run.id, m.kind, m.arm, m.at
        for round_id, at in self.open_rounds.items():
            yield "round", round_id, "close", 1, at


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


# ---------------------------------------------------------------- mails
def _wrong_mails(connection: Connection, taken: Counter[str]) -> Iterator[str]:
    """Each told notice in one mail to each holder of the post; each mail sent, and taken by the server."""
    rows = connection.execute(select(notice)).all()
    to = holders(connection, {(n.unit, n.role) for n in rows})
    mailed = Counter(
        (r.notice_id, r.person_id)
        for r in connection.execute(
            select(delivery.c.notice_id, message.c.person_id).join(message, message.c.id == delivery.c.message_id)
        )
    )
    for n in rows:
        people = {h.person_id for h in to[n.unit, n.role]}
        if n.state == "pending":
            yield f"notice {n.id} ({n.tier}) was never gathered"
        for person in people:
            if mailed.pop((n.id, person), 0) != (n.state == "sent"):
                yield f"notice {n.id} ({n.tier}, {n.state}) is not in one mail to person {person}"
    yield from (f"notice {n} was mailed to person {person}, who holds no such post" for n, person in mailed)
    messages = connection.execute(select(message)).all()
    yield from (f"mail {m.key} is {m.state}: {m.error}" for m in messages if m.state != "sent")
    ids = {m.header_id for m in messages}
    if len(ids) != len(messages) or len({m.key for m in messages}) != len(messages):
        yield "two mails share a key or a Message-ID"
    yield from (f"the mail server never got {i}" for i in ids - set(taken))
    yield from (f"the mail server got {i}, which nobody wrote" for i in set(taken) - ids)


# ---------------------------------------------------------------- nothing half-done
def _half_done(connection: Connection) -> Iterator[str]:
    """No advance is left, and the diagram waits exactly where items are open."""
    if connection.execute(select(func.count()).select_from(advance)).scalar_one():
        yield "a run was not advanced"
    for r in connection.execute(select(run_state.c.run_id, run_state.c.state)).all():
        made = published.of_run(connection, r.run_id)
        instance = instances.restore(made.version, r.state)
        items = connection.execute(select(item.c.element, item.c.state).where(item.c.run_id == r.run_id)).all()
        is_open = {element for element, state in items if state != "closed"}
        held = {i.heading or i.id for i in made.plan.items if i.id in is_open}
        waits = set(instances.waits(instance))
        if waits != held:
            yield f"run {r.run_id} waits at {sorted(waits)}, its items are open at {sorted(held)}"
        ended = connection.execute(select(run.c.ended_at).where(run.c.id == r.run_id)).scalar_one()
        if (ended is not None) != (not is_open):
            yield f"run {r.run_id} ended at {ended} with {len(is_open)} items open"
