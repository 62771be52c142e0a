"""A database of release 0.1.0 in mid-run: it migrates, verifies, shows who did what, and runs to its end."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select

from engine.delivering import deliver
from engine.mail.smtp import Transport
from engine.ticking import start_ticking
from engine.verifying import differences
from ledger.archive import opened, restore
from ledger.calendar import local_day, moment
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.directory import adopt_directories
from ledger.errors import DubanError
from ledger.migrating import head, revision_of
from ledger.schema import (
    advance,
    assignment,
    content,
    due,
    event,
    item,
    message,
    notice,
    person,
    post,
    round_,
    run,
    share,
    todo,
    unit,
)
from ledger.verification import Scene
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

ARCHIVE = Path(__file__).resolve().parents[1] / "data" / "release-0.1.0.zip"
TODAY = moment(date(2025, 7, 17), time(9, 40))
LAST_DAY = date(2025, 9, 30)
STATES = {"working", "signing", "reviewing", "returned", "closed"}


@pytest.fixture
def old(db_url: str) -> Iterator[Database]:
    """The database of 0.1.0, taken in by this release."""
    made = Database(db_url, StoredClock())
    restore(made, ARCHIVE)
    with made.write() as tx:
        start_ticking(tx, tx.now)  # as the first scheduler of this release does
        adopt_directories(tx)
    yield made
    made.close()


def scalar(db: Database, query: Any) -> Any:
    with db.read() as connection:
        return connection.execute(query).scalar_one()


def test_the_archive_is_of_that_release_and_in_the_middle_of_everything() -> None:
    assert ARCHIVE.stat().st_size < 300_000
    with opened(ARCHIVE) as archive:
        assert (archive.manifest.release, archive.manifest.revision) == ("0.1.0", "0001")


def test_it_migrates_with_all_that_was_under_way_and_verifies(old: Database) -> None:
    with old.read() as c:
        assert revision_of(c) == head()
        assert set(c.execute(select(assignment.c.state)).scalars()) >= STATES
        assert c.execute(select(func.count()).where(round_.c.closed_at.is_(None))).scalar_one() > 0
        assert c.execute(select(func.max(assignment.c.returns))).scalar_one() > 0
        assert c.execute(select(func.count()).where(message.c.state == "queued")).scalar_one() > 100
        kinds = {kind.partition(":")[0] for kind in c.execute(select(due.c.kind)).scalars()}
        assert kinds >= {"tier", "round", "close", "digest", "timer", "weekly"}
        assert list(differences(Scene(c, clock=old.clock))) == []


def test_old_entries_still_show_who_wrote_them(old: Database) -> None:
    """In 0.1.0 the actor's name hangs on every event; the item's page names unit and post of each."""
    with old.read() as c:
        rows = c.execute(
            select(event.c.stream, event.c.seq, event.c.hash, unit.c.short, content.c.text)
            .join(content, (event.c.stream == content.c.stream) & (event.c.seq == content.c.seq))
            .join(person, person.c.name == content.c.text)
            .join(post, (post.c.person_id == person.c.id) & (post.c.role == "liaison"))
            .join(unit, unit.c.key == post.c.unit)
            .where(event.c.kind == "assignment.reported", content.c.field == "actor")
        ).all()
    assert len({r.text for r in rows}) > 5
    client = create_app(Settings(demo=True, database_url=old.url), old).test_client()
    token = re.search(r'csrf-token" content="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={"csrf_token": token[1], "account": "zhuanban", "password": PASSWORD})
    pages = {name: client.get(f"/items/{name.removeprefix('item:')}").text for name in {r.stream for r in rows}}
    for r in rows:
        entry = next(e for e in pages[r.stream].split("<li") if f"第 {r.seq} 号 · {r.hash[:6]}" in e)
        assert r.short in entry


def test_it_runs_to_its_end(old: Database) -> None:
    office = Office(old, 1)
    day = TODAY
    while scalar(old, select(run.c.ended_at)) is None and local_day(day) < LAST_DAY:
        everybody_acts(office)
        day += timedelta(days=1)
        office.at(day)
    assert scalar(old, select(run.c.ended_at)) is not None
    office.at(day + timedelta(days=10))  # the round that was open at the end closes, and its last mails are written
    with old.read() as c:
        assert set(c.execute(select(item.c.state)).scalars()) == {"closed"}
        assert c.execute(select(func.count()).where(todo.c.closed_at.is_(None))).scalar_one() == 0
        assert c.execute(select(func.count()).select_from(advance)).scalar_one() == 0
        assert sorted(c.execute(select(due.c.kind)).scalars()) == ["digest", "weekly"]
        assert list(differences(Scene(c, clock=old.clock))) == []
    assert sent_once(old) == scalar(old, select(func.count()).select_from(message)) > 312
    assert scalar(old, select(func.count()).where(notice.c.state == "pending")) == 0


def everybody_acts(office: Office) -> None:
    """Everyone does what stands in the inbox today, as far as the rules allow it."""
    with office.db.read() as c:
        units = sorted(set(c.execute(select(todo.c.unit).where(todo.c.closed_at.is_(None))).scalars()))
        owed = c.execute(
            select(share.c.unit, round_.c.cadence)
            .join(round_, round_.c.id == share.c.round_id)
            .where(share.c.state == "owed")
        ).all()
    for key in units:
        office.acknowledge(key)
    for r in owed:
        office.report_round(r.unit, r.cadence, {})
    while any([_goes_on(office, *waiting) for waiting in _waiting(office)]):
        pass


def _waiting(office: Office) -> list[tuple[str, str]]:
    """Open shares, the leads last: they wait for the others' feedback."""
    with office.db.read() as c:
        rows = c.execute(
            select(assignment.c.unit, item.c.no)
            .join(item, item.c.id == assignment.c.item_id)
            .where(assignment.c.closed_at.is_(None))
            .order_by(assignment.c.role == "lead", assignment.c.id)
        ).all()
    return [(r.unit, r.no) for r in rows]


def _goes_on(office: Office, unit: str, no: str) -> bool:
    try:
        if office.is_waiting(unit, no):
            office.decide(unit, no)
        else:
            office.apply(unit, no, "任务全部完成，佐证材料齐备。")
    except DubanError:
        return False  # not yet
    return True


def sent_once(db: Database) -> int:
    """Deliver everything to a real mail server; returns the number of mails with a Message-ID of their own."""
    taken: list[str] = []

    class Server:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            taken.append(message_from_bytes(envelope.content)["Message-ID"])
            return "250 OK"

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Server(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        deliver(db, Transport("127.0.0.1", port, "督办台账 <duban@localhost>"), "http://127.0.0.1:8000")
    finally:
        controller.stop()
    assert len(set(taken)) == len(taken)
    return len(taken)


def test_the_days_are_those_of_the_demonstration(old: Database) -> None:
    with old.read() as c:
        now: datetime = old.clock.now(c)
    assert now == TODAY
