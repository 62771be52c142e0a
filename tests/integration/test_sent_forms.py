"""A form that is sent again because its answer got lost does nothing twice; a form that says something new does."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from engine.scheduler import tidy
from ledger.clock import wall_now
from ledger.schema import assignment, event, item, notice, sent_form
from ledger.sent import KEPT_DAYS, forget
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

DONE = "没有重复登记"


@pytest.fixture
def app(office: Office) -> Flask:
    office.acknowledge("renshe")
    return create_app(Settings(demo=True, database_url=office.db.url), office.db)


def enter(app: Flask, account: str) -> FlaskClient:
    client = app.test_client()
    token = field(client.get("/login").text, "csrf_token")
    answer = client.post("/login", data={"csrf_token": token, "account": account, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', html)
    assert found, name
    return found[1]


def share_of(office: Office, no: str, unit: str) -> tuple[int, int]:
    with office.db.read() as connection:
        query = select(assignment.c.item_id, assignment.c.id).join(item, item.c.id == assignment.c.item_id)
        return tuple(connection.execute(query.where(item.c.no == no, assignment.c.unit == unit)).one())


def count(office: Office, kind: str) -> int:
    with office.db.read() as connection:
        return int(connection.execute(select(func.count()).where(event.c.kind == kind)).scalar_one())


def report_form(client: FlaskClient, item_id: int, share_id: int) -> dict[str, str]:
    html = client.get(f"/items/{item_id}?tab=report-{share_id}").text
    start = html.index(f'action="/assignments/{share_id}/report"')
    return {"csrf_token": field(html, "csrf_token"), "once": field(html[start:], "once"), "act": "report"}


def test_a_report_sent_again_is_one_report(app: Flask, office: Office) -> None:
    item_id, share_id = share_of(office, "4", "renshe")
    client = enter(app, "renshe")
    form = {**report_form(client, item_id, share_id), "progress": "已走访企业九家。"}
    first = client.post(f"/assignments/{share_id}/report", data=form, follow_redirects=True)
    again = client.post(f"/assignments/{share_id}/report", data=form, follow_redirects=True)
    assert (first.status_code, again.status_code) == (200, 200)
    assert DONE not in first.text and DONE in again.text
    blanks = {**form, "progress": f"  {form['progress']}　 "}
    assert DONE in client.post(f"/assignments/{share_id}/report", data=blanks, follow_redirects=True).text
    assert count(office, "assignment.reported") == 1
    # back in the browser, and something else is said: that is a report of its own
    client.post(f"/assignments/{share_id}/report", data={**form, "progress": "已走访企业十家。"})
    assert count(office, "assignment.reported") == 2
    # the same words from a page that was opened anew, too
    client.post(f"/assignments/{share_id}/report", data={**report_form(client, item_id, share_id), "progress": "同上"})
    client.post(f"/assignments/{share_id}/report", data={**report_form(client, item_id, share_id), "progress": "同上"})
    assert count(office, "assignment.reported") == 4


def test_a_report_that_was_refused_may_be_sent_again(app: Flask, office: Office) -> None:
    item_id, share_id = share_of(office, "4", "renshe")
    client = enter(app, "renshe")
    form = {**report_form(client, item_id, share_id), "progress": "字" * 2001}
    for _ in range(2):
        refused = client.post(f"/assignments/{share_id}/report", data=form)
        assert refused.status_code == 422 and "文字过长" in refused.text
    assert count(office, "assignment.reported") == 0


def test_an_urging_sent_twice_at_once_is_one(app: Flask, office: Office) -> None:
    item_id, share_id = share_of(office, "4", "renshe")
    clients = [enter(app, "zhuanban") for _ in range(4)]
    html = clients[0].get(f"/items/{item_id}?tab=urge-{item_id}").text
    once = field(html[html.index(f'action="/items/{item_id}/urge"') :], "once")
    tokens = [field(c.get(f"/items/{item_id}").text, "csrf_token") for c in clients]
    barrier = Barrier(len(clients))

    def urge(n: int) -> int:
        barrier.wait()
        data = {"csrf_token": tokens[n], "once": once, "assignments": str(share_id), "words": "请于周五前报送。"}
        return clients[n].post(f"/items/{item_id}/urge", data=data).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        assert list(pool.map(urge, range(len(clients)))) == [302] * len(clients)
    assert count(office, "assignment.urged") == 1
    with office.db.read() as connection:
        told = select(func.count()).where(notice.c.tier.like("urged:%"))
        assert connection.execute(told).scalar_one() == 1


def test_a_case_sent_again_is_one_case_and_leaves_no_draft_behind(app: Flask, office: Office) -> None:
    """What a slow browser still sends of the form would stand in the next one, which is about another case."""
    client, here = enter(app, "zhuanban"), "/intakes/new/instruction"
    html = client.get(here).text
    form = {name: field(html, name) for name in ("csrf_token", "once")} | {
        "title": "摸清毕业生就业底数",
        "leader": "张明（市长）",
        "given_on": "2025-05-22",
        "carrier": "paper",
        "wording": "gist",
        "instruction": "请抓紧落实。",
    }
    draft = "/drafts/intake_new-instruction"
    assert "草稿已存" in client.post(draft, data=form).text
    assert "请抓紧落实。" in client.get(here).text
    assert client.post(here, data=form).status_code == 302
    assert DONE in client.post(here, data=form, follow_redirects=True).text
    assert client.post(draft, data=form).text == ""
    again = client.get(here).text
    assert "请抓紧落实。" not in again
    other = form | {"once": field(again, "once"), "title": "另一件"}
    assert "草稿已存" in client.post(draft, data=other).text
    assert count(office, "intake.registered") == 1


def test_sent_forms_are_forgotten_after_a_week(app: Flask, office: Office) -> None:
    item_id, share_id = share_of(office, "4", "renshe")
    client = enter(app, "renshe")
    client.post(
        f"/assignments/{share_id}/report", data={**report_form(client, item_id, share_id), "progress": "有进展"}
    )

    def left() -> int:
        with office.db.read() as connection:
            return int(connection.execute(select(func.count()).select_from(sent_form)).scalar_one())

    tidy(office.db, Settings(demo=True).store, 200, 7)
    assert left() == 1
    with office.db.write() as tx:
        forget(tx.connection, wall_now() + timedelta(minutes=1))
    assert left() == 0
    assert KEPT_DAYS >= 1
