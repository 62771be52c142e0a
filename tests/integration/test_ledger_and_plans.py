"""Ledger, plan page and the demo's mailbox over HTTP on a run of the real plan; their queries on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import etree
from pydantic import SecretStr
from sqlalchemy import Connection, select, update

from bpmn.library import plan_xml
from bpmn.reading import read_plan
from engine.mail.rendering import render
from engine.mail.smtp import Transport, compose
from ledger.calendar import WorkCalendar, moment
from ledger.clock import StoredClock, wall_now
from ledger.database import Database
from ledger.following import follow
from ledger.migrating import upgrade
from ledger.people import Actor, actor_of
from ledger.queries.ledger import (
    SORTS,
    TIMELINESS,
    Filters,
    LedgerPage,
    Line,
    every_line,
    heading_choices,
    ledger_page,
    unit_choices,
)
from ledger.queries.overview import Overview, overview_of
from ledger.queries.plans import run_facts, turns
from ledger.schema import assignment, item, person
from ledger.visibility import Sight, sight_of
from tests.statements import statements
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.mailsink import Mailbox, start_sink
from webapp.demo.office import Office
from webapp.settings import Settings

PLAN = "huangshi-2025-bairi"
START = moment(date(2025, 5, 23), time(9))
NOW = moment(date(2025, 7, 7), time(10))
COLLEGES = ("hubei-shifan", "hubei-ligong", "hubei-gongcheng")


@dataclass
class World:
    """A run of the plan on 2025-07-07: everything signed for, one figure reported, one item late."""

    db: Database
    run_id: int
    mail: Path

    def actor(self, login: str) -> Actor:
        with self.db.read() as connection:
            found = actor_of(
                connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
            )
        assert found is not None
        return found

    def page(self, connection: Connection, login: str, asked: Filters | None = None) -> LedgerPage:
        sight = sight_of(connection, self.actor(login))
        seen = overview_of(connection, sight, NOW, WorkCalendar())
        return ledger_page(seen, sight, asked or Filters(), NOW, WorkCalendar())

    def client(self, login: str) -> FlaskClient:
        settings = Settings(demo=True, database_url=self.db.url, demo_mail=str(self.mail))
        app = create_app(settings, self.db)
        app.config["WTF_CSRF_ENABLED"] = False
        client = app.test_client()
        client.post("/login", data={"account": login, "password": "duban-demo"})
        return client

    def statements(self, login: str, asked: Filters) -> int:
        with self.db.read() as connection, statements(self.db.reader) as found:
            self.page(connection, login, asked)
        return len(found)


def build(url: str, mail: Path) -> World:
    upgrade(url)
    db = Database(url, StoredClock())
    run_id = campaign.begin(db)
    office = Office(db, run_id)
    for unit in (*COLLEGES, "renshe", "daye"):
        office.acknowledge(unit)
    office.at(moment(date(2025, 6, 5), time(10)))
    office.report("daye", "13", "已对接用人单位。", {"trainee-posts": 214})
    office.at(NOW)
    return World(db, run_id, mail)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("pages")
    built = build(f"sqlite:///{folder / 'duban.sqlite3'}", folder / "mail")
    yield built
    built.db.close()


# ---------------------------------------------------------------- queries
def test_queries_answer_on_both_databases(db_url: str, tmp_path: Path) -> None:
    world = build(db_url, tmp_path / "mail")
    asked = Filters(run=world.run_id, unit="srsj", role="lead", due="month", words="100%_\\", sort="due")
    with world.db.read() as connection:
        sight = sight_of(connection, world.actor("zhuanban"))
        assert world.page(connection, "zhuanban").total == 33
        assert world.page(connection, "zhuanban", asked).found == 0
        seen = overview_of(connection, sight, NOW, WorkCalendar())
        assert {run: sum(tally.values()) for run, tally in seen.tallies().items()} == {world.run_id: 33}
        facts = run_facts(connection, sight, world.run_id)
        assert len(heading_choices(connection, sight, facts)) == 4
        assert unit_choices(seen, sight)
        assert turns(connection, sight.actor, facts)
    world.db.close()


@pytest.mark.parametrize("followed", [False, True])
def test_number_of_statements_does_not_depend_on_the_number_of_items(
    followed: bool, world: World, tmp_path: Path
) -> None:
    if followed:
        world = build(f"sqlite:///{tmp_path / 'followed.sqlite3'}", tmp_path / "mail")
        follow(world.db)
    few, many = (world.statements("zhuanban", Filters(words=words, size=100)) for words in ("10", "岗"))
    assert few == many <= 17  # with who asks, and BEGIN
    assert world.statements("zhuanban", Filters()) <= 16
    if followed:
        world.db.close()


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (Filters(light="red", timeliness="overdue"), {"1", "10", "20", "32"}),
        (Filters(due="none"), set()),
        (Filters(words="见习岗位"), {"13"}),
        (Filters(unit="市人社局", role="lead", heading="切实摸清就业需求数据"), {"2", "3"}),
        (Filters(unit="hbsfdx", words="摸底"), {"1"}),
        (Filters(state="pending"), {"33"}),
    ],
)
def test_filters(world: World, asked: Filters, numbers: set[str]) -> None:
    with world.db.read() as connection:
        found = world.page(connection, "zhuanban", asked)
    assert {line.standing.item.no for line in found.lines} == numbers


def test_timeliness_asked_for_is_timeliness_shown(office: Office) -> None:
    """Whatever the page says of an item, the filter finds it by; at each of some moments, with some closed."""
    for unit in ("renshe", "daye", "guozi", "jiaoyu"):
        office.acknowledge(unit)
    for unit, no, at in (("guozi", "8", date(2025, 6, 26)), ("renshe", "4", date(2025, 9, 2))):
        office.at(moment(at, time(10)))
        office.apply(unit, no, "任务全部完成。", {})
        while office.is_waiting(unit, no):
            office.decide(unit, no)
    met = set()
    for now in (
        moment(day, time(10)) for day in (date(2025, 6, 3), date(2025, 7, 7), date(2025, 8, 28), date(2025, 9, 3))
    ):
        with office.db.read() as connection:
            sight = sight_of(connection, _actor(connection, "zhuanban"))
            seen = overview_of(connection, sight, now, WorkCalendar())

            def lines(asked: Filters, seen: Overview = seen, sight: Sight = sight, now: datetime = now) -> list[Line]:
                return list(every_line(seen, sight, asked, now, WorkCalendar())[1])

            everything = lines(Filters())
            for key, words in TIMELINESS.items():
                shown = {line.standing.item.no for line in everything if line.timeliness == words}
                assert {line.standing.item.no for line in lines(Filters(timeliness=key))} == shown, (now, key)
                met |= {key} if shown else set()
    assert met >= {"overdue", "near", "not_due", "on_time", "late_closed"}


@pytest.mark.parametrize("followed", [False, True])
@pytest.mark.parametrize("few", [0, 10_000])
def test_pages_beside_a_line_are_the_pages_by_number(
    office: Office, followed: bool, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.queries.overview.FEW", few)
    if followed:
        follow(office.db)
        office.acknowledge("renshe")  # some have moved on since
    now = moment(date(2025, 6, 3), time(10))
    orders = [Filters(sort=sort, size=5) for sort in SORTS]
    for login, asked in product(
        ("zhuanban", "renshe"), (*orders, Filters(light="green", size=4), Filters(words="就业", size=3))
    ):
        with office.db.read() as connection:
            sight = sight_of(connection, _actor(connection, login))
            seen = overview_of(connection, sight, now, WorkCalendar())
            by_number, onward, back = [], [], []
            found = ledger_page(seen, sight, asked, now, WorkCalendar())
            for n in range(1, found.pages + 1):
                by_number.append(numbers(ledger_page(seen, sight, replace(asked, page=n), now, WorkCalendar())))
                onward.append(numbers(found))
                if n < found.pages:
                    further = replace(asked, page=n + 1, after=found.mark_after)
                    found = ledger_page(seen, sight, further, now, WorkCalendar())
            for n in range(found.pages, 0, -1):
                back.append(numbers(found))
                before = replace(asked, page=n - 1, before=found.mark_before)
                found = ledger_page(seen, sight, before, now, WorkCalendar())
            assert onward == by_number == back[::-1], (login, asked)


def test_a_page_beside_a_line_does_not_slip(office: Office) -> None:
    """What goes from the page before it neither hides a line nor shows one twice."""
    now = moment(date(2025, 6, 3), time(10))
    asked = Filters(state="acknowledging", size=4, sort="no")

    def page(**more: Any) -> LedgerPage:
        with office.db.read() as connection:
            sight = sight_of(connection, _actor(connection, "renshe"))
            seen = overview_of(connection, sight, now, WorkCalendar())
            return ledger_page(seen, sight, replace(asked, **more), now, WorkCalendar())

    first, everything = page(), numbers(page(size=100))
    gone = assignment.c.item_id == first.lines[1].standing.item.id
    with office.db.writer.begin() as connection:
        connection.execute(update(assignment).where(gone).values(state="working"))
    assert numbers(page(page=2, after=first.mark_after)) == everything[4:8]
    assert numbers(page(page=2)) == everything[5:9]  # by number it would


@pytest.mark.parametrize("mark", ["x", "1.2.3", "99999999999.1.1.1", "1.999999999999999999.1.1", "1.1.1.9999999999"])
def test_a_mark_that_is_none_is_left_out(world: World, mark: str) -> None:
    for name in ("after", "before"):
        assert world.client("zhuanban").get(f"/ledger?page=2&{name}={mark}").status_code == 200


def test_a_plan_is_meant_by_its_name_or_its_sound(world: World) -> None:
    client = world.client("zhuanban")
    for words in ("百日攻坚", "百日", "brgj", "bairi"):
        page = client.get(f"/ledger?plan={words}&light=red").get_data(as_text=True)
        assert f'name="run" value="{world.run_id}"' in page and 'value="百日攻坚"' in page, words
    assert "没有符合条件的任务" in client.get("/ledger?plan=没有这个方案").get_data(as_text=True)
    kept = client.get(f"/ledger?run={world.run_id}&plan=百日攻坚&sort=due", headers={"HX-Request": "true"})
    assert kept.headers["HX-Push-Url"] == f"/ledger?run={world.run_id}&sort=due"
    freed = client.get(f"/ledger?run={world.run_id}&plan=&sort=due", headers={"HX-Request": "true"})
    assert freed.headers["HX-Push-Url"] == "/ledger?sort=due"
    assert client.get("/ledger/plans").get_data(as_text=True).count("<option") == 1


def numbers(page: LedgerPage) -> list[str]:
    return [line.standing.item.no for line in page.lines]


def _actor(connection: Connection, login: str) -> Actor:
    found = actor_of(connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one())
    assert found is not None
    return found


def test_worst_comes_first_and_the_tally_ignores_the_light_asked_for(world: World) -> None:
    with world.db.read() as connection:
        found = world.page(connection, "zhuanban", Filters(light="green"))
        everything = world.page(connection, "zhuanban")
    assert [line.standing.item.no for line in everything.lines[:4]] == ["10", "32", "1", "20"]  # due in May, in June
    assert found.tally == everything.tally
    assert sum(found.tally.values()) == 33
    assert found.found == found.tally["green"]


def test_groups_are_printed_by_their_name(world: World) -> None:
    with world.db.read() as connection:
        found = world.page(connection, "zhuanban", Filters(words="摸底"))
    assert found.lines[0].units("responsible") == ["在黄高校"]


def test_figures_are_for_those_who_may_read_the_reports_behind_them(world: World) -> None:
    asked = Filters(words="见习岗位")
    with world.db.read() as connection:
        lead = world.page(connection, "renshe", asked).lines[0]
        county = world.page(connection, "yangxin", asked).lines[0]
    assert lead.gauge is not None and lead.gauge.value == 214
    assert "214" not in lead.why and lead.why
    assert county.gauge is None and not county.why


# ---------------------------------------------------------------- pages
def test_ledger_keeps_its_filters_in_the_address(world: World) -> None:
    page = world.client("zhuanban").get("/ledger?words=岗位&light=green&size=50").get_data(as_text=True)
    assert 'value="岗位"' in page
    assert re.search(r'href="/ledger\?words=%E5%B2%97%E4%BD%8D&amp;size=50"', page)  # the green light taken off again


def test_columns_are_chosen_and_ordered_in_the_address(world: World) -> None:
    client = world.client("zhuanban")

    def heads(query: str) -> list[str]:
        page = client.get(f"/ledger{query}").get_data(as_text=True)
        return [re.sub(r"<[^>]+>|[▲▼ ]", "", h) for h in re.findall(r'<th scope="col".*?</th>', page)]

    usual = ["序", "灯", "任务", "牵头/责任单位", "反馈", "时限", "还剩", "完成/序时", "状态", "最近"]
    assert heads("") == heads("?columns=nonsense") == usual
    assert heads("?columns=timeliness.title.lead.nonsense.lead") == ["时效", "任务", "牵头单位"]
    assert heads("?column=clause&column=no&light=warn") == ["任务", "原文", "序"]  # never without the item itself
    page = client.get("/ledger?columns=title.heading.timeliness&words=见习岗位").get_data(as_text=True)
    assert "未到期" in page and "columns=title.heading.timeliness" in page  # links keep them
    sent = client.get("/ledger?column=title&column=due", headers={"HX-Request": "true"})
    assert sent.headers["HX-Push-Url"] == "/ledger?columns=title.due"


def test_answer_to_htmx_cleans_the_address(world: World) -> None:
    answer = world.client("zhuanban").get("/ledger?run=&light=red&unit=", headers={"HX-Request": "true"})
    assert answer.headers["HX-Push-Url"] == "/ledger?light=red"


@pytest.mark.parametrize(
    "query", ["page=99", "page=-1", "run=x", "run=999", "size=7", "light=pink", "unit=zzz", "words=%25"]
)
def test_ledger_bears_with_any_address(world: World, query: str) -> None:
    assert world.client("zhuanban").get(f"/ledger?{query}").status_code == 200


def test_participant_sees_own_items_only(world: World) -> None:
    client = world.client("hubei-shifan")
    page = client.get("/ledger?size=100").get_data(as_text=True)
    with world.db.read() as connection:
        own = world.page(connection, "hubei-shifan", Filters(size=100))
        titles = set(connection.execute(select(item.c.title)).scalars())
    seen = {line.standing.item.title for line in own.lines}
    assert 0 < len(seen) < 33
    assert {t for t in titles if f">{t}</a>" in page} == seen
    plan = client.get(f"/plans/{world.run_id}").get_data(as_text=True)
    assert not [t for t in titles - seen if t in plan]


def test_diagram_of_a_participant_keeps_the_words_of_own_items_only(world: World) -> None:
    whole = world.client("zhuanban").get(f"/plans/{world.run_id}/diagram.bpmn").data
    assert whole == plan_xml(PLAN)
    client = world.client("hubei-shifan")
    veiled = client.get(f"/plans/{world.run_id}/diagram.bpmn").data
    lights = json.loads(client.get(f"/plans/{world.run_id}/lights.json").data)
    names = {e.get("id"): e.get("name") for e in etree.fromstring(veiled).iter() if e.get("name")}
    for planned in read_plan(whole).items:
        assert (planned.id in lights) == (planned.title in (names[planned.id] or ""))
    assert "extensionElements" not in veiled.decode()


def test_lights_carry_colour_word_shape_and_page(world: World) -> None:
    lights = json.loads(world.client("zhuanban").get(f"/plans/{world.run_id}/lights.json").data)
    first = next(v for k, v in lights.items() if k == read_plan(plan_xml(PLAN)).items[0].id)
    assert (first["colour"], first["shape"], first["word"]) == ("red", "◆", "逾期")
    assert first["href"].startswith("/items/")
    assert [v["nm"] for v in lights.values() if "nm" in v and "colour" not in v] == ["0/3", "0/16", "0/12", "0/1"]
    with world.db.read() as connection:
        counted = connection.execute(select(item.c.element, item.c.n_done, item.c.n_total)).all()
    several = {e: f"{done}/{total}" for e, done, total in counted if total > 1}
    assert {k: v["nm"] for k, v in lights.items() if "nm" in v and "colour" in v} == several and several


def test_only_the_page_with_the_diagram_may_have_inline_styles(world: World) -> None:
    client = world.client("zhuanban")
    for path, allowed in ((f"/plans/{world.run_id}", True), ("/plans", False), ("/ledger", False)):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert ("'unsafe-inline'" in policy) is allowed
        assert "script-src 'self';" in policy


@pytest.mark.parametrize("path", ["", "/diagram.bpmn", "/lights.json"])
def test_plan_that_one_may_not_know_of_is_not_found(world: World, path: str) -> None:
    assert world.client("zhuanban").get(f"/plans/999{path}").status_code == 404


@pytest.mark.parametrize("path", ["/ledger", "/plans", "/plans/1", "/demo/mail", "/demo/mail/1/html"])
def test_pages_ask_who_one_is(world: World, path: str) -> None:
    client = world.client("nobody")
    assert client.get(path).status_code == 302


def test_rounds_say_who_has_not_reported(world: World) -> None:
    with world.db.read() as connection:
        office, county = (sight_of(connection, world.actor(login)) for login in ("zhuanban", "daye"))
        every = turns(connection, office.actor, run_facts(connection, office, world.run_id))
        weekly = [t for t in every if t.name == "周调度"]
        mine = turns(connection, county.actor, run_facts(connection, county, world.run_id))
    assert weekly[0].n > weekly[-1].n == 1
    assert len(weekly[0].owing) == weekly[0].total > 5
    assert {name for t in mine for name in (*t.owing, *t.missed)} == {"大冶市"}


# ---------------------------------------------------------------- the demo's mail
def letter(to: str, kind: str, title: str) -> bytes:
    line = {
        "word": "退回补正",
        "shape": "▲",
        "colour": "yellow",
        "title": title,
        "plan": "百日攻坚",
        "due": "",
        "note": "",
    }
    about = {"count": 1, "overdue": 0, "told": 1, "titles": True, "lines": [line], "round": None}
    where = {"day": "2025-07-07", "base_url": "http://127.0.0.1:8000", "link": "/inbox"}
    return compose("duban@localhost", to, render(kind, about | where), "<1@duban>", wall_now()).as_bytes()


@pytest.fixture
def mails(world: World) -> Iterator[World]:
    box = Mailbox(world.mail)
    box.keep(letter("renshe@huangshi.example", "returned", "甲任务"))
    box.keep(letter("daye@huangshi.example", "urged", "乙任务<b>"))
    yield world
    for path in world.mail.iterdir():
        path.unlink()


def test_sink_keeps_what_it_is_sent(tmp_path: Path) -> None:
    sink = start_sink(tmp_path / "mail")
    about = {"count": 2, "overdue": 0, "told": 2, "copied": False, "titles": False, "lines": [], "round": None}
    rendered = render("digest", about | {"day": "2025-07-07", "base_url": "http://127.0.0.1", "link": "/inbox"})
    try:
        for to in ("a@b.example", "c@d.example"):
            Transport("127.0.0.1", sink.port, "duban@localhost").send(to, rendered, "<2@duban>", wall_now())
    finally:
        sink.stop()
    heads = Mailbox(tmp_path / "mail").heads()
    assert [(h.number, h.to, h.kind, h.day) for h in heads] == [
        (2, "c@d.example", "digest", "2025-07-07"),
        (1, "a@b.example", "digest", "2025-07-07"),
    ]
    assert heads[0].subject == "【督办台账】您有 2 件待办"


def test_mails_are_listed_newest_first_and_filtered(mails: World) -> None:
    client = mails.client("zhuanban")
    page = client.get("/demo/mail").get_data(as_text=True)
    assert 0 < page.index("催办：乙任务") < page.index("退回补正：甲任务")
    assert "市人社局 联络员" in page
    filtered = client.get("/demo/mail?to=renshe@huangshi.example&kind=returned").get_data(as_text=True)
    assert "甲任务" in filtered and "乙任务" not in filtered
    assert "没有符合条件的邮件" in client.get("/demo/mail?kind=handed").get_data(as_text=True)


def test_mail_is_shown_in_a_frame_that_can_only_show_it(mails: World) -> None:
    client = mails.client("zhuanban")
    page = client.get("/demo/mail/2").get_data(as_text=True)
    assert 'sandbox="allow-top-navigation-by-user-activation"' in page
    assert "乙任务&lt;b&gt;" in page
    html = client.get("/demo/mail/2/html")
    assert html.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "frame-ancestors 'self'" in html.headers["Content-Security-Policy"]
    assert '<base target="_top">' in html.get_data(as_text=True)
    assert client.get("/demo/mail/3").status_code == 404


def test_mailbox_does_not_exist_outside_the_demo(world: World) -> None:
    app = create_app(Settings(demo=False, secret_key=SecretStr("x" * 32), database_url=world.db.url), world.db)
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")]
