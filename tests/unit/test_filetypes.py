"""Kinds of files: the content must be what the extension says."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.containers import TAIL
from ledger.rules.filetypes import ARCHIVES, HEAD, IMAGES, KINDS, SHOWN, is_what_it_says
from tests import samples

GOOD = {
    "pdf": samples.pdf(),
    "ofd": samples.zipped("OFD.xml", "Doc_0/Document.xml"),
    "docx": samples.docx(),
    "xlsx": samples.xlsx(),
    "pptx": samples.pptx(),
    **dict.fromkeys(("doc", "wps"), samples.ole("1Table", "WordDocument", "\x05SummaryInformation")),
    **dict.fromkeys(("xls", "et"), samples.ole("\x05SummaryInformation", "Workbook")),
    **dict.fromkeys(("ppt", "dps"), samples.ole("Current User", "PowerPoint Document")),
    "jpg": samples.JPEG,
    "jpeg": samples.JPEG,
    "png": samples.png(8, 8),
    "heic": samples.HEIC,
    "txt": "已走访三所高校。\r\n".encode("gb18030"),
    "csv": "单位,数\n市人社局,3\n".encode("utf-8-sig"),
}


def test_every_kind_is_known_by_an_example() -> None:
    assert GOOD.keys() == KINDS.keys()
    assert {kind for kind, content in GOOD.items() if not is_what_it_says(kind, BytesIO(content))} == set()


@pytest.mark.parametrize(
    "disguised", [samples.EXE, samples.HTML, samples.zipped("run.js"), samples.MSI, b"", bytes(5000)]
)
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"txt", "csv"}))
def test_what_is_something_else_is_not_taken(kind: str, disguised: bytes) -> None:
    assert not is_what_it_says(kind, BytesIO(disguised))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_passes_for_one_of_another_family(kind: str) -> None:
    families = [{"doc", "wps"}, {"xls", "et"}, {"ppt", "dps"}, {"jpg", "jpeg"}]
    own = next((f for f in families if kind in f), {kind})
    plain = {"txt", "csv"}  # whatever is written in letters alone, a small PDF too, may be saved as text
    assert {k for k in KINDS if is_what_it_says(k, BytesIO(GOOD[kind]))} - plain == own - plain


@pytest.mark.parametrize(
    "part",
    ["evil.exe", "word/media/setup.MSI", "word/embeddings/a.zip", "word/b.7z", "xl\\vbaProject.bin", "a\nb.bat. "],
)
def test_a_document_that_carries_a_program_a_macro_or_an_archive_is_not_taken(part: str) -> None:
    taken = ("word/document.xml", "word/embeddings/Microsoft_Excel_Sheet.xlsx", "word/embeddings/oleObject1.bin")
    assert is_what_it_says("docx", BytesIO(samples.zipped("[Content_Types].xml", *taken)))
    assert not is_what_it_says("docx", BytesIO(samples.zipped("[Content_Types].xml", *taken, part)))
    assert not is_what_it_says("xlsx", BytesIO(samples.zipped("[Content_Types].xml", "xl/workbook.xml", part)))
    assert not is_what_it_says("ofd", BytesIO(samples.zipped("OFD.xml", part)))


def test_only_the_directory_of_a_zip_file_is_read() -> None:
    """What is packed may be damaged, or swell to anything; a directory of a million names is no document's."""
    pictures = BytesIO()
    with zipfile.ZipFile(pictures, "w") as archive:
        archive.writestr("word/media/image1.png", bytes(3 * TAIL))
        archive.writestr("word/document.xml", "x" * 5000)
        archive.writestr("[Content_Types].xml", "x")
    content = bytearray(pictures.getvalue())
    content[100 : 2 * TAIL] = b"\xff" * (2 * TAIL - 100)
    assert is_what_it_says("docx", BytesIO(bytes(content)))
    many = samples.zipped("[Content_Types].xml", "word/document.xml", *(f"word/{n}{'x' * 80}" for n in range(5000)))
    assert not is_what_it_says("docx", BytesIO(many))


def test_an_ole_file_is_known_by_what_stands_at_its_root() -> None:
    assert is_what_it_says("xls", BytesIO(samples.ole("Book")))
    assert not is_what_it_says("doc", BytesIO(samples.ole("Workbook", deep="WordDocument")))
    assert not is_what_it_says("doc", BytesIO(samples.ole()))


def test_the_directory_of_a_large_ole_file_is_found() -> None:
    assert is_what_it_says("doc", BytesIO(samples.ole(*(f"S{n}" for n in range(40)), "WordDocument", large=40_000)))


@pytest.mark.parametrize("kind", ["doc", "docx"])
@given(data=st.data())
def test_a_broken_directory_gets_an_answer(kind: str, data: st.DataObject) -> None:
    content = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from((0, 1, 127, 254, 255)))
    cut = data.draw(st.integers(0, len(content)))
    assert is_what_it_says(kind, BytesIO(bytes(content[:cut]))) in (True, False)


def test_a_chain_of_sectors_that_bites_its_tail_is_left() -> None:
    content = bytearray(samples.ole("WordDocument", large=2))
    content[512 * 4 : 512 * 5] = struct.pack("<I", 2) * 128
    assert is_what_it_says("doc", BytesIO(bytes(content)))
    content[68:72] = struct.pack("<I", 3)
    assert not is_what_it_says("xls", BytesIO(bytes(content)))


@pytest.mark.parametrize("content", [samples.EXE, b"\x00\x01\x02", b"ab\x1b[31m", b"\xff\xff\xff\xff"])
def test_what_is_no_text_is_not_taken_as_text(content: bytes) -> None:
    assert not is_what_it_says("txt", BytesIO(content))


@given(st.text(alphabet=st.characters(codec="gb18030", exclude_categories=["Cc"]), min_size=1), st.integers(0, 9))
def test_text_is_text_wherever_the_head_is_cut(words: str, shift: int) -> None:
    for encoding in ("utf-8", "gb18030"):
        content = b"x" * shift + (words * (HEAD // len(words.encode(encoding)) + 2)).encode(encoding)
        assert is_what_it_says("txt", BytesIO(content))


@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(content: bytes) -> None:
    assert {is_what_it_says(kind, BytesIO(content)) for kind in KINDS} <= {True, False}


def test_nothing_that_a_browser_runs_is_shown() -> None:
    assert {"image/jpeg", "image/png", "application/pdf"} == SHOWN
    assert IMAGES < SHOWN
    assert not ARCHIVES & KINDS.keys()
