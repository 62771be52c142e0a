"""时效: whether a share is in time. Separate from its state: a share under review may be late, a closed one too."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from ledger.calendar import WorkCalendar, end_of, last_day, local_day

NEAR_DAYS = 3
PLANNING_DAYS = 5  # working days to hand in a plan of steps (节点计划), where one is wanted


class Timeliness(StrEnum):
    """The words of 时效; the value is what people read."""

    NOT_DUE = "未到期"
    NEAR = "临期"
    OVERDUE = "逾期"
    CLOSED_ON_TIME = "按期办结"
    CLOSED_EXTENDED = "延期内办结"
    CLOSED_LATE = "逾期办结"
    UNDATED = "未定时限"


def timeliness(
    due_at: datetime | None,
    submitted_at: datetime | None,
    closed: bool,
    now: datetime,
    calendar: WorkCalendar,
    *,
    original_due: datetime | None = None,
    near_days: int = NEAR_DAYS,
) -> Timeliness:
    """How a share stands against time (按时口径: the accepted submission counts, review time does not).

    `due_at` is the date in force, extension and time to mend included; `original_due` the one before an extension,
    given only when there was one. `submitted_at` is the submission under review or accepted; pass None once it was
    returned.

    Raises:
        ValueError: the share is closed and has no submission, or an instant is naive.
    """
    if due_at is None:
        return Timeliness.UNDATED
    if closed:
        if submitted_at is None:
            raise ValueError("a closed share has the time of its accepted submission")
        return _closed(due_at, original_due or due_at, submitted_at)
    if (submitted_at or now) > due_at:
        return Timeliness.OVERDUE
    near = submitted_at is None and calendar.days_left(local_day(now), last_day(due_at)) <= near_days
    return Timeliness.NEAR if near else Timeliness.NOT_DUE


def left_behind(due_at: datetime | None, submitted_at: datetime | None, ended_at: datetime) -> Timeliness:
    """How a share stood when another unit took it over: what was late by then stays late, with the predecessor."""
    if due_at is None:
        return Timeliness.UNDATED
    return Timeliness.OVERDUE if (submitted_at or ended_at) > due_at else Timeliness.NOT_DUE


def taken_over(due_at: datetime | None, at: datetime, mend_days: int, calendar: WorkCalendar) -> datetime | None:
    """The date of whoever takes a share over: the same, or where that has passed, some working days; nobody begins
    late."""
    if due_at is None or due_at > at:
        return due_at
    return end_of(calendar.after(local_day(at), mend_days))


def mend_due(
    due_at: datetime,
    returned_at: datetime,
    mend_days: int,
    calendar: WorkCalendar,
    *,
    submitted_at: datetime | None = None,
) -> datetime:
    """The due instant after a return: the later of `due_at` and the end of the `mend_days`-th working day after it.

    `submitted_at`: the submission that was returned. One that was already late earns no time to mend, else being
    returned would make a late share punctual.

    Raises:
        ValueError: `mend_days` is below 1.
    """
    mended = end_of(calendar.after(local_day(returned_at), mend_days))
    if submitted_at is not None and submitted_at > due_at:
        return due_at
    return max(due_at, mended)


def planning_due(asked_at: datetime, calendar: WorkCalendar) -> datetime:
    """Until when a plan of steps is to be handed in that is asked for since an instant."""
    return end_of(calendar.after(local_day(asked_at), PLANNING_DAYS))


def of_item(shares: Iterable[tuple[Timeliness, bool]], *, is_over: bool) -> Timeliness:
    """How an item stands by its shares (each with whether it is closed): while it is open by what is still to be done,
    afterwards by all of them; the worst one decides."""
    counted = [found for found, closed in shares if is_over or not closed]
    return max(counted, key=_WORST.index, default=Timeliness.UNDATED)


_WORST = (
    Timeliness.UNDATED,
    Timeliness.CLOSED_ON_TIME,
    Timeliness.CLOSED_EXTENDED,
    Timeliness.CLOSED_LATE,
    Timeliness.NOT_DUE,
    Timeliness.NEAR,
    Timeliness.OVERDUE,
)


def _closed(due_at: datetime, original_due: datetime, submitted_at: datetime) -> Timeliness:
    if submitted_at <= min(original_due, due_at):
        return Timeliness.CLOSED_ON_TIME
    return Timeliness.CLOSED_EXTENDED if submitted_at <= due_at else Timeliness.CLOSED_LATE
