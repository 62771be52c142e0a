"""The doors on both databases: sessions, lock-out across processes, passwords, links, logs, what is typed meanwhile."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse, create_environ

from engine import accounts, scheduler
from engine.commands import perform, urge
from engine.verifying import differences
from ledger.clock import wall_now
from ledger.database import Database
from ledger.directory import register_person, register_units, take_post
from ledger.errors import NotAllowed
from ledger.events import canonical
from ledger.files import Store
from ledger.organisation import Organisation, Unit
from ledger.people import actor_of
from ledger.queries.accounts import seen_by
from ledger.rules.throttle import Limit
from ledger.schema import (
    assignment,
    draft,
    event,
    item,
    login_log,
    login_session,
    message,
    password_reset,
    person,
    post,
    throttle,
)
from ledger.verification import Scene, broken_chains, replay_differences
from tests.statements import statements
from webapp import hashing
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

SECRET = SecretStr("s" * 40)
NEW = "骑单车去看磁湖的晚霞"


def application(db: Database, **more: Any) -> Flask:
    """As another process would make it: nothing is shared but the database."""
    said: dict[str, Any] = {"demo": True, "secret_key": SECRET, "database_url": db.url} | more
    return create_app(Settings(**said), db)


@pytest.fixture
def app(office: Office) -> Flask:
    return application(office.db)


@pytest.fixture
def db(office: Office) -> Database:
    return office.db


def html(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def token(client: FlaskClient, page: str = "/login") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found
    return found[1]


def send(client: FlaskClient, path: str, /, at: str = "/login", **fields: Any) -> TestResponse:
    headers = fields.pop("headers", {})
    return client.post(path, data={"csrf_token": token(client, at), **fields}, headers=headers)


def enter(app: Flask, account: str, password: str = PASSWORD) -> FlaskClient:
    client = app.test_client()
    answer = send(client, "/login", account=account, password=password)
    assert answer.status_code == 302, html(answer)
    return client


def cookie(client: FlaskClient, name: str = "duban") -> str:
    found = client.get_cookie(name)
    return found.value if found else ""


def rows(db: Database, query: Any) -> list[Any]:
    with db.read() as connection:
        return list(connection.execute(query).all())


def one(db: Database, query: Any) -> Any:
    return rows(db, query)[0][0]


def id_of(db: Database, login: str) -> int:
    return int(one(db, select(person.c.id).where(person.c.login == login)))


def outcomes(db: Database) -> list[str]:
    return [r.outcome for r in rows(db, select(login_log.c.outcome).order_by(login_log.c.id))]


def mails(db: Database, kind: str) -> list[dict[str, Any]]:
    return [json.loads(r.context) for r in rows(db, select(message.c.context).where(message.c.kind == kind))]


def is_in(client: FlaskClient) -> bool:
    return client.get("/inbox").status_code == 200


# ---------------------------------------------------------------- sessions
def test_the_cookie_holds_a_random_token_and_the_database_its_digest(app: Flask, db: Database) -> None:
    client = enter(app, "renshe")
    assert re.fullmatch(r"[\w-]{43}", cookie(client))
    stored = rows(db, select(login_session))
    assert len(stored) == 1
    assert cookie(client) not in canonical([str(value) for value in stored[0]])
    assert stored[0].person_id == id_of(db, "renshe")
    forged = app.test_client()
    forged.set_cookie("duban", stored[0].digest)
    assert not is_in(forged)


def test_log_in_rotates_the_token_and_log_out_ends_the_session(app: Flask) -> None:
    client = enter(app, "renshe")
    first = cookie(client)
    assert send(client, "/login", at="/inbox", account="renshe", password=PASSWORD).status_code == 302
    second = cookie(client)
    assert second != first
    old = app.test_client()
    old.set_cookie("duban", first)
    assert not is_in(old)
    assert send(client, "/logout", at="/inbox").status_code == 302
    assert not cookie(client)
    client.set_cookie("duban", second)
    assert not is_in(client)


def test_the_csrf_token_of_before_is_worth_nothing_after_log_in(app: Flask) -> None:
    client = app.test_client()
    before = token(client)
    client.post("/login", data={"csrf_token": before, "account": "renshe", "password": PASSWORD})
    client.get("/inbox")
    assert client.post("/logout", data={"csrf_token": before}).status_code == 400


def test_a_session_ends_when_it_is_idle_and_when_its_day_is_over(db: Database) -> None:
    app = application(db, idle_minutes=30, session_hours=2)
    with time_machine.travel(wall_now(), tick=False) as clock:
        client = enter(app, "renshe")
        for _ in range(5):
            clock.shift(timedelta(minutes=20))
            assert is_in(client)  # in use
        clock.shift(timedelta(minutes=21))
        assert not is_in(client)  # two hours are over
        client = enter(app, "renshe")
        clock.shift(timedelta(minutes=31))
        assert not is_in(client)  # nobody was there


def test_use_is_written_down_every_few_minutes_only(app: Flask, db: Database) -> None:
    with time_machine.travel(wall_now(), tick=False) as clock:
        client = enter(app, "renshe")
        with statements(db.writer) as sent:
            for _ in range(10):
                clock.shift(timedelta(seconds=17))
                assert is_in(client)
            assert not any("UPDATE login_session" in s for s, _ in sent)
            clock.shift(timedelta(seconds=30))
            assert is_in(client)
            assert sum("UPDATE login_session" in s for s, _ in sent) == 1
        assert abs(one(db, select(login_session.c.seen_at)) - wall_now()) < timedelta(seconds=1)


def test_session_person_and_posts_cost_one_statement(app: Flask, db: Database) -> None:
    client = enter(app, "renshe")
    with statements(db.reader) as sent:
        assert client.get("/nowhere").status_code == 404
    assert len([s for s, _ in sent if "login_session" in s or "person" in s]) == 1
    with statements(db.reader) as sent:
        app.test_client().get("/password/forgotten")
    assert sent == []


def test_a_person_sees_her_sessions_and_ends_others(app: Flask, db: Database) -> None:
    desk, phone = enter(app, "renshe"), enter(app, "renshe")
    stranger = enter(app, "daye")
    page = html(desk.get("/account"))
    assert page.count('/end"') == 2 and "结束其他全部登录" in page
    (other,) = (r.id for r in rows(db, select(login_session)) if r.person_id == id_of(db, "daye"))
    send(desk, f"/account/sessions/{other}/end", at="/account")
    assert is_in(stranger)
    assert send(desk, "/account/sessions/end-others", at="/account").status_code == 302
    assert is_in(desk) and not is_in(phone)


@pytest.mark.parametrize("https", [False, True])
def test_cookies_and_headers_are_as_strict_as_the_address_allows(db: Database, https: bool) -> None:
    base = "https://duban.example" if https else "http://127.0.0.1:8000"
    app = application(db, base_url=base, demo=not https)
    client = app.test_client()
    inside = {"base_url": base, "headers": {"Referer": f"{base}/login"}}
    page = client.get("/login", base_url=base)
    crumb = re.search(r'name="csrf-token" content="([^"]+)"', page.get_data(as_text=True))
    assert crumb
    answer = client.post("/login", data={"csrf_token": crumb[1], "account": "renshe", "password": PASSWORD}, **inside)
    prefix = "__Host-" if https else ""
    for header in (*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")):
        assert header.startswith((f"{prefix}duban=", f"{prefix}duban-form=", f"{prefix}duban-device="))
        assert "HttpOnly" in header and "SameSite=Lax" in header and "Path=/" in header and "Domain" not in header
        assert ("Secure" in header) is https
    assert any(h.startswith(f"{prefix}duban=") for h in answer.headers.getlist("Set-Cookie"))
    assert ("Strict-Transport-Security" in answer.headers) is https
    for name, value in (
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ):
        assert page.headers[name] == value
    assert "camera=()" in page.headers["Permissions-Policy"]


# ---------------------------------------------------------------- CSRF and CSP, over all routes
def test_no_form_of_any_route_is_taken_without_its_token(app: Flask, db: Database) -> None:
    client = enter(app, "guanli")
    before = {name: one(db, select(func.count()).select_from(t)) for name, t in _tables().items()}
    tried = 0
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            for fields in ({}, {"csrf_token": "guessed"}, {"csrf_token": token(app.test_client())}):
                assert client.open(path, method=method, data=fields).status_code == 400, path
            tried += 1
    assert tried > 20
    assert {name: one(db, select(func.count()).select_from(t)) for name, t in _tables().items()} == before


def _tables() -> dict[str, Any]:
    return {t.name: t for t in (event, message, draft, login_session, login_log, throttle, password_reset, post)}


def test_who_hangs_up_leaves_no_file_open(app: Flask) -> None:
    for told in ({}, {"HTTP_ACCEPT_ENCODING": "br"}, {"HTTP_IF_MODIFIED_SINCE": "Fri, 01 Jan 2100 00:00:00 GMT"}):
        for name in ("css/tables.css", "icon.svg", "dist/app.js"):
            sent = app.wsgi_app(create_environ(f"/static/{name}", environ_overrides=told), lambda *_: lambda _: None)
            held = [link for link in Path("/proc/self/fd").iterdir() if name in str(link.resolve())]
            assert sent is not None and held == []  # nobody has asked for a byte, nobody has closed it


def test_no_page_holds_anything_the_policy_would_have_to_allow(app: Flask) -> None:
    client, seen = enter(app, "guanli"), 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint in ("static", "demo_mail.html"):
            continue
        for visitor in (client, app.test_client()):
            answer = visitor.get(re.sub(r"<[^>]+>", "1", rule.rule), follow_redirects=True)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "script-src 'self';" in policy and "form-action 'self'" in policy
            if answer.mimetype != "text/html":
                continue
            body = answer.get_data(as_text=True)
            assert not re.search(r"<[^>]*\son\w+=|<script(?![^>]*\ssrc=)|javascript:", body), rule
            if "style-src 'self' 'unsafe-inline'" not in policy:  # the page of a diagram
                assert not re.search(r"<[^>]*\sstyle=|<style", body), rule
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', body), rule
            seen += 1
    assert seen > 30


# ---------------------------------------------------------------- lock-out
def wrong(app: Flask, account: str, times: int = 1, address: str = "10.0.0.1") -> list[TestResponse]:
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return [send(client, "/login", account=account, password="x") for _ in range(times)]


def test_lock_out_holds_across_processes_and_addresses_and_is_told(db: Database) -> None:
    said = wrong(application(db), "renshe", 3, "10.0.0.1") + wrong(application(db), "renshe", 2, "10.0.0.2")
    assert [r.status_code for r in said] == [422] * 5
    assert "还可再试 1 次" in html(said[3])
    until = re.search(r"登录已锁定到 (\d\d:\d\d|\d\d-\d\d \d\d:\d\d)", html(said[4]))
    assert until
    refused = send(application(db).test_client(), "/login", account="renshe", password=PASSWORD)
    assert refused.status_code == 429
    assert until[0] in html(refused)
    wrong(application(db), "renshe", 4)
    assert len(mails(db, "locked")) == 1  # one a lock-out
    assert mails(db, "locked")[0]["link"] == "/password/forgotten"
    assert outcomes(db) == ["wrong"] * 5 + ["locked"]
    with time_machine.travel(wall_now() + timedelta(minutes=15, seconds=1), tick=False):
        assert is_in(enter(application(db), "renshe"))
        wrong(application(db), "renshe", 5)
    assert len(mails(db, "locked")) == 2


def test_an_account_that_does_not_exist_is_answered_and_locked_alike(app: Flask, db: Database) -> None:
    known, unknown = wrong(app, "renshe", 6), wrong(app, "no-such-one", 6)

    def plain(answer: TestResponse) -> str:
        body = re.sub(r'csrf[-_]token" (?:content|value)="[^"]+"', "", html(answer))
        return re.sub(r"\d\d:\d\d", "", body).replace("no-such-one", "renshe")  # a minute may pass between them

    assert [r.status_code for r in known] == [r.status_code for r in unknown]
    assert [plain(a) for a in known] == [plain(b) for b in unknown]
    assert "no-such-one" not in canonical([str(r) for r in rows(db, select(login_log))])


def test_an_answer_takes_as_long_for_an_account_that_does_not_exist(app: Flask, monkeypatch: Any) -> None:
    verified: list[str] = []
    real = hashing.HASHER

    class Watched:
        """The same hasher, with an eye on what it is given."""

        def verify(self, password_hash: str, password: str) -> bool:
            verified.append(password_hash.rpartition("$")[0].rpartition("$")[0])
            return real.verify(password_hash, password)

    monkeypatch.setattr(hashing, "HASHER", Watched())

    for account in ("renshe", "no-such-one"):
        assert wrong(app, account)[0].status_code == 422
    assert len(verified) == 2 and len(set(verified)) == 1  # the same work by the same parameters


def test_of_many_tries_at_once_no_more_than_five_are_verified(app: Flask, db: Database) -> None:
    codes: list[int] = []
    ready = threading.Barrier(12)

    def attempt() -> None:
        client = app.test_client()
        crumb = token(client)
        ready.wait()
        codes.append(
            client.post("/login", data={"csrf_token": crumb, "account": "renshe", "password": "x"}).status_code
        )

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == [422] * 5 + [429] * 7
    assert outcomes(db).count("locked") == 1 and len(mails(db, "locked")) == 1


def test_an_address_has_its_own_limit_and_those_who_come_in_do_not_count(app: Flask, monkeypatch: Any) -> None:
    monkeypatch.setattr(accounts, "ADDRESS", Limit(tries=4, minutes=15))
    client = app.test_client()
    for _ in range(6):
        assert send(client, "/login", account="renshe", password=PASSWORD).status_code == 302
    for n in range(4):
        assert wrong(app, f"guess-{n}", address="127.0.0.1")[0].status_code == 422
    assert send(app.test_client(), "/login", account="daye", password=PASSWORD).status_code == 429
    elsewhere = app.test_client()
    elsewhere.environ_base["REMOTE_ADDR"] = "10.9.9.9"
    assert send(elsewhere, "/login", account="daye", password=PASSWORD).status_code == 302


def test_strangers_lock_out_strangers_and_nobody_who_comes_in_here_every_day(
    app: Flask, db: Database, monkeypatch: Any
) -> None:
    monkeypatch.setattr(accounts, "ADDRESS", Limit(tries=4, minutes=15))
    own = enter(app, "renshe")
    send(own, "/logout", at="/account")
    wrong(app, "renshe", 5, address="10.6.6.6")  # the account is locked from elsewhere, and its owner's address
    for n in range(5):
        wrong(app, f"guess-{n}", address="127.0.0.1")
    stranger = send(app.test_client(), "/login", account="daye", password=PASSWORD)
    assert stranger.status_code == 429 and "您的账号没有锁定" in html(stranger)
    assert "登录已锁定到" in html(wrong(app, "renshe", address="10.6.6.7")[0])
    assert send(own, "/login", account="renshe", password=PASSWORD).status_code == 302
    # a browser that is known has five tries, too, and only for the accounts that it is known for
    send(own, "/logout", at="/account")
    assert [send(own, "/login", account="renshe", password="x").status_code for _ in range(6)] == [422] * 5 + [429]
    assert send(own, "/login", account="daye", password=PASSWORD).status_code == 429
    forged = app.test_client()
    forged.set_cookie("duban-device", cookie(own, "duban-device")[:-2] + "xx")
    assert send(forged, "/login", account="renshe", password=PASSWORD).status_code == 429


def test_tries_that_are_not_verified_do_not_count_against_the_address(app: Flask, monkeypatch: Any) -> None:
    monkeypatch.setattr(accounts, "ADDRESS", Limit(tries=7, minutes=15))
    wrong(app, "nobody", 20, address="127.0.0.1")
    assert send(app.test_client(), "/login", account="daye", password=PASSWORD).status_code == 302


def test_the_address_is_the_visitors_only_behind_as_many_proxies_as_are_set(db: Database) -> None:
    for proxies, expected in ((0, "127.0.0.1"), (1, "198.51.100.7")):
        client = application(db, proxies=proxies).test_client()
        headers = {"X-Forwarded-For": "203.0.113.5, 198.51.100.7"}
        send(client, "/login", account="renshe", password=PASSWORD, headers=headers)
        assert rows(db, select(login_log).order_by(login_log.c.id.desc()))[0].address == expected


def test_an_administrator_unlocks(app: Flask, db: Database) -> None:
    wrong(app, "renshe", 5)
    admin, whom = enter(app, "guanli"), id_of(db, "renshe")
    assert "锁定到" in html(admin.get(f"/people/{whom}"))
    assert "renshe" in html(admin.get("/people?shown=locked"))
    assert send(admin, f"/people/{whom}/unlock", at="/account").status_code == 302
    assert is_in(enter(app, "renshe"))
    again = send(admin, f"/people/{whom}/unlock", at="/account")
    assert again.status_code == 409 and "不用解锁" in html(again)
    assert [r.kind for r in rows(db, select(event).where(event.c.kind.like("account.%")))] == ["account.unlocked"]


# ---------------------------------------------------------------- passwords
def test_a_hash_of_older_parameters_is_made_anew_at_log_in(
    app: Flask, db: Database, cheap_hashes: PasswordHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "HASHER", cheap_hashes)
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("old-but-still-mine")
    with db.write() as tx:
        tx.connection.execute(update(person).where(person.c.login == "renshe").values(password_hash=old))
    enter(app, "renshe", "old-but-still-mine")
    stored = one(db, select(person.c.password_hash).where(person.c.login == "renshe"))
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    enter(app, "renshe", "old-but-still-mine")
    assert one(db, select(person.c.password_hash).where(person.c.login == "renshe")) == stored


def change(client: FlaskClient, old: str, new: str, again: str | None = None) -> TestResponse:
    return send(
        client,
        "/account/password",
        at="/account/password",
        old_password=old,
        new_password=new,
        password_again=again or new,
    )


def test_a_new_password_ends_every_other_session_and_is_told(app: Flask, db: Database) -> None:
    here, there = enter(app, "renshe"), enter(app, "renshe")
    before = cookie(here)
    assert change(here, PASSWORD, NEW).status_code == 302
    assert cookie(here) != before and is_in(here) and not is_in(there)
    old = app.test_client()
    old.set_cookie("duban", before)
    assert not is_in(old)
    assert len(mails(db, "changed")) == 1
    assert wrong(app, "renshe")[0].status_code == 422
    enter(app, "renshe", NEW)


@pytest.mark.parametrize(
    ("old", "new", "again", "words"),
    [
        ("x", NEW, NEW, "原密码不对，还可再试 4 次"),
        (PASSWORD, "短", "短", "至少 10 个字符"),
        (PASSWORD, "renshe2025!", "renshe2025!", "容易被猜到"),
        (PASSWORD, "shirensheju888", "shirensheju888", "容易被猜到"),
        (PASSWORD, NEW, NEW + "。", "两次填写的新密码不一致"),
    ],
)
def test_a_password_that_will_not_do_is_said_beside_its_field(
    app: Flask, db: Database, old: str, new: str, again: str, words: str
) -> None:
    client = enter(app, "renshe")
    answer = change(client, old, new, again)
    assert answer.status_code == 422
    assert words in html(answer)
    assert f'value="{new}"' not in html(answer) and f'value="{old}"' not in html(answer)
    assert is_in(client) and mails(db, "changed") == []


def test_the_old_password_cannot_be_guessed_from_a_session_left_open(app: Flask) -> None:
    client = enter(app, "renshe")
    for _ in range(5):
        assert "原密码不对" in html(change(client, "guess", NEW))
    assert "输错太多次" in html(change(client, PASSWORD, NEW))


def test_a_password_made_by_others_is_changed_before_anything_else(app: Flask, db: Database) -> None:
    with db.write() as tx:
        tx.connection.execute(update(person).where(person.c.login == "renshe").values(must_change=True))
    client = enter(app, "renshe")
    for path in ("/inbox", "/ledger", "/account", "/plans/1/lights.json", "/drafts/x", "/people"):
        assert client.get(path).headers["Location"] == "/account/password"
    share = one(db, select(assignment.c.id).where(assignment.c.unit == "renshe"))
    act = send(client, f"/assignments/{share}/acknowledge", at="/account/password", arm=1)
    assert act.headers["Location"] == "/account/password"
    assert "请先修改密码" in html(client.get("/account/password"))
    assert change(client, PASSWORD, NEW).headers["Location"] == "/inbox"
    assert is_in(client)


# ---------------------------------------------------------------- a link by mail
def link_of(db: Database) -> str:
    return str(mails(db, "reset")[-1]["link"])


def ask(app: Flask, words: str) -> TestResponse:
    return send(app.test_client(), "/password/forgotten", account=words)


def set_by(app: Flask, link: str, new: str = NEW) -> TestResponse:
    client = app.test_client()
    return send(
        client, "/password/reset", at=link, token=link.partition("token=")[2], new_password=new, password_again=new
    )


@pytest.mark.parametrize("words", ["renshe", "renshe@huangshi.example"])
def test_a_link_sets_a_password_once_and_ends_every_session(app: Flask, db: Database, words: str) -> None:
    there = enter(app, "renshe")
    wrong(app, "renshe", 5)
    assert "如果有这个账号" in html(ask(app, words))
    link = link_of(db)
    assert app.test_client().get(link).status_code == 200  # as a mail server looks at it
    weak = set_by(app, link, "renshe2025")
    assert weak.status_code == 422 and "容易被猜到" in html(weak)
    assert set_by(app, link).headers["Location"] == "/login?account=renshe"
    assert not is_in(there)
    enter(app, "renshe", NEW)  # the lock is lifted too
    again = set_by(app, link, "另一个很长的新密码呢")
    assert again.status_code == 410 and "链接已失效" in html(again)
    assert len(mails(db, "changed")) == 1
    with db.read() as connection:  # mails about accounts are as much in order as any
        assert not [f for f in differences(Scene(connection, clock=db.clock)) if f.check == "outbox"]
    digest = one(db, select(password_reset.c.digest))
    assert digest not in link and len(digest) == 64


def test_a_link_runs_out_and_a_newer_password_withdraws_it(app: Flask, db: Database) -> None:
    ask(app, "renshe")
    link = link_of(db)
    with time_machine.travel(wall_now() + timedelta(minutes=30, seconds=1), tick=False):
        assert set_by(app, link).status_code == 410
    change(enter(app, "renshe"), PASSWORD, NEW)
    assert set_by(app, link, "另一个很长的新密码呢").status_code == 410


def test_two_at_once_with_one_link_set_one_password(app: Flask, db: Database) -> None:
    ask(app, "renshe")
    link, codes = link_of(db), list[int]()
    threads = [
        threading.Thread(target=lambda n=n: codes.append(set_by(app, link, f"{NEW}第{n}次").status_code))
        for n in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(codes) == [302, 410, 410, 410]


def test_asking_tells_nothing_about_who_is_here(app: Flask, db: Database) -> None:
    def asked(words: str) -> tuple[str, int]:
        with statements(db.writer) as sent:
            body = re.sub(r'csrf[-_]token" (?:content|value)="[^"]+"', "", html(ask(app, words)))
        return body, len(sent)

    asked("nobody-yet")  # what a process remembers between two pages is read once
    (known, cost), (unknown, cost_unknown) = asked("renshe"), asked("no-such-one")
    assert known == unknown
    assert 0 <= cost - cost_unknown <= 4  # the mail itself, and the day that the demo keeps in its database
    assert len(mails(db, "reset")) == 1
    with db.write() as tx:
        tx.connection.execute(update(person).where(person.c.login == "daye").values(active=False))
    assert asked("daye")[0] == known
    assert len(mails(db, "reset")) == 1


def test_a_mailbox_is_not_flooded(app: Flask, db: Database) -> None:
    said = {html(ask(app, "renshe")).count("申请已收到") for _ in range(6)}
    assert said == {1} and len(mails(db, "reset")) == 3
    for n in range(14):
        ask(app, f"nobody-{n}")
    refused = ask(app, "daye")
    assert refused.status_code == 429 and "申请太频繁" in html(refused)


# ---------------------------------------------------------------- nothing typed is lost
@pytest.fixture
def signed(db: Database, office: Office) -> tuple[int, int]:
    """(item, share) that renshe has signed for."""
    office.acknowledge("renshe")
    found = select(assignment.c.item_id, assignment.c.id).join(item, item.c.id == assignment.c.item_id)
    row = rows(db, found.where(item.c.no == "11", assignment.c.unit == "renshe"))[0]
    return row[0], row[1]


def kept_of(answer: TestResponse) -> str:
    found = re.search(r'name="kept" value="([^"]*)"', answer.get_data(as_text=True))
    assert found
    return unescape(found[1])


WORDS = "写了很久的进展：<b>三家</b>单位 & “两个”街道"


def test_a_form_of_a_session_that_is_over_is_offered_again(app: Flask, db: Database, signed: tuple[int, int]) -> None:
    item_id, share_id = signed
    client, elsewhere = enter(app, "renshe"), enter(app, "renshe")
    page = client.get(f"/items/{item_id}?tab=report-{share_id}").get_data(as_text=True)
    crumb = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert crumb and f'name="draft" value="report-{share_id}"' in page
    send(elsewhere, "/account/sessions/end-others", at="/account")
    typed = {"csrf_token": crumb[1], "draft": f"report-{share_id}", "progress": WORDS, "act": "report"}
    asked = client.post(f"/assignments/{share_id}/report", data=typed)
    assert asked.status_code == 401
    assert "刚才填写的内容没有丢" in html(asked)
    kept = kept_of(asked)
    failed = send(client, "/login", account="renshe", password="wrong", kept=kept)
    assert kept_of(failed) == kept  # a slip in the password loses nothing either
    back = send(client, "/login", account="renshe", password=PASSWORD, kept=kept)
    assert back.headers["Location"] == f"/items/{item_id}?tab=report-{share_id}"
    assert WORDS in html(client.get(back.headers["Location"]))
    assert one(db, select(func.count()).select_from(event).where(event.c.kind == "assignment.reported")) == 0


def test_what_one_person_typed_is_not_given_to_another(app: Flask, db: Database, signed: tuple[int, int]) -> None:
    client, elsewhere = enter(app, "renshe"), enter(app, "renshe")
    crumb = token(client, "/inbox")
    send(elsewhere, "/account/sessions/end-others", at="/account")
    typed = {"csrf_token": crumb, "draft": f"report-{signed[1]}", "progress": WORDS}
    asked = client.post(f"/assignments/{signed[1]}/report", data=typed)
    assert send(client, "/login", account="daye", password=PASSWORD, kept=kept_of(asked)).status_code == 302
    assert rows(db, select(draft)) == []


def test_a_page_whose_token_has_run_out_gives_back_what_was_typed(app: Flask, signed: tuple[int, int]) -> None:
    client, key = enter(app, "renshe"), f"report-{signed[1]}"
    typed = {"csrf_token": "of another day", "draft": key, "progress": WORDS}
    stale = client.post(f"/assignments/{signed[1]}/report", data=typed)
    assert stale.status_code == 400 and "页面已经过期" in html(stale)
    back = send(client, "/kept", at="/inbox", kept=kept_of(stale))
    assert WORDS in html(client.get(back.headers["Location"]))


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/x"}],
)
def test_words_sent_by_another_site_are_not_kept(app: Flask, signed: tuple[int, int], headers: dict[str, str]) -> None:
    typed = {"draft": f"report-{signed[1]}", "progress": "别人写的"}
    for client in (app.test_client(), enter(app, "renshe")):
        answer = client.post(f"/assignments/{signed[1]}/report", data=typed, headers=headers)
        assert answer.status_code == 400
        assert "别人写的" not in html(answer)


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"draft":1,"fields":{},"owner":""}',
        '{"draft":"report-1","fields":[],"owner":""}',
        '{"draft":"../../x","fields":{"a":"b"},"owner":""}',
        '{"draft":"report-1","fields":{"a":"b"},"owner":"forged"}',
    ],
)
def test_nothing_else_becomes_a_draft(app: Flask, db: Database, kept: str) -> None:
    client = enter(app, "renshe")
    assert send(client, "/kept", at="/inbox", kept=kept).headers["Location"] == "/"
    assert rows(db, select(draft)) == []


def test_a_password_is_never_kept(app: Flask) -> None:
    typed = {"draft": "report-1", "old_password": "geheim-geheim", "new_password": "geheim-geheim"}
    answer = app.test_client().post("/account/password", data=typed)
    assert answer.status_code in (400, 401)
    assert "geheim" not in html(answer)


def test_htmx_is_told_calmly(app: Flask, signed: tuple[int, int]) -> None:
    client = enter(app, "renshe")
    crumb = token(client, "/inbox")
    client.delete_cookie("duban")
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/ledger?unit=x"}
    saved = client.post(f"/drafts/report-{signed[1]}", data={"csrf_token": crumb, "progress": "x"}, headers=headers)
    assert saved.status_code == 401 and "登录已过期" in html(saved) and "<" not in html(saved)
    asked = client.get("/ledger", headers=headers)
    assert asked.headers["HX-Redirect"] == "/login?next=/ledger?unit%3Dx"


def test_drafts_of_one_person_have_an_end(app: Flask, db: Database) -> None:
    client = enter(app, "renshe")
    crumb = token(client, "/inbox")
    for n in range(105):
        client.post(f"/drafts/report-{n}", data={"csrf_token": crumb, "progress": "x"})
    assert one(db, select(func.count()).select_from(draft)) == 100
    assert client.post("/drafts/report-1", data={"csrf_token": crumb, "x": "y" * 70_000}).status_code == 422
    assert client.post("/drafts/whatever", data={"csrf_token": crumb, "x": "y"}).status_code == 404


# ---------------------------------------------------------------- administering, and its logs
def test_deactivating_ends_sessions_and_reaches_notices_and_reactivating_opens(app: Flask, db: Database) -> None:
    there, admin, whom = enter(app, "daye"), enter(app, "guanli"), id_of(db, "daye")
    assert send(admin, f"/people/{whom}/deactivate", at="/account").status_code == 302
    assert not is_in(there)
    assert send(app.test_client(), "/login", account="daye", password=PASSWORD).status_code == 422
    assert outcomes(db)[-1] == "inactive"
    assert send(admin, f"/people/{whom}/deactivate", at="/account").status_code == 409
    assert send(admin, f"/people/{whom}/link", at="/account").status_code == 409
    assert send(admin, f"/people/{whom}/activate", at="/account").status_code == 302
    enter(app, "daye")
    send(admin, f"/people/{whom}/deactivate", at="/account")
    wrong(app, "daye", 5)
    assert mails(db, "locked") == []  # who has left gets no mail
    own = send(admin, f"/people/{id_of(db, 'guanli')}/deactivate", at="/account")
    assert own.status_code == 409 and "不能停用自己" in html(own)


def test_posts_are_taken_and_left_in_the_chain_and_shown(app: Flask, db: Database) -> None:
    admin, whom = enter(app, "guanli"), id_of(db, "daye")
    path = f"/people/{whom}/posts"
    assert send(admin, path, at="/account", unit="jiaoyu", role="liaison").status_code == 302
    twice = send(admin, path, at="/account", unit="jiaoyu", role="liaison")
    assert twice.status_code == 422 and "已经有这个岗位" in html(twice)
    assert send(admin, path, at="/account", unit="jiaoyu", role="emperor").status_code == 422
    taken = one(db, select(post.c.id).where(post.c.person_id == whom, post.c.unit == "jiaoyu"))
    assert "市教育局" in html(enter(app, "daye").get("/account"))
    assert send(admin, f"{path}/{taken}/end", at="/account").status_code == 302
    assert send(admin, f"{path}/{taken}/end", at="/account").status_code == 409
    assert "市教育局" not in html(enter(app, "daye").get("/account"))
    page = html(admin.get("/logs/decisions?words=daye"))
    assert page.index("免职") and "市教育局 联络员" in page
    own = one(db, select(post.c.id).where(post.c.role == "administrator"))
    assert send(admin, f"/people/{id_of(db, 'guanli')}/posts/{own}/end", at="/account").status_code == 409
    with db.read() as connection:
        assert broken_chains(connection) == [] and replay_differences(connection) == []
    by = json.loads(rows(db, select(event.c.actor).where(event.c.kind == "post.left"))[0][0])
    assert by["person"] == id_of(db, "guanli") and by["role"] == "administrator"


def test_a_link_is_shown_to_the_administrator_once(app: Flask, db: Database) -> None:
    admin, whom = enter(app, "guanli"), id_of(db, "daye")
    given = html(send(admin, f"/people/{whom}/link", at="/account"))
    found = re.search(r"(/password/reset\?token=[\w-]+)<", given)
    assert found
    assert found[1] not in html(admin.get(f"/people/{whom}"))
    assert set_by(app, found[1]).status_code == 302
    assert len(mails(db, "changed")) == 1 and mails(db, "reset") == []


def test_logs_are_paged_and_sifted(app: Flask, db: Database) -> None:
    admin = enter(app, "guanli")
    with db.write() as tx:
        for n in range(120):
            line = {"at": tx.recorded_at, "person_id": id_of(db, "daye") if n % 2 else None, "outcome": "wrong"}
            tx.connection.execute(login_log.insert(), line | {"address": "10.0.0.1", "agent": "x" * 200})
    page = html(admin.get("/logs/logins?page=2"))
    assert "第 2 / 3 页，共 121 条" in page
    assert "共 60 条" in html(admin.get("/logs/logins?words=daye"))
    assert "共 1 条" in html(admin.get("/logs/logins?outcome=entered"))
    assert "没有符合条件的记录" in html(admin.get("/logs/logins?words=%25"))
    assert "第 3 / 3 页" in html(admin.get("/logs/logins?page=99"))
    assert html(admin.get("/logs/decisions?kind=post.taken")).count("任职</span>") == 50
    assert "共 1 条" in html(admin.get("/logs/decisions?words=guanli"))


def test_what_is_old_is_forgotten(app: Flask, db: Database, tmp_path: Path) -> None:
    enter(app, "renshe")
    wrong(app, "daye")
    ask(app, "daye")
    with time_machine.travel(wall_now() + timedelta(days=2), tick=False):
        scheduler.tidy(db, Store(tmp_path), 200, 7)
        assert [rows(db, select(t)) for t in (login_session, throttle, password_reset)] == [[], [], []]
        assert len(outcomes(db)) == 3
    with time_machine.travel(wall_now() + timedelta(days=201), tick=False):
        scheduler.tidy(db, Store(tmp_path), 200, 7)
        assert outcomes(db) == []


def test_a_try_that_is_still_locked_is_not_forgotten(app: Flask, db: Database, tmp_path: Path) -> None:
    wrong(app, "renshe", 5)
    scheduler.tidy(db, Store(tmp_path), 200, 7)
    assert wrong(app, "renshe")[0].status_code == 429


# ---------------------------------------------------------------- two jurisdictions in one person
def test_an_inspector_of_elsewhere_who_takes_part_has_no_word_over_the_item(office: Office) -> None:
    db = office.db
    there = Organisation("xishui", "浠水县", (Unit("xs-ducha", "浠水县政府督查室", "县督查室", "organ"),), ())
    with db.write() as tx:
        register_units(tx, there)
        both = register_person(tx, login="both", name="两地", email="both@x.example", password_hash="-")
        take_post(tx, both, "xs-ducha", "inspector")
        take_post(tx, both, "jiaoyu", "section_head")
    share = one(db, select(assignment.c.id).where(assignment.c.unit == "renshe"))
    with db.read() as connection:
        actor = actor_of(connection, both)
        assert actor is not None
        assert connection.execute(select(person.c.id).where(seen_by(actor))).all() == []
    with pytest.raises(NotAllowed):
        perform(db, actor, urge, [share], words="请抓紧")
