"""Drafts of plans: kept byte for byte, never overwritten, published with a ground, started once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import select

from bpmn.comparing import changes
from bpmn.library import plan_xml
from bpmn.plan import Facts
from bpmn.reading import read_plan
from engine import drafting
from engine.commands import perform
from engine.known_figures import known_figures
from ledger import organisation
from ledger.database import Database
from ledger.errors import Conflict, Invalid, NotFound, Refused
from ledger.people import Actor, actor_of
from ledger.queries.versions import publishings
from ledger.schema import event, person, plan_draft, plan_version
from ledger.verification import broken_chains, replay_differences
from webapp.demo.office import Office

PLAN = "huangshi-2025-bairi"
XML = plan_xml(PLAN)
FACTS = Facts(
    "", "夏季用工", "夏季用工", "市政府", "无", date(2025, 5, 20), (date(2025, 6, 1), date(2025, 8, 31)), "", ""
)


def who(db: Database, login: str) -> Actor:
    with db.read() as connection:
        found = actor_of(
            connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
        )
    assert found is not None
    return found


@pytest.fixture
def db(office: Office) -> Database:
    return office.db


@pytest.fixture
def writer(db: Database) -> Actor:
    return who(db, "zhuanban")


def kept(db: Database, draft_id: int) -> bytes:
    with db.read() as connection:
        return str(
            connection.execute(select(plan_draft.c.xml).where(plan_draft.c.id == draft_id)).scalar_one()
        ).encode()


def retitled(xml: bytes = XML) -> bytes:
    return xml.replace('title="募集就业见习岗位"'.encode(), 'title="募集见习岗位"'.encode())


def test_a_draft_begins_with_the_published_bytes_and_is_the_same_for_all(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.revise, 1)
    assert kept(db, draft) == XML
    assert perform(db, writer, drafting.revise, 1) == draft
    with db.read() as connection:
        assert [d.revision for d in drafting.drafts(connection, writer)] == [1]
        assert drafting.drafts(connection, who(db, "renshe")) == []
    with pytest.raises(NotFound):
        perform(db, who(db, "renshe"), drafting.save, draft, 1, XML)


def test_two_who_begin_at_the_same_moment_have_one_draft(db: Database, writer: Actor) -> None:
    together = Barrier(4)

    def begin(_n: int) -> int:
        together.wait(30)
        return perform(db, writer, drafting.revise, 1)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(begin, range(4)))) == 1


def test_who_saves_from_an_old_revision_is_told_who_was_faster(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.revise, 1)
    assert perform(db, writer, drafting.save, draft, 1, retitled()) == 2
    with pytest.raises(Conflict) as refused:
        perform(db, writer, drafting.save, draft, 1, XML)
    assert refused.value.who == writer.name
    assert kept(db, draft) == retitled()
    with pytest.raises(Conflict):
        perform(db, writer, drafting.discard, draft, 1)
    perform(db, writer, drafting.discard, draft, 2)
    with pytest.raises(NotFound):
        perform(db, writer, drafting.save, draft, 2, XML)


def test_no_draft_becomes_another_plan_or_something_that_is_no_diagram(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.revise, 1)
    office = re.search(rb' office="[^"]+"', XML)
    assert office is not None
    for wrong in (
        XML.replace(PLAN.encode(), b"another-plan"),
        XML.replace(b'jurisdiction="huangshi"', b'jurisdiction="xishui"'),
        XML.replace(office[0], ' office="市教育局"'.encode()),
        b"<?xml version='1.0'?><!DOCTYPE x><x/>",
        b"not xml",
        b"<x>" + b" " * 2_100_000,
    ):
        with pytest.raises(Refused):
            perform(db, writer, drafting.save, draft, 1, wrong)
    assert kept(db, draft) == XML
    with db.read() as connection:
        spaced = XML.replace(b"/>", b" />")
        assert drafting.in_own_words(connection, writer, draft, spaced) == XML


def test_a_version_has_an_author_a_ground_and_the_bytes_of_the_draft(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.revise, 1)
    with pytest.raises(Refused, match="完全相同"):
        perform(db, writer, drafting.publish_draft, draft, 1, "纪要")
    perform(db, writer, drafting.save, draft, 1, retitled())
    with pytest.raises(Invalid):
        perform(db, writer, drafting.publish_draft, draft, 2, "")
    version = perform(db, writer, drafting.publish_draft, draft, 2, "市政府专题会议纪要〔2025〕12号")
    with db.read() as connection:
        made = drafting.version_of(connection, writer, version)
        assert (made.number, made.xml) == (2, retitled())
        told = publishings(connection)[version]
        assert (told.by, told.ground) == (writer.name, "市政府专题会议纪要〔2025〕12号")
        assert drafting.drafts(connection, writer) == []
        assert replay_differences(connection) + broken_chains(connection) == []
    with pytest.raises(Refused, match="正在实施"):
        perform(db, writer, drafting.start_version, version)
    with pytest.raises(Refused, match="最新"):
        perform(db, writer, drafting.revise, 1)


def test_errors_keep_a_draft_from_being_published(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.create, "jiuye-lingdao", FACTS)
    with pytest.raises(Refused, match="里没有任务"):
        perform(db, writer, drafting.publish_draft, draft, 1, "纪要")
    with db.read() as connection:
        assert drafting.draft_of(connection, writer, draft).base_version_id is None
        found = connection.execute(select(plan_version.c.plan).where(plan_version.c.plan == f"huangshi-2025-{draft}"))
        assert found.first() is None
        assert connection.execute(select(event.c.kind).where(event.c.kind == "plan.published")).all() != []
    with pytest.raises(Invalid):
        perform(db, writer, drafting.create, "jiwei", FACTS)


def test_what_was_taken_home_becomes_a_draft_again(db: Database, writer: Actor) -> None:
    draft = perform(db, writer, drafting.revise, 1)
    with pytest.raises(Refused, match="已有草稿"):
        perform(db, writer, drafting.restore, retitled())
    perform(db, writer, drafting.discard, draft, 1)
    again = perform(db, writer, drafting.restore, retitled().replace(b"/>", b" />"))
    assert kept(db, again) == retitled()
    with db.read() as connection:
        assert drafting.draft_of(connection, writer, again).base_version_id == 1

    # never published: its own key again, which only a draft of this house ever had
    own = perform(db, writer, drafting.create, "jiuye-lingdao", FACTS)
    xml = kept(db, own)
    perform(db, writer, drafting.discard, own, 1)
    found = perform(db, writer, drafting.restore, xml)
    assert (kept(db, found), found > own) == (xml, True)
    for wrong in (
        xml.replace(f"-2025-{own}".encode(), b"-2025-9999"),
        xml.replace(f"huangshi-2025-{own}".encode(), b"spare"),
        xml.replace(b'jurisdiction="huangshi"', b'jurisdiction="nowhere"'),
        XML.replace('office="市就业促进和劳动保护工作领导小组办公室"'.encode(), 'office="市教育局"'.encode()),
        b"<x/>",
        b"not xml",
        b"",
    ):
        with pytest.raises(Refused):
            perform(db, writer, drafting.restore, wrong)
    with pytest.raises(Refused):
        perform(db, who(db, "renshe"), drafting.restore, xml)


def test_figures_of_other_plans_are_found_by_name_and_by_initials(db: Database) -> None:
    with db.read() as connection:
        found = known_figures(connection, "huangshi", "another", "schyzgw")
        assert [(f.figure.key, f.plan, f.no) for f in found][:1] == [("market-posts", "百日攻坚", "5")]
        assert [f.figure.name for f in known_figures(connection, "huangshi", "another", "见习")] == ["就业见习岗位"]
        assert known_figures(connection, "huangshi", PLAN, "见习") == []
        assert known_figures(connection, "daye", "another", "见习") == []
        assert known_figures(connection, "huangshi", "another", " ") == []


def test_changes_are_told_by_unit() -> None:
    known = organisation.load("huangshi")
    old = read_plan(XML)
    text = retitled().decode()
    text = text.replace(
        '<duban:assignment unit="市国资委" role="lead"/>', '<duban:assignment unit="市国资委" role="cooperating"/>', 1
    )
    text = text.replace('mendDays="3"', 'mendDays="5"')
    told = changes(old, read_plan(text.encode()), known)
    assert [c.words for c in told["全体单位"]] == ["补正工作日由 3 改为 5 "]
    assert [(c.no, c.words) for c in told["市人社局"]] == [("13", "短标题由“募集就业见习岗位”改为“募集见习岗位”")]
    assert [(c.no, c.words) for c in told["市国资委"]] == [("5", "由牵头改为配合")]
    assert [c.no for c in told["各县(市、区)"]] == ["13"]
    assert changes(old, old, known) == {}
    first = changes(None, old, known)
    assert first["市国资委"][0].words == "牵头"
