"""A PostgreSQL cluster of our own, which may be restarted, crashed and starved."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.mailserver import free_port

# initdb refuses to run as root.
USER = "postgres" if os.geteuid() == 0 else None


@dataclass
class Cluster:
    """`programs` is the folder of initdb and pg_ctl."""

    programs: Path
    data: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def initialise(self, *options: str) -> None:
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", *options)

    def start(self) -> bool:
        """Whether it came up: on a full disk it may not."""
        said = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100"
        return self._run("pg_ctl", "-w", "-l", f"{self.data}.log", "-o", said, "start", check=False) == 0

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash: nothing is shut down, the log of writes is replayed at the next start."""
        self._run("pg_ctl", "-w", "-m", mode, "stop", check=False)

    def _run(self, program: str, *options: str, check: bool = True) -> int:
        command: Sequence[str] = [str(self.programs / program), "-D", str(self.data), *options]
        done = subprocess.run(command, user=USER, cwd="/", capture_output=True, check=check, timeout=120)
        return done.returncode


def programs() -> Path:
    """Where the server's own programs are; Debian keeps them off the path."""
    found = [Path(p).parent for p in (shutil.which("initdb"),) if p]
    found += sorted(p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL server is installed on this machine")
    return found[-1]


@contextmanager
def cluster(data: Path | None = None) -> Iterator[Cluster]:
    """A running cluster, gone at the end; its data may lie elsewhere, its log of writes lies in a folder of its own."""
    home = Path(mkdtemp(prefix="duban-pg-"))
    made = Cluster(programs(), data or home / "data", free_port())
    made.data.parent.mkdir(exist_ok=True)
    for folder in {home, made.data.parent}:
        if USER:
            shutil.chown(folder, USER)
    try:
        made.initialise("--waldir", str(home / "wal"))
        assert made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of this size, mounted for the time being."""
    place = Path(mkdtemp(prefix="duban-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        place.rmdir()
        pytest.skip("this user may not mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
        with contextlib.suppress(OSError):
            place.rmdir()


def fill(disk: Path) -> Path:
    """A file that takes all the room that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    return ballast
