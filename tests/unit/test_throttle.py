"""Counted tries: never more than the limit in any window, and nobody is kept out for longer than one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.throttle import Bucket, Limit, refund, spend
from ledger.throttling import addressed, named

LIMIT = Limit(tries=5, minutes=15)
START = datetime(2025, 5, 26, 2, tzinfo=UTC)


def walk(steps: list[int]) -> list[tuple[datetime, bool]]:
    """Tries after so many seconds each (a clock set back is negative): (moment, whether it was let through)."""
    bucket: Bucket | None = None
    now, seen = START, []
    for seconds in steps:
        now += timedelta(seconds=seconds)
        refused = bucket is not None and bucket.refuses(LIMIT, now)
        if not refused:
            bucket = spend(bucket, LIMIT, now)
        seen.append((now, not refused))
    return seen


@given(st.lists(st.integers(0, 600), max_size=60))
def test_after_the_last_try_nobody_gets_through_for_the_window(steps: list[int]) -> None:
    bucket: Bucket | None = None
    now = START
    for seconds in steps:
        now += timedelta(seconds=seconds)
        closed = bucket is not None and bucket.until is not None and now < bucket.until
        if bucket is not None:
            assert bucket.refuses(LIMIT, now) is closed
        if not closed:
            bucket = spend(bucket, LIMIT, now)
            assert bucket.n <= LIMIT.tries
            assert bucket.until == (now + LIMIT.window if bucket.n == LIMIT.tries else None)


@given(st.lists(st.integers(0, 3600), max_size=60))
def test_no_window_lets_more_through_than_two_limits(steps: list[int]) -> None:
    """A window that ends and the next that begins meet; within one bucket there are never more than the limit."""
    let = [at for at, through in walk(steps) if through]
    for first in let:
        assert sum(first <= at < first + LIMIT.window for at in let) < 2 * LIMIT.tries


@given(st.lists(st.integers(-7200, 3600), max_size=40))
def test_whatever_the_clock_does_two_windows_later_there_is_a_try(steps: list[int]) -> None:
    """One, but for as much as the clock was set back while the door was closed."""
    assert walk([*steps, 2 * 15 * 60])[-1][1]


def test_five_tries_then_none_until_the_window_is_over() -> None:
    seen = walk([0, 1, 1, 1, 1, 1, 60, 15 * 60])
    assert [through for _, through in seen] == [True] * 5 + [False, False, True]


def test_a_try_that_turned_out_well_is_given_back() -> None:
    bucket: Bucket | None = None
    for _ in range(40):
        bucket = refund(spend(bucket, LIMIT, START))
    assert bucket is not None and not bucket.refuses(LIMIT, START)


def test_keys_name_nobody_and_one_network_counts_once() -> None:
    assert "renshe" not in named("account", "renshe")
    assert named("account", " Renshe ") == named("account", "renshe")
    assert addressed("address", "10.1.2.3") == "address:10.1.2.3"
    assert addressed("address", "2001:db8:1:2::1") == addressed("address", "2001:db8:1:2:ffff::9")
    assert len(addressed("address", "x" * 500)) < 80
