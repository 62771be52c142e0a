"""时效 and the time to mend a return."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import WorkCalendar, end_of, moment
from ledger.rules.timeliness import Timeliness, left_behind, mend_due, of_item, taken_over, timeliness

CALENDAR = WorkCalendar()
DUE = end_of(date(2025, 7, 15))


def at(day: int, hour: int = 10) -> datetime:
    return moment(date(2025, 7, day), time(hour))


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (at(9), "未到期"),
        (at(10), "临期"),
        (at(15, 23), "临期"),
        (DUE, "临期"),
        (at(16, 0) + timedelta(seconds=1), "逾期"),
    ],
)
def test_an_open_share_is_judged_now(now: datetime, word: str) -> None:
    assert timeliness(DUE, None, False, now, CALENDAR) == word


@pytest.mark.parametrize(("submitted", "word"), [(at(15, 23), "未到期"), (at(16), "逾期")])
def test_a_share_under_review_is_judged_at_its_submission(submitted: datetime, word: str) -> None:
    assert timeliness(DUE, submitted, False, at(25), CALENDAR) == word


def test_a_closed_share_is_judged_at_its_accepted_submission() -> None:
    assert timeliness(DUE, at(15), True, at(25), CALENDAR) is Timeliness.CLOSED_ON_TIME
    assert timeliness(DUE, at(16), True, at(25), CALENDAR) is Timeliness.CLOSED_LATE


def test_an_extension_shows_in_the_word() -> None:
    extended = end_of(date(2025, 7, 31))
    words = [timeliness(extended, at(day), True, at(31), CALENDAR, original_due=DUE) for day in (15, 16, 31)]
    assert words == ["按期办结", "延期内办结", "延期内办结"]
    late = moment(date(2025, 8, 1), time(8))
    assert timeliness(extended, late, True, late, CALENDAR, original_due=DUE) == "逾期办结"


def test_without_a_due_date_there_is_no_timeliness() -> None:
    assert timeliness(None, at(16), True, at(25), CALENDAR) == "未定时限"
    assert timeliness(None, None, False, at(25), CALENDAR) == "未定时限"


def test_a_closed_share_without_a_submission_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="submission"):
        timeliness(DUE, None, True, at(25), CALENDAR)


def test_three_working_days_to_mend_a_return() -> None:
    assert mend_due(end_of(date(2025, 7, 10)), at(10, 16), 3, CALENDAR) == DUE  # 07-11, 07-14, 07-15
    assert mend_due(DUE, at(4), 3, CALENDAR) == DUE  # the due date lies later: nothing is lost


def test_a_late_submission_earns_no_time_to_mend() -> None:
    due = end_of(date(2025, 7, 10))
    assert mend_due(due, at(14), 3, CALENDAR, submitted_at=at(11)) == due
    assert mend_due(due, at(14), 3, CALENDAR, submitted_at=at(10)) == end_of(date(2025, 7, 17))


instants = st.integers(0, 60 * 24 * 120).map(lambda minutes: at(1, 0) + timedelta(minutes=minutes))


@given(instants, instants, st.integers(1, 20))
def test_mending_never_shortens_the_time(due: datetime, returned: datetime, n: int) -> None:
    mended = mend_due(due, returned, n, CALENDAR)
    assert mended >= due
    assert mended > returned


@given(instants, instants, instants)
def test_open_and_closed_agree_about_being_late(due: datetime, submitted: datetime, now: datetime) -> None:
    reviewing = timeliness(due, submitted, False, now, CALENDAR)
    closed = timeliness(due, submitted, True, now, CALENDAR)
    assert (reviewing is Timeliness.OVERDUE) is (closed is Timeliness.CLOSED_LATE)


def test_an_item_stands_as_its_worst_share_that_is_still_to_be_done() -> None:
    on_time, late = (Timeliness.CLOSED_ON_TIME, True), (Timeliness.CLOSED_LATE, True)
    extended, near = (Timeliness.CLOSED_EXTENDED, True), (Timeliness.NEAR, False)
    assert of_item([late, near], is_over=False) is Timeliness.NEAR
    assert of_item([on_time, extended], is_over=True) is Timeliness.CLOSED_EXTENDED
    assert of_item([on_time, late, extended], is_over=True) is Timeliness.CLOSED_LATE
    assert (
        of_item([(Timeliness.NOT_DUE, False), near, (Timeliness.OVERDUE, False)], is_over=False) is Timeliness.OVERDUE
    )
    assert of_item([late], is_over=False) is of_item([], is_over=True) is Timeliness.UNDATED


@pytest.mark.parametrize(
    ("due", "submitted", "ended", "word"),
    [
        (DUE, None, at(15, 23), "未到期"),
        (DUE, None, at(16), "逾期"),
        (DUE, at(15), at(20), "未到期"),
        (DUE, at(16), at(20), "逾期"),
        (None, None, at(20), "未定时限"),
    ],
)
def test_what_was_late_when_a_share_moved_stays_late(
    due: datetime | None, submitted: datetime | None, ended: datetime, word: str
) -> None:
    assert left_behind(due, submitted, ended) == word


@pytest.mark.parametrize(
    ("due", "moved", "new"),
    [
        (DUE, at(10), DUE),
        (DUE, at(16), end_of(date(2025, 7, 21))),  # three working days after Wednesday
        (None, at(16), None),
    ],
)
def test_nobody_takes_over_what_is_late_already(due: datetime | None, moved: datetime, new: datetime | None) -> None:
    assert taken_over(due, moved, 3, CALENDAR) == new
