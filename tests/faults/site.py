"""A deployment that can be hurt: pages and schedulers, each a supervised process, on a database with a running plan."""

from __future__ import annotations

import os
import subprocess
import sys
import time as stopwatch
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import func, select

from bpmn.plan import Item, Plan
from engine import ticking
from engine.chasing import parse_ladder
from ledger.calendar import WorkCalendar, moment
from ledger.clock import BusinessClock, StoredClock, set_clock, target_of
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.rules.due import DueRule
from ledger.schema import advance, message
from tests.bench.world import World, daily, found, generated
from tests.faults.mailserver import MailServer, free_port
from tests.faults.processes import ROOT, Supervised

PASSWORD = "duban-faults"
START = date(2025, 5, 23)  # a Friday
DAYS = 90
PATIENCE = 120  # seconds for something to come about on a busy machine
cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


# ---------------------------------------------------------------- the plan
def plan_of(n_items: int, extra: Sequence[Item] = ()) -> Plan:
    """Items of two units, each signed and reviewed, due one after another; a round every day that closes at night."""
    made = generated(n_items, START, extra)
    days = WorkCalendar({})
    headings = tuple(
        replace(h, items=tuple(replace(i, due=_due(days.after(START, 5 + 2 * n))) for n, i in enumerate(h.items)))
        for h in made.headings
    )
    return replace(made, headings=headings, cadences=(replace(daily("daily", START), closes=True),))


def _due(day: date) -> DueRule:
    return DueRule("by", text=f"{day.month}月{day.day}日前", date=day)


def build(url: str, n_items: int, extra: Sequence[Item] = (), clock: BusinessClock | None = None) -> World:
    """A new database in which the run has started, on a Friday at ten where it brings its own clock; its people share
    one password."""
    upgrade(url)
    db = Database(url, clock or StoredClock())
    if clock is None:
        with db.writer.begin() as connection:
            set_clock(connection, moment(START, time(10)))
    with db.write() as tx:
        ticking.start_ticking(tx, tx.now)
    world = found(db, plan_of(n_items, extra), password_hash=cheap.hash(PASSWORD))
    assert parse_ladder("-3 0 1 5") == tuple(generated(1, START).facts.ladder)
    return world


# ---------------------------------------------------------------- the processes
@dataclass
class Site:
    """What runs. `ports` are of the pages; a proxy would spread people over them."""

    url: str
    db: Database
    world: World
    mail: MailServer
    folder: Path
    pages: list[Supervised] = field(default_factory=list)
    schedulers: list[Supervised] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def processes(self) -> list[Supervised]:
        return [*self.pages, *self.schedulers]

    @property
    def logs(self) -> str:
        return "\n".join(p.log.read_text(errors="replace") for p in self.processes)

    def answers(self) -> bool:
        """Whether every server of pages answers."""
        return all(_answers(f"http://127.0.0.1:{port}/static/icon.svg") for port in self.ports)

    def verify(self) -> list[str]:
        """What `duban verify` has to say against it."""
        command = [sys.executable, "-m", "webapp.cli", "verify"]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        return [] if done.returncode == 0 else [done.stdout + done.stderr]

    def is_quiet(self) -> bool:
        """Whether time has come where it should, every plan is advanced and every mail sent."""
        with self.db.read() as connection:
            times = target_of(connection)
            if times is not None and times[0] < times[1]:
                return False
            if connection.execute(select(func.count()).select_from(advance)).scalar_one():
                return False
            states = set(connection.execute(select(message.c.state).distinct()).scalars())
        return states <= {"sent"}


@contextmanager
def running(
    world: World,
    mail: MailServer,
    folder: Path,
    *,
    pages: int = 1,
    workers: int = 1,
    threads: int = 4,
    schedulers: int = 1,
    more: dict[str, str] | None = None,
) -> Iterator[Site]:
    """The processes of a deployment on this database, each under supervision; all answer when this yields."""
    site = Site(world.db.url, world.db, world, mail, folder)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DUBAN_")} | {
        "DUBAN_DEMO": "true",  # for its clock
        "DUBAN_DATABASE_URL": world.db.url,
        "DUBAN_SECRET_KEY": "f" * 40,
        "DUBAN_BASE_URL": "http://127.0.0.1:8000",
        "DUBAN_SMTP_HOST": "127.0.0.1",
        "DUBAN_SMTP_PORT": str(mail.port),
        "DUBAN_SMTP_FROM": "督办台账 <duban@huangshi.example>",
        "no_proxy": "127.0.0.1",
        **(more or {}),
    }
    site.environment = environment
    for n in range(pages):
        port = free_port()
        serve = ("serve", "--port", str(port), "--workers", str(workers), "--threads", str(threads))
        command = ["-m", "tests.faults.launch", *serve]
        site.ports.append(port)
        named = environment | {"DUBAN_BASE_URL": f"http://127.0.0.1:{port}"}
        site.pages.append(Supervised(f"pages-{n}", command, named, folder / f"pages-{n}.log"))
    for n in range(schedulers):
        command = ["-m", "tests.faults.launch", "scheduler", "--every", "0.2"]
        site.schedulers.append(Supervised(f"scheduler-{n}", command, environment, folder / f"scheduler-{n}.log"))
    for process in site.processes:
        process.start()
    try:
        wait_until(site.answers, lambda: site.logs[-3000:])
        yield site
    finally:
        for process in site.processes:
            process.stop()


def wait_until(is_so: Callable[[], bool], said: Callable[[], str] = str, seconds: float = PATIENCE) -> None:
    """Raises: AssertionError with what there is to say, when it takes too long."""
    until = stopwatch.monotonic() + seconds
    while not is_so():
        assert stopwatch.monotonic() < until, said()
        stopwatch.sleep(0.1)


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=5).close()
    except OSError:
        return False
    return True
