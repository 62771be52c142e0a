"""What stands in the parts of an Office file (.xlsx, .docx), as text.

A bounded amount is unpacked, by a parser without entities and network. Formulas, pictures and macros are not touched.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import BinaryIO

from lxml import etree

MOST_BYTES = 64 * 1024 * 1024  # of text, unpacked
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"


class TooLarge(Exception):
    """More text than is looked through, or a file that cannot be unpacked."""


class Parts:
    """The parts of a container, unpacked up to a bound for all of them. Raises: TooLarge for what is none."""

    def __init__(self, file: BinaryIO) -> None:
        file.seek(0)
        try:
            self.archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise TooLarge from error
        self.left = MOST_BYTES

    def names(self, pattern: str) -> list[str]:
        """The parts of this pattern, in the order of the numbers in their names."""
        found = [name for name in self.archive.namelist() if re.fullmatch(pattern, name)]
        return sorted(found, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])

    def elements(self, name: str, *tags: str) -> Iterator[etree._Element]:
        """The elements of these local names of a part, one after another. Raises: TooLarge."""
        try:
            with self.archive.open(name) as part:
                data = part.read(self.left + 1)
            if len(data) > self.left:
                raise TooLarge
            self.left -= len(data)
            wanted = [f"{{*}}{tag}" for tag in tags]
            walk = etree.iterparse(
                BytesIO(data), tag=wanted, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
            )
            for _, element in walk:
                yield element
                element.clear()
        except (
            zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, KeyError, EOFError, OSError,
            etree.XMLSyntaxError,
        ) as error:  # fmt: skip
            raise TooLarge from error


def said(element: etree._Element, tag: str) -> str:
    return "".join(t.text or "" for t in element.iter(f"{{*}}{tag}"))


@dataclass(frozen=True)
class Cell:
    """What stands in a cell of a sheet, where: rows and columns count from 1 (0: it does not say)."""

    sheet: str
    reference: str
    row: int
    column: int
    words: str
    is_number: bool


def cells(parts: Parts) -> Iterator[Cell]:
    """The cells of every sheet of a workbook that hold something, sheet by sheet. Raises: TooLarge."""
    shared = [said(si, "t") for name in parts.names(r"xl/sharedStrings\.xml") for si in parts.elements(name, "si")]
    titles = _titles(parts)
    for n, part in enumerate(parts.names(r"xl/worksheets/sheet\d+\.xml")):
        title = titles[n] if n < len(titles) else str(n + 1)
        for cell in parts.elements(part, "c"):
            words, is_number = _value(cell, shared)
            if words:
                reference = cell.get("r") or ""
                yield Cell(title, reference, *place_of(reference), words, is_number)


def _titles(parts: Parts) -> list[str]:
    """The titles of the sheets in the order of the parts that hold them, as every common programme writes them."""
    return [
        sheet.get("name") or "" for part in parts.names(r"xl/workbook\.xml") for sheet in parts.elements(part, "sheet")
    ]


def _value(cell: etree._Element, shared: list[str]) -> tuple[str, bool]:
    """The words of a cell, and whether they are a number."""
    value = "".join(v.text or "" for v in cell.iterchildren(_MAIN + "v", _STRICT + "v"))
    match cell.get("t"):
        case "s":
            return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else "", False
        case "inlineStr":
            return said(cell, "t"), False
        case None | "n":
            return _number(value), True
        case "str":
            return value, False
    return "", False


def _number(value: str) -> str:
    """A number as people see it: 1.3912345678E10 is a mobile number, 3.0 is 3."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return ""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return ""
    return str(int(number)) if number == int(number) else str(number)


def place_of(reference: str) -> tuple[int, int]:
    """B12 as (12, 2); (0, 0) for what is no reference."""
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if found is None:
        return 0, 0
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column
