"""Numbers of persons in attached sheets and papers (.csv, .txt, .xlsx, .docx), each with the place named.

Only text is read, a bounded amount of it; what is larger cannot be looked through and is not taken.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import BinaryIO

from ledger.rules.personal import personal_numbers
from ledger.workbooks import MOST_BYTES, Parts, TooLarge, cells, place_of, said

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
def _workbook(file: BinaryIO) -> Texts:
    """The cells of each sheet: words, and numbers that are as long as a mobile number."""
    parts = Parts(file)
    for cell in cells(parts):
        if not cell.is_number or (len(cell.words) == _LONGEST_NUMBER and cell.words.isdecimal()):
            yield f"工作表“{cell.sheet}”{_place(cell.reference)}", cell.words
    for part in parts.names(r"xl/comments\d*\.xml"):
        for comment in parts.elements(part, "comment"):
            yield f"批注{_place(comment.get('ref') or '')}", said(comment, "t")


def _place(reference: str) -> str:
    row, column = place_of(reference)
    return f"第 {row} 行第 {column} 列（{reference}）" if row else ""


def _document(file: BinaryIO) -> Texts:
    """The paragraphs of the text, then of headers, footers, notes and comments."""
    parts = Parts(file)
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


def _paragraphs(parts: Parts, pattern: str) -> Iterator[str]:
    for name in parts.names(pattern):
        for paragraph in parts.elements(name, "p"):
            yield said(paragraph, "t")


_READERS: Mapping[str, Callable[[BinaryIO], Texts]] = {
    "txt": _lines,
    "csv": _cells,
    "xlsx": _workbook,
    "docx": _document,
}
