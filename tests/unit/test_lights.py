"""Lights: colour, word and the sentence with the numbers. Demo day: Thursday 2025-07-17 of 05-01..08-31."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import WorkCalendar, end_of, local_day, moment
from ledger.rules.lights import RANKS, Figure, Light, LightRules, holds_until, light, share_of_time
from ledger.rules.verbs import State

CALENDAR = WorkCalendar()
PLAN = (date(2025, 5, 1), date(2025, 8, 31))
NOW = moment(date(2025, 7, 17), time(9, 40))
AUGUST = end_of(date(2025, 8, 31))


def shown(*figures: Figure, **facts: Any) -> Light:
    given_facts: dict[str, Any] = {"state": State.WORKING, "now": NOW, "due_at": AUGUST, "opened": True, **facts}
    return light(period=PLAN, figures=figures, calendar=CALENDAR, **given_facts)


def done(value: str | None, target: str = "1500", **more: Any) -> Figure:
    return Figure(Decimal(target), None if value is None else Decimal(value), **more)


def test_time_counts_both_ends() -> None:
    assert share_of_time(*PLAN, date(2025, 7, 17)) == Fraction(78, 123)
    assert share_of_time(*PLAN, date(2025, 4, 30)) == 0
    assert share_of_time(*PLAN, date(2025, 9, 3)) == 1
    assert share_of_time(date(2025, 5, 1), date(2025, 4, 1), date(2025, 5, 1)) == 1


def test_severely_behind_is_red_and_says_the_numbers() -> None:
    found = shown(done("588"))
    assert (found.colour, found.word, found.shape) == ("red", "严重滞后", "diamond")
    assert found.reason == "完成 39.2% ÷ 序时 63.4% ＝ 0.62，低于 0.70，为严重滞后。"


def test_behind_is_yellow() -> None:
    found = shown(done("715"))  # 47.7% / 63.4% = 0.75
    assert (found.colour, found.word, found.shape) == ("yellow", "滞后", "triangle")
    assert found.reason == "完成 47.7% ÷ 序时 63.4% ＝ 0.75，低于 0.90，为滞后；剩 31 个工作日。"


def test_keeping_pace_is_green() -> None:
    found = shown(done("987"))  # 65.8%
    assert (found.colour, found.word, found.shape) == ("green", "按序时推进", "circle")
    assert found.reason == ("完成 65.8% ÷ 序时 63.4% ＝ 1.04，不低于 0.90；时限 2025-08-31 周日，剩 31 个工作日。")


@pytest.mark.parametrize(("value", "colour"), [("545", "red"), ("546", "yellow"), ("701", "yellow"), ("702", "green")])
def test_thresholds_are_exact(value: str, colour: str) -> None:
    # target 1230, time 78/123: 0.70 is 546, 0.90 is 702
    assert shown(done(value, "1230")).colour == colour


def test_the_slowest_figure_decides_and_is_named() -> None:
    found = shown(done("1500", name="政策性岗位"), done("588", name="见习岗位"))
    assert found.colour == "red"
    assert found.reason.startswith("见习岗位完成 39.2%")


def test_a_figure_with_a_day_of_its_own_is_held_against_that_day() -> None:
    june = date(2025, 6, 30)  # 61 days, all used up on 07-17; to the end of August 78 of 123 are
    assert shown(done("1000")).colour == "green"
    red = shown(done("1000", name="培训", by=june))
    assert (red.colour, "培训完成 66.7% ÷ 序时 100.0% ＝ 0.67" in red.reason) == ("red", True), red.reason
    assert shown(done("1500", by=june)).colour == "green"
    later = shown(done("1000", by=date(2025, 12, 31)))
    assert later == shown(done("1000")), "a figure cannot be later than its item"


def test_the_worse_colour_goes_before_the_earlier_day() -> None:
    """98% of 61 days have come less far than 49% of 123, and yet only the second figure is behind on 07-17."""
    met, behind = done("980", "1000", by=date(2025, 6, 30), name="甲"), done("740", "1500", name="乙")
    assert "乙完成" in shown(met, behind).reason
    assert shown(met, behind) == shown(behind)


def test_ceilings_and_figures_without_a_total_do_not_count() -> None:
    assert shown(done("0", op="<=")).colour == "green"
    assert shown(Figure(None, Decimal(0))).colour == "green"
    assert shown(done("0", "0")).colour == "green"


def test_pace_is_judged_only_after_the_first_tenth_of_the_time() -> None:
    # 123 days: 12 days are 9.8%, 13 days are 10.6%
    for figure in (done(None), done("0")):
        assert shown(figure, now=moment(date(2025, 5, 12), time(9))).colour == "green"
        assert shown(figure, now=moment(date(2025, 5, 13), time(9))).word == "严重滞后"


def test_without_figures_only_the_due_date_speaks() -> None:
    assert shown().reason == "时限 2025-08-31 周日，剩 31 个工作日。"


@pytest.mark.parametrize(
    ("due", "colour", "word"),
    [
        (date(2025, 7, 23), "green", "按序时推进"),  # 4 left
        (date(2025, 7, 22), "yellow", "临期"),  # 3 left
        (date(2025, 7, 17), "yellow", "临期"),
        (date(2025, 7, 16), "red", "逾期 1 个工作日"),
        (date(2025, 7, 15), "red", "逾期 2 个工作日"),
        (date(2025, 6, 30), "red", "逾期 13 个工作日"),
    ],
)
def test_the_due_date_colours_by_working_days(due: date, colour: str, word: str) -> None:
    found = shown(due_at=end_of(due))
    assert (found.colour, found.word) == (colour, word)


def test_near_and_overdue_say_so_in_a_sentence() -> None:
    near = shown(due_at=end_of(date(2025, 7, 22)))
    assert near.reason == "时限 2025-07-22 周二，剩 3 个工作日，不超过 3 个工作日，为临期。"
    assert shown(due_at=end_of(date(2025, 7, 15))).reason == "时限 2025-07-15 周二，尚未报送，逾期 2 个工作日。"


def test_a_due_time_passes_within_its_day() -> None:
    at = moment(date(2025, 7, 18), time(17))
    assert shown(due_at=at, now=at).word == "临期"
    late = shown(due_at=at, now=moment(date(2025, 7, 18), time(17, 1)))
    assert (late.colour, late.word) == ("red", "逾期不足 1 个工作日")


def test_review_time_never_makes_a_share_late() -> None:
    submitted = moment(date(2025, 7, 14), time(16))
    facts = {"due_at": end_of(date(2025, 7, 15)), "submitted_at": submitted}
    assert shown(state=State.REVIEWING, **facts).word == "按序时推进"
    assert shown(state=State.RETURNED, **facts).word == "逾期 2 个工作日"


def test_a_late_submission_stays_as_late_as_it_was() -> None:
    found = shown(
        state=State.REVIEWING,
        due_at=end_of(date(2025, 7, 9)),
        submitted_at=moment(date(2025, 7, 11), time(16)),
    )
    assert found.word == "逾期 2 个工作日"
    assert found.reason == "时限 2025-07-09 周三，2025-07-11 周五报送，逾期 2 个工作日。"


@pytest.mark.parametrize(
    ("facts", "colour", "word", "shape"),
    [
        ({"state": State.CLOSED}, "blue", "已办结", "check"),
        ({"state": State.CLOSED, "due_at": None, "paused": True}, "blue", "已办结", "check"),
        ({"paused": True}, "grey", "暂停计时", "bars"),
        ({"opened": False}, "grey", "未启动", "ring"),
        ({"state": State.PENDING}, "grey", "未启动", "ring"),
        ({"due_at": None}, "grey", "未定时限", "ring"),
        ({"due_at": None, "standing": True}, "grey", "未定时限", "ring"),
    ],
)
def test_states_that_are_not_judged(facts: dict[str, Any], colour: str, word: str, shape: str) -> None:
    found = shown(done("0"), **facts)
    assert (found.colour, found.word, found.shape) == (colour, word, shape)


def test_standing_tasks_are_never_red() -> None:
    for facts in ({"due_at": end_of(date(2025, 6, 30))}, {}):
        found = shown(done("0"), standing=True, **facts)
        assert (found.colour, found.word) == ("yellow", "滞后")
        assert "长期坚持" in found.reason


def test_thresholds_are_data() -> None:
    rules = LightRules(red_below=Decimal("0.50"), yellow_below=Decimal("0.60"), near_days=31)
    assert shown(done("588"), rules=rules).word == "临期"


def test_lights_sort_worst_first() -> None:
    expected = [
        shown(due_at=end_of(date(2025, 6, 30))),
        shown(due_at=end_of(date(2025, 7, 15))),
        shown(done("300")),
        shown(done("588")),
        shown(done("700")),
        shown(due_at=end_of(date(2025, 7, 18))),
        shown(due_at=end_of(date(2025, 7, 22))),
        shown(done("987")),
        shown(done("1500")),
        shown(),
        shown(due_at=None),
        shown(opened=False),
        shown(paused=True),
        shown(state=State.CLOSED),
    ]
    ranks = [found.rank for found in expected]
    assert ranks == sorted(set(ranks))


values = st.decimals(0, 5000, places=1)
instants = st.datetimes(datetime(2025, 4, 1), datetime(2025, 10, 1)).map(  # noqa: DTZ001
    lambda naive: moment(naive.date(), naive.time())
)


@given(values, values, instants)
def test_a_higher_value_never_makes_the_light_worse(one: Decimal, other: Decimal, now: datetime) -> None:
    low, high = sorted((one, other))
    assert shown(Figure(Decimal(1500), low), now=now).rank <= shown(Figure(Decimal(1500), high), now=now).rank


@given(values | st.none(), instants, instants)
def test_later_without_progress_never_makes_the_light_better(
    value: Decimal | None, one: datetime, two: datetime
) -> None:
    order = ["red", "yellow", "green"]
    early, late = sorted((one, two))
    before, after = (shown(Figure(Decimal(1500), value), now=now).colour for now in (early, late))
    assert order.index(after) <= order.index(before)


@given(values | st.none(), instants, st.booleans(), st.sampled_from(list(State)))
def test_standing_tasks_are_never_red_whatever_happens(
    value: Decimal | None, now: datetime, opened: bool, state: State
) -> None:
    assert shown(Figure(Decimal(1500), value), now=now, opened=opened, state=state, standing=True).colour != "red"


@given(values | st.none(), instants, st.sampled_from(list(State)), st.none() | instants)
def test_every_light_carries_a_word_and_one_sentence(
    value: Decimal | None, now: datetime, state: State, due_at: datetime | None
) -> None:
    found = shown(Figure(Decimal(1500), value), now=now, state=state, due_at=due_at)
    assert found.word
    assert found.reason.endswith("。")
    assert found.reason.count("。") == 1


@given(
    st.lists(st.tuples(values | st.none(), st.none() | instants), max_size=2),
    instants,
    instants,
    st.booleans(),
    st.none() | instants,
    st.lists(st.integers(1, 400 * 24 * 60), min_size=1, max_size=8),
)
def test_time_alone_moves_no_light_before_it_says_so(
    reported: list[tuple[Decimal | None, datetime | None]],
    due_at: datetime,
    now: datetime,
    at_end_of_day: bool,
    submitted_at: datetime | None,
    minutes: list[int],
) -> None:
    figures = [Figure(Decimal(1500), value, by=by and local_day(by)) for value, by in reported]
    due_at = end_of(local_day(due_at)) if at_end_of_day else due_at
    facts: dict[str, Any] = {"due_at": due_at, "submitted_at": submitted_at}
    facts |= {"state": State.REVIEWING if submitted_at else State.WORKING, "opened": True}
    until = holds_until(now=now, figures=figures, period=PLAN, calendar=CALENDAR, **facts)
    was = shown(*figures, now=now, **facts)
    assert was.rank in RANKS[was.colour]
    assert until is None or until > now
    nearest = [due_at, until - timedelta(microseconds=1)] if until else [due_at]
    for at in [now + timedelta(minutes=m) for m in minutes] + nearest:
        if now <= at and (until is None or at < until):
            found = shown(*figures, now=at, **facts)
            assert (found.colour, found.rank) == (was.colour, was.rank)


def test_a_light_says_when_it_will_change() -> None:
    def until(*figures: Figure, now: datetime = NOW) -> datetime | None:
        facts: dict[str, Any] = {"state": State.WORKING, "due_at": end_of(date(2025, 8, 31)), "opened": True}
        return holds_until(now=now, figures=figures, period=PLAN, calendar=CALENDAR, **facts)

    assert until() == moment(date(2025, 8, 26), time())  # 27, 28, 29 are left
    assert until(now=moment(date(2025, 8, 26), time(9))) == end_of(date(2025, 8, 31)) + timedelta(microseconds=1)
    # 1,000 of 1,500 is 82 days of 123: below 0.90 on the 92nd day, below 0.70 on the 118th
    assert until(done("1000")) == moment(date(2025, 7, 31), time())
    assert until(done("1000"), now=moment(date(2025, 7, 31), time())) == moment(date(2025, 8, 26), time())
    assert until(done("1000"), now=moment(date(2025, 5, 2), time())) == moment(date(2025, 5, 13), time())
