"""When the reminders around a due date go out. Nothing here moves the due date itself."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from ledger.calendar import WorkCalendar, last_day, moment

NOTICE_TIME = time(9)


@dataclass(frozen=True)
class Passed:
    """What is to be done about the tiers that have passed: the one to send, if any, and those it supersedes."""

    send: int | None
    superseded: tuple[int, ...]


def tiers(
    due_at: datetime, ladder: Iterable[int], calendar: WorkCalendar, at: time = NOTICE_TIME
) -> list[tuple[int, datetime]]:
    """The instant (aware UTC) of each tier, ascending by tier.

    Tier -n is the n-th working day before the due day, 0 the due day (on a day off the working day before it), +n the
    n-th working day after it; all at the wall time `at`.

    Raises:
        ValueError: `due_at` is naive.
    """
    due_day = last_day(due_at)
    return [(tier, moment(tier_day(due_day, tier, calendar), at)) for tier in sorted(set(ladder))]


def tier_day(due_day: date, tier: int, calendar: WorkCalendar) -> date:
    """The day on which one tier of a ladder goes out; see `tiers`."""
    if tier < 0:
        return calendar.before(due_day, -tier)
    return calendar.after(due_day, tier) if tier else calendar.on_or_before(due_day)


def highest_passed(rungs: Sequence[tuple[int, datetime]], now: datetime, *, done: Collection[int] = ()) -> Passed:
    """Of several tiers passed at `now` (downtime, a jump, a back-dated start) only the highest is sent.

    `done` are tiers already sent or superseded. A passed tier below a done one is superseded too: who was told that it
    is late must not afterwards be told that it will be due.
    """
    passed = sorted(tier for tier, instant in rungs if instant <= now and tier not in done)
    if not passed:
        return Passed(None, ())
    if done and max(done) > passed[-1]:
        return Passed(None, tuple(passed))
    return Passed(passed[-1], tuple(passed[:-1]))
