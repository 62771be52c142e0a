"""Files of events on both databases: staged, handed in, read, checked, cleared, swept; races between them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Barrier
from time import time
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DatabaseError

from engine import commands
from engine.commands import Entry, TodoRef, perform
from engine.scheduler import tidy
from ledger import uploads
from ledger.archive import restore, write_archive
from ledger.attachments import carried, differences, readable, release
from ledger.clearing import Cleared, Place, reapply
from ledger.clock import StoredClock, wall_now
from ledger.database import Database, calendar_of
from ledger.errors import Invalid, NotFound
from ledger.files import Misplaced, Store
from ledger.people import Actor, actor_of, holders
from ledger.queries.items import item_view
from ledger.queries.timeline import last_submission, records
from ledger.rules.filetypes import KINDS
from ledger.schema import assignment, attachment, event, item, upload
from ledger.triggers import MESSAGE
from ledger.uploads import Limits, Staged
from ledger.verification import Scene, broken_chains, replay_differences
from ledger.verification.files import FILES
from ledger.visibility import sight_of
from tests import samples
from tests.statements import statements
from webapp.demo.office import Office

LIMITS = Limits(frozenset(KINDS), 2 * 1024 * 1024, 5)
PDF = samples.pdf(padding=300_000)
UNIT, NO = "renshe", "4"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


class Desk:
    """A liaison with files in hand."""

    def __init__(self, office: Office, store: Store, unit: str = UNIT, no: str = NO) -> None:
        self.db, self.store = office.db, store
        office.acknowledge(unit)
        self.actor = holder(self.db, unit, "liaison")
        self.share = share_of(self.db, no, unit)
        self.form = f"report-{self.share}"

    def announce(self, name: str, data: bytes, **changed: Any) -> Staged:
        values = {"name": name, "size": len(data), "mark": f"{len(data)}-1", **changed}
        return uploads.announce(self.db, self.store, LIMITS, self.actor.person_id, self.form, **values)

    def send(self, made: Staged, data: bytes, chunk: int = 100_000) -> Staged:
        while not made.stored:
            rest = data[made.received : made.received + chunk]
            made = uploads.accept(self.db, self.store, self.actor.person_id, made.id, made.received, rest)
        return made

    def put(self, name: str, data: bytes) -> int:
        return self.send(self.announce(name, data), data).id

    def report(self, *files: int) -> None:
        perform(self.db, self.actor, commands.report, self.share, Entry(progress="见附件。", files=files))

    def waiting(self) -> list[Staged]:
        with self.db.read() as connection:
            return uploads.staged(connection, self.store, self.actor.person_id, [self.form])[self.form]


@pytest.fixture
def desk(office: Office, store: Store) -> Desk:
    return Desk(office, store)


def holder(db: Database, unit: str, role: str) -> Actor:
    with db.read() as connection:
        found = actor_of(connection, holders(connection, {(unit, role)})[unit, role][0].person_id)
    assert found
    return found


def share_of(db: Database, no: str, unit: str) -> int:
    with db.read() as connection:
        query = select(assignment.c.id).join(item, item.c.id == assignment.c.item_id)
        return int(connection.execute(query.where(item.c.no == no, assignment.c.unit == unit)).scalar_one())


def on_disk(store: Store) -> list[str]:
    """Every file there is, by its path in the folder."""
    return sorted(str(p.relative_to(store.folder)) for p in store.folder.rglob("*") if p.is_file())


def faults(db: Database, store: Store, cleared: Iterable[tuple[str, int, str]] | None = None) -> list[str]:
    with db.read() as connection:
        assert broken_chains(connection) == []
        assert replay_differences(connection) == []
        return [words for words, _ in differences(connection, store, cleared=None if cleared is None else set(cleared))]


def rows(db: Database) -> list[Any]:
    with db.read() as connection:
        return list(connection.execute(select(attachment).order_by(attachment.c.id)).all())


# ---------------------------------------------------------------- the way of a file
def test_files_are_handed_in_with_a_report_and_read_again(desk: Desk, office: Office) -> None:
    first, second = desk.put("现场照片.png", samples.png()), desk.put("情况说明.pdf", PDF)
    assert [(f.name, f.stored) for f in desk.waiting()] == [("现场照片.png", True), ("情况说明.pdf", True)]
    desk.report(first, second)
    assert desk.waiting() == []
    with desk.db.read() as connection:
        file, sha256 = readable(connection, sight_of(connection, desk.actor), second)
        assert (file.name, file.size, file.media_type) == ("情况说明.pdf", len(PDF), "application/pdf")
        said = connection.execute(select(event.c.payload).where(event.c.payload.like('%"files"%'))).scalar_one()
    assert desk.store.path(sha256).read_bytes() == PDF
    assert not desk.store.path(sha256).stat().st_mode & 0o222
    assert "情况说明" not in said
    assert sha256 not in said
    assert faults(desk.db, desk.store, cleared=()) == []


def test_signers_and_reviewers_see_the_files_of_an_application_and_add_their_own(desk: Desk, office: Office) -> None:
    desk.form = f"submit-{desk.share}-1"
    number = desk.put("验收单.pdf", PDF)
    entry = Entry(files=[number])
    perform(
        desk.db, desk.actor, commands.submit, TodoRef(desk.share, "work", 1), entry, summary="已完成。", confirmed=True
    )
    signer = holder(desk.db, UNIT, "deputy_head")
    own = Desk.__new__(Desk)
    own.db, own.store, own.actor, own.form = desk.db, desk.store, signer, f"decide-{desk.share}-sign-1"
    note = own.put("批注.png", samples.png(16, 16))
    todo = TodoRef(desk.share, "sign", 1)
    perform(desk.db, signer, commands.decide, todo, agree=False, reason="缺盖章页，见批注。", files=[note])
    with desk.db.read() as connection:
        item_id = connection.execute(select(assignment.c.item_id).where(assignment.c.id == desk.share)).scalar_one()
        submission = last_submission(records(connection, item_id), desk.share)
        assert submission
        assert [f.name for f in submission.files] == ["验收单.pdf"]
        assert readable(connection, sight_of(connection, desk.actor), note)[0].name == "批注.png"
    assert [r.assignment_id for r in rows(desk.db)] == [desk.share, desk.share]
    assert faults(desk.db, desk.store) == []


def _reads(desk: Desk, connection: Connection, actor: Actor, item_id: int) -> bool:
    """Whether the item's page would show what the share reported."""
    now, sight = desk.db.clock.now(connection), sight_of(connection, actor)
    try:
        return desk.share in item_view(connection, calendar_of(connection), now, sight, item_id).readable
    except NotFound:
        return False


def test_only_those_who_read_the_reports_of_a_share_get_its_files(desk: Desk) -> None:
    number = desk.put("情况说明.pdf", PDF)
    desk.report(number)
    asked = {}
    with desk.db.read() as connection:
        item_id = connection.execute(select(assignment.c.item_id).where(assignment.c.id == desk.share)).scalar_one()
        for unit, role in (
            ("renshe", "liaison"),
            ("renshe", "deputy_head"),
            ("jiuye-lingdao", "coordinator"),
            ("caizheng", "liaison"),
            ("daye", "liaison"),
            ("keji", "liaison"),
        ):
            actor = holder(desk.db, unit, role)
            try:
                asked[unit, role] = bool(readable(connection, sight_of(connection, actor), number))
            except NotFound:
                asked[unit, role] = False
            assert asked[unit, role] == _reads(desk, connection, actor, item_id)
    assert asked["renshe", "liaison"]
    assert asked["jiuye-lingdao", "coordinator"]
    assert not asked["keji", "liaison"]


def test_equal_content_is_kept_once_and_every_entry_has_its_own(desk: Desk) -> None:
    numbers = [desk.put("甲.pdf", PDF), desk.put("乙.pdf", PDF)]
    desk.report(numbers[0])
    desk.report(numbers[1])
    assert len({r.sha256 for r in rows(desk.db)}) == 1
    assert len({r.salt for r in rows(desk.db)}) == 2
    assert len(on_disk(desk.store)) == 1
    with desk.db.read() as connection:
        assert [(held.size, held.staged) for held in carried(connection)] == [(len(PDF), False)]


# ---------------------------------------------------------------- arriving
def test_an_upload_goes_on_where_it_stopped(desk: Desk) -> None:
    made = desk.announce("情况说明.pdf", PDF)
    half = uploads.accept(desk.db, desk.store, desk.actor.person_id, made.id, 0, PDF[:150_000])
    assert (half.received, half.stored) == (150_000, False)
    with pytest.raises(Misplaced) as told:
        uploads.accept(desk.db, desk.store, desk.actor.person_id, made.id, 200_000, PDF[200_000:])
    assert told.value.received == 150_000
    again = desk.announce("情况说明.pdf", PDF)  # chosen again after the page was loaded anew
    assert (again.id, again.received) == (made.id, 150_000)
    repeated = uploads.accept(desk.db, desk.store, desk.actor.person_id, made.id, 100_000, PDF[100_000:160_000])
    assert repeated.received == 160_000
    done = desk.send(repeated, PDF)
    assert done.stored
    assert desk.announce("情况说明.pdf", PDF) == done
    desk.report(done.id)
    assert desk.store.path(rows(desk.db)[0].sha256).read_bytes() == PDF


@pytest.mark.parametrize("stage", ["referred", "placed"])
def test_a_crash_while_storing_is_made_good_by_the_next_try(
    desk: Desk, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Store.place

    def crash(store: Store, number: int, sha256: str) -> None:
        if stage == "placed":
            place(store, number, sha256)
        raise KeyboardInterrupt

    made = desk.announce("情况说明.pdf", PDF)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Store, "place", crash)
        desk.send(made, PDF)
    assert [f.stored for f in desk.waiting()] == [False]
    uploads.sweep(desk.db, desk.store, wall_now() - timedelta(days=7))  # what is referred to stays
    done = uploads.accept(desk.db, desk.store, desk.actor.person_id, made.id, len(PDF), b"")
    assert done.stored
    desk.report(done.id)
    assert faults(desk.db, desk.store) == []


REFUSED = [
    ("绝密★名单.pdf", PDF, "非涉密系统"),
    ("资料.zip", samples.zipped("a.txt"), "压缩包"),
    ("程序.exe", samples.EXE, "不是可以上传的类型"),
    ("没有扩展名", PDF, "不是可以上传的类型"),
    ("空.txt", b"", "空文件"),
    ("太大.txt", b"x" * (LIMITS.size + 1), "超过"),
    ("假的.pdf", samples.EXE, "不是 pdf 文件"),
    ("假的.docx", samples.zipped("a.txt"), "不是 docx 文件"),
    ("网页.png", samples.HTML, "不是 png 文件"),
]


@pytest.mark.parametrize(("name", "data", "words"), REFUSED, ids=[name for name, *_ in REFUSED])
def test_what_is_refused_leaves_nothing_behind(desk: Desk, name: str, data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        desk.put(name, data)
    with pytest.raises(Invalid, match=words):
        uploads.take(desk.db, desk.store, LIMITS, desk.actor.person_id, desk.form, name=name, source=BytesIO(data))
    assert desk.waiting() == []
    assert on_disk(desk.store) == []


def test_a_file_that_arrives_garbled_is_refused(desk: Desk) -> None:
    made = desk.announce("情况说明.pdf", PDF, mark="sha256:" + "0" * 64)
    with pytest.raises(Invalid, match="差错"):
        desk.send(made, PDF)
    assert on_disk(desk.store) == []


def test_there_is_room_for_so_many_and_no_more(desk: Desk) -> None:
    for n in range(LIMITS.count):
        desk.announce(f"{n}.pdf", PDF)
    with pytest.raises(Invalid, match="一次最多附 5 个"):
        desk.announce("多.pdf", PDF)
    for n in range(uploads.MOST - LIMITS.count):
        desk.form = f"submit-{n}-1"
        desk.announce(f"{n}.pdf", PDF)
    desk.form = "report-9999"
    with pytest.raises(Invalid, match="还有 100 个附件没有提交"):
        desk.announce("多.pdf", PDF)


# ---------------------------------------------------------------- handing in
def test_what_has_not_arrived_or_is_not_ones_own_is_not_handed_in(desk: Desk, office: Office) -> None:
    partial = desk.announce("情况说明.pdf", PDF).id
    with pytest.raises(Invalid, match="”没有传完"):
        desk.report(partial)
    other = Desk(office, desk.store, "daye", "13")
    with pytest.raises(Invalid, match="已经提交或移除"):
        desk.report(other.put("别人的.pdf", PDF))
    with pytest.raises(NotFound):
        uploads.remove(desk.db, desk.store, desk.actor.person_id, other.waiting()[0].id)
    number = desk.put("照片.png", samples.png())
    desk.report(number)
    with pytest.raises(Invalid, match="已经提交或移除"):
        desk.report(number)
    assert len(rows(desk.db)) == 1


def test_a_refused_act_keeps_its_files(desk: Desk) -> None:
    number = desk.put("情况说明.pdf", PDF)
    with pytest.raises(Invalid):
        desk_todo = TodoRef(desk.share, "work", 1)
        perform(desk.db, desk.actor, commands.submit, desk_todo, Entry(files=[number]), summary=" ")
    assert [f.stored for f in desk.waiting()] == [True]
    assert rows(desk.db) == []


def test_a_file_that_two_acts_name_at_once_goes_to_one(desk: Desk) -> None:
    number, barrier = desk.put("情况说明.pdf", PDF), Barrier(4)

    def act() -> str:
        barrier.wait()
        try:
            desk.report(number)
        except Invalid:
            return "refused"
        return "done"

    with ThreadPoolExecutor(4) as pool:
        results = [f.result() for f in [pool.submit(act) for _ in range(4)]]
    assert sorted(results) == ["done", "refused", "refused", "refused"]
    assert len(rows(desk.db)) == 1
    assert faults(desk.db, desk.store) == []


# ---------------------------------------------------------------- going
def test_what_is_taken_out_is_gone_unless_others_have_it(desk: Desk) -> None:
    kept, out = desk.put("甲.pdf", PDF), desk.put("乙.pdf", PDF)
    uploads.remove(desk.db, desk.store, desk.actor.person_id, out)
    assert len(on_disk(desk.store)) == 1
    partial = desk.announce("丙.pdf", PDF)
    uploads.accept(desk.db, desk.store, desk.actor.person_id, partial.id, 0, PDF[:10])
    uploads.remove(desk.db, desk.store, desk.actor.person_id, partial.id)
    uploads.remove(desk.db, desk.store, desk.actor.person_id, kept)
    assert on_disk(desk.store) == []


def test_what_lies_abandoned_is_swept_and_what_was_handed_in_stays(desk: Desk) -> None:
    handed_in, lying, partial = desk.put("甲.pdf", PDF), desk.put("乙.png", samples.png()), desk.announce("丙.pdf", PDF)
    uploads.accept(desk.db, desk.store, desk.actor.person_id, partial.id, 0, PDF[:10])
    desk.report(handed_in)
    tidy(desk.db, desk.store, 200, 7)
    assert [f.id for f in desk.waiting()] == [lying, partial.id]
    assert len(on_disk(desk.store)) == 3
    assert uploads.sweep(desk.db, desk.store, wall_now() + timedelta(seconds=1)) == 1
    assert desk.waiting() == []
    assert on_disk(desk.store) == [f"{rows(desk.db)[0].sha256[:2]}/{rows(desk.db)[0].sha256}"]
    assert faults(desk.db, desk.store) == []


def test_sweeping_never_takes_what_somebody_refers_to_anew(desk: Desk) -> None:
    """The same content is put in, taken out and swept at once: whatever is stored in the end is there."""
    stop: list[bool] = []

    def sweeper() -> None:
        while not stop:
            uploads.sweep(desk.db, desk.store, wall_now() - timedelta(days=7))

    def putter(n: int) -> list[int]:
        kept = []
        for turn in range(6):
            number = desk.put(f"{n}-{turn}.txt", b"always the same words")
            if turn % 2:
                kept.append(number)
                desk.report(number)
            else:
                uploads.remove(desk.db, desk.store, desk.actor.person_id, number)
        return kept

    with ThreadPoolExecutor(4) as pool:
        sweeping = pool.submit(sweeper)
        kept = [f.result() for f in [pool.submit(putter, n) for n in range(3)]]
        stop.append(True)
        sweeping.result()
    assert sum(map(len, kept)) == 9
    assert len(on_disk(desk.store)) == 1
    assert faults(desk.db, desk.store) == []


# ---------------------------------------------------------------- whether it holds
def test_every_kind_of_tampering_is_found(desk: Desk) -> None:
    desk.report(desk.put("甲.pdf", PDF))
    desk.report(desk.put("乙.png", samples.png()))
    first, second = rows(desk.db)
    path = desk.store.path(first.sha256)
    os.chmod(path, 0o600)

    path.write_bytes(PDF[:-1] + b"!")
    assert faults(desk.db, desk.store) == [
        f"item:4 第 {first.seq} 号的附件 {first.id} 的文件内容与其摘要不符（文件被改动）"
    ]
    path.write_bytes(PDF[:-1])
    assert faults(desk.db, desk.store) == [
        f"item:4 第 {first.seq} 号的附件 {first.id} 的文件大小不对（文件被改动或截断）"
    ]
    path.unlink()
    assert faults(desk.db, desk.store) == [f"item:4 第 {first.seq} 号的附件 {first.id} 的文件不见了"]
    path.write_bytes(PDF)
    stray = desk.store.path("ab" + "0" * 62)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x")
    assert faults(desk.db, desk.store) == []  # it may be arriving just now
    os.utime(stray, (time() - 7200, time() - 7200))
    assert faults(desk.db, desk.store) == ["附件库里的文件 ab0000000000 没有任何记录提到"]
    stray.unlink()

    for statement, words in (
        (f"UPDATE attachment SET media_type = 'text/html' WHERE id = {first.id}", "大小或类型不符"),
        (f"UPDATE attachment SET assignment_id = 1 WHERE id = {first.id}", "单位、大小或类型不符"),
        (f"UPDATE attachment SET sha256 = '{second.sha256}' WHERE id = {first.id}", "与其摘要不符"),
        (f"UPDATE attachment SET salt = NULL, sha256 = NULL WHERE id = {first.id}", "没有依规清除的记录"),
        (f"DELETE FROM attachment WHERE id = {first.id}", "不见了"),
        (f"UPDATE attachment SET id = 999 WHERE id = {first.id}", "在记录里没有"),
    ):
        found = _tampered(desk, statement)
        assert any(words in fault for fault in found), (statement, found)


def _tampered(desk: Desk, statement: str) -> list[str]:
    """What is found after a change that only the owner of the database can make; it is taken back again."""
    with desk.db.writer.connect() as connection, connection.begin() as transaction:
        if desk.db.is_sqlite:
            for name in ("attachment_no_delete", "attachment_only_cleared"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE attachment DISABLE TRIGGER USER"))
        connection.execute(text(statement))
        found = [words for words, _ in differences(connection, desk.store, cleared=())]
        transaction.rollback()
    return found


def test_the_table_of_files_refuses_every_change_but_clearing(desk: Desk) -> None:
    desk.report(desk.put("甲.pdf", PDF))
    refused = [
        "UPDATE attachment SET sha256 = 'x'",
        "UPDATE attachment SET salt = 'x'",
        "UPDATE attachment SET salt = NULL, sha256 = NULL, size = 1",
        "UPDATE attachment SET salt = NULL, sha256 = NULL, assignment_id = 1",
        "DELETE FROM attachment",
        "INSERT OR REPLACE INTO attachment SELECT * FROM attachment" if desk.db.is_sqlite else "TRUNCATE attachment",
    ]
    for statement in refused:
        with pytest.raises(DatabaseError, match=MESSAGE), desk.db.writer.begin() as connection:
            connection.execute(text(statement))


# ---------------------------------------------------------------- 依规清除
def test_a_cleared_file_is_gone_and_the_chain_still_verifies(desk: Desk) -> None:
    desk.report(desk.put("甲.pdf", PDF))
    desk.report(desk.put("乙.pdf", PDF))
    first, second = rows(desk.db)
    for n, row in enumerate((first, second)):
        place = (row.stream, row.seq, f"file-{row.id}")
        with desk.db.write() as tx:
            reapply(tx, Cleared(frozenset({Place(*place)})))
        assert release(desk.db, desk.store, [row.sha256]) == n  # the other entry still has the same content
    assert on_disk(desk.store) == []
    with desk.db.read() as connection, pytest.raises(NotFound, match="依规清除"):
        readable(connection, sight_of(connection, desk.actor), first.id)
    places = [(r.stream, r.seq, f"file-{r.id}") for r in (first, second)]
    assert faults(desk.db, desk.store, cleared=places) == []
    assert len(faults(desk.db, desk.store, cleared=places[:1])) == 1
    with desk.db.read() as connection:
        assert list(FILES.run(Scene(connection, store=desk.store))) == []  # as `duban verify` asks


# ---------------------------------------------------------------- what it costs
def test_an_act_without_files_asks_nothing_of_them(desk: Desk) -> None:
    with statements(desk.db.writer) as said:
        desk.report()
    assert said
    assert not [s for s, _ in said if "upload" in s or "attachment" in s]
    with desk.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(upload)).scalar_one() == 0


# ---------------------------------------------------------------- backup
def test_files_go_with_a_backup_and_come_back(desk: Desk, tmp_path: Path) -> None:
    """What nobody handed in yet included, what was cleared since not; what is lost is named, and all else saved."""
    waiting = desk.put("待提交.pdf", PDF)
    desk.report(*(desk.put(f"{n}.pdf", samples.pdf(padding=n * 1000)) for n in (1, 2, 3)))
    kept, cleared, lost = rows(desk.db)
    desk.store.remove(lost.sha256)
    manifest = write_archive(desk.db, tmp_path / "duban.zip", {}, store=desk.store)
    assert manifest.missing == (lost.sha256,)

    gone = Place(cleared.stream, cleared.seq, f"file-{cleared.id}")
    second, store = Database(f"sqlite:///{tmp_path / 'restored.sqlite3'}", StoredClock()), Store(tmp_path / "restored")
    restore(second, tmp_path / "duban.zip", Cleared(frozenset({gone}), frozenset()), store=store)
    with second.read() as connection:
        assert [s.id for s in uploads.staged(connection, store, desk.actor.person_id, [desk.form])[desk.form]] == [
            waiting
        ]
        staged = {held.sha256 for held in carried(connection) if held.staged}
    assert set(store.digests()) == {kept.sha256} | staged and len(staged) == 1
    assert not store.path(kept.sha256).stat().st_mode & 0o222
    assert [words[-6:] for words in faults(second, store, cleared={gone})] == ["的文件不见了"]
    second.close()
