"""What fits on one board of the war room: groups of tiles, lines of a list. The rest turns up on the next one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

H = TypeVar("H")
T = TypeVar("T")

# Of `warroom.css`, in the size of its text: how high a board is, a heading, a row of tiles.
HIGH, HEAD, ROW = 36.0, 2.45, 5.05
COLUMNS = 4


@dataclass(frozen=True)
class Group(Generic[H, T]):
    """A heading and those of its tiles that stand on one board; `goes_on`: others stand on the board before."""

    heading: H
    tiles: Sequence[T]
    goes_on: bool = False


def boards(groups: Iterable[tuple[H, Sequence[T]]]) -> list[list[Group[H, T]]]:
    """The boards that groups of tiles fill, in their order. Only a group that no board can hold is cut."""
    filled: list[list[Group[H, T]]] = []
    left = 0.0
    for heading, tiles in groups:
        for n, cut in enumerate(chunks(tiles, int((HIGH - HEAD) // ROW) * COLUMNS)):
            needed = HEAD + -(-len(cut) // COLUMNS) * ROW
            if needed > left:
                filled.append([])
                left = HIGH
            filled[-1].append(Group(heading, cut, goes_on=n > 0))
            left -= needed
    return filled


def chunks(lines: Sequence[T], size: int) -> list[Sequence[T]]:
    """Stretches of at most `size` lines, as even as they come: a last board with one line looks like a mistake."""
    count = -(-len(lines) // size)
    each = -(-len(lines) // count) if count else 0
    return [lines[n : n + each] for n in range(0, len(lines), each)] if each else []
