"""初始设置 on both databases: an empty installation of another place, with its own table, up to the first plan, and
what is said before a plan starts that nobody would receive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bpmn.library import plan_xml
from bpmn.reading import read_plan
from engine.directory import UnitFacts, first_directory
from engine.drafting import require_ready
from engine.readiness import readiness
from ledger import organisation
from ledger.database import Database, calendar_of
from ledger.directory import register_person, register_units, take_post
from ledger.errors import Invalid
from ledger.schema import run, unit
from tests.integration.test_doors import SECRET, html, send, token
from webapp.app import create_app
from webapp.setting_up import address
from webapp.settings import Settings

UNITS = """全称,简称,类别,上级单位,挂靠单位,别名
荆州市人民政府办公室,市政府办,党政机关,,,
荆州市教育局,市教育局,党政机关,,,
荆州市水利局,市水利局,党政机关,,,
荆州市防汛抗旱指挥部,市防指,议事协调机构,,市水利局,
"""
OWN = "城南旧事又一年2026"
BAIRI = "huangshi-2025-bairi"


@pytest.fixture
def empty(migrated: Database) -> Iterator[Database]:
    """An empty, migrated database by the machine's own clock."""
    made = Database(migrated.url)
    yield made
    made.close()


def application(db: Database, **more: Any) -> Flask:
    return create_app(Settings(secret_key=SECRET, database_url=db.url, base_url="http://localhost", **more), db)


def files(client: FlaskClient, path: str, at: str, file: str, words: str, **fields: str) -> Any:
    data = {"csrf_token": token(client, at), "table": (BytesIO(words.encode()), file), **fields}
    return client.post(path, data=data, content_type="multipart/form-data")


def begun(app: Flask, db: Database, **directory: str) -> FlaskClient:
    """An administrator, after the first two steps with one's own table, or a shipped directory."""
    client, entry = app.test_client(), address(app.extensions["duban"]["settings"], db)
    assert entry is not None
    code = entry.partition("code=")[2]
    page = f"/setup?code={code}"
    if directory:
        assert send(client, "/setup/directory", at=page, code=code, **directory).status_code == 302
    else:
        done = files(client, "/setup/directory", page, "单位.csv", UNITS, code=code, name="荆州市")
        assert done.status_code == 302, html(done)
    at = "zhengfuban" if directory else "jingzhou-1"
    me = {"login": "zhouyi", "name": "周一", "email": "zhouyi@example.gov.cn", "unit": at}
    made = send(client, "/setup/administrator", at=page, code=code, **me, new_password=OWN, password_again=OWN)
    assert made.status_code == 302, html(made)
    return client


# ---------------------------------------------------------------- the place
def test_pages_name_the_place_of_the_directory(empty: Database) -> None:
    app = application(empty)
    before = html(app.test_client().get("/login"))
    assert "黄石" not in before and "行动方案督办" in before
    client = begun(app, empty)
    assert "荆州市" in html(app.test_client().get("/login")) and "荆州市" in html(client.get("/account"))
    assert "荆州市" in html(app.test_client().get("/password/forgotten"))
    for path in ("/login", "/account", "/setup", "/people", "/units"):
        assert "黄石市" not in html(client.get(path)), path


def test_a_deployment_may_call_the_place_otherwise(empty: Database) -> None:
    app = application(empty, place="荆州经开区")
    client = begun(app, empty)
    assert "<small>荆州经开区</small>" in html(client.get("/account"))
    assert "荆州经开区" in html(app.test_client().get("/login"))


def test_of_several_directories_none_names_the_installation(empty: Database) -> None:
    app = application(empty)
    with empty.write() as tx:
        register_units(tx, organisation.load("huangshi"))
        first_directory(tx, "jingzhou", "荆州市", [UnitFacts("荆州市水利局")])
    assert "行动方案督办" in html(app.test_client().get("/login"))


# ---------------------------------------------------------------- tables, with every bad row
def test_every_bad_row_of_both_tables_is_named_at_once(empty: Database) -> None:
    client = begun(application(empty), empty)
    bad = "账号,姓名,邮箱,单位,岗位\n" + "\n".join(
        (
            "liuyi,刘一,liuyi@x.cn,市教育局,联络员",
            "liuer,刘二,bad-email,市教育局,联络员",
            "liusan,刘三,liusan@x.cn,火星局,联络员",
            "liusi,刘四,liusi@x.cn,市教育局,局长",
            "liuyi,刘五,liuyi@x.cn,市水利局,联络员",
            "zhouyi,周一,zhouyi@example.gov.cn,市防指,专班办工作人员",
            ",,,市教育局,联络员",
        )
    )
    said = files(client, "/people/import", "/people/new", "人员.csv", bad)
    assert said.status_code == 422
    assert [f"第 {n} 行" in html(said) for n in range(2, 9)] == [False, *[True] * 6]
    units = "全称,类别,上级单位,别名\n荆州市科技局,教育机关,,\n荆州市财政局,党政机关,火星,\n"
    units += ",党政机关,,\n荆州市文旅局,党政机关,,市教育局\n"
    said = files(client, "/units/import", "/units/new", "单位.csv", units)
    assert said.status_code == 422 and [f"第 {n} 行" in html(said) for n in range(2, 6)] == [True] * 4


def test_every_unknown_member_of_a_group_is_named(empty: Database) -> None:
    client = begun(application(empty), empty)
    said = send(client, "/units/groups", at="/units/groups", name="各局", members="市教育局，火星局,木星局；市水利局")
    assert said.status_code == 422 and "“火星局”、“木星局”" in html(said)
    group = {"name": "各局(市、区)", "members": "市教育局，市水利局"}
    assert send(client, "/units/groups", at="/units/groups", **group).status_code == 302
    assert "市教育局、市水利局" in html(client.get("/units/groups"))


# ---------------------------------------------------------------- before a start
def test_the_wizard_says_what_a_start_would_meet(empty: Database) -> None:
    client = begun(application(empty), empty, shipped="huangshi")
    seen = send(client, "/setup/plan", at="/setup", plan=BAIRI)
    page = html(seen)
    assert seen.status_code == 200 and "没有联络员，也没有主要负责人" in page and 'href="/people/new"' in page
    assert "定时服务没有运行" in page and "没有设置发信服务器" in page
    with empty.read() as connection:
        assert connection.execute(select(run.c.id)).first() is None
        found = readiness(connection, calendar_of(connection), empty.seen_now(connection), read_plan(plan_xml(BAIRI)))
    assert ("仍要启动" in page) == found.asks


@pytest.mark.parametrize(
    ("day", "over", "late"),
    [(date(2025, 5, 23), None, 0), (date(2025, 8, 1), None, 1), (date(2026, 1, 5), date(2025, 8, 31), 2)],
)
def test_dates_that_have_passed_ask_for_a_word(empty: Database, day: date, over: date | None, late: int) -> None:
    plan = read_plan(plan_xml(BAIRI))
    now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
    with empty.write() as tx:
        register_units(tx, organisation.load("huangshi"))
        found = readiness(tx.connection, tx.calendar, now, plan)
        assert found.over == over and found.asks == bool(over or late)
        assert (found.late > 0) == (late > 0) and found.late <= found.dated
        if late == 2:
            assert found.late == found.dated > 30
        tx.now = now
        if found.asks:
            with pytest.raises(Invalid, match="勾选确认"):
                require_ready(tx, plan, knowing=False)
        require_ready(tx, plan, knowing=True)


def test_units_that_nobody_answers_for_are_told_from_those_with_a_head(empty: Database) -> None:
    plan = read_plan(plan_xml(BAIRI))
    with empty.write() as tx:
        register_units(tx, organisation.load("huangshi"))
        for login, at, role in (("a", "renshe", "liaison"), ("b", "jiaoyu", "head")):
            person = register_person(tx, login=login, name=login, email=f"{login}@b.cn", password_hash="x")
            take_post(tx, person, at, role)
        found = readiness(tx.connection, tx.calendar, tx.now, plan)
    assert "市人社局" not in (*found.nobody, *found.heads)
    assert list(found.heads) == ["市教育局"] and "市财政局" in found.nobody


# ---------------------------------------------------------------- pages of an empty installation
def test_a_coordinator_of_an_empty_installation_is_led_to_writing_a_plan(empty: Database) -> None:
    app = application(empty)
    client = begun(app, empty)
    people = "账号,姓名,邮箱,单位,岗位,初始密码\nchen,陈陈,chen@x.cn,市防指,专班办工作人员,山外青山楼外楼西湖88\n"
    assert files(client, "/people/import", "/people/new", "人员.csv", people).status_code == 200
    coordinator = app.test_client()
    first = {"account": "chen", "password": "山外青山楼外楼西湖88"}
    assert send(coordinator, "/login", **first).status_code == 302
    change = {"old_password": first["password"], "new_password": OWN, "password_again": OWN}
    assert send(coordinator, "/account/password", at="/account/password", **change).status_code == 302
    for path in ("/plans", "/inbox"):
        page = html(coordinator.get(path))
        assert "先编制方案" in page and 'href="/plans/studio"' in page, path
    assert "没有等着报送的期次" in html(coordinator.get("/home"))
    cover = {"title": "妈妈岗", "short": "妈妈岗", "issuer": "市防指", "issued": "2026-01-01", "start": "2026-01-01"}
    with empty.read() as connection:
        office = connection.execute(select(unit.c.key).where(unit.c.short == "市防指")).scalar_one()
    begun_plan = send(coordinator, "/plans/studio/new", at="/plans/studio/new", **cover, office=office)
    assert begun_plan.status_code == 302, html(begun_plan)  # without a number of the document and without an end
    missing = send(coordinator, "/plans/studio/new", at="/plans/studio/new", **{**cover, "title": ""}, office=office)
    assert missing.status_code == 422 and "请填写方案名称" in html(missing)


# ---------------------------------------------------------------- mail that is not set up
def test_without_a_mail_server_the_page_says_what_is_missing_and_whom_to_ask(empty: Database) -> None:
    app = application(empty)
    client = begun(app, empty)
    page = html(client.get("/outgoing"))
    assert "给我发一封试信" in page and "还没有设置" in page and "信息中心" in page
    assert page.index("给技术人员") < page.index("DUBAN_SMTP_HOST")  # which an official need not read
    tried = send(client, "/outgoing/test", at="/outgoing")
    assert tried.status_code == 409 and "试信没有发：还没有设置发信服务器" in html(tried)
    steps = html(client.get("/setup"))
    assert "DUBAN_" not in steps and "还没有设置发信服务器" in steps and "看怎么设置" in steps
    assert steps.index("给技术人员：启动定时服务") < steps.index("duban scheduler</p>")


def test_what_is_set_is_said_in_words_and_the_password_is_not(empty: Database) -> None:
    app = application(
        empty,
        smtp_host="mail.jz.gov.cn",
        smtp_port=465,
        smtp_security="tls",
        smtp_user="duban@jz.gov.cn",
        smtp_password="十分机密的密码",
        smtp_from="督办台账 <duban@jz.gov.cn>",
    )
    page = html(begun(app, empty).get("/outgoing"))
    assert "mail.jz.gov.cn，端口 465" in page and "全程加密" in page and "duban@jz.gov.cn，密码已设置" in page
    assert "十分机密的密码" not in page
