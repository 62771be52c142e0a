"""The directory of units as an administrator keeps it, and accounts that are opened: one by one, or from tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine.desk import perform
from engine.directory import UnitFacts, enter_units, first_directory, keep_group, remove_group
from engine.enrolling import Enrolment, enrol
from engine.verifying import differences
from ledger import organisation
from ledger.database import Database
from ledger.directory import known_units, register_person, register_units, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, NotEvery, NotFound
from ledger.migrating import upgrade
from ledger.organisation import Group, Organisation, Unit
from ledger.people import Actor, actor_of
from ledger.queries.units import units
from ledger.schema import person, post, unit
from ledger.verification import Scene
from tests.conftest import Moulds


def _seated(url: str) -> int:
    upgrade(url)
    db = Database(url)
    with db.write() as tx:
        register_units(tx, organisation.load("huangshi"))
        for login, at in (("guanli", "zhengfuban"), ("daye-guanli", "daye"), ("renshe", "renshe")):
            role = "liaison" if login == "renshe" else "administrator"
            email = f"{login}@example.gov.cn"
            take_post(tx, register_person(tx, login=login, name=login, email=email, password_hash="x"), at, role)
    db.close()
    return 0


@pytest.fixture
def db(db_url: str, moulds: Moulds) -> Iterator[Database]:
    moulds.pour(_seated, db_url)
    made = Database(db_url)
    yield made
    with made.read() as connection:
        assert list(differences(Scene(connection, clock=made.clock))) == []
    made.close()


def who(db: Database, login: str) -> Actor:
    with db.read() as connection:
        found = actor_of(connection, connection.execute(select(person.c.id).filter_by(login=login)).scalar_one())
    assert found is not None
    return found


def do(db: Database, command: Any, *args: Any, by: str = "guanli") -> Any:
    return perform(db, who(db, by), command, *args)


def named(db: Database, printed: str) -> list[str] | None:
    with db.read() as connection:
        found = known_units(connection, "huangshi").resolve(printed)
    return None if found is None else [u.short for u in found.units]


# ---------------------------------------------------------------- units
def test_units_of_a_table_are_new_or_described_anew(db: Database) -> None:
    rows = [
        UnitFacts("黄石市低空经济发展局", "市低空局", "organ", aliases=("低空办", "市低空办")),
        UnitFacts("市低空经济领导小组", "", "body", host="市低空局"),
        UnitFacts("大冶市低空站", "大冶低空站", "institution", parent="大冶市"),
        UnitFacts("黄石市教育局", "不作数", "organ", aliases=("教育局", "教育主管部门")),
    ]
    done = do(db, enter_units, rows)
    assert (done.new, done.changed) == (3, 1)
    assert named(db, "低空办") == named(db, "市低空局") == ["市低空局"]
    assert named(db, "教育主管部门") == ["市教育局"]  # whose name is changed by 更名 alone
    with db.read() as connection:
        station = connection.execute(select(unit).where(unit.c.short == "大冶低空站")).one()
        group = connection.execute(select(unit).where(unit.c.name == "市低空经济领导小组")).one()
    assert (station.parent, station.jurisdiction) == ("daye", "daye")
    assert group.host and group.short == group.name
    again = do(db, enter_units, rows)
    assert (again.new, again.changed) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([UnitFacts("甲局"), UnitFacts("乙站", parent="没有的县")], {1: "没有“没有的县”"}),
        ([UnitFacts("甲局"), UnitFacts("甲局")], {1: "有两行"}),
        ([UnitFacts("=甲局"), UnitFacts("乙局", kind="boss")], {0: "单位全称", 1: "类别“boss”不对"}),
        ([UnitFacts("甲镇", kind="town")], {0: "上级县"}),
        ([UnitFacts("甲局", aliases=("市教育局",))], {0: "已是单位“黄石市教育局”的名称"}),
        ([UnitFacts("甲局", aliases=("各县(市、区)",))], {0: "已是一个单位组的名称"}),
        ([UnitFacts("黄石市教育局", aliases=("教育局",), parent="黄石市教育局")], {0: "自己的上级"}),
        (
            [
                UnitFacts("甲局", kind="教育机关"),
                UnitFacts("乙局", parent="火星"),
                UnitFacts(""),
                UnitFacts("甲局"),
                UnitFacts("丙局", aliases=("市教育局", "甲局"), host="木星"),
                UnitFacts("丁区", kind="county", parent="丁区"),
                UnitFacts("戊" * 81),
                UnitFacts("好局"),
                UnitFacts("己镇", "=", kind="town"),
                UnitFacts("大冶市水站", parent="大冶市", aliases=("好局",)),
            ],
            {
                0: "类别“教育机关”不对",
                1: "没有“火星”",
                2: "单位全称",
                3: "有两行",
                4: "没有“木星”",
                5: "自己的上级",
                6: "80 字以内",
                8: "单位简称",
                9: "已是单位“好局”的名称",
            },
        ),
    ],
)
def test_a_table_that_contradicts_itself_changes_nothing(
    db: Database, rows: list[UnitFacts], wrong: dict[int, str]
) -> None:
    with pytest.raises(NotEvery) as raised:
        do(db, enter_units, rows)
    assert set(raised.value.reasons) == set(wrong)
    assert all(words in raised.value.reasons[n] for n, words in wrong.items())
    assert named(db, "甲局") is None


def test_every_fault_of_a_line_is_told_with_it(db: Database) -> None:
    rows = [UnitFacts("丙局", "=丙", "神机关", "火星", "木星", ("市教育局",)), UnitFacts("阳新县新站", parent="阳新县")]
    with pytest.raises(NotEvery) as raised:
        do(db, enter_units, rows, by="daye-guanli")
    words = raised.value.reasons[0]
    for told in ("“神机关”", "单位简称", "“火星”", "“木星”", "黄石市教育局", "不归您管理"):
        assert told in words
    assert "不归您管理" in raised.value.reasons[1]


@pytest.mark.parametrize("words", ["人力资源", "人社", "srsj", "shirenshe"])
def test_a_unit_is_found_by_a_part_of_its_names_or_by_sound(db: Database, words: str) -> None:
    with db.read() as connection:
        found = {u.short for u in units(connection, who(db, "guanli"), words)}
        assert not list(units(connection, who(db, "guanli"), "zzzz"))
    assert "市人社局" in found and "市教育局" not in found


def test_a_county_keeps_its_own_units_and_no_others(db: Database) -> None:
    assert do(db, enter_units, [UnitFacts("大冶市新站", parent="大冶市")], by="daye-guanli").new == 1
    for facts in (UnitFacts("黄石市新局"), UnitFacts("阳新县新站", parent="阳新县")):
        with pytest.raises(NotEvery, match="不能办理"):
            do(db, enter_units, [facts], by="daye-guanli")
    with pytest.raises(NotAllowed):
        do(db, keep_group, Group("各局", members=("jiaoyu",)), by="daye-guanli")
    with pytest.raises(NotAllowed):
        do(db, enter_units, [UnitFacts("黄石市新局")], by="renshe")


def test_groups_are_kept_and_removed(db: Database) -> None:
    do(db, keep_group, Group("各直属单位", ("直属单位",), ("jiaoyu", "renshe")))
    assert named(db, "直属单位") == ["市教育局", "市人社局"]
    do(db, keep_group, Group("各直属单位", (), ("jiaoyu",)))
    assert named(db, "各直属单位") == ["市教育局"] and named(db, "直属单位") is None
    do(db, remove_group, "各直属单位")
    assert named(db, "各直属单位") is None
    for group in (Group("市教育局", members=("renshe",)), Group("空组"), Group("甲组", members=("none",))):
        with pytest.raises(Invalid):
            do(db, keep_group, group)
    with pytest.raises(NotFound):
        do(db, remove_group, "各直属单位")


def test_another_place_is_filled_from_a_table(db: Database) -> None:
    rows = [
        UnitFacts("荆州市人民政府办公室", "市政府办", aliases=("市府办",)),
        UnitFacts("监利市", kind="county"),
        UnitFacts("监利市人社局", parent="监利市"),
    ]
    with db.write() as tx:
        assert first_directory(tx, "jingzhou", "荆州市", rows) == 3
    with db.read() as connection:
        known = known_units(connection, "jingzhou")
    assert known.name == "荆州市"
    (found,) = known.resolve("市府办").units  # type: ignore[union-attr]
    assert (found.name, known.place_of(known.units[-1])) == ("荆州市人民政府办公室", known.units[1].key)
    assert named(db, "市政府办") == ["市政府办"]  # that of 黄石


def test_a_unit_that_is_registered_later_has_a_key_of_its_own(db: Database) -> None:
    """Also beside keys that were given by an earlier release, which counted each table from 1."""
    with db.write() as tx:
        old = Organisation(
            "jingzhou", "荆州市", tuple(Unit(f"jingzhou-{n}", f"荆州{n}局", f"{n}局", "organ") for n in (1, 2)), ()
        )
        register_units(tx, old)
        admin = register_person(tx, login="jz", name="荆", email="jz@example.gov.cn", password_hash="x")
        take_post(tx, admin, "jingzhou-1", "administrator")
    assert do(db, enter_units, [UnitFacts("荆州市新局"), UnitFacts("荆州市另一局")], by="jz").new == 2
    with db.read() as connection:
        assert len(known_units(connection, "jingzhou").units) == 4


# ---------------------------------------------------------------- people
def test_people_of_a_table_get_accounts_and_posts_once(db: Database) -> None:
    people = [
        Enrolment("zhou", "周敏", "zhou@example.gov.cn", "jiaoyu", "liaison"),
        Enrolment("zhou", "周敏", "zhou@example.gov.cn", "jiaoyu", "section_head"),
        Enrolment("renshe", "renshe", "renshe@example.gov.cn", "renshe", "handler"),
    ]
    done = do(db, enrol, people, {"zhou": "hash", "renshe": "hash"})
    assert (list(done.accounts), done.posts) == (["zhou"], 1)
    again = do(db, enrol, people, {"zhou": "hash", "renshe": "hash"})
    assert (list(again.accounts), again.posts) == ([], 0)
    with db.read() as connection:
        zhou = connection.execute(select(person).filter_by(login="zhou")).one()
        held = connection.execute(select(post.c.role).where(post.c.person_id == zhou.id).order_by(post.c.role))
        assert list(held.scalars()) == ["liaison", "section_head"] and zhou.must_change


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Enrolment("renshe", "别人", "b@example.gov.cn", "renshe", "liaison"), "与姓名“别人”不符"),
        (Enrolment("guanli", "guanli", "g@example.gov.cn", "renshe", "coordinator"), "不能给自己任职"),
        (Enrolment("xin", "新人", "x@example.gov.cn", "none", "liaison"), "不归您管理"),
        (Enrolment("xin", "新人", "没有", "renshe", "liaison"), "不是邮箱地址"),
    ],
)
def test_a_line_that_cannot_be_taken_is_named_and_nobody_gets_an_account(
    db: Database, one: Enrolment, words: str
) -> None:
    good = Enrolment("hao", "好人", "hao@example.gov.cn", "renshe", "liaison")
    with pytest.raises(NotEvery) as raised:
        do(db, enrol, [good, one], {"hao": "h", one.login: "h"})
    assert set(raised.value.reasons) == {1} and words in raised.value.reasons[1]
    with db.read() as connection:
        assert connection.execute(select(person.c.id).filter_by(login="hao")).first() is None
    with pytest.raises(NotEvery) as raised:  # beside a line that says nothing to the reader
        do(
            db,
            enrol,
            [good, replace(good, unit="", wrong="单位目录中没有“火星局”。"), one],
            {"hao": "h", one.login: "h"},
        )
    assert set(raised.value.reasons) == {1, 2}
    with pytest.raises((NotAllowed, Conflict)):
        do(db, enrol, [good], {"hao": "h"}, by="renshe")
    with pytest.raises(NotEvery):  # a county's administrator opens no account of the city
        do(db, enrol, [good], {"hao": "h"}, by="daye-guanli")
