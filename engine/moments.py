"""What the ladder, the cadence, the diagram and the calendar say shall happen when: pure, nothing is written here.

Whatever is armed is armed from here, and `duban verify` asks here what ought to be armed; so the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from bpmn.plan import Cadence, Plan
from engine import instances
from ledger.calendar import PUBLISHED, SHANGHAI, WorkCalendar, end_of, local_day, moment
from ledger.rules.cadence import Turn
from ledger.rules.ladder import NOTICE_TIME, tiers
from ledger.rules.timeliness import planning_due

# The order within one instant: who is told, then what ends, then what opens, then the digests of day and week.
RANK_TIER, RANK_CLOSE, RANK_OPEN, RANK_DIGEST, RANK_WEEKLY = 1, 2, 3, 9, 10


class Moment(NamedTuple):
    """A due row without its owner."""

    kind: str
    arm: int
    at: datetime
    rank: int


# ---------------------------------------------------------------- ladders
def ladder_moments(
    due_at: datetime, ladder: Sequence[int], calendar: WorkCalendar, *, arm: int = 1, after: datetime | None = None
) -> list[Moment]:
    """The tiers of a due date; with `after` those that lay ahead then."""
    return [
        Moment(f"tier:{tier}", arm, at, RANK_TIER)
        for tier, at in tiers(due_at, ladder, calendar)
        if after is None or at > after
    ]


def chased_after_return(due_at: datetime, returned_at: datetime, mend_days: int, calendar: WorkCalendar) -> datetime:
    """The date the ladder counts from: what is late and returned stays late, but is chased again, as if due when the
    days to mend are over."""
    return due_at if due_at > returned_at else end_of(calendar.after(local_day(returned_at), mend_days))


# ---------------------------------------------------------------- steps of a share
def step_moments(
    due_at: datetime, ladder: Sequence[int], calendar: WorkCalendar, after: datetime, *, arm: int = 1
) -> list[Moment]:
    """The reminders of a step (节点), from its confirmation on; under another arm since its time stood still."""
    return ladder_moments(due_at, ladder, calendar, arm=arm, after=after)


def planning_moments(asked_at: datetime, ladder: Sequence[int], calendar: WorkCalendar, turn: int) -> list[Moment]:
    """The reminders of a plan of steps (节点计划) that is owed since an instant."""
    return ladder_moments(planning_due(asked_at, calendar), ladder, calendar, arm=turn, after=asked_at)


# ---------------------------------------------------------------- rounds
@lru_cache(maxsize=256)
def turns_of(cadence: Cadence, calendar: WorkCalendar) -> Sequence[Turn]:
    """Every turn of a cadence on this calendar."""
    return cadence.turns(calendar)


def round_moments(plan: Plan, started_at: datetime, calendar: WorkCalendar) -> list[Moment]:
    """The opening of every turn that was not over when the run started."""
    return [
        round_moment(cadence, turn)
        for cadence in plan.cadences
        for turn in turns_of(cadence, calendar)
        if turn.due_at > started_at
    ]


def round_moment(cadence: Cadence, turn: Turn) -> Moment:
    """The opening of a turn, named by its day, which stays as it is when others fall away."""
    return Moment(f"round:{cadence.id}:{turn.day}", 1, turn.opens_at, RANK_OPEN)


def day_of_turn(cadence: Cadence, name: str) -> date | None:
    """The day of the turn that a due row names. Release 0.1.0 named turns by their numbers; nobody could decide about
    days then."""
    if name.isdecimal():
        return next((turn.day for turn in turns_of(cadence, PUBLISHED) if turn.n == int(name)), None)
    return _day(name)


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def close_moments(cadence: Cadence, due_at: datetime, calendar: WorkCalendar) -> list[Moment]:
    """A turn takes reports until the end of the day of its last reminder, so that the reminder can be answered."""
    if not cadence.closes:
        return []
    last = max((at for _, at in tiers(due_at, cadence.ladder, calendar)), default=due_at)
    return [Moment("close", 1, end_of(local_day(max(last, due_at))), RANK_CLOSE)]


# ---------------------------------------------------------------- the diagram
def opening_moment(day: date) -> Moment:
    """A printed date opens with its day."""
    return Moment("open", 1, datetime.combine(day, datetime.min.time(), SHANGHAI), RANK_OPEN)


def timer_moments(instance: instances.Instance) -> list[Moment]:
    """The dates the diagram waits at."""
    return [
        Moment(f"timer:{d.timer}", 1, datetime.fromisoformat(d.text).replace(tzinfo=SHANGHAI), RANK_OPEN)
        for d in instances.dues(instance)
    ]


# ---------------------------------------------------------------- deputies
def leave_moment(until: date) -> Moment:
    """A deputy's post ends with its last day."""
    return Moment("leave", 1, end_of(until), RANK_CLOSE)


# ---------------------------------------------------------------- units
def change_moment(at: datetime) -> Moment:
    """A unit is renamed, merged or loses duties when its moment has come."""
    return Moment("reorganise", 1, at, RANK_CLOSE)


# ---------------------------------------------------------------- digests of day and week
def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def digest_moment(day: date) -> Moment:
    return Moment("digest", 1, moment(day, NOTICE_TIME), RANK_DIGEST)


def weekly_moment(day: date) -> Moment:
    return Moment("weekly", 1, moment(day, NOTICE_TIME), RANK_WEEKLY)


def is_notice_time(now: datetime, calendar: WorkCalendar) -> bool:
    today = local_day(now)
    return calendar.is_working_day(today) and now >= moment(today, NOTICE_TIME)


def next_day(now: datetime, calendar: WorkCalendar) -> date:
    """The next day with a nine o'clock to come: today, if it is a working day."""
    today = local_day(now)
    ahead = calendar.is_working_day(today) and now < moment(today, NOTICE_TIME)
    return today if ahead else calendar.after(today, 1)


def week_day(now: datetime, calendar: WorkCalendar, weeks: int = 0) -> date:
    """The first working day of this week, or of one to come."""
    return calendar.on_or_after(monday_of(local_day(now)) + timedelta(days=7 * weeks))
