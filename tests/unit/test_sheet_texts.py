"""Numbers of persons inside attached sheets and papers, with the place named."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import sheet_texts, workbooks
from ledger.sheet_texts import fault_of

MOBILE, IDENTITY = "139 1234 5678", "420202199001011231"
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def packed(**parts: str) -> BytesIO:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file


def workbook(*cells: str, shared: str = "", **more: str) -> BytesIO:
    rows = "".join(f"<row>{cell}</row>" for cell in cells)
    return packed(
        **{
            "xl/workbook.xml": f'<workbook {_S}><sheets><sheet name="人员名单" sheetId="1"/></sheets></workbook>',
            "xl/sharedStrings.xml": f"<sst {_S}>{shared}</sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {_S}><sheetData>{rows}</sheetData></worksheet>",
        },
        **more,
    )


def document(*paragraphs: str, **more: str) -> BytesIO:
    body = "".join(f"<w:p>{p}</w:p>" for p in paragraphs)
    return packed(**{"word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>"}, **more)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_of_text_names_row_and_column(encoding: str) -> None:
    file = BytesIO(f"姓名,电话,岗位\n张三,{MOBILE},联络员\n".encode(encoding))
    assert fault_of("csv", file).startswith("的第 2 行第 2 列有手机号码")
    assert fault_of("txt", file).startswith("的第 2 行有手机号码")


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


def test_a_comment_of_a_workbook_is_read() -> None:
    said = f'<comment ref="AA3"><text><t>{IDENTITY}</t></text></comment>'
    comment = f"<comments {_S}><commentList>{said}</commentList></comments>"
    assert "批注第 3 行第 27 列（AA3）有身份证号" in fault_of("xlsx", workbook(**{"xl/comments1.xml": comment}))


def test_a_paragraph_is_named_whatever_its_runs() -> None:
    runs = "".join(f"<w:r><w:t>{part}</w:t></w:r>" for part in (IDENTITY[:5], IDENTITY[5:16], IDENTITY[16:]))
    assert fault_of("docx", document("<w:r><w:t>进展</w:t></w:r>", runs)).startswith("的第 2 段有身份证号")
    footer = f"<w:ftr {_W}><w:p><w:r><w:t>{MOBILE}</w:t></w:r></w:p></w:ftr>"
    assert fault_of("docx", document(**{"word/footer2.xml": footer})).startswith("的页脚有手机号码")


def test_what_holds_no_such_number_is_taken() -> None:
    cells = '<c r="A1"><v>139123.45678</v></c>', '<c r="A2"><v>20250630</v></c>', '<c r="A3" t="b"><v>1</v></c>'
    assert fault_of("xlsx", workbook(*cells)) == ""
    assert fault_of("docx", document("<w:r><w:t>电话 0714-6512345，累计 1,200 人</w:t></w:r>")) == ""
    assert fault_of("csv", BytesIO("单位,累计\n市人社局,1200\n".encode())) == ""
    assert fault_of("pdf", BytesIO(MOBILE.encode())) == ""


def test_what_cannot_be_looked_through_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "无法展开" in fault_of("xlsx", BytesIO(b"PK\x03\x04 no archive"))
    assert "无法展开" in fault_of("docx", packed(**{"word/document.xml": "<w:p>"}))
    for module in (sheet_texts, workbooks):
        monkeypatch.setattr(module, "MOST_BYTES", 1000)
    assert "内容太多" in fault_of("docx", document("<w:r><w:t>" + "进展" * 5000 + "</w:t></w:r>"))
    assert "内容太多" in fault_of("csv", BytesIO(b"a,b\n" * 500))


def test_an_entity_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(IDENTITY)
    bomb = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><w:document {_W}><w:p><w:t>&x;</w:t></w:p></w:document>'
    assert "身份证号有" not in fault_of("docx", packed(**{"word/document.xml": bomb}))
    assert "的第 1 段" not in fault_of("docx", packed(**{"word/document.xml": bomb}))


@given(st.binary(max_size=400), st.sampled_from(("csv", "txt", "xlsx", "docx")))
def test_any_bytes_are_answered(data: bytes, extension: str) -> None:
    assert isinstance(fault_of(extension, BytesIO(data)), str)
