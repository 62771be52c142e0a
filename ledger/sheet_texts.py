"""Numbers of persons in attached sheets and papers (.csv, .txt, .xlsx, .docx), each with the place named.

Only text is read, a bounded amount of it, by a parser without entities and network; what is larger cannot be looked
through and is not taken. Formulas, pictures and macros are not touched.
"""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from io import BytesIO, StringIO
from typing import BinaryIO

from lxml import etree

from ledger.rules.personal import personal_numbers

MOST_BYTES = 64 * 1024 * 1024  # of text, unpacked
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_LONGEST_NUMBER = 11  # digits of a mobile number: a cell that holds one as a number

Texts = Iterator[tuple[str, str]]
"""Pieces of text, each with the words that name its place."""


class TooLarge(Exception):
    """More text than is looked through, or a file that cannot be unpacked."""


def fault_of(extension: str, file: BinaryIO) -> str:
    """Why a file is not taken for what it holds, in words that go on after its name; nothing if it is."""
    read = _READERS.get(extension)
    if read is None:
        return ""
    try:
        for place, text in read(file):
            if found := personal_numbers(text):
                kinds = "、".join(dict.fromkeys(f.words for f in found))
                return f"的{place}有{kinds}，没有留存。本系统不保存个人号码，请删去或遮盖后再传。"
    except TooLarge:
        return "内容太多或无法展开，查不出是否含有身份证号、手机号码，没有留存。请拆成几个文件再传。"
    return ""


# ---------------------------------------------------------------- text
def _lines(file: BinaryIO) -> Texts:
    for n, line in enumerate(_decoded(file).splitlines(), start=1):
        yield f"第 {n} 行", line


def _cells(file: BinaryIO) -> Texts:
    """The cells of a .csv; where it is none after all, its lines."""
    text = _decoded(file)
    separator = max(",;\t", key=text[:4096].count)
    try:
        for n, row in enumerate(csv.reader(StringIO(text, newline=""), delimiter=separator), start=1):
            for k, cell in enumerate(row, start=1):
                yield f"第 {n} 行第 {k} 列", cell
    except csv.Error:
        for n, line in enumerate(text.splitlines(), start=1):
            yield f"第 {n} 行", line


def _decoded(file: BinaryIO) -> str:
    file.seek(0)
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TooLarge
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


# ---------------------------------------------------------------- containers
class _Parts:
    """The parts of a container, unpacked up to a bound for all of them."""

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


def _said(element: etree._Element, tag: str) -> str:
    return "".join(t.text or "" for t in element.iter(f"{{*}}{tag}"))


def _workbook(file: BinaryIO) -> Texts:
    """The cells of each sheet: words, and numbers that are as long as a mobile number."""
    parts = _Parts(file)
    shared = [_said(si, "t") for name in parts.names(r"xl/sharedStrings\.xml") for si in parts.elements(name, "si")]
    names = _sheet_names(parts)
    for n, part in enumerate(parts.names(r"xl/worksheets/sheet\d+\.xml")):
        title = names[n] if n < len(names) else str(n + 1)
        for cell in parts.elements(part, "c"):
            if words := _cell(cell, shared):
                yield f"工作表“{title}”{_place(cell.get('r') or '')}", words
    for part in parts.names(r"xl/comments\d*\.xml"):
        for comment in parts.elements(part, "comment"):
            yield f"批注{_place(comment.get('ref') or '')}", _said(comment, "t")


def _sheet_names(parts: _Parts) -> list[str]:
    """The titles of the sheets in the order of the parts that hold them, as every common programme writes them."""
    return [
        sheet.get("name") or "" for part in parts.names(r"xl/workbook\.xml") for sheet in parts.elements(part, "sheet")
    ]


def _cell(cell: etree._Element, shared: list[str]) -> str:
    value = "".join(v.text or "" for v in cell.iterchildren(_MAIN + "v", _STRICT + "v"))
    match cell.get("t"):
        case "s":
            return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
        case "inlineStr":
            return _said(cell, "t")
        case None | "n":
            return _whole(value)
        case "str":
            return value
    return ""


def _whole(value: str) -> str:
    """A number as people see it: 1.3912345678E10 is a mobile number."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return ""
    is_long = number.is_finite() and number.adjusted() == _LONGEST_NUMBER - 1 and number == int(number)
    return str(int(number)) if is_long else ""


def _place(reference: str) -> str:
    """B12 as 第 12 行第 2 列."""
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if found is None:
        return ""
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return f"第 {found[2]} 行第 {column} 列（{reference}）"


def _document(file: BinaryIO) -> Texts:
    """The paragraphs of the text, then of headers, footers, notes and comments."""
    parts = _Parts(file)
    for n, paragraph in enumerate(_paragraphs(parts, r"word/document\d*\.xml"), start=1):
        yield f"第 {n} 段", paragraph
    for words, pattern in _BESIDE.items():
        for paragraph in _paragraphs(parts, pattern):
            yield words, paragraph


_BESIDE: Mapping[str, str] = {
    "页眉": r"word/header\d*\.xml",
    "页脚": r"word/footer\d*\.xml",
    "脚注": r"word/footnotes\d*\.xml",
    "尾注": r"word/endnotes\d*\.xml",
    "批注": r"word/comments\d*\.xml",
}


def _paragraphs(parts: _Parts, pattern: str) -> Iterator[str]:
    for name in parts.names(pattern):
        for paragraph in parts.elements(name, "p"):
            yield _said(paragraph, "t")


_READERS: Mapping[str, Callable[[BinaryIO], Texts]] = {
    "txt": _lines,
    "csv": _cells,
    "xlsx": _workbook,
    "docx": _document,
}
