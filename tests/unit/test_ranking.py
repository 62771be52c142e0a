"""排名: units by their lights, worst first, and fair to those that stand alike."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.lights import RANKS, Colour
from ledger.rules.ranking import ranked

COLOURS: list[Colour] = list(RANKS)
LIT = st.lists(st.tuples(st.sampled_from(["大冶市", "阳新县", "下陆区", "市人社局"]), st.sampled_from(COLOURS)))


def test_red_counts_before_yellow_and_the_worst_come_first_with_the_last_place() -> None:
    lit: list[tuple[str, Colour]] = [
        ("大冶市", "green"), ("大冶市", "yellow"), ("阳新县", "green"), ("下陆区", "red"), ("西塞山区", "green"),
        ("黄石港区", "yellow"), ("大冶市", "yellow"), ("下陆区", "blue"),
    ]  # fmt: skip
    assert [(r.place, r.name, r.shared) for r in ranked(lit)] == [
        (5, "下陆区", False),
        (4, "大冶市", False),
        (3, "黄石港区", False),
        (1, "阳新县", True),
        (1, "西塞山区", True),
    ]
    assert ranked(lit)[1].counts == {"red": 0, "yellow": 2, "green": 1, "grey": 0, "blue": 0}


def test_lights_alike_are_told_apart_by_common_figures_then_by_what_is_closed() -> None:
    lit: list[tuple[str, Colour]] = [
        *((name, "green") for name in ("大冶市", "阳新县", "下陆区", "西塞山区")),
        ("大冶市", "green"), ("阳新县", "blue"), ("下陆区", "green"), ("西塞山区", "green"),
    ]  # fmt: skip
    half, third = Fraction(1, 2), Fraction(1, 3)
    fairs = {"大冶市": third, "阳新县": third, "下陆区": half, "西塞山区": third}
    own = {"大冶市": Fraction(1)}  # a figure that others have not is no measure for them
    assert [(r.place, r.name, r.shared) for r in ranked(lit, [fairs, own])] == [
        (3, "大冶市", True),
        (3, "西塞山区", True),
        (2, "阳新县", False),
        (1, "下陆区", False),
    ]


FIGURES = st.lists(st.dictionaries(st.sampled_from(["大冶市", "阳新县", "下陆区", "市人社局"]), st.fractions(0, 2)))


@given(LIT, FIGURES)
def test_every_light_is_counted_once_and_the_worst_come_first(
    lit: list[tuple[str, Colour]], figures: list[Any]
) -> None:
    lines = ranked(lit, figures)
    assert Counter({(r.name, c): n for r in lines for c, n in r.counts.items() if n}) == Counter(lit)
    assert len({r.name for r in lines}) == len(lines)
    for before, after in pairwise(lines):
        assert before.place >= after.place
        assert (before.counts["red"], before.counts["yellow"]) >= (after.counts["red"], after.counts["yellow"])
    places = Counter(line.place for line in lines)
    for line in lines:
        assert line.shared == (places[line.place] > 1)
        assert line.place == 1 + sum(other.place < line.place for other in lines)
