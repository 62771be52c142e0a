"""What kinds of files are taken: known by their extension, and their content must be what the extension says.

The list is closed, so nothing has to be guessed: a file is asked whether it is what it is called. An archive (zip, rar)
is never taken: it hides names and kinds from every check, and several files can be handed in at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

HEAD = 64 * 1024
TAIL = 512 * 1024  # where a zip file names what it holds

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"

Fits = Callable[[bytes, bytes], bool]


@dataclass(frozen=True)
class Kind:
    """A kind of file: its media type, and whether content (its first and last bytes) is of it."""

    media_type: str
    fits: Fits


def _starts(*signatures: bytes) -> Fits:
    return lambda head, _tail: head.startswith(signatures)


def _is_pdf(head: bytes, _tail: bytes) -> bool:
    return b"%PDF-" in head[:1024]


def _is_heic(head: bytes, _tail: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _zip_with(*names: bytes) -> Fits:
    """A zip file whose directory names these; names are never compressed, so nothing is unpacked."""
    return lambda head, tail: head.startswith(b"PK\x03\x04") and all(name in tail for name in names)


def _office(part: bytes) -> Fits:
    return _zip_with(b"[Content_Types].xml", part)


def _is_text(head: bytes, _tail: bytes) -> bool:
    """Text in UTF-8, GB18030 or UTF-16; a character cut at the end of the head is no fault."""
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
KINDS = {
    "pdf": Kind("application/pdf", _is_pdf),
    "ofd": Kind("application/ofd", _zip_with(b"OFD.xml")),
    "doc": Kind("application/msword", _starts(_OLE)),
    "docx": Kind(f"{_OFFICE}.wordprocessingml.document", _office(b"word/document")),
    "xls": Kind("application/vnd.ms-excel", _starts(_OLE)),
    "xlsx": Kind(f"{_OFFICE}.spreadsheetml.sheet", _office(b"xl/workbook.xml")),
    "ppt": Kind("application/vnd.ms-powerpoint", _starts(_OLE)),
    "pptx": Kind(f"{_OFFICE}.presentationml.presentation", _office(b"ppt/presentation.xml")),
    "wps": Kind("application/vnd.ms-works", _starts(_OLE)),
    "et": Kind("application/vnd.ms-excel", _starts(_OLE)),
    "dps": Kind("application/vnd.ms-powerpoint", _starts(_OLE)),
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
ARCHIVES = frozenset({"zip", "rar", "7z", "gz", "tar"})


def is_what_it_says(extension: str, file: BinaryIO) -> bool:
    """Whether a file's content is of the kind of its extension; only both its ends are read. Raises: KeyError."""
    file.seek(0)
    head = file.read(HEAD)
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    return KINDS[extension].fits(head, file.read())
