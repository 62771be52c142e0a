"""Wording shared by the rules."""

from datetime import date, time
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.calendar import WorkCalendar, end_of, moment
from ledger.rules.texts import (
    due_words,
    is_overlaid,
    late_words,
    left_words,
    line_words,
    number_words,
    percent_words,
    ratio_words,
    shows,
)

CALENDAR = WorkCalendar()


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2025, 7, 17), "剩 31 个工作日"),
        (date(2025, 8, 29), "8月31日到期"),
        (date(2025, 8, 31), "今日到期"),
        (date(2025, 9, 1), "逾期 1 个工作日"),
    ],
)
def test_a_due_day_says_how_far_away_it_is(today: date, words: str) -> None:
    assert left_words(today, date(2025, 8, 31), CALENDAR) == words


def test_late_by_days_off_alone_is_still_late() -> None:
    assert left_words(date(2025, 7, 19), date(2025, 7, 18), CALENDAR) == "逾期不足 1 个工作日"
    assert late_words(2) == "逾期 2 个工作日"


def test_a_due_instant_names_its_day_and_a_time_only_when_it_has_one() -> None:
    assert due_words(end_of(date(2025, 8, 31))) == "2025-08-31 周日"
    assert due_words(moment(date(2025, 6, 6), time(17))) == "2025-06-06 周五 17:00"


@pytest.mark.parametrize(
    ("value", "words"),
    [("1412", "1,412"), ("3.50", "3.5"), ("35000.0", "35,000"), ("1E+4", "10,000"), ("100", "100"), ("0", "0")],
)
def test_numbers_are_written_plainly(value: str, words: str) -> None:
    assert number_words(Decimal(value)) == words


def test_shares_are_rounded_half_up() -> None:
    assert percent_words(Fraction(78, 123)) == "63.4%"
    assert percent_words(Fraction(1, 2000)) == "0.1%"


def test_a_ratio_just_below_the_threshold_does_not_look_equal_to_it() -> None:
    assert ratio_words(Fraction(6183, 10000), Fraction(7, 10)) == "0.62"
    assert ratio_words(Fraction(6996, 10000), Fraction(7, 10)) == "0.6996"


@given(st.fractions(0, 3), st.fractions(Fraction(1, 100), 1, max_denominator=100))
def test_a_shown_ratio_never_contradicts_the_comparison(ratio: Fraction, threshold: Fraction) -> None:
    shown = Fraction(ratio_words(ratio, threshold))
    if ratio < threshold:
        assert shown <= threshold
    else:
        assert shown >= threshold - Fraction(1, 100_000)


@pytest.mark.parametrize(
    "text", ["", " ", "　", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u200d", "\ufe0f", "\u0301"]
)
def test_a_text_of_blanks_shows_nothing(text: str) -> None:
    assert not shows(text)


@pytest.mark.parametrize("text", ["一", "1", "-", "★", "e\u0301", "བོད"])
def test_a_letter_a_figure_or_a_sign_shows(text: str) -> None:
    assert shows(text)


def test_marks_heaped_on_a_letter_are_told_from_accents() -> None:
    assert is_overlaid("Z" + "\u0335" * 5)
    assert is_overlaid("Z" + "\u0335\u200d" * 5)
    assert not is_overlaid("re\u0301sume\u0301" * 9)
    assert not is_overlaid("བསྒྲུབས་ Việt")


def test_a_line_of_a_register_has_a_number_of_its_own() -> None:
    assert (line_words("13"), line_words("批示〔2025〕3号")) == ("清单第13项", "批示〔2025〕3号")
