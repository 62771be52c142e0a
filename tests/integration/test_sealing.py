"""The sealer: ordinals without gaps, beside commands that never fail for it, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, time
from threading import Event

import pytest
from sqlalchemy import func, select, text

from engine import ticking
from ledger.calendar import moment
from ledger.clock import StoredClock, set_clock
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.schema import event, seal, stream
from ledger.sealing import Head, head, is_complete, seal_events
from ledger.verification import broken_chains
from tests.bench.world import World, found, generated
from webapp.demo.office import Office

START = date(2025, 5, 23)


@pytest.fixture
def world(db_url: str) -> Iterator[World]:
    upgrade(db_url)
    db = Database(db_url, StoredClock())
    with db.writer.begin() as connection:
        set_clock(connection, moment(START, time(9)))
    yield found(db, generated(60, START))
    db.close()


def test_every_event_gets_the_next_ordinal_in_the_order_of_the_log(office: Office) -> None:
    with office.db.read() as connection:
        assert head(connection) is None and not is_complete(connection)
    ticking.tick(office.db)
    office.acknowledge("renshe")
    ticking.tick(office.db)
    with office.db.read() as connection:
        sealed = connection.execute(select(seal.c.stream, seal.c.seq).order_by(seal.c.ordinal)).all()
        logged = connection.execute(select(event.c.stream, event.c.seq).order_by(event.c.id)).all()
        ordinals = connection.execute(select(seal.c.ordinal).order_by(seal.c.ordinal)).scalars().all()
        assert is_complete(connection)
        last = head(connection)
    assert sealed == logged
    assert ordinals == list(range(1, len(logged) + 1))
    assert isinstance(last, Head) and last.ordinal == len(logged)


def test_small_portions_make_the_same_order(office: Office) -> None:
    with office.db.write() as tx:
        total = tx.connection.execute(select(func.count()).select_from(event)).scalar_one()
    portions: list[int] = []
    while not portions or portions[-1]:
        with office.db.write() as tx:
            portions.append(seal_events(tx, 7))
    assert sum(portions) == total and max(portions) == 7
    with office.db.read() as connection:
        assert broken_chains(connection) == []


def test_commands_beside_the_sealer_never_fail(world: World) -> None:
    """Three people at their todos while two schedulers seal without a pause."""
    shares = [s for i in world.items(world.runs[0])[:24] for s in world.shares(i)[:1]]
    portions, done = [shares[n::3] for n in range(3)], Event()

    def work(mine: list[int]) -> int:
        for share in mine:
            world.close(share)
        return len(mine)

    def sealer(_n: int) -> int:
        db = Database(world.db.writer.url.render_as_string(hide_password=False), StoredClock())
        rounds = 0
        while not done.is_set():
            ticking._seal(db)
            rounds += 1
        db.close()
        return rounds

    with ThreadPoolExecutor(5) as pool:
        sealing = [pool.submit(sealer, n) for n in range(2)]
        try:
            assert [f.result() for f in [pool.submit(work, mine) for mine in portions]] == [8, 8, 8]
        finally:
            done.set()
        assert all(f.result() > 0 for f in sealing)
    ticking._seal(world.db)
    with world.db.read() as connection:
        assert is_complete(connection)
        assert broken_chains(connection) == []
        unsealed = select(func.sum(stream.c.seq - stream.c.sealed))
        assert connection.execute(unsealed).scalar_one() == 0


@pytest.mark.parametrize("db_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_stream_that_a_command_holds_is_left_for_the_next_tick(office: Office) -> None:
    held = office.db.writer.connect()
    with held.begin():
        held.execute(text("SELECT 1 FROM stream WHERE name = 'item:4' FOR UPDATE"))
        ticking._seal(office.db)
        with office.db.read() as connection:
            left = connection.execute(select(stream.c.name).where(stream.c.seq > stream.c.sealed)).scalars().all()
        assert left == ["item:4"]
    held.close()
    ticking._seal(office.db)
    with office.db.read() as connection:
        assert is_complete(connection)
        assert broken_chains(connection) == []
