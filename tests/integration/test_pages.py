"""The pages on a real database: the 百日攻坚 run on its first afternoon, people acting through forms alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, time
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from engine.clockwork import advance_to
from ledger.calendar import moment
from ledger.clock import StoredClock, target_of, wall_now
from ledger.database import Database
from ledger.directory import leave_post
from ledger.migrating import upgrade
from ledger.schema import assignment, clock, draft, figure, heartbeat, indicator, item, share, todo
from ledger.schema import post as post_table
from tests.statements import statements
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

PLAN = "huangshi-2025-bairi"
START = moment(date(2025, 5, 23), time(9))
AFTERNOON = moment(date(2025, 5, 23), time(15))

Login = Callable[[str], FlaskClient]


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file in which the run has just started; every test copies it."""
    file = tmp_path_factory.mktemp("pages") / "started.sqlite3"
    url = f"sqlite:///{file}"
    upgrade(url)
    db = Database(url, StoredClock())
    campaign.begin(db)
    advance_to(db, AFTERNOON)
    db.close()  # the last connection takes its write-ahead log into the file
    return file


@pytest.fixture
def db(started: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(started, tmp_path / "duban.sqlite3")
    database = Database(f"sqlite:///{tmp_path / 'duban.sqlite3'}", StoredClock())
    yield database
    database.close()


@pytest.fixture
def app(db: Database) -> Flask:
    return create_app(Settings(demo=True, database_url=db.url), db)


@pytest.fixture
def login(app: Flask) -> Login:
    def enter(account: str) -> FlaskClient:
        client = app.test_client()
        answer = post(client, "/login", at="/login", account=account, password=PASSWORD)
        assert answer.status_code == 302
        return client

    return enter


def html(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def token(client: FlaskClient, page: str) -> str:
    """The CSRF token of a page, as its forms carry it."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found
    return found[1]


def post(client: FlaskClient, path: str, /, at: str = "/inbox", **fields: Any) -> TestResponse:
    """Send a form as the browser would after opening the page `at`."""
    return client.post(path, data={"csrf_token": token(client, at), **fields})


def share_of(db: Database, no: str, unit: str) -> tuple[int, int]:
    """(item, assignment) of a unit's share by the item's printed number."""
    with db.read() as connection:
        found = connection.execute(
            select(assignment.c.item_id, assignment.c.id)
            .join(item, item.c.id == assignment.c.item_id)
            .where(item.c.no == no, assignment.c.unit == unit)
        ).one()
    return found[0], found[1]


def state_of(db: Database, assignment_id: int) -> str:
    with db.read() as connection:
        return str(connection.execute(select(assignment.c.state).where(assignment.c.id == assignment_id)).scalar_one())


def indicator_of(db: Database, item_id: int) -> int:
    with db.read() as connection:
        found = connection.execute(select(indicator.c.id).where(indicator.c.item_id == item_id)).scalars()
        return int(next(iter(found)))


def signed_for(db: Database, login: Login, no: str, unit: str, account: str) -> tuple[FlaskClient, int, int]:
    """A liaison who has signed for a share: (client, item, assignment)."""
    item_id, assignment_id = share_of(db, no, unit)
    client = login(account)
    assert post(client, f"/assignments/{assignment_id}/acknowledge", arm=1).status_code == 302
    return client, item_id, assignment_id


# ---------------------------------------------------------------- getting in
def test_stranger_is_sent_to_the_login_page_and_back(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/inbox")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")
    onward = post(client, "/login?next=%2Frounds", at="/login", account="renshe", password=PASSWORD)
    assert onward.headers["Location"] == "/rounds"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_login_never_leads_to_another_site(app: Flask, target: str) -> None:
    client = app.test_client()
    answer = client.post(
        "/login",
        query_string={"next": target},
        data={"csrf_token": token(client, "/login"), "account": "renshe", "password": PASSWORD},
    )
    assert answer.headers["Location"] == "/"


def test_wrong_password_is_counted_down_and_then_locked(app: Flask) -> None:
    client = app.test_client()
    said = [html(post(client, "/login", at="/login", account="renshe", password="x")) for _ in range(6)]
    assert "还可再试 4 次" in said[0]
    assert "还可再试 1 次" in said[3]
    assert "已连续输错 5 次，为保护账号，登录已锁定到" in said[4]
    assert "登录已锁定到" in said[5]
    assert post(client, "/login", at="/login", account="renshe", password=PASSWORD).status_code == 429
    other = post(client, "/login", at="/login", account="daye", password=PASSWORD)
    assert other.status_code == 302


def test_form_without_token_is_refused_in_words(app: Flask) -> None:
    answer = app.test_client().post("/login", data={"account": "renshe", "password": PASSWORD})
    assert answer.status_code == 400
    assert "页面已经过期" in html(answer)


def test_demo_parts_exist_only_in_demo_mode(db: Database) -> None:
    app = create_app(Settings(secret_key=SecretStr("x" * 32), database_url=db.url), db)
    client = app.test_client()
    assert "演示账号" not in html(client.get("/login"))
    assert post(client, "/demo/enter", at="/login", account="renshe").status_code == 404


def test_pages_allow_no_inline_script_style_or_other_host(login: Login) -> None:
    client = login("renshe")
    for path in ("/inbox", "/items/13", "/login"):
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        body = answer.get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", body)
        assert not re.search(r'(?:src|href)="(?:https?:)?//', body)


# ---------------------------------------------------------------- who sees what
def test_outsider_gets_404_for_item_and_its_acts(db: Database, login: Login) -> None:
    item_id, assignment_id = share_of(db, "20", "jiaoyu")
    outsider = login("keji")
    assert outsider.get(f"/items/{item_id}").status_code == 404
    assert outsider.get("/items/999999").status_code == 404
    for path in (f"/assignments/{assignment_id}/acknowledge", f"/assignments/{assignment_id}/report"):
        assert post(outsider, path, arm=1, progress="x").status_code == 404
    assert state_of(db, assignment_id) == "acknowledging"


@pytest.mark.parametrize("account", ["renshe", "jiaoyu", "jiaoyu-fenguan", "zhuanban", "ducha", "lingdao"])
def test_participants_coordinator_and_overseers_see_the_item(db: Database, login: Login, account: str) -> None:
    item_id, _ = share_of(db, "20", "jiaoyu")
    assert login(account).get(f"/items/{item_id}").status_code == 200


def test_reports_are_read_by_own_unit_lead_and_coordinator_only(db: Database, login: Login) -> None:
    daye, item_id, assignment_id = signed_for(db, login, "13", "daye", "daye")
    name = f"figure-{indicator_of(db, item_id)}"
    words = "已对接九家单位"
    assert post(daye, f"/assignments/{assignment_id}/report", progress=words, **{name: "214"}).status_code == 302
    for account in ("daye", "renshe", "zhuanban"):
        page = html(login(account).get(f"/items/{item_id}"))
        assert words in page
        assert "就业见习岗位累计 214 个" in page
    page = html(login("yangxin").get(f"/items/{item_id}"))
    assert words not in page
    assert "累计 214" not in page
    assert "不公开" in page


def test_round_of_another_unit_is_not_found(db: Database, login: Login) -> None:
    advance_to(db, moment(date(2025, 5, 26), time(10)))
    with db.read() as connection:
        share_id = connection.execute(select(share.c.id).where(share.c.unit == "renshe")).scalars().first()
    assert login("daye").get(f"/rounds/{share_id}").status_code == 404


# ---------------------------------------------------------------- the inbox
def test_batch_signs_for_what_is_ticked(db: Database, login: Login) -> None:
    client = login("jiaoyu")
    page = html(client.get("/inbox"))
    refs = re.findall(r'name="todo" value="([^"]+)"', page)
    assert len(refs) > 2
    assert post(client, "/inbox/acknowledge", todo=refs[:2]).status_code == 302
    after = html(client.get("/inbox"))
    assert "已签收 2 件" in after
    assert set(re.findall(r'name="todo" value="([^"]+)"', after)) == set(refs[2:])


def test_batch_with_nothing_ticked_says_what_to_do(login: Login) -> None:
    answer = post(login("jiaoyu"), "/inbox/acknowledge")
    assert answer.status_code == 422
    assert "请先勾选" in html(answer)


def test_batch_that_someone_was_faster_with_is_told_who(db: Database, login: Login) -> None:
    _, assignment_id = share_of(db, "20", "jiaoyu")
    client = login("jiaoyu")
    assert post(client, f"/assignments/{assignment_id}/acknowledge", arm=1).status_code == 302
    answer = post(client, "/inbox/acknowledge", todo=f"{assignment_id}.acknowledge.1")
    assert answer.status_code == 409
    assert "市教育局" in html(answer)


def test_inbox_costs_the_same_number_of_statements_for_few_and_many(db: Database, login: Login) -> None:
    numbers = []
    for account in ("keji", "renshe"):
        client = login(account)
        with statements(db.reader) as sent:
            slips = html(client.get("/inbox")).count("<article")
        numbers.append((slips, len(sent)))
    (few, cost_few), (many, cost_many) = numbers
    assert few < 4
    assert many > 15
    assert cost_many <= cost_few + 1


def test_empty_inbox_says_what_comes_next(login: Login) -> None:
    page = html(login("ducha").get("/inbox"))
    assert "没有待办" in page
    assert "看台账" in page


# ---------------------------------------------------------------- from 签收 to 已办结
def test_liaison_signer_and_coordinator_take_an_item_to_its_end_by_forms(db: Database, login: Login) -> None:
    liaison, item_id, assignment_id = signed_for(db, login, "11", "renshe", "renshe")
    name = f"figure-{indicator_of(db, item_id)}"
    done: dict[str, Any] = {"arm": 1, "summary": "归集岗位 2100 个。", name: "2,100"}
    assert post(liaison, f"/assignments/{assignment_id}/submit", **done).status_code == 302
    assert state_of(db, assignment_id) == "signing"
    assert "送本单位审签" in html(liaison.get(f"/items/{item_id}"))

    signer = login("renshe-fenguan")
    assert "待审签" in html(signer.get("/inbox"))
    page = html(signer.get(f"/items/{item_id}"))
    assert "归集岗位 2100 个。" in page
    assert "2,100" in page
    act = f"/assignments/{assignment_id}/decide"
    assert post(signer, act, arm=1, step="sign", act="agree").status_code == 302

    coordinator = login("zhuanban")
    unsaid = post(coordinator, act, arm=1, step="review", act="return", reason=" ")
    assert unsaid.status_code == 422
    assert "请写明退回理由" in html(unsaid)
    assert post(coordinator, act, arm=1, step="review", act="return", reason="缺岗位清单。").status_code == 302
    assert "退回理由（05-23 周五）：缺岗位清单。" in html(liaison.get("/inbox"))
    assert "缺岗位清单。" in html(liaison.get(f"/items/{item_id}"))

    done = {"arm": 2, "summary": "已附岗位清单。"}
    assert post(liaison, f"/assignments/{assignment_id}/submit", **done).status_code == 302
    assert post(signer, act, arm=2, step="sign", act="agree").status_code == 302
    assert post(coordinator, act, arm=2, step="review", act="agree").status_code == 302
    assert state_of(db, assignment_id) == "closed"
    page = html(liaison.get(f"/items/{item_id}"))
    assert "任务办结" in page
    assert "已办结" in page


def test_page_offers_only_the_forms_of_ones_own_desk(db: Database, login: Login) -> None:
    item_id, assignment_id = share_of(db, "11", "renshe")
    assert f"/assignments/{assignment_id}/acknowledge" in html(login("renshe").get(f"/items/{item_id}"))
    assert f'action="/assignments/{assignment_id}/' not in html(login("renshe-fenguan").get(f"/items/{item_id}"))
    coordinator = html(login("zhuanban").get(f"/items/{item_id}"))
    assert f"/items/{item_id}/urge" in coordinator
    assert f'action="/assignments/{assignment_id}/' not in coordinator


def test_act_of_another_desk_is_refused_in_words(db: Database, login: Login) -> None:
    _, assignment_id = share_of(db, "11", "renshe")
    answer = post(login("renshe-fenguan"), f"/assignments/{assignment_id}/acknowledge", arm=1)
    assert answer.status_code == 409
    assert "不在您的岗位上" in html(answer)
    assert state_of(db, assignment_id) == "acknowledging"


# ---------------------------------------------------------------- nothing typed is lost
def test_wrong_figure_is_named_beside_its_field_and_the_text_is_kept(db: Database, login: Login) -> None:
    client, item_id, assignment_id = signed_for(db, login, "13", "daye", "daye")
    name = f"figure-{indicator_of(db, item_id)}"
    answer = post(client, f"/assignments/{assignment_id}/report", progress="写了很久的进展", **{name: "约200"})
    page = html(answer)
    assert answer.status_code == 422
    assert f'id="err-{name}"' in page
    assert 'value="约200"' in page
    assert "写了很久的进展" in page


def test_doubtful_figure_is_asked_about_and_taken_when_confirmed(db: Database, login: Login) -> None:
    client, item_id, assignment_id = signed_for(db, login, "13", "daye", "daye")
    indicator_id = indicator_of(db, item_id)
    name = f"figure-{indicator_id}"
    path = f"/assignments/{assignment_id}/report"
    assert post(client, path, progress="", **{name: "214"}).status_code == 302
    asked = post(client, path, progress="核减重复", **{name: "200"})
    assert asked.status_code == 422
    assert 'name="confirmed"' in html(asked)
    assert "核减重复" in html(asked)
    assert post(client, path, progress="核减重复", confirmed="1", **{name: "200"}).status_code == 302
    with db.read() as connection:
        value = connection.execute(select(figure.c.value).where(figure.c.indicator_id == indicator_id)).scalar_one()
    assert value == 200


def test_slower_colleague_reads_who_was_faster_above_the_kept_text(db: Database, login: Login) -> None:
    client, _, assignment_id = signed_for(db, login, "11", "renshe", "renshe")
    path = f"/assignments/{assignment_id}/submit"
    assert post(client, path, arm=1, summary="先交的").status_code == 302
    answer = post(client, path, arm=1, summary="后交的长文字")
    page = html(answer)
    assert answer.status_code == 409
    assert "市人社局" in page
    assert "已保留在下方" in page
    assert "后交的长文字" in page


def test_draft_is_saved_restored_and_gone_when_handed_in(db: Database, login: Login) -> None:
    client, item_id, assignment_id = signed_for(db, login, "11", "renshe", "renshe")
    key = f"report-{assignment_id}"
    saved = post(client, f"/drafts/{key}", progress="写到一半")
    assert "草稿已存" in html(saved)
    assert "写到一半" in html(client.get(f"/items/{item_id}?tab={key}"))
    assert "写到一半" not in html(login("zhuanban").get(f"/items/{item_id}"))
    assert post(client, f"/assignments/{assignment_id}/report", progress="写完了").status_code == 302
    with db.read() as connection:
        assert connection.execute(select(draft)).all() == []


def test_what_people_type_is_shown_as_text(db: Database, login: Login) -> None:
    client, item_id, assignment_id = signed_for(db, login, "11", "renshe", "renshe")
    hostile = "<script>alert(1)</script>"
    post(client, f"/assignments/{assignment_id}/report", progress=hostile)
    body = client.get(f"/items/{item_id}").get_data(as_text=True)
    assert hostile not in body
    assert "&lt;script&gt;" in body


# ---------------------------------------------------------------- urging and rounds
def test_coordinator_urges_the_ticked_units(db: Database, login: Login) -> None:
    item_id, assignment_id = share_of(db, "13", "daye")
    coordinator = login("zhuanban")
    path = f"/items/{item_id}/urge"
    nobody = post(coordinator, path, words="请于周三前补报")
    assert nobody.status_code == 422
    assert "请于周三前补报" in html(nobody)
    assert post(coordinator, path, words="请于周三前补报", assignments=[assignment_id]).status_code == 302
    assert "催办：大冶市" in html(coordinator.get(f"/items/{item_id}"))
    _, elsewhere = share_of(db, "11", "renshe")
    assert post(coordinator, path, words="x", assignments=[elsewhere]).status_code == 404


def test_urging_says_who_was_reached_and_who_has_nobody(db: Database, login: Login) -> None:
    item_id, daye = share_of(db, "13", "daye")
    _, other = share_of(db, "13", "yangxin")
    with db.write() as tx:
        held = select(post_table.c.id).where(post_table.c.unit == "daye", post_table.c.until.is_(None))
        for post_id in tx.connection.execute(held.where(post_table.c.role.in_(("liaison", "head")))).scalars().all():
            leave_post(tx, post_id)
    coordinator = login("zhuanban")
    path = f"/items/{item_id}/urge"
    assert post(coordinator, path, words="请补报", assignments=[daye, other]).status_code == 302
    page = html(coordinator.get(f"/items/{item_id}"))
    assert "已催办阳新县，邮件随即发出。大冶市没有联络员，也没有主要负责人，没有人收到" in page
    assert post(coordinator, path, words="请补报", assignments=[daye]).status_code == 302
    assert "邮件随即发出" not in html(coordinator.get(f"/items/{item_id}")).split('class="toast"')[1].split("</p>")[0]
    assert "大冶市（无人签收）" in html(coordinator.get("/home"))


def weekly(db: Database, unit: str) -> int:
    advance_to(db, moment(date(2025, 5, 26), time(10)))
    with db.read() as connection:
        found = connection.execute(select(share.c.id).where(share.c.unit == unit, share.c.state == "owed")).scalars()
        return int(next(iter(found)))


def test_round_report_keeps_last_values_and_sends_what_changed(db: Database, login: Login) -> None:
    client, item_id, assignment_id = signed_for(db, login, "11", "renshe", "renshe")
    name = f"figure-{indicator_of(db, item_id)}"
    post(client, f"/assignments/{assignment_id}/report", **{name: "120"})
    share_id = weekly(db, "renshe")
    page = html(client.get(f"/rounds/{share_id}"))
    name += f"-{assignment_id}"
    assert f'name="{name}" value="120"' in page
    assert "沿用上期" in page
    sent: dict[str, Any] = {name: "180", f"progress-{assignment_id}": "新增两个街道。", "act": "report"}
    assert post(client, f"/rounds/{share_id}", **sent).status_code == 302
    assert "1 项有变化" in html(client.get("/inbox"))
    page = html(client.get(f"/items/{item_id}"))
    assert "累计 180 个" in page
    assert "新增两个街道。" in page


def test_round_without_news_is_one_tap(db: Database, login: Login) -> None:
    share_id = weekly(db, "renshe")
    client = login("renshe")
    assert post(client, f"/rounds/{share_id}/nothing-new").status_code == 302
    assert "本期无新进展" in html(client.get("/inbox"))
    again = post(client, f"/rounds/{share_id}/nothing-new")
    assert again.status_code == 409
    assert "报送了这一期" in html(again)


# ---------------------------------------------------------------- around the pages
def test_silent_scheduler_is_announced_and_a_ticking_one_is_not(db: Database, login: Login) -> None:
    client = login("renshe")
    with db.write() as tx:
        tx.connection.execute(update(heartbeat).values(beat_at=wall_now().replace(year=2020)))
    assert "没有动静" in html(client.get("/inbox"))
    with db.write() as tx:
        tx.connection.execute(update(heartbeat).values(beat_at=wall_now()))
    assert "没有动静" not in html(client.get("/inbox"))


def test_clock_control_writes_a_target_and_tells_htmx_when_it_has_arrived(db: Database, login: Login) -> None:
    client = login("renshe")
    assert post(client, "/demo/clock", to="day", back="/rounds").headers["Location"] == "/rounds"
    with db.read() as connection:
        times = target_of(connection)
    assert times == (AFTERNOON, moment(date(2025, 5, 24), time(9, 30)))
    on_the_way = client.get("/demo/clock", headers={"HX-Request": "true"})
    assert "HX-Redirect" not in on_the_way.headers
    with db.write() as tx:
        tx.connection.execute(update(clock).values(now=times[1]))
    arrived = client.get("/demo/clock?back=/items/13", headers={"HX-Request": "true"})
    assert arrived.headers["HX-Redirect"] == "/items/13"
    astray = client.get("/demo/clock?back=/%5Cevil.example", headers={"HX-Request": "true"})
    assert astray.headers["HX-Redirect"] == "/"


def test_unknown_page_is_calm_and_chinese(login: Login) -> None:
    answer = login("renshe").get("/nowhere")
    assert answer.status_code == 404
    assert "没有这一页" in html(answer)


def test_every_todo_of_every_account_opens(db: Database, login: Login) -> None:
    advance_to(db, moment(date(2025, 5, 26), time(10)))
    with db.read() as connection:
        waiting = connection.execute(select(todo.c.unit).where(todo.c.closed_at.is_(None)).distinct()).scalars().all()
    for account in ("renshe", "daye", "hubei-ligong", "zhuanban"):
        client = login(account)
        page = client.get("/inbox").get_data(as_text=True)
        for href in set(re.findall(r'href="(/(?:items|rounds)[^"#]*)"', page)):
            assert client.get(unescape(href)).status_code == 200, href
    assert waiting


# ---------------------------------------------------------------- 依规清除
def test_words_are_cleared_by_two_through_the_pages(db: Database, login: Login) -> None:
    daye, item_id, share_id = signed_for(db, login, "13", "daye", "daye")
    words = "李某家住天桥路十一号。"
    assert post(daye, f"/assignments/{share_id}/report", act="report", progress=words).status_code == 302
    ducha, guanli = login("ducha"), login("guanli")
    seen = html(ducha.get(f"/items/{item_id}"))
    (form,) = set(re.findall(rf'href="(/items/{item_id}/records/\d+/clearing)"', seen))
    assert words in seen and "申请清除" not in html(daye.get(f"/items/{item_id}"))
    assert words in html(ducha.get(form))
    assert words not in html(guanli.get(form))  # an administrator does not read what units report
    refused = post(ducha, form, fields="progress")
    assert refused.status_code == 422 and "请写明依据" in html(refused)
    ground = "《个人信息保护法》第四十七条"
    assert post(ducha, form, fields="progress", ground=ground).status_code == 302
    again = post(guanli, form, fields="progress", ground="另一份依据")
    assert again.status_code == 409 and "另一份依据" in html(again)  # what was typed stays

    (place,) = set(re.findall(r'href="(/clearings/\d+)"', html(guanli.get("/clearings"))))
    assert "须由另一方（管理员）确认" in html(ducha.get(place))
    assert post(ducha, place, act="confirm", understood="1").status_code == 403
    unticked = post(guanli, place, act="confirm", reason="同意")
    assert unticked.status_code == 422 and "清除以后不能恢复，请先勾选" in html(unticked) and "同意" in html(unticked)
    assert post(guanli, place, act="confirm", understood="1").status_code == 302
    seen = html(ducha.get(f"/items/{item_id}"))
    assert words not in seen and f"（内容已依规清除。依据：{ground}；2025-05-23）" in seen
    assert "已清除" in html(ducha.get("/clearings")) and "清除 1 处，不可恢复" in html(ducha.get(place))
    assert post(guanli, place, act="decline", reason="晚了").status_code == 409
    assert ducha.get(form).status_code == 404


def test_a_name_is_asked_for_by_account(db: Database, login: Login) -> None:
    ducha = login("ducha")
    refused = post(ducha, "/clearings/name", account="nobody", ground="依据")
    assert refused.status_code == 422 and "没有这个账号" in html(refused)
    assert post(ducha, "/clearings/name", account="guozi", ground="该同志调离").status_code == 302
    assert "账号 guozi 的姓名" in html(login("guanli").get("/clearings"))


@pytest.mark.parametrize("account", ["renshe", "zhuanban", "lingdao"])
def test_clearings_are_for_administrators_and_inspectors(login: Login, account: str) -> None:
    client = login(account)
    assert client.get("/clearings").status_code == client.get("/clearings/name").status_code == 403
    assert post(client, "/items/13/records/1/clearing", fields="progress", ground="依据").status_code == 403
    assert "依规清除" not in html(client.get("/inbox"))
