"""What kinds of files are taken: known by their extension, and their content must be what the extension says.

The list is closed, so nothing has to be guessed: a file is asked whether it is what it is called. An archive (zip, rar)
is never taken: it hides names and kinds from every check, and several files can be handed in at once. Documents that
are containers themselves are asked what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ledger.rules.containers import ole_streams, zip_parts

HEAD = 64 * 1024

_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"

ARCHIVES = frozenset({"zip", "rar", "7z", "gz", "tar"})
# Parts that make a document a carrier of something else: macros, programs, further archives.
_SMUGGLED = re.compile(
    r"vbaproject.*|.*\.(?:exe|dll|com|scr|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msp|jar|lnk|reg|cpl|sys|sh|apk"
    r"|zip|rar|7z|gz|tar|bz2|xz|tgz|cab|iso|img)",
    re.DOTALL,
)

Fits = Callable[[BinaryIO], bool]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, and whether content is of it."""

    media_type: str
    fits: Fits


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _starts(*signatures: bytes) -> Fits:
    return lambda file: _head(file).startswith(signatures)


def _is_pdf(file: BinaryIO) -> bool:
    return b"%PDF-" in _head(file)[:1024]


def _is_heic(file: BinaryIO) -> bool:
    head = _head(file)
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _zip_with(*beginnings: str) -> Fits:
    """A zip file with parts whose names begin so, and nothing smuggled in."""

    def fits(file: BinaryIO) -> bool:
        parts = zip_parts(file)
        return all(any(p.startswith(b) for p in parts) for b in beginnings) and not any(map(_is_smuggled, parts))

    return fits


def _is_smuggled(part: str) -> bool:
    return _SMUGGLED.fullmatch(re.split(r"[/\\]", part)[-1].lower().rstrip(" .")) is not None


def _office(part: str) -> Fits:
    return _zip_with("[Content_Types].xml", part)


def _ole_with(*streams: str) -> Fits:
    """An OLE file with one of these streams at its root."""
    return lambda file: not ole_streams(file).isdisjoint(streams)


def _is_text(file: BinaryIO) -> bool:
    """Text in UTF-8, GB18030 or UTF-16; a character cut at the end of the head is no fault."""
    head = _head(file)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decodes(head, "utf-16")
    if head.translate(None, _CONTROLS) != head:
        return False
    return _decodes(head, "utf-8") or _decodes(head, "gb18030")


def _decodes(head: bytes, encoding: str) -> bool:
    for cut in range(4 if len(head) >= HEAD else 1):
        try:
            head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


_OFFICE = "application/vnd.openxmlformats-officedocument"
_is_word = _ole_with("WordDocument")
_is_sheet = _ole_with("Workbook", "Book")
_is_slides = _ole_with("PowerPoint Document")
KINDS = {
    "pdf": Kind("application/pdf", _is_pdf),
    "ofd": Kind("application/ofd", _zip_with("OFD.xml")),
    "doc": Kind("application/msword", _is_word),
    "docx": Kind(f"{_OFFICE}.wordprocessingml.document", _office("word/document")),
    "xls": Kind("application/vnd.ms-excel", _is_sheet),
    "xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", _office("xl/workbook.xml")),
    "ppt": Kind("application/vnd.ms-powerpoint", _is_slides),
    "pptx": Kind(f"{_OFFICE}.presentationml.presentation", _office("ppt/presentation.xml")),
    "wps": Kind("application/vnd.ms-works", _is_word),
    "et": Kind("application/vnd.ms-excel", _is_sheet),
    "dps": Kind("application/vnd.ms-powerpoint", _is_slides),
    "jpg": Kind("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": Kind("image/jpeg", _starts(b"\xff\xd8\xff")),
    "png": Kind("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "heic": Kind("image/heic", _is_heic),
    "txt": Kind("text/plain", _is_text),
    "csv": Kind("text/csv", _is_text),
}
# What a browser shows by itself; everything else is only ever saved.
IMAGES = frozenset({"image/jpeg", "image/png"})
SHOWN = IMAGES | {"application/pdf"}


def is_what_it_says(extension: str, file: BinaryIO) -> bool:
    """Whether a file's content is of the kind of its extension; no more than its head and directory is read.

    Raises: KeyError.
    """
    return KINDS[extension].fits(file)
