"""Processes under supervision, and what a stopped one holds in its hands, read from /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).resolve().parents[2]
RESTART_SECONDS = 0.2
STOP_SECONDS = 30
WAL_WRITE_LOCK = 120  # the byte of the -shm file that SQLite's one writer locks


@dataclass
class Supervised:
    """A process that is started again whenever it ends, as systemd would; all its runs write to one log."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _stopping: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = Thread(target=self._supervise, name=self.name, daemon=True)
        self._thread.start()

    def _supervise(self) -> None:
        with self.log.open("ab") as log:
            while not self._stopping.is_set():
                self._process = subprocess.Popen(
                    [sys.executable, *self.command],
                    env=dict(self.environment),
                    stdout=log,
                    stderr=log,
                    cwd=ROOT,
                    start_new_session=True,
                )
                self.starts += 1
                self._process.wait()
                self._stopping.wait(RESTART_SECONDS)

    def stop(self) -> None:
        """End it as an administrator would; what does not end in time is killed."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    @property
    def pid(self) -> int | None:
        """Of the run that is alive now."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def children(self) -> list[int]:
        """What the process has forked (gunicorn's workers)."""
        pid = self.pid
        return _children(pid) if pid else []


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """One signal to each; who is gone already is gone."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass(frozen=True)
class Socket:
    """An open TCP connection over IPv4: the port at this end and the port at the other."""

    here: int
    there: int


def sockets(pids: Sequence[int]) -> list[Socket]:
    """The established connections that these processes hold."""
    inodes = {inode for pid in pids for inode in _inodes(pid)}
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "01" and words[9] in inodes:
            found.append(Socket(_port(words[1]), _port(words[2])))
    return found


def _port(address: str) -> int:
    return int(address.partition(":")[2], 16)


def _inodes(pid: int) -> Iterator[str]:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if target.startswith("socket:["):
                yield target[8:-1]


def sqlite_writers(file: Path) -> set[int]:
    """The processes in a write transaction on this database; in WAL mode that is one byte's lock."""
    try:
        inode = file.with_name(file.name + "-shm").stat().st_ino
    except FileNotFoundError:
        return set()
    found = set()
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if "->" in words or words[3] != "WRITE" or int(words[5].rpartition(":")[2]) != inode:
            continue
        if int(words[6]) <= WAL_WRITE_LOCK <= int(words[7]):
            found.add(int(words[4]))
    return found
