"""The machine's clock of a real deployment leaps and is set right: nobody misses anything, nothing comes twice."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from urllib.error import HTTPError

import pytest
from sqlalchemy import func, select

from ledger import clock
from ledger.calendar import moment
from ledger.clock import MachineClock, marks_of, wall_now
from ledger.schema import due, event, message, notice
from tests.faults import launch
from tests.faults.browser import Browser, Outcome
from tests.faults.expected import wrongs
from tests.faults.killing import plan_of
from tests.faults.mailserver import mail_server
from tests.faults.processes import ROOT
from tests.faults.site import START, Site, build, running, wait_until

pytestmark = pytest.mark.slow

DAY_SECONDS = 86400
MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2025, 5, day) for day in (26, 27, 28, 29))


@dataclass
class Machine:
    """The clock of all processes under test, and of this one: by how much it is off, and what has passed unseen."""

    file: Path
    off: float = 0.0
    passed: float = 0.0

    def lives_until(self, at: datetime) -> None:
        self.passed += (at - wall_now()).total_seconds()
        self._write()

    def is_off(self, days: float) -> None:
        self.off = days * DAY_SECONDS
        self._write()

    def _write(self) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{self.off} {self.passed}")
        new.replace(self.file)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "clock")
    made.is_off(0)
    monkeypatch.setenv("DUBAN_TEST_FAULTS_CLOCK", str(made.file))
    for name in ("datetime", "elapsed"):
        monkeypatch.setattr(clock, name, getattr(clock, name))  # put back at the end
    launch.shift_clock()
    return made


@pytest.fixture
def site(db_url: str, machine: Machine, tmp_path: Path) -> Iterator[Site]:
    """One of each process on SQLite, two schedulers on PostgreSQL."""
    machine.lives_until(moment(START, time(10)))
    world = build(db_url, 6, clock=MachineClock())
    more = {"DUBAN_DEMO": "false", "DUBAN_TEST_FAULTS_CLOCK": str(machine.file)}
    n = 1 if world.db.is_sqlite else 2
    with mail_server() as mail, running(world, mail, tmp_path, schedulers=n, more=more) as deployed:
        wait_until(lambda: is_done(deployed), lambda: deployed.logs[-3000:])  # Friday's work, before Monday comes
        next_morning(deployed, machine, MONDAY)
        yield deployed
    world.db.close()


# ---------------------------------------------------------------- what happens, and what is looked at
def next_morning(site: Site, machine: Machine, day: date) -> None:
    machine.lives_until(moment(day, time(10)))
    wait_until(lambda: is_done(site), lambda: site.logs[-3000:])


def is_done(site: Site) -> bool:
    with site.db.read() as connection:
        ahead = connection.execute(select(func.min(due.c.at))).scalar_one() > site.db.seen_now(connection)
    return bool(ahead) and site.is_quiet()


def is_refused(site: Site) -> bool:
    with site.db.read() as connection:
        return marks_of(connection).refused is not None


def told(site: Site) -> tuple[object, ...]:
    with site.db.read() as connection:
        rows = set(connection.execute(select(due.c.kind, due.c.owner_kind, due.c.owner_id, due.c.at)).all())
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (event, notice, message)
        ]
    return rows, counts


def digests(site: Site) -> set[str]:
    """The days of which people had a digest."""
    with site.db.read() as connection:
        kept = connection.execute(select(message.c.context).where(message.c.kind == "digest")).scalars()
        return {json.loads(context)["day"] for context in kept}


def health(site: Site) -> tuple[int, dict[str, bool]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{site.ports[0]}/healthz") as answer:
            status, page = answer.status, answer.read()
    except HTTPError as failing:
        status, page = failing.code, failing.read()
    return status, {name: check["ok"] for name, check in json.loads(page)["checks"].items()}


def agree(site: Site) -> None:
    assert wrongs(site.db, site.mail.taken, plan_of(site.world)) == []
    if site.db.is_sqlite:  # two schedulers see a leap one after the other: a lease may look long over to the second
        assert site.mail.sent_again == 0
    assert site.verify() == []


def set_wrong(site: Site, machine: Machine, days: float) -> None:
    """The clock leaps; schedulers refuse it, also when they are started anew."""
    before = told(site)
    machine.is_off(days)
    wait_until(lambda: is_refused(site), lambda: site.logs[-3000:])
    for process in site.schedulers:
        process.stop()
        process.start()
    browser, first = Browser(site.ports), site.world.shares(site.world.items(site.world.runs[0])[0])[0]
    answer = browser.post(site.world.unit_of(first), f"/assignments/{first}/acknowledge", [("arm", "1")])
    assert answer.outcome is Outcome.REFUSED and "服务器时钟有疑问" in answer.page, answer
    assert health(site)[1]["clock"] is False
    assert told(site) == before


@pytest.mark.parametrize("days", [3, 400, -3])
def test_a_clock_that_leaps_and_is_set_right_loses_and_doubles_nothing(site: Site, machine: Machine, days: int) -> None:
    set_wrong(site, machine, days)
    machine.is_off(0)
    wait_until(lambda: not is_refused(site), lambda: site.logs[-3000:])
    assert health(site)[0] == 200
    for day in (TUESDAY, WEDNESDAY, THURSDAY):
        next_morning(site, machine, day)
    assert digests(site) == {f"{day}" for day in (MONDAY, TUESDAY, WEDNESDAY, THURSDAY)}
    agree(site)


def test_a_clock_that_is_right_after_all_is_confirmed(site: Site, machine: Machine) -> None:
    set_wrong(site, machine, 3)
    command = [sys.executable, "-m", "tests.faults.launch", "scheduler", "--every", "0.2", "--clock-is-right"]
    confirmed = subprocess.Popen(command, env=site.environment, cwd=ROOT)
    try:
        wait_until(lambda: not is_refused(site) and is_done(site), lambda: site.logs[-3000:])
    finally:
        confirmed.terminate()
        confirmed.wait()
    assert health(site)[0] == 200
    agree(site)
