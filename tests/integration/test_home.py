"""概览: what those who answer for others see first, on a run of the real plan, on both databases."""

from __future__ import annotations

import re
from datetime import date, time

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from ledger.calendar import WorkCalendar, moment
from ledger.directory import Scope, leave_post, take_post
from ledger.following import follow
from ledger.queries.home import Home, by_place, home
from ledger.rules.lights import RANKS
from ledger.schema import person, post, run
from ledger.visibility import sight_of
from tests.statements import statements
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.settings import Settings

NOW = moment(date(2025, 7, 7), time(10))


def seen_by(office: Office, login: str) -> Home:
    sees = office.who(login)
    with office.db.read() as connection:
        return home(connection, WorkCalendar(), office.db.seen_now(connection), sight_of(connection, sees))


@pytest.fixture
def in_july(office: Office) -> Office:
    """Three colleges have to count their graduates by 06-30; one did. One item is closed; a deputy head has to sign."""
    for unit in ("renshe", "hubei-shifan", "hubei-ligong", "hubei-gongcheng", "guozi"):
        office.acknowledge(unit)
    office.apply("hubei-shifan", "1", "摸底完成。")
    office.decide("hubei-shifan", "1")
    office.at(moment(date(2025, 7, 2), time(9)))
    office.apply("guozi", "8", "招聘计划已全部完成。")
    office.decide("guozi", "8")
    office.decide("guozi", "8")
    office.apply("renshe", "17", "创业担保贷款全程网上办。")
    office.at(NOW)
    follow(office.db)
    return office


def test_coordinator_sees_what_is_worst_who_holds_it_and_who_has_not_reported(in_july: Office) -> None:
    seen = seen_by(in_july, "zhuanban")
    assert [w.line.standing.item.no for w in seen.worst[:3]] == ["10", "32", "1"]  # two of them recur: owed since May
    late = seen.worst[2]
    assert late.line.standing.light.word == "逾期 5 个工作日"
    assert late.holders == [
        "市就业领导小组 专班办工作人员 待审核",
        "湖北理工学院 联络员 办理中",
        "湖北工程职业学院 联络员 办理中",
    ]
    assert [(name, n) for _, name, n in seen.late_units] == [  # of items 1 and 20, both due on 06-30
        ("市教育局", 1),
        ("市人社局", 1),
        ("湖北理工学院", 1),
        ("湖北工程职业学院", 1),
    ]
    assert (seen.week.closed, seen.week.late) == (1, 2)
    assert [(plan, t.name, t.n, len(t.owing)) for plan, t in seen.rounds[-2:]] == [
        ("百日攻坚", "周调度", 6, 24),
        ("百日攻坚", "周调度", 7, 24),
    ]
    assert [s.title for s in seen.decisions] == ["在黄高校毕业生就业摸底"]


def test_each_sees_their_own(in_july: Office) -> None:
    deputy, leader = seen_by(in_july, "renshe-fenguan"), seen_by(in_july, "lingdao")
    assert [s.title for s in deputy.decisions] == ["便捷办理创业担保贷款"]
    assert {(plan, name) for plan, t in deputy.rounds for name in t.owing} == {
        ("百日攻坚", "市人社局"),
        ("百日攻坚", "市就业领导小组"),  # whose work it does
    }
    assert deputy.late_units == []
    assert {p.unit for w in deputy.worst for p in w.own} == {"renshe", "jiuye-lingdao"}
    assert leader.tally == seen_by(in_july, "zhuanban").tally
    assert leader.decisions == [] and leader.late_units

    college = seen_by(in_july, "hubei-ligong")
    assert [w.line.standing.item.no for w in college.worst] == ["32", "1", "21"]
    assert (college.week.closed, college.week.late) == (0, 1)


def parts_of(office: Office, login: str) -> list[str]:
    """The sections of the page, as they follow each other."""
    app = create_app(Settings(secret_key=SecretStr("x" * 32), database_url=office.db.url), office.db)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"account": login, "password": "duban-demo"})
    return re.findall(r'<section[^>]* id="([a-z-]+)"', client.get("/home").get_data(as_text=True))


@pytest.mark.parametrize(
    ("login", "parts"),
    [
        ("zhuanban", ["worst", "decisions", "owed", "plans", "late-units"]),
        ("renshe-fenguan", ["decisions", "worst", "owed", "plans"]),
        ("ducha", ["worst", "owed", "decisions", "plans", "counties", "late-units"]),
        ("lingdao", ["worst", "plans", "late-units"]),
    ],
)
def test_each_reads_first_what_is_theirs_to_do(in_july: Office, login: str, parts: list[str]) -> None:
    assert parts_of(in_july, login) == parts


def test_inspector_sees_place_by_place_and_which_counties_are_late(in_july: Office) -> None:
    assert seen_by(in_july, "ducha").counties == []
    in_july.at(moment(date(2025, 9, 2), time(9)))
    follow(in_july.db)
    seen = seen_by(in_july, "ducha")
    assert {key for key, _, _ in seen.counties} >= {"daye", "yangxin"}
    assert {key for key, _, _ in seen.counties} <= {key for key, _, _ in seen.late_units} | {"daye", "yangxin"}
    (run,) = seen.runs
    lower = run._replace(id=2, place="daye")
    tallies = {1: dict.fromkeys(RANKS, 1), 2: {**dict.fromkeys(RANKS, 0), "red": 5}}
    with in_july.db.read() as connection:
        assert by_place(connection, [run._replace(id=1)], tallies) == []
        found = by_place(connection, [run._replace(id=1), lower], tallies)
    assert [(p.key, p.plans, p.tally["red"]) for p in found] == [("daye", 1, 5), ("huangshi", 1, 1)]


def test_a_county_inspector_reads_what_its_county_owes_and_nothing_of_others(in_july: Office) -> None:
    owing = {name for _, t in seen_by(in_july, "daye-ducha").rounds for name in t.owing}
    assert owing and owing <= {"大冶市"}
    assert {name for _, t in seen_by(in_july, "zhuanban").rounds for name in t.owing} > owing


def test_a_coordinator_sees_which_units_have_no_liaison(in_july: Office) -> None:
    assert seen_by(in_july, "zhuanban").unheld == []
    with in_july.db.write() as tx:
        held = select(post.c.id).where(post.c.unit.in_(("hubei-ligong", "renshe")), post.c.role == "liaison")
        for post_id in tx.connection.execute(held.where(post.c.until.is_(None))).scalars().all():
            leave_post(tx, post_id)
        own = select(person.c.id).where(person.c.login == "jiaoyu")
        take_post(tx, tx.connection.execute(own).scalar_one(), "renshe", "head")
        take_post(tx, tx.connection.execute(own).scalar_one(), "zhengfuban", "liaison")  # who works on nothing
    assert seen_by(in_july, "zhuanban").unheld == ["市人社局（由主要负责人接办）", "湖北理工学院（无人签收）"]
    with in_july.db.write() as tx:
        plan = tx.connection.execute(select(run.c.plan)).scalars().first()
        whom = tx.connection.execute(select(person.c.id).where(person.c.login == "jiaoyu")).scalar_one()
        take_post(tx, whom, "hubei-ligong", "liaison", Scope(plan))
    assert seen_by(in_july, "zhuanban").unheld == ["市人社局（由主要负责人接办）"]
    assert seen_by(in_july, "renshe-fenguan").unheld == seen_by(in_july, "lingdao").unheld == []


def test_statements_do_not_grow_with_the_plan(in_july: Office) -> None:
    with statements(in_july.db.reader) as found:
        seen_by(in_july, "zhuanban")
    assert len(found) <= 30
