"""The database restarts, is locked, runs out of disk while people work: nobody's text is lost, nothing is half-done.

The processes are not restarted: they live through it.
"""

from __future__ import annotations

import sqlite3
import time as stopwatch
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.faults.browser import Outcome, Wires
from tests.faults.crowd import ClockMover, Diary, Person, balance, crowd
from tests.faults.expected import wrongs
from tests.faults.killing import finish, plan_of
from tests.faults.mailserver import mail_server
from tests.faults.postgres import Cluster, cluster, fill, small_disk
from tests.faults.site import Site, build, running, wait_until

pytestmark = pytest.mark.slow

ITEMS, PEOPLE, SEED = 6, 4, 7
BUSY = "2"  # seconds that the processes under test wait for a lock


@contextmanager
def at_work(url: str, folder: Path) -> Iterator[tuple[Site, Diary, list[Person]]]:
    """People and the clock at work on a run; at the end it is brought to its end and the books are checked."""
    world = build(url, ITEMS)
    diary, wires = Diary(), Wires()
    environment = {"DUBAN_TEST_FAULTS_BUSY": BUSY}
    with mail_server() as mail, running(world, mail, folder, threads=8, more=environment) as site:
        people = crowd(site, diary, wires, PEOPLE, SEED, haste=0.05, pause=0.1)
        clock = ClockMover(site, wires, 1)
        for thread in (*people, clock):
            thread.start()
        wait_until(lambda: diary.count(Outcome.DONE) > PEOPLE, lambda: site.logs[-3000:])
        yield site, diary, people
        clock.stopping.set()
        clock.join()
        done = diary.count(Outcome.DONE)
        finish(site, people)
        assert diary.count(Outcome.DONE) > done  # they went on
        with site.db.read() as connection:
            books = balance(connection, diary.acts)
        assert (books.lost, books.doubled, books.refused_yet_there) == ([], [], [])
        assert diary.surprises == []
        assert wrongs(site.db, site.mail.taken, plan_of(world)) == []
        assert site.verify() == []
        assert [p.starts for p in site.processes] == [1] * len(site.processes), site.logs[-3000:]
    world.db.close()


def told(diary: Diary, already: int = 0) -> bool:
    """Whether somebody was told that an act could not be taken, and got the text back."""
    return sum(a.outcome is Outcome.AWAY and a.kept for a in list(diary.acts)) > already


def test_postgresql_crashes_and_comes_back_while_people_work(tmp_path: Path) -> None:
    with cluster() as server, at_work(server.url, tmp_path) as (site, diary, _):
        for _ in range(3):
            crash(server, site, diary)


def crash(server: Cluster, site: Site, diary: Diary) -> None:
    """Down until somebody was told so, then up until people have gone on."""
    before = sum(a.kept and a.outcome is Outcome.AWAY for a in diary.acts)
    server.stop()
    wait_until(lambda: told(diary, before), lambda: site.logs[-3000:])
    assert server.start()
    done = diary.count(Outcome.DONE)
    wait_until(lambda: diary.count(Outcome.DONE) > done + PEOPLE, lambda: site.logs[-3000:])


def test_a_lock_held_too_long_is_a_clear_answer(tmp_path: Path) -> None:
    file = tmp_path / "duban.sqlite3"
    with at_work(f"sqlite:///{file}", tmp_path) as (site, diary, _):
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("PRAGMA busy_timeout = 30000")
            other.execute("BEGIN IMMEDIATE")
            wait_until(lambda: told(diary), lambda: site.logs[-3000:])
            other.execute("ROLLBACK")
        assert {a.status for a in diary.acts if a.outcome is Outcome.AWAY} == {503}


def test_a_full_disk_under_sqlite(tmp_path: Path) -> None:
    with small_disk(24) as disk, at_work(f"sqlite:///{disk / 'duban.sqlite3'}", tmp_path) as (site, diary, _):
        ballast = fill(disk)
        wait_until(lambda: told(diary), lambda: site.logs[-3000:])
        stopwatch.sleep(3)  # the schedulers meet it too
        ballast.unlink()


def test_a_full_disk_under_postgresql(tmp_path: Path) -> None:
    """Its log of writes is on another disk: with that one full it would crash, which is the other test."""
    with small_disk(120) as disk, cluster(disk / "pg" / "data") as server, at_work(server.url, tmp_path) as work:
        site, diary, _ = work
        ballast = fill(disk)
        wait_until(lambda: told(diary), lambda: site.logs[-3000:])
        ballast.unlink()
