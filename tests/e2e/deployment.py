"""A deployment as an office runs it: a database, gunicorn, the scheduler and a mail server, each a process of its own.

The run of the real plan has just started: it is Monday 2025-05-26, an hour after the first weekly round has opened.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time as stopwatch
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

from sqlalchemy import select

from engine.clockwork import advance_to
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.files import Store
from ledger.migrating import upgrade
from ledger.schema import message
from webapp.demo import campaign
from webapp.demo.mailsink import start_sink
from webapp.demo.office import Office

PLAN = "huangshi-2025-bairi"
START = moment(date(2025, 5, 23), time(9))
NOW = moment(date(2025, 5, 26), time(10))
PATIENCE = 120  # seconds for a process to answer on a busy machine


@dataclass(frozen=True)
class Site:
    """What runs: its address, the folder of its mails, its database and files for tests that look behind the pages."""

    url: str
    mail: Path
    db: Database
    store: Store

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")


def build(file: Path, prepare: Callable[[Office], None] | None = None) -> None:
    """A new database at `file` in which the run has started; `prepare` lets people act before the pages open."""
    url = f"sqlite:///{file}"
    upgrade(url)
    db = Database(url, StoredClock())
    run_id = campaign.begin(db, START)
    if prepare:
        prepare(Office(db, run_id))
    advance_to(db, NOW)
    db.close()  # the last connection takes its write-ahead log into the file


@contextmanager
def running(started: Path, folder: Path) -> Iterator[Site]:
    """The processes on a copy of a built database; everything they had queued has been sent when this yields."""
    shutil.copy(started, folder / "duban.sqlite3")
    if (built := started.parent / "files").exists():
        shutil.copytree(built, folder / "files")
    with deployed(folder, DUBAN_DEMO="true", DUBAN_DEMO_MAIL=str(folder / "mail")) as site:
        wait_until(lambda: sent_everything(site.db), (folder / "log").read_text)
        yield site


@contextmanager
def deployed(folder: Path, prepare: Callable[[dict[str, str]], None] | None = None, **more: str) -> Iterator[Site]:
    """Web, scheduler and mail server with everything they keep in a folder; `prepare` runs what comes before them with
    their environment."""
    port, mail = free_port(), folder / "mail"
    url, sink = f"sqlite:///{folder / 'duban.sqlite3'}", start_sink(mail)
    environment = os.environ | {
        "DUBAN_DATABASE_URL": url,
        "DUBAN_BASE_URL": f"http://127.0.0.1:{port}",
        "DUBAN_SMTP_HOST": "127.0.0.1",
        "DUBAN_SMTP_PORT": str(sink.port),
        "DUBAN_FILES": str(folder / "files"),
        "no_proxy": "127.0.0.1",
        **more,
    }
    if prepare is not None:
        prepare(environment)
    log = (folder / "log").open("wb")
    processes = [
        subprocess.Popen([sys.executable, "-m", "webapp.cli", *words], env=environment, stdout=log, stderr=log)
        for words in (("serve", "--port", str(port)), ("scheduler", "--every", "0.5"))
    ]
    db = Database(url, StoredClock())
    site = Site(f"http://127.0.0.1:{port}", mail, db, Store(folder / "files"))
    try:
        wait_until(lambda: answers(f"{site.url}/login"), (folder / "log").read_text)
        yield site
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=PATIENCE)
        db.close()
        sink.stop()
        log.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def sent_everything(db: Database) -> bool:
    with db.read() as connection:
        states = set(connection.execute(select(message.c.state).distinct()).scalars())
    return states == {"sent"}


def wait_until(is_so: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Raises: AssertionError with what there is to say, when it takes too long."""
    until = stopwatch.monotonic() + PATIENCE
    while not is_so():
        assert stopwatch.monotonic() < until, said()
        stopwatch.sleep(0.1)
