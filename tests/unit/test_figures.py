"""Typed numbers, shares, sums and the questions asked before accepting."""

from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import moment
from ledger.rules.figures import FigureError, Reading, course, parse_number, questions, roll_up, share_of_target
from ledger.rules.texts import number_words

JUNE, JULY = (moment(date(2025, month, 30), time(17)) for month in (6, 7))


@pytest.mark.parametrize(
    ("typed", "unit", "number"),
    [
        ("588", "", "588"),
        ("3.5万", "", "35000"),
        ("1.2亿", "", "120000000"),
        ("3千", "", "3000"),
        ("1,200", "", "1200"),
        ("１，２００人", "人", "1200"),
        ("　５８８ 个 ", "个", "588"),
        ("3.50", "", "3.5"),
        ("3.5万元", "万元", "3.5"),
        ("3万千瓦时", "千瓦时", "30000"),
        ("9" * 12 + "." + "9" * 6 + "亿", "", "99999999999999999900"),
        ("39.2％", "%", "39.2"),
        ("-3.2", "", "-3.2"),
        ("−3.2", "", "-3.2"),
        ("3.5万个", "个", "35000"),
        ("0", "", "0"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, unit: str, number: str) -> None:
    assert str(parse_number(typed, unit=unit)) == number


@pytest.mark.parametrize(
    "typed",
    [
        "约1200",
        "1200多",
        "1-2",
        "1,20",
        "12,00,000",
        "1.2.3",
        "1e5",
        "NaN",
        "inf",
        "0x10",
        "588家",
        "三百",
        "万",
        "9" * 31,
    ],
)
def test_what_is_no_definite_number_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(FigureError, match="请只填数字"):
        parse_number(typed, unit="个")


def test_an_empty_field_asks_for_a_number() -> None:
    for typed in ("", " ", "　", "个"):
        with pytest.raises(FigureError, match="请"):
            parse_number(typed, unit="个")


def test_ten_thousands_of_ten_thousands_are_ambiguous() -> None:
    with pytest.raises(FigureError, match="以万元计"):
        parse_number("3.5万", unit="万元")


def test_share_of_target() -> None:
    assert share_of_target(Decimal(588), Decimal(1500)) == Fraction(392, 1000)
    assert share_of_target(None, Decimal(1500)) is None
    assert share_of_target(Decimal(5), None) is None
    assert share_of_target(Decimal(5), Decimal(0)) is None
    assert share_of_target(Decimal(5), Decimal(10), "<=") is None


def test_readings_roll_up_by_their_rule() -> None:
    readings = [Reading(Decimal(7), JULY), Reading(Decimal(9), JUNE), Reading(Decimal("1.5"), JUNE)]
    assert roll_up("sum", readings) == Decimal("17.5")
    assert roll_up("max", readings) == 9
    assert roll_up("latest", readings) == 7
    assert roll_up("latest", [*readings, Reading(Decimal(8), JULY)]) == 8
    assert roll_up("sum", []) is None
    assert roll_up("max", [Reading(Decimal(-2), JUNE), Reading(Decimal(-5), JULY)]) == -2


def test_plausible_values_raise_no_question() -> None:
    assert questions(Decimal(588), previous=Decimal(561), target=Decimal(1500)) == []
    assert questions(Decimal(561), previous=Decimal(561)) == []
    assert questions(Decimal(1800), previous=Decimal(1), target=Decimal(1500)) == []  # exactly 120%
    assert questions(Decimal(588)) == []


def test_a_falling_cumulative_value_is_asked_about() -> None:
    assert questions(Decimal(500), previous=Decimal(588), unit="个") == [
        "本期累计 500 个，比上期的 588 个少 88 个；累计数一般不会减少，是否确认？如属核减，请说明原因。"
    ]
    assert questions(Decimal(500), previous=Decimal(588), cumulative=False) == []


def test_far_more_than_the_target_is_asked_about() -> None:
    assert questions(Decimal(1950), previous=Decimal(588), target=Decimal(1500), unit="个") == [
        "填报数 1,950 个已达目标 1,500 个的 130.0%，是否确认无误？"
    ]
    assert questions(Decimal(1950), target=Decimal(1500), op="<=") == []


def test_four_digits_too_many_are_asked_about_once() -> None:
    assert questions(Decimal(14_500_000), previous=Decimal(1_400), target=Decimal(2_000), unit="万元") == [
        "填报数 14,500,000 万元比上期的 1,400 万元多 4 位数，是否多填了位数，或用错了计量单位？"
    ]
    [by_target] = questions(Decimal(20_000_000), target=Decimal(2_000))
    assert "比目标的 2,000 多 4 位数" in by_target


def test_a_jump_up_to_the_target_is_no_slip() -> None:
    assert questions(Decimal(10_000), previous=Decimal(1), target=Decimal(10_000)) == []
    assert len(questions(Decimal(10_000), previous=Decimal(1))) == 1


numbers = st.decimals(-(10**12), 10**12, places=3)


@given(numbers)
def test_what_is_written_for_people_is_read_back(value: Decimal) -> None:
    assert parse_number(number_words(value)) == value
    assert parse_number(f"{value}个", unit="个") == value


@given(st.lists(numbers, min_size=1))
def test_the_order_of_units_does_not_change_a_sum_or_maximum(values: list[Decimal]) -> None:
    readings = [Reading(value, JUNE) for value in values]
    assert roll_up("sum", readings) == roll_up("sum", readings[::-1]) == sum(values)
    assert roll_up("max", readings) == roll_up("max", readings[::-1]) == max(values)


@given(st.text(max_size=40))
def test_any_text_is_a_finite_number_or_a_clear_refusal(text: str) -> None:
    try:
        assert parse_number(text).is_finite()
    except FigureError as error:
        assert str(error).endswith("。")


MAY = moment(date(2025, 5, 30), time(17))


def test_a_course_adds_the_latest_reading_of_each_unit() -> None:
    said = [(1, Reading(Decimal(9), JULY)), (1, Reading(Decimal(4), MAY)), (2, Reading(Decimal(3), JUNE))]
    assert [(int(r.value), r.at) for r in course("sum", said)] == [(4, MAY), (7, JUNE), (12, JULY)]
    assert [int(r.value) for r in course("max", said)] == [4, 4, 9]
    assert course("latest", []) == []


def test_of_a_courses_readings_at_one_instant_the_last_stands() -> None:
    said = [(1, Reading(Decimal(4), MAY)), (2, Reading(Decimal(3), MAY)), (2, Reading(Decimal(5), MAY))]
    assert [int(r.value) for r in course("sum", said)] == [9]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 99), st.sampled_from([MAY, JUNE, JULY]))))
def test_a_course_ends_where_the_figure_stands(said: list[tuple[int, int, datetime]]) -> None:
    readings = [(unit, Reading(Decimal(value), at)) for unit, value, at in sorted(said, key=lambda one: one[2])]
    latest = dict(readings)
    grown = course("sum", readings)
    assert (grown[-1].value if grown else None) == roll_up("sum", list(latest.values()))
