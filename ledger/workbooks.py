"""What stands in a workbook (.xlsx), as text: its sheets, their cells, page headers and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from ledger.packages import Package, Part, TooLarge, Unreadable

_SHEETS = ("worksheet", "chartsheet", "dialogsheet", "macrosheet")
_MARGINS = {
    f"{pages}{margin}": words
    for pages in ("odd", "even", "first")
    for margin, words in (("Header", "页眉"), ("Footer", "页脚"))
}
_CODES = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f+-]{6}|[0-9]{1,3}|.)')  # of type, colour, size and place
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_JOINED = re.compile(r'"\s*&\s*"')
_QUOTED = re.compile(r'"([^"]*)"')


class Place(NamedTuple):
    """Where a cell stands, counted from 1. One that does not say so stands beside the one before it."""

    row: int
    column: int

    @property
    def reference(self) -> str:
        letters, left = "", self.column
        while left:
            left, letter = divmod(left - 1, 26)
            letters = chr(ord("A") + letter) + letters
        return f"{letters}{self.row}"


class Cell(NamedTuple):
    """What stands in a cell: the words that are shown, and those that its formula quotes."""

    place: Place
    words: str
    is_number: bool
    quoted: str


class Margin(NamedTuple):
    """What is printed above or below the pages of a sheet, with the word for it."""

    name: str
    words: str


@dataclass(frozen=True)
class Sheet:
    """A sheet by the title that people see; `number` counts from 1."""

    number: int
    title: str
    part: Part


class Workbook:
    """A workbook, read piece by piece. Whatever reads raises Unreadable, TooLarge among it."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._left = package.most_bytes  # characters of cells, counted wherever the same words stand

    @cached_property
    def sheets(self) -> list[Sheet]:
        """All sheets, in the order of the workbook; what it does not name comes last.

        Raises: Unreadable where one that is named is not among the parts, or there is none.
        """
        parts = self._package.parts(*_SHEETS)
        titles: dict[str, str] = {}
        named = 0
        for book in self._package.parts("workbook"):
            targets = self._package.targets(book)
            for tag in self._package.tags(book, "sheet"):
                named += 1
                titles[targets.get(tag.attributes.get("id", ""), "")] = tag.attributes.get("name", "")
        if not parts or len(parts) < named:
            raise Unreadable
        order = {name: n for n, name in enumerate(titles)}
        parts.sort(key=lambda part: order.get(part.name, len(order)))
        return [
            Sheet(n, titles.get(part.name) or PurePosixPath(part.info.filename).stem, part)
            for n, part in enumerate(parts, start=1)
        ]

    @cached_property
    def _shared(self) -> list[str]:
        """The words that cells point to."""
        found: list[str] = []
        said: list[str] = []
        for part in self._package.parts("sst"):
            for tag in self._package.tags(part, "si", "t"):
                if tag.name == "t":
                    said.append(tag.text)
                else:
                    found.append("".join(said))
                    said.clear()
        return found

    def read(self, sheet: Sheet) -> Iterator[Cell | Margin]:
        """The cells of a sheet that hold something, and its margins."""
        row = column = 0
        said: dict[str, str] = {}
        for tag in self._package.tags(sheet.part, "c", "v", "t", "f", *_MARGINS, opening="row"):
            match tag.name:
                case "row":
                    row, column = _whole(tag.attributes.get("r", "")) or row + 1, 0
                    said.clear()
                case "c":
                    row, column = place_of(tag.attributes.get("r", "")) or (row, column + 1)
                    if said:
                        cell = self._cell(Place(row, column), tag.attributes.get("t", "n"), said)
                        if cell.words or cell.quoted:
                            yield cell
                        said.clear()
                case "v" | "t" | "f":
                    said[tag.name] = said.get(tag.name, "") + tag.text
                case _:
                    yield Margin(_MARGINS[tag.name], _CODES.sub("\n", tag.text))

    def _cell(self, place: Place, shape: str, said: Mapping[str, str]) -> Cell:
        words = self._words(shape, said)
        self._left -= len(words)
        if self._left < 0:
            raise TooLarge
        return Cell(place, words, shape == "n", _quoted(said.get("f", "")))

    def _words(self, shape: str, said: Mapping[str, str]) -> str:
        value = said.get("v", "")
        match shape:
            case "s":
                return self._pointed_to(value)
            case "inlineStr":
                return said.get("t", "")
            case "n":
                return _number(value)
            case "str":
                return value
        return ""

    def _pointed_to(self, value: str) -> str:
        number = _whole(value)
        return self._shared[number] if number is not None and number < len(self._shared) else ""

    def comments(self) -> Iterator[tuple[Place | None, str]]:
        """Comments of cells, and conversations about them."""
        said: list[str] = []
        for part in self._package.parts("comments", "ThreadedComments"):
            for tag in self._package.tags(part, "comment", "t", "threadedComment", "text"):
                said.append(tag.text)
                if tag.name in ("comment", "threadedComment"):
                    yield place_of(tag.attributes.get("ref", "")), "".join(said)
                    said.clear()


def _quoted(formula: str) -> str:
    """What stands in quotation marks in a formula, a line each; what is put together there is read together."""
    return "\n".join(_QUOTED.findall(_JOINED.sub("", formula))) if formula else ""


def _number(value: str) -> str:
    """A number as people see it: 1.3912345678E10 is a mobile number, 3.0 is 3."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return ""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return ""
    return str(int(number)) if number == int(number) else str(number)


def _whole(words: str) -> int | None:
    return int(words) if re.fullmatch("[0-9]{1,7}", words) else None


def place_of(reference: str) -> Place | None:
    """B12 as row 12, column 2."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return Place(int(found[2]), column)
