"""Writing an archive: a file of the owner alone, whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ledger.archive.manifest import NAME, Manifest, Member

CHUNK = 1024 * 1024


class Writer:
    """An archive being written."""

    def __init__(self, packed: zipfile.ZipFile) -> None:
        self._packed = packed

    def add(self, name: str, pieces: Iterable[bytes], columns: tuple[str, ...] = ()) -> Member:
        """Write one member; with columns every piece is a row."""
        total, size, count = hashlib.sha256(), 0, 0
        with self._packed.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                member.write(piece)
                total.update(piece)
                size, count = size + len(piece), count + 1
        return Member(name, size, total.hexdigest(), count if columns else 0, columns)

    def close(self, manifest: Manifest) -> None:
        """The last member says what all others are."""
        self._packed.writestr(NAME, manifest.to_json())


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A new archive under a name of its own, which takes the place of `path` at the end, on disk; on any exception it
    is gone. Raises: OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                yield Writer(packed)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        _sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Keep the new name over a loss of power, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    """A file in pieces that fit into memory."""
    while piece := stream.read(CHUNK):
        yield piece
