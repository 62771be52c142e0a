"""What two kinds of containers say they hold, read from their directories alone: nothing is unpacked, so nothing can
swell, and a directory is read no further than an honest file's goes."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

TAIL = 512 * 1024  # where a zip file names what it holds

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NONE = 0xFFFFFFFA  # from here on a number is no sector's, and no entry's
_MOST_SECTORS = 1024  # of one chain

Entry = tuple[str, int, int, int]  # name, left and right neighbour, first child


def zip_parts(file: BinaryIO) -> frozenset[str]:
    """The names of the parts of a zip file; none of what is no zip file, or names too many."""
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return frozenset()
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    try:
        with zipfile.ZipFile(BytesIO(file.read())) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        return frozenset()


def ole_streams(file: BinaryIO) -> frozenset[str]:
    """The names that stand at the root of an OLE compound file; none of what is none, or is broken."""
    file.seek(0)
    header = file.read(512)
    if not header.startswith(_OLE):
        return frozenset()
    try:
        entries = list(_entries(file, header))
        return frozenset(_at_root(entries))
    except (IndexError, ValueError, struct.error):
        return frozenset()


def _entries(file: BinaryIO, header: bytes) -> Iterator[Entry]:
    """The directory: a chain of sectors, linked by a table of sectors (FAT) whose places stand in a list of their own
    (DIFAT), of which the header holds the beginning."""
    (shift,) = struct.unpack_from("<H", header, 30)
    if shift not in (9, 12):
        raise ValueError(shift)
    each = 1 << (shift - 2)

    def sector(n: int) -> bytes:
        file.seek((n + 1) << shift)
        return file.read(1 << shift)

    table = list(struct.unpack_from("<109I", header, 76))
    (n,) = struct.unpack_from("<I", header, 68)
    for _ in range(_MOST_SECTORS):
        if n >= _NONE:
            break
        *more, n = struct.unpack(f"<{each}I", sector(n))
        table += more
    (n,) = struct.unpack_from("<I", header, 48)
    for _ in range(_MOST_SECTORS):
        if n >= _NONE:
            break
        data = sector(n)
        for place in range(0, len(data) - 127, 128):
            name, length, *links = struct.unpack_from("<64sHxx3I", data, place)
            yield name[: max(0, length - 2)].decode("utf-16-le"), *links
        (n,) = struct.unpack_from("<I", sector(table[n // each]), 4 * (n % each))


def _at_root(entries: list[Entry]) -> Iterator[str]:
    """The root's children are a tree of neighbours."""
    seen = set[int]()
    todo = [entries[0][3]]
    while todo:
        n = todo.pop()
        if n >= _NONE or n in seen:
            continue
        seen.add(n)
        name, left, right, _ = entries[n]
        yield name
        todo += [left, right]
