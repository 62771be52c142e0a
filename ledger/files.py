"""The store of files: by the sha256 of their content, outside the web root; equal content is kept once.

`ab/ab12...` is a file of the ledger, read-only; `incoming/7` is what has arrived so far of upload 7. Nothing here knows
a database: who refers to what is told in `ledger.attachments`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

BLOCK = 1024 * 1024
_SHA256_LENGTH = 64


class Misplaced(Exception):
    """A chunk that does not follow what has arrived; `received` says how much has."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(f"{received} bytes have arrived")


@dataclass(frozen=True)
class Store:
    """A folder of files; it is made when something is first put into it."""

    folder: Path

    def path(self, sha256: str) -> Path:
        """Where content of this digest is, or would be."""
        return self.folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    # ---------------------------------------------------------------- arriving
    def received(self, number: int) -> int:
        """How many bytes of an upload have arrived."""
        try:
            return self._incoming(number).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, number: int, offset: int, chunk: bytes, *, size: int) -> int:
        """Put a chunk behind what has arrived of an upload of `size` bytes; returns how much has arrived then.

        A chunk that has arrived before is welcome again. Raises: Misplaced; OSError when the disk is full.
        """
        path = self._incoming(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked(number, create=True) as file:
            arrived = file.seek(0, os.SEEK_END)
            if offset > arrived or offset + len(chunk) > size:
                raise Misplaced(arrived)
            file.seek(offset)
            file.write(chunk)
            return max(arrived, offset + len(chunk))

    @contextmanager
    def arrived(self, number: int) -> Iterator[BinaryIO]:
        """The whole of an upload, which nobody changes meanwhile. Raises: FileNotFoundError."""
        with self._locked(number, create=False) as file:
            yield file

    @contextmanager
    def _locked(self, number: int, *, create: bool) -> Iterator[BinaryIO]:
        """What has arrived, locked against other processes. It may be moved away while we wait for the lock."""
        path = self._incoming(number)
        while True:
            flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
            with os.fdopen(os.open(path, flags, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_at(file, path):
                    yield file
                    return

    def place(self, number: int, sha256: str) -> None:
        """Give an upload that is whole its place by its digest; what stood there was equal. Durable on return."""
        path = self.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.chmod(self._incoming(number), 0o440)
        os.replace(self._incoming(number), path)
        for folder in (path.parent, self.folder):
            _sync(folder)

    def forget(self, number: int) -> None:
        """Throw away what has arrived of an upload."""
        self._incoming(number).unlink(missing_ok=True)

    def _incoming(self, number: int) -> Path:
        return self.folder / "incoming" / str(number)

    def keep(self, sha256: str, pieces: Iterable[bytes]) -> None:
        """Give content of this digest its place, as a restore brings it; the caller has compared the digest."""
        path = self.path(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{sha256}.part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o440), "wb") as file:
            file.writelines(pieces)
            sync(file)
        os.replace(partial, path)
        _sync(path.parent)

    # ---------------------------------------------------------------- what is held
    def digests(self) -> Iterator[str]:
        """Of everything the store holds, as the file names say."""
        yield from (path.name for path in self._files())

    def uploads(self) -> Iterator[int]:
        """The numbers of uploads of which something has arrived."""
        for path in _entries(self.folder / "incoming"):
            if path.name.isdigit():
                yield int(path.name)

    def age(self, sha256: str, now: float) -> float:
        """Seconds since a file was written; 0 when it is not there."""
        try:
            return max(0.0, now - self.path(sha256).stat().st_mtime)
        except FileNotFoundError:
            return 0.0

    def remove(self, sha256: str) -> None:
        """Delete content that nobody refers to: the caller holds the lock of `ledger.attachments`."""
        self.path(sha256).unlink(missing_ok=True)

    def _files(self) -> Iterator[Path]:
        for folder in _entries(self.folder):
            if len(folder.name) == 2:
                yield from (path for path in _entries(folder) if len(path.name) == _SHA256_LENGTH)


def digest_of(file: IO[bytes]) -> str:
    """sha256 of a file from its beginning, read in blocks."""
    file.seek(0)
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def sync(file: IO[bytes]) -> None:
    """Make what was written durable."""
    file.flush()
    os.fsync(file.fileno())


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file.fileno()), there)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
