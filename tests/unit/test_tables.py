"""Tables that people hand in: what stands in a line arrives under its heading, and what is wrong is named."""

from __future__ import annotations

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from ledger import tables
from ledger.tables import Column, TableError, blank_table, read_table, said_of
from tests import samples
from tests.samples import Sheet

COLUMNS = (Column("name", "全称"), Column("kind", "类别"), Column("aliases", "别名", required=False))
cell = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"'), min_size=1, max_size=12)
numbers = st.integers(0, 10**9).map(str)


def as_csv(*rows: tuple[str, ...]) -> bytes:
    out = StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(*rows: tuple[object, ...]) -> bytes:
    book, out = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@given(st.lists(st.tuples(cell, cell, cell | st.just("")), max_size=6))
def test_lines_arrive_under_their_headings_from_either_kind(rows: list[tuple[str, str, str]]) -> None:
    for content in (as_csv(("类别", "Name", "备注", "别名"), *((k, n, "x", a) for n, k, a in rows)),):
        lines = read_table("表.csv", content, COLUMNS)
        assert [(one["name"], one["kind"], one["aliases"]) for one in lines] == rows
        assert [one.number for one in lines] == list(range(2, len(rows) + 2))


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_a_workbook_says_numbers_as_people_see_them(rows: list[tuple[str, str]]) -> None:
    content = as_xlsx((None,), ("全称", None, "类别"), *((int(n), None, k) for n, k in rows))
    lines = read_table("表.xlsx", content, COLUMNS)
    assert [(one["name"], one["kind"]) for one in lines] == rows
    assert lines[0].number == 3


def test_rows_that_say_nothing_are_passed_over_and_only_the_first_sheet_counts() -> None:
    book, out = Workbook(), BytesIO()
    book.active.append(["全称", "类别"])
    book.active.append([" ", None])
    book.active.append(["甲局", "党政机关"])
    book.create_sheet("可选项").append(["乙局", "企业"])
    book.save(out)
    (only,) = read_table("表.xlsx", out.getvalue(), COLUMNS)
    assert (only.number, only["name"], only["kind"], only["aliases"]) == (3, "甲局", "党政机关", "")


def test_a_table_as_chinese_spreadsheets_save_it_is_read() -> None:
    (only,) = read_table("表.csv", "全称,类别\r\n甲局,党政机关\r\n".encode("gb18030"), COLUMNS)
    assert (only["name"], only["kind"]) == ("甲局", "党政机关")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "是空的，第一行应为：全称、类别"),
        (as_csv(("全称",)), "缺少列：类别"),
        (as_csv(("全称", "类别", "全称")), "有两列“全称”"),
        (as_csv(("全称", "类别"), ("甲", "乙", "丙")), "第 2 行：列数比第一行多"),
        (b"\xff\xfe\xff,\xff", "文字编码看不懂"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "旧格式的文件"),
        (b"PK\x03\x04" + bytes(100), "打不开"),
        (b"x" * (tables.MOST_BYTES + 1), "太大"),
        (as_csv(("全称", "类别"), *[("甲", "乙")] * (tables.MOST_LINES + 1)), "超过 5000 行"),
    ],
)
def test_what_is_no_table_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_table("表", content, COLUMNS)


def test_the_first_sheet_is_the_first_of_the_workbook() -> None:
    """Whatever its part is called, and though a chart stands before it; cells that do not say their place count."""
    said = '<c t="inlineStr"><is><t>{}</t></is></c>'
    rows = "".join(f"<row>{''.join(map(said.format, row))}</row>" for row in (("全称", "类别"), ("甲局", "党政机关")))
    content = samples.xlsx(
        Sheet("图", target="chartsheets/sheet1.xml", root="chartsheet"),
        Sheet("单位", rows, target="worksheets/Blatt9.xml"),
        Sheet("可选项", rows.replace("甲", "乙"), target="worksheets/sheet1.xml"),
    )
    (only,) = read_table("表.xlsx", content, COLUMNS)
    assert (only.number, only["name"], only["kind"]) == (2, "甲局", "党政机关")


@pytest.mark.parametrize(("piece", "times"), [("<c/>", 3_000_000), ('<c t="s"><v>0</v></c>', 60)])
def test_a_workbook_that_swells_is_refused(piece: str, times: int) -> None:
    """By many cells, or by few that point to a long text."""
    content = samples.xlsx(Sheet("表", f"<row>{piece * times}</row>"), shared=f"<si><t>{'全称' * 300_000}</t></si>")
    with pytest.raises(TableError, match="内容太多"):
        read_table("表.xlsx", content, COLUMNS)


def test_a_blank_table_has_the_headings_and_lists_to_choose_from_and_is_read_back() -> None:
    blank = blank_table("单位", COLUMNS, {"kind": ["党政机关", "企业"]})
    assert read_table("单位.xlsx", blank, COLUMNS) == []
    sheet = load_workbook(BytesIO(blank))["单位"]
    (rule,) = sheet.data_validations.dataValidation
    assert rule.formula1 == "可选项!$B$2:$B$3" and str(rule.sqref).startswith("B2:")


def test_many_faults_are_cut_off() -> None:
    error = TableError(said_of(dict.fromkeys(range(500), "不对。"), list(range(2, 600))))
    assert (
        len(error.faults) == tables.MOST_FAULTS + 1
        and error.faults[0] == "第 2 行：不对。"
        and error.faults[-1] == "……"
    )
