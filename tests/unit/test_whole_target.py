"""What a figure of each year, month or county comes to by the end of a span of days."""

from datetime import date
from decimal import Decimal

import pytest

from ledger.queries.standing import whole_target

PLAN = (date(2025, 5, 22), date(2027, 12, 31))


@pytest.mark.parametrize(
    ("per", "first", "last", "turns"),
    [
        ("year", *PLAN, 3),
        ("year", date(2025, 5, 22), date(2025, 12, 31), 1),
        ("year", date(2025, 5, 22), date(2026, 12, 30), 1),
        ("year", date(2025, 5, 22), date(2025, 8, 31), 1),  # no year ends, and still one year's figure is asked for
        ("quarter", date(2025, 5, 1), date(2025, 12, 31), 3),
        ("month", date(2025, 5, 1), date(2025, 8, 31), 4),
        ("month", date(2025, 5, 31), date(2025, 6, 30), 2),
        ("month", date(2025, 6, 1), date(2025, 8, 30), 2),
        ("week", date(2025, 7, 14), date(2025, 7, 27), 2),
        ("total", *PLAN, 1),
        (None, *PLAN, 1),
        ("year", PLAN[0], None, 1),  # a plan without an end
    ],
)
def test_periods_that_have_ended_are_added_up(per: str | None, first: date, last: date | None, turns: int) -> None:
    assert whole_target(Decimal(200), per, None, "sum", (first, last), 10) == 200 * turns


def test_a_norm_for_each_unit_counts_the_units() -> None:
    assert whole_target(Decimal(2), "year", "每个县(市、区)", "sum", PLAN, 6) == 2 * 3 * 6


@pytest.mark.parametrize("rule", ["max", "latest"])
def test_what_is_no_sum_is_reached_as_printed(rule: str) -> None:
    assert whole_target(Decimal(1), "year", "每个县(市、区)", rule, PLAN, 6) == 1
