"""Numbers of persons inside attached sheets and papers, with the place named."""

import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment

from ledger import packages, sheet_texts
from ledger.sheet_texts import fault_of
from tests import samples
from tests.samples import BOOK, WORD, Sheet

MOBILE, IDENTITY = "139 1234 5678", "420202199001011231"
PLAIN, WITH_X = "13912345678", "11010519491231002X"


def workbook(*cells: str, shared: str = "", **more: str) -> BytesIO:
    rows = "".join(f"<row>{cell}</row>" for cell in cells)
    return BytesIO(samples.xlsx(Sheet("人员名单", rows), shared=shared, **more))


def book(*sheets: Sheet, **more: str) -> str:
    return fault_of("xlsx", BytesIO(samples.xlsx(*sheets, **more)))


def document(*paragraphs: str, **more: str) -> BytesIO:
    return BytesIO(samples.docx(*paragraphs, **more))


def inline(words: str, at: str = "") -> str:
    reference = f' r="{at}"' if at else ""
    return f'<c{reference} t="inlineStr"><is><t>{words}</t></is></c>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_of_text_names_row_and_column(encoding: str) -> None:
    file = BytesIO(f"姓名,电话,岗位\n张三,{MOBILE},联络员\n".encode(encoding))
    assert fault_of("csv", file).startswith("的第 2 行第 2 列有手机号码")
    assert fault_of("txt", file).startswith("的第 2 行有手机号码")


# ---------------------------------------------------------------- workbooks
@pytest.mark.parametrize(
    ("cell", "shared"),
    [
        ('<c r="B12" t="inlineStr"><is><t>139 1234</t><t> 5678</t></is></c>', ""),
        ('<c r="B12" t="s"><v>0</v></c>', "<si><r><t>电话13912</t></r><r><t>345678</t></r></si>"),
        ('<c r="B12"><v>13912345678</v></c>', ""),
        ('<c r="B12" t="n"><v>1.3912345678E10</v></c>', ""),
        ('<c r="B12" t="str"><f>A1</f><v>13912345678</v></c>', ""),
    ],
)
def test_a_cell_of_a_workbook_is_named(cell: str, shared: str) -> None:
    said = fault_of("xlsx", workbook(cell, shared=shared))
    assert said.startswith("的工作表“人员名单”第 12 行第 2 列（B12）有手机号码")


@pytest.mark.parametrize(
    "target",
    ["worksheets/Sheet1.xml", "worksheets/sheet.xml", "/xl/worksheets/sheet1.xml", "data/页.xml", "WORKSHEETS/one.bin"],
)
def test_a_sheet_is_read_wherever_it_stands(target: str) -> None:
    said = book(Sheet("花名册", f"<row>{inline(MOBILE, 'B3')}</row>", target=target))
    assert said.startswith("的工作表“花名册”第 3 行第 2 列（B3）有手机号码")


def test_a_sheet_has_the_title_that_the_workbook_gives_it() -> None:
    chart = Sheet("走势图", target="chartsheets/sheet1.xml", root="chartsheet")
    first, second = Sheet("汇总", target="worksheets/sheet2.xml"), Sheet("花名册", f"<row>{inline(MOBILE, 'A1')}</row>")
    for sheets in ((chart, first, second), (second, chart, first), (first, second, chart)):
        assert book(*sheets).startswith("的工作表“花名册”第 1 行第 1 列（A1）有手机号码")


def test_a_sheet_that_the_workbook_does_not_name_is_read_too() -> None:
    hidden = f"<worksheet {BOOK}><sheetData><row>{inline(MOBILE)}</row></sheetData></worksheet>"
    said = book(Sheet("汇总"), **{"xl/other/Rest.xml": hidden})
    assert said.startswith("的工作表“Rest”第 1 行第 1 列（A1）有手机号码")


def test_a_cell_that_does_not_say_its_place_is_counted() -> None:
    one, found = "<c><v>1</v></c>", inline(MOBILE)
    for rows, place in (
        (f"<row>{one}</row><row/><row>{one}{one}{found}</row>", "第 3 行第 3 列（C3）"),
        (f'<row r="7">{one}</row><row>{found}</row>', "第 8 行第 1 列（A8）"),
        (f'<row><c r="AB5"/>{found}</row>', "第 5 行第 29 列（AC5）"),
        (f'<row r="x">{one}{inline(MOBILE, "?")}</row>', "第 1 行第 2 列（B1）"),
    ):
        assert book(Sheet("名单", rows)).startswith(f"的工作表“名单”{place}有手机号码"), rows


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (f'"电话"&amp;"{PLAIN}"', True),
        (f'"电话{PLAIN}"', True),
        ('"139" &amp; "12345678"', True),
        (f'HYPERLINK("tel:{PLAIN}","拨打")', True),
        ('IF(A1="139","12345678","")', False),
        ("A13912345678+1", False),
    ],
)
def test_what_a_formula_quotes_is_read_with_and_without_a_value(formula: str, found: bool) -> None:
    for value in ("", "<v>0</v>"):
        said = book(Sheet("名单", f'<row><c r="C2"><f>{formula}</f>{value}</c></row>'))
        assert said.startswith("的工作表“名单”第 2 行第 3 列（C2）的公式有手机号码") if found else said == ""


def test_titles_and_page_headers_of_sheets_are_read() -> None:
    said = book(Sheet("汇总"), Sheet(f"张三{PLAIN}", target="worksheets/sheet2.xml"))
    assert said.startswith("的第 2 个工作表的名称有手机号码") and PLAIN not in said
    for margin, words in (("oddHeader", "页眉"), ("evenFooter", "页脚"), ("firstHeader", "页眉")):
        for text in (
            f"&amp;C联系人 {PLAIN}",
            f"&amp;L{PLAIN}",
            f"&amp;C&amp;&quot;宋体,常规&quot;&amp;12 {PLAIN}&amp;R&amp;P",
        ):
            after = f"<headerFooter><{margin}>{text}</{margin}></headerFooter>"
            assert book(Sheet("汇总", after=after)).startswith(f"的工作表“汇总”的{words}有手机号码")
    assert book(Sheet("汇总", after="<headerFooter><oddFooter>&amp;C&amp;P/&amp;N</oddFooter></headerFooter>")) == ""


@pytest.mark.parametrize("path", ["xl/comments1.xml", "xl/comments/comment1.xml", "xl/worksheets/notes.xml"])
def test_a_comment_of_a_workbook_is_read(path: str) -> None:
    said = f'<comment ref="AA3"><text><t>{IDENTITY}</t></text></comment>'
    comment = f"<comments {BOOK}><commentList>{said}</commentList></comments>"
    assert "批注第 3 行第 27 列（AA3）有身份证号" in fault_of("xlsx", workbook(**{path: comment}))
    said = f'<threadedComment ref="B2" id="x"><text>{MOBILE}</text></threadedComment>'
    comment = f"<ThreadedComments {BOOK}>{said}</ThreadedComments>"
    assert "批注第 2 行第 2 列（B2）有手机号码" in fault_of("xlsx", workbook(**{path: comment}))


def test_what_a_programme_for_sheets_writes_is_read() -> None:
    def said(change: str) -> str:
        made, out = Workbook(), BytesIO()
        made.create_chartsheet("图", 0)
        sheet = made.worksheets[0]
        match change:
            case "cell":
                sheet["B3"] = PLAIN
            case "number":
                sheet["B3"] = int(PLAIN)
            case "formula":
                sheet["B3"] = f'="电话"&"{PLAIN}"'
            case "comment":
                sheet["B3"].comment = Comment(PLAIN, "甲")
            case "footer":
                sheet.oddFooter.center.text = PLAIN
            case "title":
                sheet.title = PLAIN
        made.save(out)
        return fault_of("xlsx", out)

    here = "的工作表“Sheet”第 3 行第 2 列（B3）"
    assert said("nothing") == ""
    assert said("cell").startswith(f"{here}有") and said("number").startswith(f"{here}有")
    assert said("formula").startswith(f"{here}的公式有")
    assert said("comment").startswith("的批注第 3 行第 2 列（B3）有")
    assert said("footer").startswith("的工作表“Sheet”的页脚有")
    assert said("title").startswith("的第 2 个工作表的名称有")


def test_a_workbook_of_which_a_sheet_cannot_be_read_is_not_taken() -> None:
    gone = Sheet("花名册", target="worksheets/sheet2.xml", root="unknown")
    for sheets in ((gone,), (Sheet("汇总"), gone)):
        assert "另存为 xlsx" in book(*sheets)
    assert "另存为 xlsx" in fault_of("xlsx", BytesIO(samples.package({"xl/workbook.xml": f"<workbook {BOOK}/>"})))
    assert book(Sheet("汇总"), **{"xl/drawings/vmlDrawing1.vml": "<xml><br></xml>"}) == ""


# ---------------------------------------------------------------- papers
def test_a_paragraph_is_named_whatever_its_runs() -> None:
    runs = "".join(f"<w:r><w:t>{part}</w:t></w:r>" for part in (IDENTITY[:5], IDENTITY[5:16], IDENTITY[16:]))
    assert fault_of("docx", document("<w:r><w:t>进展</w:t></w:r>", runs)).startswith("的第 2 段有身份证号")
    footer = f"<w:ftr {WORD}><w:p><w:r><w:t>{MOBILE}</w:t></w:r></w:p></w:ftr>"
    for path in ("word/footer2.xml", "word/parts/foot.xml"):
        assert fault_of("docx", document(**{path: footer})).startswith("的页脚有手机号码")


@pytest.mark.parametrize("between", ["<w:tab/>", "<w:br/>", "<w:cr/>", '<w:br w:type="page"/>', "<w:ptab/>"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("张三", "45", PLAIN), "手机号码"),
        ((PLAIN, "13987654321"), "手机号码"),
        ((PLAIN, "45"), "手机号码"),
        (("1", WITH_X, "45"), "身份证号"),
        ((IDENTITY, PLAIN), "身份证号"),
        (("156", "1234", "5678"), ""),
    ],
)
def test_tabs_and_line_breaks_separate_words(between: str, words: tuple[str, ...], found: str) -> None:
    run = between.join(f"<w:t>{word}</w:t>" for word in words)
    said = fault_of("docx", document(f"<w:r>{run}</w:r>"))
    assert said.startswith(f"的第 1 段有{found}") if found else said == ""


def test_a_hyphen_that_does_not_break_joins_groups() -> None:
    assert fault_of("docx", document("<w:r><w:t>139</w:t><w:noBreakHyphen/><w:t>12345678</w:t></w:r>")) != ""


def test_a_text_box_is_a_paragraph_of_its_own() -> None:
    box = f"<w:r><w:txbxContent><w:p><w:r><w:t>{PLAIN}</w:t></w:r></w:p></w:txbxContent></w:r>"
    said = fault_of("docx", document(f"<w:r><w:t>1</w:t></w:r>{box}<w:r><w:t>2</w:t></w:r>"))
    assert said.startswith("的第 1 段有手机号码")


# ---------------------------------------------------------------- both
def test_what_holds_no_such_number_is_taken() -> None:
    cells = '<c r="A1"><v>139123.45678</v></c>', '<c r="A2"><v>20250630</v></c>', '<c r="A3" t="b"><v>1</v></c>'
    assert fault_of("xlsx", workbook(*cells)) == ""
    assert fault_of("docx", document("<w:r><w:t>电话 0714-6512345，累计 1,200 人</w:t></w:r>")) == ""
    assert fault_of("csv", BytesIO("单位,累计\n市人社局,1200\n".encode())) == ""
    assert fault_of("pdf", BytesIO(MOBILE.encode())) == ""


def test_what_cannot_be_looked_through_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "无法展开" in fault_of("xlsx", BytesIO(b"PK\x03\x04 no archive"))
    assert "无法展开" in fault_of("docx", BytesIO(samples.package({"word/document.xml": "<w:p>"})))
    assert "无法展开" in fault_of("docx", BytesIO(samples.package({"word/document.xml": "no XML"})))
    assert "无法展开" in fault_of("xlsx", workbook(f'<c t="s"><v>{"9" * 5000}</v></c><x')), (
        "digits without end, and a break"
    )
    for module in (sheet_texts, packages):
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
    assert "内容太多" in fault_of("docx", document("<w:r><w:t>" + "进展" * 5000 + "</w:t></w:r>"))
    assert "内容太多" in fault_of("csv", BytesIO(b"a,b\n" * 500))


def test_an_entity_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(IDENTITY)
    bomb = (
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><w:document {WORD}><w:p><w:t>&x;</w:t></w:p></w:document>'
    )
    assert "无法展开" in fault_of("docx", BytesIO(samples.package({"word/document.xml": bomb})))


@given(st.binary(max_size=400), st.sampled_from(("csv", "txt", "xlsx", "docx")))
def test_any_bytes_are_answered(data: bytes, extension: str) -> None:
    assert isinstance(fault_of(extension, BytesIO(data)), str)


# ---------------------------------------------------------------- what swells
_MEASURED = """
import json, resource, sys
from io import BytesIO
from ledger import sheet_texts
def most(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
file = open(sys.argv[2], "rb")
before = most()
said = sheet_texts.fault_of(sys.argv[1], file)
print(json.dumps([said, most() - before]))
"""
MEGA = 1024 * 1024
SWELLING = {
    "cells": ("xlsx", "xl/worksheets/sheet1.xml", ("<worksheet><sheetData>", "<c/>", 15 * MEGA)),
    "strings": ("xlsx", "xl/sharedStrings.xml", ("<sst>", "<si/>", 12 * MEGA)),
    "remarks": ("xlsx", "xl/worksheets/sheet1.xml", ("<worksheet>", "<!---->", 10 * MEGA)),
    "paragraphs": ("docx", "word/document.xml", ("<document>", "<p/>", 15 * MEGA)),
    "runs": ("docx", "word/document.xml", ("<document><p>", "<t/>", 15 * MEGA)),
    "depth": ("docx", "word/document.xml", ("<document>", "<p>", 20 * MEGA)),
    "attributes": ("docx", "word/document.xml", ("<document ", "a", 60 * MEGA)),
}


@pytest.mark.parametrize("case", SWELLING)
def test_a_small_file_that_swells_is_refused_in_little_memory(case: str, tmp_path: Path) -> None:
    """Such files took gigabytes before."""
    extension, part, (start, piece, times) = SWELLING[case]
    if extension == "xlsx":
        points = Sheet("a", '<row><c t="s"><v>0</v></c></row>', target="worksheets/sheet0.xml")
        content = samples.xlsx(points, **{part: start + piece * times})
    else:
        content = samples.package({part: start + piece * times})
    assert len(content) < 200_000
    file = tmp_path / f"file.{extension}"
    file.write_bytes(content)
    asked = [sys.executable, "-c", _MEASURED, extension, str(file)]
    said, grown = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)
    assert "内容太多" in said
    assert grown < 64, f"{grown} MB"


def test_a_text_to_which_many_cells_point_is_counted_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, cells = f"<si><t>{'进展' * 500}</t></si>", '<c t="s"><v>0</v></c>' * 200
    monkeypatch.setattr(packages, "MOST_BYTES", 100_000)
    assert "内容太多" in fault_of("xlsx", workbook(cells, shared=shared))
    assert fault_of("xlsx", workbook(cells[: len(cells) // 4], shared=shared)) == ""


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_what_can_be_unpacked_piece_by_piece_is_unpacked(method: int) -> None:
    """A few kilobytes packed otherwise are gigabytes before anybody can count."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("word/document.xml", f"<w:document {WORD}><w:p><w:t>进展</w:t></w:p></w:document>")
    assert "无法展开" in fault_of("docx", file)
