"""Boards of the war room: nothing is left out, nothing is too high for a board, what is cut says so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webapp.boards import COLUMNS, HEAD, HIGH, ROW, boards, chunks

SIZES = st.lists(st.integers(1, 60), max_size=12)


def test_bairi_takes_two_boards_and_no_heading_is_cut() -> None:
    filled = boards((name, range(size)) for name, size in (("一", 3), ("二", 16), ("三", 12), ("四", 1), ("", 1)))
    assert [[group.heading for group in board] for board in filled] == [["一", "二"], ["三", "四", ""]]


@given(SIZES)
def test_every_tile_stands_on_one_board_that_has_room_for_it(sizes: list[int]) -> None:
    tiles = [[(n, k) for k in range(size)] for n, size in enumerate(sizes)]
    filled = boards(enumerate(tiles))
    assert [tile for board in filled for group in board for tile in group.tiles] == [t for some in tiles for t in some]
    for board in filled:
        assert sum(HEAD + -(-len(group.tiles) // COLUMNS) * ROW for group in board) <= HIGH
    begun: set[int] = set()
    for board in filled:
        for group in board:
            assert group.goes_on == (group.heading in begun)
            begun.add(group.heading)


@given(st.integers(0, 90), st.integers(1, 12))
def test_stretches_are_even(count: int, size: int) -> None:
    cut = chunks(range(count), size)
    assert [one for some in cut for one in some] == list(range(count))
    assert len(cut) == -(-count // size)
    assert all(len(some) <= size for some in cut)
    assert not cut or len(cut[0]) - len(cut[-1]) <= len(cut)
