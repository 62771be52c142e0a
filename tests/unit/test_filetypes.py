"""Kinds of files: the content must be what the extension says."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.filetypes import ARCHIVES, HEAD, IMAGES, KINDS, SHOWN, is_what_it_says
from tests import samples

GOOD = {
    "pdf": samples.pdf(),
    "ofd": samples.zipped("OFD.xml", "Doc_0/Document.xml"),
    "docx": samples.docx(),
    "xlsx": samples.xlsx(),
    "pptx": samples.pptx(),
    **dict.fromkeys(("doc", "xls", "ppt", "wps", "et", "dps"), samples.OLE),
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


@pytest.mark.parametrize("disguised", [samples.EXE, samples.HTML, samples.zipped("run.js"), b"", bytes(5000)])
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"txt", "csv"}))
def test_what_is_something_else_is_not_taken(kind: str, disguised: bytes) -> None:
    assert not is_what_it_says(kind, BytesIO(disguised))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_passes_for_one_of_another_family(kind: str) -> None:
    families = [{"doc", "xls", "ppt", "wps", "et", "dps"}, {"jpg", "jpeg"}]
    own = next((f for f in families if kind in f), {kind})
    plain = {"txt", "csv"}  # whatever is written in letters alone, a small PDF too, may be saved as text
    assert {k for k in KINDS if is_what_it_says(k, BytesIO(GOOD[kind]))} - plain == own - plain


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
