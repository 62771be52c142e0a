"""Numbers of persons in attached sheets and papers (.csv, .txt, .xlsx, .docx), each with the place named.

Only text is read, a bounded amount of it; what is larger cannot be looked through and is not taken.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import BinaryIO

from ledger.packages import MOST_BYTES, Package, Part, TooLarge, Unreadable
from ledger.rules.personal import personal_numbers
from ledger.workbooks import Margin, Place, Workbook

_LONGEST_NUMBER = 11  # digits of a mobile number: a cell that holds one as a number

Texts = Iterator[tuple[str, str]]
"""Pieces of text, each with the words that name its place."""


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
        return "内容太多，无法逐一查看是否含有身份证号、手机号码，没有留存。请拆成几个文件再传。"
    except Unreadable:
        return f"无法展开，查不出是否含有身份证号、手机号码，没有留存。请打开后另存为 {extension} 再传。"
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
def _workbook(file: BinaryIO) -> Texts:
    """Titles, cells and page headers of each sheet, then comments. Of numbers, those as long as a mobile number."""
    book = Workbook(Package(file))
    for sheet in book.sheets:
        yield f"第 {sheet.number} 个工作表的名称", sheet.title
    for sheet in book.sheets:
        here = f"工作表“{sheet.title}”"
        for found in book.read(sheet):
            if isinstance(found, Margin):
                yield f"{here}的{found.name}", found.words
                continue
            if not found.is_number or (len(found.words) == _LONGEST_NUMBER and found.words.isdecimal()):
                yield here + _place(found.place), found.words
            if found.quoted:
                yield f"{here}{_place(found.place)}的公式", found.quoted
    for place, text in book.comments():
        yield f"批注{_place(place)}", text


def _place(place: Place | None) -> str:
    return f"第 {place.row} 行第 {place.column} 列（{place.reference}）" if place else ""


_BESIDE: Mapping[str, str] = {
    "hdr": "页眉",
    "ftr": "页脚",
    "footnotes": "脚注",
    "endnotes": "尾注",
    "comments": "批注",
}
_BREAKS: Mapping[str, str] = {
    **dict.fromkeys(("tab", "ptab", "br", "cr"), "\n"),  # words on both sides of them are not one
    "noBreakHyphen": "-",
}


def _document(file: BinaryIO) -> Texts:
    """The paragraphs of the text, then of headers, footers, notes and comments."""
    package = Package(file)
    texts = package.parts("document")
    if not texts:
        raise Unreadable
    for n, paragraph in enumerate((p for part in texts for p in _paragraphs(package, part)), start=1):
        yield f"第 {n} 段", paragraph
    for part in package.parts(*_BESIDE):
        for paragraph in _paragraphs(package, part):
            yield _BESIDE[part.root], paragraph


def _paragraphs(package: Package, part: Part) -> Iterator[str]:
    """The words of each paragraph; one within another, as in a text box, comes before it."""
    open_ones: list[list[str]] = []
    for tag in package.tags(part, "p", "t", *_BREAKS, opening="p"):
        if tag.name == "p":
            if tag.opens:
                open_ones.append([])
            else:
                yield "".join(open_ones.pop())
        elif open_ones:
            open_ones[-1].append(_BREAKS.get(tag.name, tag.text))


_READERS: Mapping[str, Callable[[BinaryIO], Texts]] = {
    "txt": _lines,
    "csv": _cells,
    "xlsx": _workbook,
    "docx": _document,
}
