"""A real deployment's clock that is set wrong, and right again: nothing fires early, is lost, or comes twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from engine.scheduler import tidy
from engine.ticking import tick
from engine.verifying import differences
from ledger import clock
from ledger.calendar import moment
from ledger.clock import ClockInDoubt, MachineClock, confirm_clock
from ledger.database import Database
from ledger.files import Store
from ledger.migrating import upgrade
from ledger.schema import due, event, message, notice
from ledger.verification import Scene
from tests.bench.world import World, found
from tests.faults.site import cheap, plan_of
from webapp.app import create_app
from webapp.settings import Settings

MONDAY = moment(date(2025, 5, 26), time(10))


@dataclass
class Machine:
    """What its clock shows, and how much time has passed whatever the clock shows."""

    shows: datetime
    passed: float = 0.0

    def now(self, tz: tzinfo | None = None) -> datetime:
        return self.shows.astimezone(tz)

    def lives(self, days: float) -> None:
        self.shows += timedelta(days=days)
        self.passed += 86400 * days

    def is_set(self, days: float) -> None:
        self.shows += timedelta(days=days)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(MONDAY.astimezone(UTC))
    monkeypatch.setattr(clock, "datetime", made)
    monkeypatch.setattr(clock, "elapsed", lambda: made.passed)
    return made


@pytest.fixture
def world(machine: Machine, tmp_path: Path) -> Iterator[World]:
    yield from worlds(f"sqlite:///{tmp_path / 'duban.sqlite3'}")


def worlds(url: str) -> Iterator[World]:
    upgrade(url)
    with closing(Database(url, MachineClock())) as db:
        made = found(db, plan_of(6), password_hash=cheap.hash("x"))
        tick(db)
        yield made


def told(db: Database) -> tuple[Any, ...]:
    """Everything that time has made happen or will."""
    with db.read() as connection:
        rows = connection.execute(select(due.c.owner_kind, due.c.owner_id, due.c.kind, due.c.at)).all()
        notices = select(notice.c.owner_kind, notice.c.owner_id, notice.c.tier, notice.c.unit, notice.c.state)
        mails = connection.execute(select(message.c.key, message.c.kind, message.c.at)).all()
        return set(rows), set(connection.execute(notices).all()), sorted(mails)


def findings(db: Database) -> list[str]:
    with db.read() as connection:
        return [f.message for f in differences(Scene(connection, clock=db.clock))]


def week(db: Database, machine: Machine) -> None:
    """Day after day, an hour a tick."""
    for _ in range(7 * 24):
        machine.lives(1 / 24)
        tick(db)


@pytest.fixture
def undisturbed(machine: Machine, tmp_path: Path) -> tuple[Any, ...]:
    for world in worlds(f"sqlite:///{tmp_path / 'undisturbed.sqlite3'}"):
        week(world.db, machine)
        happened = told(world.db)
    machine.lives(-7)
    return happened


@pytest.mark.parametrize("days", [3, 400, -3])
def test_a_leap_fires_nothing_and_set_right_nothing_is_lost_or_doubled(
    undisturbed: tuple[Any, ...], world: World, machine: Machine, days: int
) -> None:
    before = told(world.db)
    machine.is_set(days)
    for _ in range(3):
        assert tick(world.db) == 0
    with closing(Database(world.db.url)) as restarted:
        assert tick(restarted) == 0
    assert told(world.db) == before
    machine.is_set(-days)
    tick(world.db)
    assert told(world.db) == before
    week(world.db, machine)
    assert told(world.db) == undisturbed
    assert findings(world.db) == []


def test_nobody_dates_an_act_by_a_clock_in_doubt(world: World, machine: Machine) -> None:
    first = world.shares(world.items(world.runs[0])[0])[0]
    machine.is_set(3)
    with pytest.raises(ClockInDoubt, match="没有办理"):
        world.acknowledge(first)()
    machine.is_set(-3)
    world.acknowledge(first)()
    with world.db.read() as connection:
        assert connection.execute(select(func.max(event.c.at))).scalar_one() == machine.shows


def test_those_who_watch_are_told_and_told_what_to_do(world: World, machine: Machine) -> None:
    settings = Settings(secret_key=SecretStr("k" * 40), database_url=world.db.url)
    client = create_app(settings, world.db).test_client()
    assert client.get("/healthz").status_code == 200
    machine.is_set(3)
    tick(world.db)
    answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.json is not None
    assert [name for name, check in answer.json["checks"].items() if not check["ok"]] == ["clock"]
    assert "duban_clock_refused 1.0" in client.get("/metrics").text
    machine.is_set(-3)
    assert "duban_tick_age_seconds 259200.0" in client.get("/metrics").text  # the clock is set back: no scheduler yet
    tick(world.db)
    assert client.get("/healthz").status_code == 200
    assert "duban_clock_refused 0.0" in client.get("/metrics").text


@pytest.mark.parametrize(("days", "believed"), [(3, True), (5, False)])
def test_a_downtime_is_believed_for_some_days(world: World, machine: Machine, days: int, believed: bool) -> None:
    machine.lives(days)
    with closing(Database(world.db.url)) as restarted:
        assert (tick(restarted) > 0) is believed
        with restarted.write() as tx:
            confirm_clock(tx.connection)
        tick(restarted)
        with restarted.read() as connection:
            assert restarted.clock.now(connection) == machine.shows
        assert findings(restarted) == []


def test_who_has_counted_otherwise_believes_what_was_confirmed(world: World, machine: Machine) -> None:
    machine.is_set(3)
    assert tick(world.db) == 0
    with closing(Database(world.db.url)) as another, another.write() as tx:
        confirm_clock(tx.connection)
    assert tick(world.db) > 0
    machine.is_set(-3)
    assert tick(world.db) == 0
    with closing(Database(world.db.url)) as another, another.write() as tx:
        confirm_clock(tx.connection)
    week(world.db, machine)  # its digests are those of days that the clock has shown before
    assert findings(world.db) == []
    with world.db.read() as connection:
        assert connection.execute(select(due.c.kind).where(due.c.at < machine.shows)).all() == []


@pytest.mark.parametrize("kind", ["digest", "weekly"])
def test_a_digest_that_lies_too_far_ahead_is_planted_anew(world: World, kind: str) -> None:
    own = due.c.kind == kind
    with world.db.write() as tx:
        at = tx.connection.execute(select(due.c.at).where(own)).scalar_one()
        tx.connection.execute(update(due).where(own).values(at=at + timedelta(days=300)))
    tick(world.db)
    with world.db.read() as connection:
        assert connection.execute(select(due.c.at).where(own)).scalars().all() == [at]


def test_nothing_is_forgotten_by_a_clock_in_doubt(world: World, machine: Machine, tmp_path: Path) -> None:
    machine.is_set(400)
    with pytest.raises(ClockInDoubt):
        tidy(world.db, Store(tmp_path / "files"), 200, 7)
