"""Tables that people hand in (.xlsx, .csv): a line for each row, its cells by the headings of the first row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from ledger.packages import Package, TooLarge, Unreadable
from ledger.rules.texts import as_seen
from ledger.workbooks import Cell, Place, Workbook

MOST_BYTES = 2_000_000
MOST_LINES = 5_000
_MOST_UNPACKED = 16_000_000
MOST_FAULTS = 100
_WIDEST = 60  # columns

Row = tuple[int, Sequence[str]]


class TableError(ValueError):
    """A table that is not taken; `faults` are sentences for whoever made it, one for each line."""

    def __init__(self, faults: Sequence[str]) -> None:
        more = ["……"] if len(faults) > MOST_FAULTS else []
        self.faults = [*faults[:MOST_FAULTS], *more]
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True)
class Column:
    """A column by its key and its heading; either may stand in the first row."""

    key: str
    heading: str
    required: bool = True


@dataclass(frozen=True)
class Line:
    """A row that says something, with its number in the table."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.cells.get(key, "")


def read_table(name: str, content: bytes, columns: Sequence[Column]) -> list[Line]:
    """The lines below the headings of a table; of a workbook, of its first sheet. Raises: TableError."""
    if len(content) > MOST_BYTES:
        raise TableError([f"{name} 太大，请拆成几份，每份不超过 {MOST_BYTES // 1_000_000} MB。"])
    rows = (row for row in _rows(name, content) if any(row[1]))
    head = next(rows, None)
    if head is None:
        raise TableError([f"{name} 是空的，第一行应为：{_headings(columns)}。"])
    places = _places(name, head[1], columns)
    lines, faults = [], []
    for number, row in rows:
        if any(row[len(head[1]) :]):
            faults.append(f"第 {number} 行：列数比第一行多，请检查逗号和引号。")
        lines.append(Line(number, {key: row[n] for key, n in places.items() if n < len(row)}))
        if len(lines) > MOST_LINES:
            raise TableError([f"{name} 超过 {MOST_LINES} 行，请拆成几份。"])
    if faults:
        raise TableError(faults)
    return lines


def said_of(reasons: Mapping[int, str], numbers: Sequence[int]) -> list[str]:
    """What is wrong with lines (counted from 0), by the numbers they have in the table."""
    return [f"第 {numbers[n]} 行：{why}" for n, why in sorted(reasons.items())]


def blank_table(title: str, columns: Sequence[Column], choices: Mapping[str, Sequence[str]]) -> bytes:
    """A workbook to be filled in: the headings, and lists to choose from (`choices`, by a column's key)."""
    file = BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet, lists = book.add_worksheet(title), book.add_worksheet("可选项")
    head = book.add_format({"bold": True, "bottom": 1})
    as_text = book.add_format({"num_format": "@"})  # an account of digits keeps its zeros
    sheet.freeze_panes(1, 0)
    for n, column in enumerate(columns):
        words = choices.get(column.key, ())
        sheet.set_column(n, n, 24, as_text)
        sheet.write_string(0, n, column.heading, head)
        lists.write_string(0, n, column.heading, head)
        for row, word in enumerate(words, start=1):
            lists.write_string(row, n, word)
        if words:
            source = f"=可选项!{xl_rowcol_to_cell(1, n, True, True)}:{xl_rowcol_to_cell(len(words), n, True, True)}"
            sheet.data_validation(1, n, MOST_LINES, n, {"validate": "list", "source": source, "error_type": "warning"})
    book.close()
    return file.getvalue()


def _headings(columns: Iterable[Column]) -> str:
    return "、".join(c.heading for c in columns if c.required)


def _places(name: str, head: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Where each column stands."""
    found: dict[str, int] = {}
    for n, words in enumerate(head):
        key = next((c.key for c in columns if words.lower() in (c.key, c.heading)), None)
        if key in found:
            raise TableError([f"{name} 有两列“{as_seen(words)[:40]}”，请删去一列。"])
        if key is not None:
            found[key] = n
    if missing := [c for c in columns if c.required and c.key not in found]:
        raise TableError([f"{name} 缺少列：{_headings(missing)}。第一行应为：{_headings(columns)}。"])
    return found


def _rows(name: str, content: bytes) -> Iterator[Row]:
    if content.startswith(b"PK\x03\x04"):
        return _of_workbook(name, content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError([f"{name} 是旧格式的文件（.xls、.doc 一类），请在表格软件里另存为 .xlsx。"])
    return _of_text(name, content)


def _decoded(name: str, content: bytes) -> str:
    """UTF-8, or what Chinese spreadsheets call CSV: GB 18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError([f"{name} 的文字编码看不懂，请在表格软件里另存为“CSV UTF-8”或 .xlsx。"])


def _of_text(name: str, content: bytes) -> Iterator[Row]:
    text = _decoded(name, content)
    if "\0" in text:
        raise TableError([f"{name} 里有空字节，不是 CSV 文件，请重新导出。"])
    reader = csv.reader(text.splitlines(keepends=True))
    try:
        for row in reader:
            yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error:
        raise TableError([f"{name} 第 {reader.line_num + 1} 行不是 CSV 的写法，请重新导出。"]) from None


def _of_workbook(name: str, content: bytes) -> Iterator[Row]:
    """The rows of the first sheet that has any."""
    row: list[str] = []
    number = 0
    try:
        for place, words in _first_cells(Workbook(Package(BytesIO(content), _MOST_UNPACKED))):
            if place.row != number:
                if row:
                    yield number, row
                row, number = [], place.row
            if 0 < place.column <= _WIDEST:
                row.extend([""] * (place.column - len(row)))
                row[place.column - 1] = words.strip()
    except TooLarge:
        raise TableError([f"{name} 内容太多，请拆成几份。"]) from None
    except Unreadable:
        raise TableError([f"{name} 打不开，请用表格软件另存为 .xlsx 后再试。"]) from None
    if row:
        yield number, row


def _first_cells(book: Workbook) -> Iterator[tuple[Place, str]]:
    for sheet in book.sheets:
        found = False
        for one in book.read(sheet):
            if isinstance(one, Cell):
                found = True
                yield one.place, one.words
        if found:
            break
