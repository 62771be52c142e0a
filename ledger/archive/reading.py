"""Reading an archive: nothing is taken from one that is not whole."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.archive.manifest import ATTACHMENTS, NAME, ArchiveError, Manifest, Member
from ledger.archive.writing import CHUNK, pieces_of

_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)


class Archive:
    """An archive that has been found whole."""

    def __init__(self, packed: zipfile.ZipFile, manifest: Manifest) -> None:
        self._packed, self.manifest = packed, manifest

    def lines(self, table: str) -> Iterator[bytes]:
        """The rows of a table as they stand in it."""
        with self._packed.open(self.manifest.tables[table].name) as stream:
            yield from stream

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a file."""
        with self._packed.open(self.manifest.files[name].name) as stream:
            yield from pieces_of(stream)

    def attachments(self) -> Iterator[str]:
        """Digests of the contents that the store of files held."""
        return (name.removeprefix(ATTACHMENTS) for name in self.manifest.files if name.startswith(ATTACHMENTS))


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The archive, after every digest, size and count has been compared with its manifest.

    Raises: ArchiveError naming the member that is damaged, missing or too many.
    """
    try:
        packed = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise ArchiveError(f"{path} 打不开，或者不是完整的归档文件（{type(error).__name__}）。") from error
    with packed:
        yield Archive(packed, _checked(packed, path))


def _checked(packed: zipfile.ZipFile, path: Path) -> Manifest:
    names = packed.namelist()
    if NAME not in names:
        raise ArchiveError(f"{path} 里没有 {NAME}，这不是督办台账的归档。")
    manifest = Manifest.of_json(_read(packed, NAME))
    members = manifest.members
    faults = [f"缺少 {name}" for name in sorted(members.keys() - set(names))]
    faults += [f"多出 {name}" for name in sorted(set(names) - members.keys() - {NAME})]
    if len(set(names)) != len(names):
        faults.append("有重名的文件")
    faults += [f"{m.name} 与清单不符" for m in members.values() if m.name in names and not _fits(packed, m)]
    if faults:
        raise ArchiveError(f"归档 {path} 已损坏，没有动用：{'；'.join(faults)}。请换一份归档。")
    return manifest


def _read(packed: zipfile.ZipFile, name: str) -> bytes:
    try:
        return packed.read(name)
    except _UNREADABLE as error:
        raise ArchiveError(f"归档中的 {name} 已损坏，没有动用。请换一份归档。") from error


def _fits(packed: zipfile.ZipFile, member: Member) -> bool:
    total, size, lines = hashlib.sha256(), 0, 0
    try:
        with packed.open(member.name) as stream:
            while piece := stream.read(CHUNK):
                total.update(piece)
                size, lines = size + len(piece), lines + piece.count(b"\n")
    except _UNREADABLE:
        return False
    rows_fit = not member.columns or lines == member.rows
    return rows_fit and (size, total.hexdigest()) == (member.bytes, member.sha256)
