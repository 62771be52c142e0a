"""Files as offices make them, as small as they can be: each has what its kind is known by, and opens."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

BOOK = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook: its title, the XML of its rows and of what follows them, and where it stands."""

    title: str
    rows: str = ""
    after: str = ""
    target: str = "worksheets/sheet1.xml"
    root: str = "worksheet"

    @property
    def part(self) -> str:
        return self.target.lstrip("/") if self.target.startswith("/") else f"xl/{self.target}"


def pdf(words: str = "ok", padding: int = 0) -> bytes:
    """One page that says something; padding stands in a comment before its end."""
    stream = f"BT /F1 24 Tf 40 700 Td ({words}) Tj ET".encode()
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    made, places = bytearray(b"%PDF-1.4\n"), []
    for n, part in enumerate(parts, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (n, part)
    made += b"%" + b"x" * padding + b"\n"
    start = len(made)
    made += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(made + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)


def png(width: int = 320, height: int = 240, colour: tuple[int, int, int] = (31, 107, 117)) -> bytes:
    """A picture of one colour with a lighter band."""
    light = bytes(min(255, c + 90) for c in colour)
    rows = b"".join(b"\0" + (light if height // 3 < y < height // 2 else bytes(colour)) * width for y in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def zipped(*names: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "<x>" + "<x/>" * 50 + "</x>")
    return made.getvalue()


def package(parts: Mapping[str, str | bytes]) -> bytes:
    """A container with these parts."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def docx(*paragraphs: str, **more: str) -> bytes:
    """A text of these paragraphs, each the XML of its runs; `more` are other parts."""
    body = "".join(f"<w:p>{p}</w:p>" for p in paragraphs)
    return package({"word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>", **more})


def xlsx(*sheets: Sheet, shared: str = "", **more: str) -> bytes:
    """A workbook of these sheets, one that is empty if none is given."""
    sheets = sheets or (Sheet("Sheet1"),)
    named = "".join(f'<sheet name="{s.title}" sheetId="{n}" r:id="rId{n}"/>' for n, s in enumerate(sheets, 1))
    targets = "".join(f'<Relationship Id="rId{n}" Target="{s.target}"/>' for n, s in enumerate(sheets, 1))
    parts: dict[str, str] = {
        "xl/workbook.xml": f'<workbook {BOOK} xmlns:r="r"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships>{targets}</Relationships>",
        "xl/sharedStrings.xml": f"<sst {BOOK}>{shared}</sst>",
    }
    for s in sheets:
        content = f"<sheetData>{s.rows}</sheetData>" if s.root == "worksheet" else ""
        parts[s.part] = f"<{s.root} {BOOK}>{content}{s.after}</{s.root}>"
    return package({**parts, **more})


def pptx() -> bytes:
    return zipped("[Content_Types].xml", "ppt/presentation.xml")


def ole(*streams: str, large: int = 0, deep: str = "") -> bytes:
    """A compound file whose root holds these empty streams, and a folder with the stream `deep`.

    `large` sectors lie before the directory, so that its chain is told by a table that the header has no room for.
    """
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    names = ["Root Entry", *streams, *(["Folder", deep] if deep else [])]
    entries = b""
    for n, name in enumerate(names):
        last = n == len(names) - (2 if deep else 1)
        right = free if last or n == 0 or name == deep else n + 1
        child = 1 if n == 0 else len(names) - 1 if name == "Folder" else free
        written = name.encode("utf-16-le") + b"\0\0"
        kind = 5 if n == 0 else 1 if name == "Folder" else 2
        entries += struct.pack("<64sHBB3I", written, len(written), kind, 1, free, right, child) + bytes(48)
    entries += bytes(-len(entries) % 512)
    directory = [large + n for n in range(len(entries) // 512)]
    chained = [end] * large + [n + 1 for n in directory[:-1]] + [end]
    tables = len(chained) // 128 + 1
    lists = -(-max(0, tables - 109) // 127)
    fat = struct.pack(f"<{tables * 128}I", *chained, *([free] * (tables * 128 - len(chained))))
    first = len(chained)
    places = [first + n for n in range(tables)] + [free] * (109 + 127 * lists - tables)
    begin = first + tables
    links = [*(begin + n for n in range(1, lists)), end]
    more = b"".join(struct.pack("<128I", *places[109 + 127 * n : 236 + 127 * n], links[n]) for n in range(lists))
    head = struct.pack(
        "<8s16x5H10x6I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, tables, directory[0], 0, 4096, end, 0
    )
    head += struct.pack("<2I109I", begin if lists else end, lists, *places[:109])
    return head + bytes(512 * large) + entries + fat + more


MSI = ole("\u4840\u3f7f\u4164\u422f\u4836", "\x05SummaryInformation")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(40)
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(20)
EXE = b"MZ\x90\x00" + bytes(60) + b"This program cannot be run in DOS mode." + bytes(200)
HTML = b"<!doctype html><script>alert(1)</script>"
