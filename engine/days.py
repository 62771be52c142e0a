"""上班、休息: what an administrator decides about days, before the State Council's yearly notice, against it, or for
this place alone.

One calendar serves every place below; so only an administrator of a place that lies below none decides. What was judged
stays judged: nothing is decided about a day that has passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, func, select, text

from engine.desk import limit_texts
from engine.rearming import Moves, carry_out, moves_of
from ledger.calendar import WorkCalendar, local_day
from ledger.database import Tx, head_columns
from ledger.directory import STREAM
from ledger.errors import Invalid, NotAllowed
from ledger.people import Actor, Desk
from ledger.places import COUNTY
from ledger.projections.administration import DAYS_DECIDED
from ledger.rules.days import YEARS_AHEAD, Decision, changes, fault_of
from ledger.rules.verbs import Role
from ledger.schema import assignment, heartbeat, round_, stream, unit

MOST_FAULTS = 20
NOT_ALLOWED = "工作日历全系统共用，由最上一级行政区的管理员设定。"
_head = select(*head_columns).where(stream.c.name == STREAM).with_for_update()
_no_tick = select(heartbeat.c.name).where(heartbeat.c.name == "tick").with_for_update()
_alone = text("LOCK TABLE day_override IN EXCLUSIVE MODE")


def desk_for(connection: Connection, actor: Actor) -> Desk | None:
    """The actor's post that decides about days: an administrator's, of a place that lies below no other."""
    desks = [d for d in actor.desks if d.role == Role.ADMINISTRATOR]
    lower = select(unit.c.key).where(unit.c.kind == COUNTY, unit.c.key.in_({d.jurisdiction for d in desks}))
    counties = set(connection.execute(lower).scalars()) if desks else set()
    return next((d for d in desks if d.jurisdiction not in counties), None)


@dataclass(frozen=True)
class Looked:
    """Decisions that were looked through: which of them change anything, what is wrong with them by field, and the
    calendar that they make."""

    changed: Sequence[Decision]
    faults: Mapping[str, str]
    calendar: WorkCalendar


def look_through(calendar: WorkCalendar, now: datetime, decisions: Sequence[Decision]) -> Looked:
    """What decisions come to, before anything is done."""
    today = local_day(now)
    far = [d for d in decisions if abs(d.day.year - today.year) > YEARS_AHEAD]  # what is published for them is moot
    changed = changes(calendar, [d for d in decisions if d not in far])
    faults = {}
    wrong = [
        f"第 {d.line} 行：{words}" if d.line else words
        for d in sorted([*far, *changed], key=lambda d: d.line)
        if (words := fault_of(d.day, today))
    ]
    if not decisions:
        faults["days"] = "请勾选日子，或填写起止日期。"
    elif wrong:
        faults["days"] = "\n".join(wrong[:MOST_FAULTS])
    elif not changed:
        faults["days"] = "所选的日子本来就是这样，没有要改的。"
    if any(not d.ground.strip() for d in changed):
        faults["ground"] = "请写明依据的文件和理由，例如文号。"
    return Looked(changed, faults, calendar.as_decided({d.day: d.working for d in changed}))


@dataclass(frozen=True)
class Preview:
    """What decisions would move, and how many dates that were told stay: of shares, and of rounds that are open."""

    moves: Moves
    shares: int
    rounds: int


def preview(connection: Connection, calendar: WorkCalendar, now: datetime, looked: Looked) -> Preview:
    """What decisions would come to if they were made now."""
    moves = moves_of(connection, now, calendar, looked.calendar)
    dated = select(func.count()).where(assignment.c.closed_at.is_(None), assignment.c.due_at.is_not(None))
    open_rounds = select(func.count()).where(round_.c.closed_at.is_(None), round_.c.due_at > now)
    return Preview(moves, *(connection.execute(counted).scalar_one() for counted in (dated, open_rounds)))


def decide_days(tx: Tx, decisions: Sequence[Decision]) -> int:
    """Decide about days, and put whatever is armed where the new calendar has it; returns how many days changed.

    Raises: Invalid (no day, no ground, a day that has passed, nothing that would change), NotAllowed.
    """
    tx.desk = desk_for(tx.connection, tx.actor)
    if tx.desk is None:
        raise NotAllowed(NOT_ALLOWED)
    _be_alone(tx)
    before = tx.calendar
    looked = look_through(before, tx.now, decisions)
    if looked.faults:
        raise Invalid(looked.faults)
    for ground, own in groupby(sorted(looked.changed, key=lambda d: (d.ground, d.day)), key=lambda d: d.ground):
        limit_texts(ground=ground)
        days = [[d.day, d.working] for d in own]
        tx.record(STREAM, DAYS_DECIDED, {"days": days}, {"ground": ground})
    carry_out(tx, moves_of(tx.connection, tx.now, before, looked.calendar))
    tx.flush()
    return len(looked.changed)


def _be_alone(tx: Tx) -> None:
    """No tick and nobody who counts days stands between: what they arm by the old calendar would stay there."""
    tx.connection.execute(_no_tick)
    tx.read_locked(_head, {})
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(_alone)
