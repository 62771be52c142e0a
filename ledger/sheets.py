"""A sheet (.xlsx) of the ledger, exactly as its page shows it, written line by line in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import xlsxwriter

from ledger.queries.columns import Column
from ledger.queries.ledger import Line

_MADE_OF = {
    "constant_memory": True,
    "strings_to_formulas": False,  # what people wrote is text, whatever it begins with
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write_sheet(path: Path, title: str, columns: Sequence[Column], lines: Iterable[Line]) -> None:
    """One worksheet: a frozen header, real dates, columns as wide as their contents want."""
    book = xlsxwriter.Workbook(str(path), _MADE_OF)
    plain = book.add_format({"font_size": 10, "valign": "top", "text_wrap": True})
    head = book.add_format({"font_size": 10, "bold": True, "bottom": 1, "valign": "vcenter"})
    day = book.add_format({"font_size": 10, "valign": "top", "num_format": "yyyy-mm-dd", "align": "left"})
    sheet = book.add_worksheet("台账")
    book.set_properties({"title": title})
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for n, column in enumerate(columns):
        sheet.set_column(n, n, column.width)
        sheet.write_string(0, n, column.words, head)
    for row, line in enumerate(lines, start=1):
        for n, column in enumerate(columns):
            match column.value(line):
                case None | "":
                    sheet.write_blank(row, n, None, plain)
                case str(words):
                    sheet.write_string(row, n, words, plain)
                case date() as when:
                    sheet.write_datetime(row, n, when, day)
                case number:
                    sheet.write_number(row, n, number, plain)
    book.close()
