"""Backup and restore: from either kind of database into either kind, whole, verified, and at work afterwards."""

from __future__ import annotations

import json
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import Path

import pytest
from sqlalchemy import delete, inspect, select

from engine.commands import TodoRef, acknowledge_many, perform
from engine.verifying import differences
from ledger.archive import ArchiveError, cleanse, opened, read_clearings, restore, write_archive, write_list
from ledger.archive.manifest import NAME
from ledger.calendar import moment
from ledger.clearing import Cleared, Place, known, reapply
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import is_current, upgrade
from ledger.people import actor_of
from ledger.schema import assignment, content, event, message, metadata, notice, todo
from ledger.verification import Scene
from tests.conftest import empty
from webapp.demo import campaign
from webapp.demo.office import Office

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

Target = Callable[[str], Database]


@pytest.fixture(scope="session")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the run with shares signed for, returned and closed, rounds open and mails queued."""
    folder = tmp_path_factory.mktemp("at-work")
    url = f"sqlite:///{folder / 'duban.sqlite3'}"
    upgrade(url)
    db = Database(url, StoredClock())
    office = Office(db, campaign.begin(db))
    act(office)
    write_archive(db, folder / "duban.zip", {"settings.env": b'DUBAN_PLACE="x"\n'})
    db.close()
    return folder / "duban.zip"


def act(office: Office) -> None:
    for unit in ("renshe", "daye", "guozi"):
        office.acknowledge(unit)
    office.report("daye", "13", "已上门对接用人单位九家。", {"trainee-posts": 214})
    office.apply("guozi", "8", "校园招聘名额扩大。")
    office.decide("guozi", "8")
    office.decide("guozi", "8")
    office.at(moment(date(2025, 5, 27), time(10)))


@pytest.fixture
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """An empty database of a kind."""
    made: list[Database] = []

    def fresh(kind: str) -> Database:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path / 'restored.sqlite3'}"
        else:
            url = request.getfixturevalue("postgres_url")
            empty(url)
        made.append(Database(url, StoredClock()))
        return made[-1]

    yield fresh
    for db in made:
        db.close()


def rows_of(db: Database) -> dict[str, list[tuple[object, ...]]]:
    with db.read() as connection:
        return {
            t.name: [tuple(r) for r in connection.execute(select(t).order_by(*t.primary_key))]
            for t in metadata.sorted_tables
        }


def findings(db: Database) -> list[str]:
    with db.read() as connection:
        return [f.message for f in differences(Scene(connection, clock=db.clock))]


def serials(db: Database) -> int:
    """How many rows of the outbox and of the notices there are: tables that number themselves."""
    with db.read() as connection:
        return len(connection.execute(select(message.c.id)).all()) + len(connection.execute(select(notice.c.id)).all())


@pytest.mark.parametrize("into", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_either_database_is_restored_into_either_and_goes_on_working(
    kind: str, into: str, target: Target, at_work: Path, tmp_path: Path
) -> None:
    first = target(kind)
    restore(first, at_work)
    before = rows_of(first)
    again = tmp_path / "again.zip"
    write_archive(first, again, {})
    first.close()
    (tmp_path / "restored.sqlite3").unlink(missing_ok=True)
    second = target(into)
    manifest = restore(second, again)
    assert manifest.database == kind and manifest.rows == sum(map(len, before.values()))
    assert is_current(second.writer)
    assert rows_of(second) == before
    assert findings(second) == []
    # people and time go on: new events, notices, mails and rounds get numbers of their own
    office, told = Office(second, 1), serials(second)
    office.acknowledge("jiaoyu")
    office.report_round("renshe", "weekly", {})
    office.at(moment(date(2025, 6, 9), time(10)))
    assert serials(second) > told
    assert findings(second) == []


def test_an_archive_is_the_owners_alone_and_says_what_it_holds(at_work: Path) -> None:
    assert stat.S_IMODE(at_work.stat().st_mode) == 0o600
    with opened(at_work) as archive:
        assert b"".join(archive.pieces("settings.env")) == b'DUBAN_PLACE="x"\n'
        assert set(archive.manifest.tables) == set(metadata.tables)
        assert archive.manifest.tables["event"].rows > 100
    assert not list(at_work.parent.glob(".*.part"))


def test_the_archive_is_one_moment_while_people_work(office: Office, target: Target, tmp_path: Path) -> None:
    """Commands go on while the archive is written; what it holds fits together all the same."""
    stop, acted, faults = threading.Event(), [], []
    with office.db.read() as connection:
        waiting = connection.execute(
            select(assignment.c.unit, todo.c.owner_id)
            .join(assignment, assignment.c.id == todo.c.owner_id)
            .where(todo.c.step == "acknowledge")
            .order_by(todo.c.owner_id)
        ).all()
        found = {unit: actor_of(connection, office.holder(unit, "liaison")) for unit in {r.unit for r in waiting}}
        actors = {unit: actor for unit, actor in found.items() if actor}

    def work() -> None:
        try:
            for row in waiting:
                if stop.is_set():
                    break
                perform(office.db, actors[row.unit], acknowledge_many, [TodoRef(row.owner_id, "acknowledge", 1)])
                acted.append(row.owner_id)
        except Exception as error:
            faults.append(error)

    seen: list[int] = []

    def progress(_done: int, _total: int) -> None:
        """Each table is read only after somebody has written again."""
        before, n = len(acted), 0
        while len(acted) == before and worker.is_alive() and n < 200:
            n += 1
            stop.wait(0.01)
        seen.append(len(acted))

    worker = threading.Thread(target=work)
    worker.start()
    write_archive(office.db, tmp_path / "busy.zip", {}, progress)
    stop.set()
    worker.join()
    assert not faults and seen[-1] > seen[0]
    restored = target("sqlite")
    restore(restored, tmp_path / "busy.zip")
    assert findings(restored) == []
    assert len(rows_of(restored)["event"]) < len(rows_of(office.db)["event"])


# ---------------------------------------------------------------- refusals: nothing is touched
def tables(db: Database) -> list[str]:
    return inspect(db.writer).get_table_names()


def rewritten(path: Path, to: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """The archive with its members changed, dropped (None) or doubled."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            if (made := change(name, old.read(name))) is not None:
                new.writestr(name, made)
    return to


def _cut(path: Path, to: Path) -> Path:
    to.write_bytes(path.read_bytes()[:-1000])
    return to


def _flip(path: Path, to: Path) -> Path:
    """One bit of the compressed log is another."""
    with zipfile.ZipFile(path) as packed:
        info = packed.getinfo("tables/event.jsonl")
    bytes_ = bytearray(path.read_bytes())
    bytes_[info.header_offset + info.compress_size // 2] ^= 1
    to.write_bytes(bytes_)
    return to


def _swapped(name: str, text: bytes) -> bytes:
    return text.replace(b"renshe", b"jiaoyu") if name == "tables/event.jsonl" else text


def _newer(name: str, text: bytes) -> bytes:
    return json.dumps({**json.loads(text), "revision": "9999", "release": "9.9.9"}).encode() if name == NAME else text


def _late_format(name: str, text: bytes) -> bytes:
    return json.dumps({**json.loads(text), "format": 2}).encode() if name == NAME else text


DAMAGES: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "cut off": (_cut, "打不开"),
    "a bit flipped": (_flip, "tables/event.jsonl"),
    "a row changed": (lambda a, b: rewritten(a, b, _swapped), "tables/event.jsonl 与清单不符"),
    "a table missing": (
        lambda a, b: rewritten(a, b, lambda n, t: None if "todo" in n else t),
        "缺少 tables/todo.jsonl",
    ),
    "no manifest": (lambda a, b: rewritten(a, b, lambda n, t: None if n == NAME else t), "不是督办台账的归档"),
    "manifest no JSON": (lambda a, b: rewritten(a, b, lambda n, t: b"{" if n == NAME else t), "读不懂"),
    "a later release": (lambda a, b: rewritten(a, b, _newer), "9.9.9"),
    "a later format": (lambda a, b: rewritten(a, b, _late_format), "格式比本程序新"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_archive_is_refused_before_anything_is_touched(
    damage: str, at_work: Path, target: Target, tmp_path: Path
) -> None:
    make, said = DAMAGES[damage]
    db = target("sqlite")
    with pytest.raises(ArchiveError, match=said):
        restore(db, make(at_work, tmp_path / "damaged.zip"))
    assert tables(db) == []


def test_a_member_too_many_is_refused(at_work: Path, target: Target, tmp_path: Path) -> None:
    damaged = rewritten(at_work, tmp_path / "damaged.zip", lambda _, text: text)
    with zipfile.ZipFile(damaged, "a") as packed:
        packed.writestr("../evil", b"x")
    with pytest.raises(ArchiveError, match="多出"):
        restore(target("sqlite"), damaged)


def test_only_an_empty_database_takes_an_archive(migrated: Database, at_work: Path) -> None:
    before = rows_of(migrated)
    with pytest.raises(ArchiveError, match="不是空的"):
        restore(migrated, at_work)
    assert rows_of(migrated) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_restore_that_fails_half_way_leaves_the_database_empty(kind: str, at_work: Path, target: Target) -> None:
    db = target(kind)

    def breaks(done: int, _total: int) -> None:
        if done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(db, at_work, progress=breaks)
    assert tables(db) == []
    restore(db, at_work)
    assert findings(db) == []


def test_a_backup_that_fails_leaves_neither_half_an_archive_nor_harms_the_last(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "duban.zip"
    write_archive(office.db, path, {})
    before = path.read_bytes()

    def breaks(done: int, _total: int) -> None:
        if done > 100:
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_archive(office.db, path, {}, breaks)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if "zip" in p.name] == ["duban.zip"]


# ---------------------------------------------------------------- 依规清除
def clear_some(db: Database) -> Cleared:
    """Clear what the counties reported, as two authorised people would."""
    with db.write() as tx:
        said = select(content.c.stream, content.c.seq, content.c.field).join(
            event, (event.c.stream == content.c.stream) & (event.c.seq == content.c.seq)
        )
        rows = tx.connection.execute(said.where(event.c.kind == "assignment.reported")).all()
        return reapply(tx, Cleared(frozenset(Place(*r) for r in rows)))


SAID = "已上门对接用人单位九家。".encode()


def says(archive: Path) -> bool:
    with zipfile.ZipFile(archive) as packed:
        return any(SAID in packed.read(name) for name in packed.namelist())


def test_what_was_cleared_is_cleansed_from_older_archives(at_work: Path, target: Target, tmp_path: Path) -> None:
    live, old = target("sqlite"), tmp_path / "old.zip"
    old.write_bytes(at_work.read_bytes())
    restore(live, old)
    assert says(old)
    cleared = clear_some(live)
    assert cleared.places
    assert cleanse(old, cleared) >= len(cleared.places)
    assert not says(old)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert cleanse(old, cleared) == 0
    with opened(old) as archive:
        assert archive.manifest.cleared == cleared
    live.close()
    (tmp_path / "restored.sqlite3").unlink()
    again = target("sqlite")
    restore(again, old)
    assert _cleared_and_clean(again, cleared)


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_of_clearings_is_applied_to_what_an_old_archive_brings(
    kind: str, at_work: Path, target: Target, tmp_path: Path
) -> None:
    live = target("sqlite")
    restore(live, at_work)
    cleared = clear_some(live)
    live.close()
    (tmp_path / "restored.sqlite3").unlink()
    file = tmp_path / "clearings.csv"
    with file.open("w", newline="") as stream:
        write_list(stream, cleared)
    again = target(kind)
    restore(again, at_work, read_clearings(file))
    assert _cleared_and_clean(again, cleared)


def _cleared_and_clean(db: Database, cleared: Cleared) -> bool:
    """The words are gone, the log says so, and everything verifies."""
    with db.read() as connection:
        gone = connection.execute(
            select(content.c.stream, content.c.seq, content.c.field).where(content.c.text.is_(None))
        )
        assert {Place(*r) for r in gone} == cleared.places
        assert known(connection) == cleared
    assert findings(db) == []
    return True


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "stream,seq,field\nitem:1,x,y\n", "stream,seq,field\nitem:1\n"])
def test_a_list_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "clearings.csv"
    file.write_text(text)
    with pytest.raises(ArchiveError, match=r"clearings\.csv"):
        read_clearings(file)


def test_a_tampered_database_is_restored_as_it_is_and_found(at_work: Path, target: Target, tmp_path: Path) -> None:
    first = target("sqlite")
    restore(first, at_work)
    with first.writer.begin() as connection:
        connection.execute(delete(todo).where(todo.c.owner_id == 1))
    write_archive(first, tmp_path / "tampered.zip", {})
    first.close()
    (tmp_path / "restored.sqlite3").unlink()
    second = target("sqlite")
    restore(second, tmp_path / "tampered.zip")
    assert findings(second)
