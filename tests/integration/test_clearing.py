"""依规清除 on both databases: by two, for good, everywhere, said in the chain; and what a restore makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Table, func, insert, select, update

from engine import accounts, ticking
from engine.clearing import settle
from engine.commands import apply_for_name, apply_for_text, decide_clearing, perform
from engine.verifying import differences
from ledger.archive import kept_list
from ledger.calendar import moment
from ledger.clearing import CLEARED, CLEARED_NAME, Cleared, Place, Scrubber, known, known_in, reapply
from ledger.clock import StoredClock, wall_now
from ledger.database import Database
from ledger.directory import register_person, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.files import Store
from ledger.migrating import upgrade
from ledger.queries.clearings import applications, may_decide, waiting_count
from ledger.schema import assignment, clearing, content, delivery, draft, event, message, metadata, notice, person
from ledger.verification import Scene
from webapp.demo import campaign
from webapp.demo.office import Office

SECRET = "李某家住黄石港区天桥路十一号，联系人是其妻王某。"
GROUND = "《个人信息保护法》第四十七条，当事人申请删除住址。"
HERE = Place("item:13", 0, "progress")


def at(month: int, day: int, hour: int = 9) -> datetime:
    return moment(date(2025, month, day), time(hour))


@pytest.fixture
def said(office: Office) -> Office:
    """大冶市 has reported what it should not have written down, and has it in a draft and a mail as well."""
    office.at(at(5, 23, 10))
    office.acknowledge("daye")
    office.report("daye", "13", SECRET, {"trainee-posts": 214})
    typed = {"progress": f"续报：{SECRET}"}, {"progress": "见习岗位另有三个。"}
    with office.db.write() as tx:
        for n, fields in enumerate(typed):
            row = {"person_id": 1, "form": f"report-{n}", "fields": json.dumps(fields, ensure_ascii=False)}
            tx.connection.execute(insert(draft), {**row, "saved_at": tx.now})
        told = select(delivery.c.message_id).join(notice, notice.c.id == delivery.c.notice_id)
        about = message.c.id.in_(told.where(notice.c.item_id == 13, notice.c.unit == "daye"))
        says = func.replace(message.c.context, '"post": "', f'"post": "{SECRET}')
        assert tx.connection.execute(update(message).where(about).values(context=says)).rowcount
    return office


def seq_of(office: Office, kind: str = "assignment.reported", stream: str = "item:13") -> int:
    with office.db.read() as connection:
        return int(
            connection.execute(
                select(event.c.seq).where(event.c.stream == stream, event.c.kind == kind)
            ).scalar_one()
        )  # fmt: skip


def apply(office: Office, login: str = "guanli", ground: str = GROUND) -> int:
    return perform(office.db, office.who(login), apply_for_text, 13, seq_of(office), ["progress"], ground=ground)


def said_by(office: Office) -> int:
    with office.db.read() as connection:
        share = (assignment.c.item_id == 13) & (assignment.c.unit == "daye")
        return int(connection.execute(select(assignment.c.id).where(share)).scalar_one())


def confirm(office: Office, number: int, login: str = "ducha") -> None:
    perform(office.db, office.who(login), decide_clearing, number, agree=True, understood=True)


def text_at(office: Office, field: str = "progress") -> Any:
    with office.db.read() as connection:
        here = (content.c.stream == "item:13") & (content.c.seq == seq_of(office)) & (content.c.field == field)
        return connection.execute(select(content.c.text, content.c.salt).where(here)).one()


def verified(db: Database) -> int:
    """No difference; how many texts are counted as cleared."""
    ticking.tick(db)
    with db.read() as connection:
        scene = Scene(connection, clock=db.clock)
        assert list(differences(scene)) == []
    return scene.counts["cleared"]


def stored(db: Database) -> str:
    """Everything that stands in any table."""
    with db.read() as connection:
        return "\n".join(str(tuple(r)) for t in metadata.sorted_tables for r in connection.execute(select(t)))


# ---------------------------------------------------------------- a text
def test_two_people_clear_a_text_and_the_chain_still_verifies(said: Office) -> None:
    assert SECRET in stored(said.db) and verified(said.db) == 0
    number = apply(said)
    assert SECRET in stored(said.db)  # an application changes nothing
    confirm(said, number)
    assert tuple(text_at(said)) == (None, None)
    assert SECRET not in stored(said.db)
    assert verified(said.db) == 1
    with said.db.read() as connection:
        assert known(connection) == Cleared(frozenset({HERE._replace(seq=seq_of(said))}))
        kept = connection.execute(select(draft.c.form)).scalars().all()
        acts = connection.execute(
            select(event.c.kind, event.c.actor, event.c.payload).where(event.c.kind.like("clearing.%"))
        ).all()
    assert kept == ["report-1"]  # the draft with the words is gone, the other is not
    assert [a.kind for a in acts] == ["clearing.applied", "clearing.confirmed"]
    assert [json.loads(a.actor)["person"] for a in acts] == [said.who(n).person_id for n in ("guanli", "ducha")]
    assert json.loads(acts[1].payload)["places"] == [["item:13", seq_of(said), "progress"]]


def test_a_ground_repeats_nothing_of_what_is_to_go(said: Office) -> None:
    """It stays for good, and nobody could take it out again."""
    for ground in (f"来信反映：{SECRET}", f"记录写有“{SECRET[3:14]}”，不宜公开。"):
        with pytest.raises(Invalid) as refused:
            apply(said, ground=ground)
        assert "不要引用原文" in refused.value.fields["ground"]
    name = said.who("daye").name
    with pytest.raises(Invalid):
        perform(said.db, said.who("guanli"), apply_for_name, said.who("daye").person_id, ground=f"{name}本人申请。")


def test_the_words_are_gone_from_the_file_as_well(tmp_path: Path) -> None:
    file = tmp_path / "duban.sqlite3"
    upgrade(f"sqlite:///{file}")
    db = Database(f"sqlite:///{file}", StoredClock())
    office = Office(db, campaign.begin(db))
    office.acknowledge("daye")
    office.report("daye", "13", SECRET)
    confirm(office, apply(office))
    store = Store(tmp_path / "files")
    with db.read() as connection:
        connection.execute(select(person.c.id)).all()
        settle(db, store)  # a reader is in the way of the write-ahead log
    settle(db, store)
    left = b"".join(f.read_bytes() for f in tmp_path.iterdir() if f.is_file())  # the database is open, its log is there
    assert SECRET.encode() not in left and GROUND.encode() in left
    kept = kept_list(store)
    with db.read() as connection:
        assert kept == known(connection) and kept
    db.close()


def test_one_of_each_office_and_never_the_same_person(said: Office) -> None:
    with said.db.write() as tx:
        both = register_person(tx, login="both", name="双岗", email="both@x.example", password_hash="-")
        for role in ("administrator", "inspector"):
            take_post(tx, both, "zhengfuban", role)
        second = register_person(tx, login="second", name="二管", email="second@x.example", password_hash="-")
        take_post(tx, second, "zhengfuban", "administrator")
    for login in ("zhuanban", "lingdao", "daye"):
        with pytest.raises(NotAllowed):
            apply(said, login)
    number = apply(said, "both")
    for login, why in (("both", "申请人"), ("second", "督查人员"), ("zhuanban", "管理员和督查人员")):
        with pytest.raises(NotAllowed, match=why):
            confirm(said, number, login)
    assert text_at(said).text == SECRET
    confirm(said, number)
    assert text_at(said).text is None


def test_who_applies_says_why_and_who_confirms_says_understood(said: Office) -> None:
    for ground in ("", "  "):
        with pytest.raises(Invalid, match="依据"):
            apply(said, ground=ground)
    with pytest.raises(Invalid, match="勾选"):
        perform(said.db, said.who("guanli"), apply_for_text, 13, seq_of(said), [], ground=GROUND)
    for fields in (["actor"], ["summary"]):  # a name is cleared as a name; a text must stand there
        with pytest.raises(NotFound):
            perform(said.db, said.who("guanli"), apply_for_text, 13, seq_of(said), fields, ground=GROUND)
    number = apply(said)
    with pytest.raises(Refused, match="已经有一份"):
        apply(said, "ducha")
    with pytest.raises(Invalid, match="不能恢复"):
        perform(said.db, said.who("ducha"), decide_clearing, number, agree=True)
    with pytest.raises(Invalid, match="理由"):
        perform(said.db, said.who("ducha"), decide_clearing, number, agree=False)
    perform(said.db, said.who("ducha"), decide_clearing, number, agree=False, reason="与案件有关，暂不清除。")
    assert text_at(said).text == SECRET
    with pytest.raises(Conflict, match="作出不同意的决定"):
        confirm(said, number)
    confirm(said, apply(said, "ducha"), "guanli")  # the other way round, after the first was declined
    with pytest.raises(NotFound):
        apply(said)
    assert verified(said.db) == 1


def test_each_sees_what_waits_for_the_other(said: Office) -> None:
    number = apply(said)
    with said.db.read() as connection:
        waits = {n: waiting_count(connection, said.who(n)) for n in ("guanli", "ducha", "zhuanban")}
        assert waits == {"guanli": 0, "ducha": 1, "zhuanban": 0}
        assert may_decide(connection, said.who("ducha"), number)
        assert not may_decide(connection, said.who("guanli"), number)
        (found,) = applications(connection, said.who("ducha"), waiting=True)
    assert (found.item_id, found.what) == (13, f"第 {seq_of(said)} 号办理记录的进展")
    assert (found.applied.post, found.applied.words) == ("市政府办 管理员", GROUND)


# ---------------------------------------------------------------- a name
def test_a_name_is_cleared_wherever_it_stands(said: Office) -> None:
    subject = said.holder("daye", "liaison")
    with said.db.write() as tx:
        name = tx.connection.execute(select(person.c.name).where(person.c.id == subject)).scalar_one()
        fields = json.dumps({"progress": f"联系人{name}"}, ensure_ascii=False)
        tx.connection.execute(insert(draft), {"person_id": subject, "form": "f", "fields": fields, "saved_at": tx.now})
        mine = message.c.person_id == subject
        named = func.replace(message.c.context, '"post": "', f'"post": "{name}')
        assert tx.connection.execute(update(message).where(mine).values(context=named)).rowcount
    with said.db.write(said.who("daye")) as tx:  # as the first release recorded: the name on every act
        tx.desk = tx.actor.first("liaison")
        facts: dict[str, Any] = {
            "assignment": said_by(said),
            "item": 13,
            "round": None,
            "figures": [],
            "nothing_new": True,
        }
        tx.record("item:13", "assignment.reported", facts, {"actor": name})
    number = perform(said.db, said.who("ducha"), apply_for_name, subject, ground=GROUND)
    with pytest.raises(Refused):
        perform(said.db, said.who("guanli"), apply_for_name, subject, ground=GROUND)
    confirm(said, number, "guanli")
    everything = stored(said.db)
    assert name not in everything and CLEARED_NAME in everything
    assert SECRET in everything  # what the person wrote is another matter
    assert verified(said.db) == 2  # where the post was taken, and on the old act
    with said.db.read() as connection:
        assert known(connection).persons == {subject}
        assert {(p.stream, p.field) for p in known(connection).places} == {("admin", "name"), ("item:13", "actor")}
        assert connection.execute(select(clearing.c.places).where(clearing.c.id == number)).scalar_one() == 2


def test_nobody_decides_on_the_own_name(said: Office) -> None:
    subject = said.who("ducha")
    number = perform(said.db, said.who("guanli"), apply_for_name, subject.person_id, ground=GROUND)
    with pytest.raises(NotAllowed, match="本人"):
        confirm(said, number)


def test_a_name_put_back_by_hand_is_found(said: Office) -> None:
    subject = said.holder("daye", "liaison")
    confirm(said, perform(said.db, said.who("guanli"), apply_for_name, subject, ground=GROUND))
    with said.db.writer.begin() as connection:
        connection.execute(update(person).where(person.c.id == subject).values(name="李四"))
    with said.db.read() as connection:
        (only,) = differences(Scene(connection, clock=said.db.clock))
    assert only.message == f"账号第 {subject} 号的姓名已依规清除，表 person 中却仍有姓名"


# ---------------------------------------------------------------- backups
def rows_of(db: Database) -> dict[str, list[dict[str, Any]]]:
    """What a backup keeps: each table as mappings."""
    with db.read() as connection:
        return {t.name: [r._asdict() for r in connection.execute(select(t))] for t in metadata.sorted_tables}


def load(
    url: str, kept: dict[str, list[dict[str, Any]]], each: Callable[[str, dict], Any] = lambda _, r: r
) -> Database:
    upgrade(url)
    db = Database(url, StoredClock())
    with db.writer.begin() as connection:
        for table in metadata.sorted_tables:
            if rows := [made for r in kept[table.name] if (made := each(table.name, r)) is not None]:
                connection.execute(insert(table), rows)
    return db


def test_an_old_backup_is_cleared_again_and_says_so(said: Office, tmp_path: Path) -> None:
    """The backup is older than the clearing: what the running database knows is applied to what is restored."""
    old = rows_of(said.db)
    confirm(said, apply(said))
    subject = said.holder("renshe", "liaison")
    confirm(said, perform(said.db, said.who("guanli"), apply_for_name, subject, ground=GROUND))
    with said.db.read() as connection:
        cleared = known(connection)
    restored = load(f"sqlite:///{tmp_path / 'restored.sqlite3'}", old)
    assert SECRET in stored(restored)
    with restored.write() as tx:
        recorded = reapply(tx, cleared)
    assert recorded.persons == {subject} and HERE._replace(seq=seq_of(said)) in recorded.places
    assert SECRET not in stored(restored)
    assert verified(restored) == len(recorded.places)
    with restored.write() as tx:
        assert not reapply(tx, cleared)  # a second time there is nothing to say
    restored.close()


def test_an_archive_is_cleansed_row_by_row(said: Office, tmp_path: Path) -> None:
    """`Scrubber` on rows as an archive keeps them; the restore then records what the archive's log does not know."""
    old = rows_of(said.db)
    confirm(said, apply(said))
    with said.db.read() as connection:
        cleared = known(connection)
        assert known_in(r._asdict() for r in connection.execute(select(event))) == cleared
    scrubber = Scrubber(cleared)
    for table in ("content", "person"):
        for row in old[table]:
            scrubber.learn(table, row)
    restored = load(f"sqlite:///{tmp_path / 'cleansed.sqlite3'}", old, scrubber.row)
    assert SECRET not in stored(restored)
    with restored.read() as connection:
        said_of_it = [f.message for f in differences(Scene(connection, clock=restored.clock))]
        assert connection.execute(select(func.count()).select_from(draft)).scalar_one() == 1
    assert said_of_it == [f"item:13 第 {seq_of(said)} 号的文字（progress）被抹去，没有依规清除的记录"]
    with restored.write() as tx:
        reapply(tx, cleared)
    assert verified(restored) == 1
    restored.close()


def test_mails_keep_their_words_but_for_the_cleared_ones() -> None:
    scrubber = Scrubber(Cleared(frozenset({HERE}), frozenset({7})))
    scrubber.learn("content", {"stream": "item:13", "seq": 0, "field": "progress", "text": SECRET})
    scrubber.learn("person", {"id": 7, "name": "陈静"})
    about = {"id": 1, "person_id": 7, "context": json.dumps({"lines": [{"title": f"甲：{SECRET}"}], "post": "陈静"})}
    made = scrubber.row("message", about)
    assert made is not None
    assert json.loads(made["context"]) == {"lines": [{"title": f"甲：{CLEARED}"}], "post": CLEARED_NAME}
    other = {"id": 2, "person_id": 8, "context": json.dumps({"post": "陈静"})}
    assert scrubber.row("message", other) == other  # somebody else of that name


def test_every_table_with_words_is_one_the_scrubber_knows() -> None:
    """A table that is added with free text or names must be looked at by 依规清除."""
    looked_at = {"content", "person", "draft", "message", "ledger_view"}
    no_words = {"event", "seal", "stream", "unit", "post", "plan_version", "plan_source", "run", "run_state", "item"}
    no_words |= {"assignment", "indicator", "reading", "figure", "round", "share", "todo", "clearing", "due", "advance"}
    no_words |= {"notice", "delivery", "clock", "heartbeat", "counter", "day_override", "standing", "tally", "basis"}
    no_words |= {"login_session", "login_log", "throttle", "password_reset", "sent_form"}  # kept for a time
    no_words |= {"export"}  # filters of the ledger; it is kept for a day, and goes when something is cleared
    no_words |= {
        "unit_name",
        "unit_alias",
        "unit_group",
        "jurisdiction",
        "unit_change",
        "handover",
    }  # units' names; what was written is a text of an event
    no_words |= {"plan_draft"}  # the office's own plan, which names units and no persons
    no_words |= {"petition", "entry", "glance"}  # what was written to apply, or entered, is a text of its event
    no_words |= {"intake"}  # whose words hang on its registration
    no_words |= {"step", "handover", "unit_change"}  # so is what was planned, told to a successor, given as a ground
    no_words |= {"unit_name", "export"}  # units, no persons; sheets that are asked for go with the first clearing
    no_words |= {"default_view"}
    no_words |= {"attachment", "upload"}  # a file's name is a text of its event; what waits in a form goes by itself
    tables: list[Table] = metadata.sorted_tables
    assert {t.name for t in tables} == looked_at | no_words


def test_one_pair_of_hands_does_not_make_two_persons(said: Office) -> None:
    """The administrator who gives the inspector's account a link, or makes an inspector, cannot clear with it."""
    guanli, ducha = said.who("guanli"), said.who("ducha")
    with said.db.write(guanli) as tx:
        accounts.give_link(tx, ducha.person_id)
    by_admin, by_inspector = apply(said, "guanli"), None
    with pytest.raises(Refused, match="一人办两人的事"):
        confirm(said, by_admin, "ducha")
    perform(said.db, ducha, decide_clearing, by_admin, agree=False, reason="另行申请。")  # to say no needs no such care
    by_inspector = apply(said, "ducha")
    with pytest.raises(Refused, match="一人办两人的事"):
        confirm(said, by_inspector, "guanli")
    with said.db.write(guanli) as tx, pytest.raises(Refused, match="给自己任职"):
        accounts.add_post(tx, guanli.person_id, "zhengfuban", "inspector")
    assert text_at(said).text == SECRET
    with time_machine.travel(wall_now() + timedelta(days=31), tick=False):
        confirm(said, by_inspector, "guanli")
    assert text_at(said).text is None
