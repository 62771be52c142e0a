"""A sheet (.xlsx) of the ledger, exactly as its page shows it, written line by line in little memory."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import NamedTuple

import xlsxwriter

Value = str | int | float | date | None
Row = Sequence[Value]

AT_ONCE = 500  # rows that are handed over together
_MADE_OF = {
    "constant_memory": True,
    "strings_to_formulas": False,  # what people wrote is text, whatever it begins with
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_processes = get_context("spawn")  # a fork would take threads' locks and database connections along


class Head(NamedTuple):
    """The head of a column; `width` in characters."""

    words: str
    width: int


def write_sheet(path: Path, title: str, heads: Sequence[Head], rows: Iterable[Row]) -> None:
    """One worksheet: a frozen header, real dates, columns as wide as their contents want."""
    book = xlsxwriter.Workbook(str(path), _MADE_OF)
    plain = book.add_format({"font_size": 10, "valign": "top", "text_wrap": True})
    bold = book.add_format({"font_size": 10, "bold": True, "bottom": 1, "valign": "vcenter"})
    day = book.add_format({"font_size": 10, "valign": "top", "num_format": "yyyy-mm-dd", "align": "left"})
    sheet = book.add_worksheet("台账")
    book.set_properties({"title": title})
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for n, head in enumerate(heads):
        sheet.set_column(n, n, head.width)
        sheet.write_string(0, n, head.words, bold)
    for at, row in enumerate(rows, start=1):
        for n, value in enumerate(row):
            match value:
                case None | "":
                    sheet.write_blank(at, n, None, plain)
                case str(words):
                    sheet.write_string(at, n, words, plain)
                case date() as when:
                    sheet.write_datetime(at, n, when, day)
                case number:
                    sheet.write_number(at, n, number, plain)
    book.close()


def write_apart(path: Path, title: str, heads: Sequence[Head], rows: Iterable[Row]) -> None:
    """The same by a process of its own, which writes some rows while the next ones are worked out here.

    Raises: ChildProcessError where that process was killed; else what stood in its way.
    """
    here, there = _processes.Pipe()
    writer = _processes.Process(target=_written, args=(there, path, title, heads), daemon=True)
    writer.start()
    there.close()
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # it says below why it has ended
            _hand_over(here, rows)
        failed = here.recv()
    except (EOFError, ConnectionResetError):
        raise ChildProcessError("the process that wrote the sheet was ended") from None
    finally:
        here.close()
        writer.join()
    if failed is not None:
        raise failed


def _hand_over(pipe: Pipe, rows: Iterable[Row]) -> None:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        pipe.send(some)
    pipe.send([])


def _written(pipe: Pipe, path: Path, title: str, heads: Sequence[Head]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever hands the rows over decides when to stop
    try:
        write_sheet(path, title, heads, _handed_over(pipe))
    except Exception as failed:
        with suppress(OSError):
            pipe.send(failed)
    else:
        pipe.send(None)


def _handed_over(pipe: Pipe) -> Iterator[Row]:
    while some := pipe.recv():
        yield from some
