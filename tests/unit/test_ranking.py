"""排名: units by their lights, worst first, and fair to those that stand alike."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.lights import RANKS, Colour
from ledger.rules.ranking import ranked

COLOURS: list[Colour] = list(RANKS)
LIT = st.lists(st.tuples(st.sampled_from(["大冶市", "阳新县", "下陆区", "市人社局"]), st.sampled_from(COLOURS)))


def test_red_counts_before_yellow_and_alike_share_a_place() -> None:
    lit: list[tuple[str, Colour]] = [
        ("大冶市", "green"), ("大冶市", "yellow"), ("阳新县", "blue"), ("下陆区", "red"), ("西塞山区", "green"),
        ("黄石港区", "yellow"), ("大冶市", "yellow"), ("下陆区", "blue"),
    ]  # fmt: skip
    assert [(r.place, r.name) for r in ranked(lit)] == [
        (1, "下陆区"),
        (2, "大冶市"),
        (3, "黄石港区"),
        (4, "阳新县"),
        (4, "西塞山区"),
    ]
    assert ranked(lit)[1].counts == {"red": 0, "yellow": 2, "green": 1, "grey": 0, "blue": 0}


@given(LIT)
def test_every_light_is_counted_once_and_the_worst_come_first(lit: list[tuple[str, Colour]]) -> None:
    lines = ranked(lit)
    assert Counter({(r.name, c): n for r in lines for c, n in r.counts.items() if n}) == Counter(lit)
    assert len({r.name for r in lines}) == len(lines)
    for before, after in pairwise(lines):
        worse = (before.counts["red"], before.counts["yellow"]), (after.counts["red"], after.counts["yellow"])
        assert worse[0] >= worse[1]
        assert (before.place == after.place) == (worse[0] == worse[1])
    assert all(line.place <= n for n, line in enumerate(lines, start=1))
