"""更正账号资料 on both databases: an administrator puts a name and an address right; a person takes a new address by a
link that is sent there. What went to the former address stays understood by verification."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import accounts, corrections
from engine.commands import perform
from engine.mail.contexts import without_secret
from ledger.clearing import places_of_name
from ledger.database import Database
from ledger.directory import register_person
from ledger.errors import NotFound, Refused
from ledger.people import actor_of
from ledger.queries.accounts import decision_lines
from ledger.schema import content, event, message, person, post
from ledger.verification import LEDGER_CHECKS, Scene
from tests.integration.test_doors import application, enter, html, id_of, one, rows, send
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD


@pytest.fixture
def db(office: Office) -> Database:
    return office.db


@pytest.fixture
def app(db: Database) -> Flask:
    return application(db)


def as_of(db: Database, login: str) -> Any:
    with db.read() as connection:
        return actor_of(connection, id_of(db, login))


def complaints(db: Database) -> list[str]:
    with db.read() as connection:
        scene = Scene(connection, clock=db.clock)
        return [f.rule for check in LEDGER_CHECKS for f in check.run(scene)]


def sent_to(db: Database, kind: str) -> list[str]:
    return [r.address for r in rows(db, select(message.c.address).where(message.c.kind == kind).order_by(message.c.id))]


def stored(db: Database, login: str) -> tuple[str, str]:
    (found,) = rows(db, select(person.c.name, person.c.email).where(person.c.login == login))
    return found.name, found.email


# ---------------------------------------------------------------- an administrator
def test_an_administrator_puts_name_and_address_right(app: Flask, db: Database) -> None:
    admin, whom = enter(app, "guanli"), id_of(db, "renshe")
    former_name, former = stored(db, "renshe")
    send(app.test_client(), "/password/forgotten", at="/password/forgotten", account="renshe")  # goes to the wrong one
    before = perform(db, as_of(db, "guanli"), accounts.give_link, whom).partition("token=")[2]
    done = send(admin, f"/people/{whom}/correct", at="/account", name="陈靖", email="chenjing@hs.example.gov.cn")
    assert done.status_code == 302
    assert stored(db, "renshe") == ("陈靖", "chenjing@hs.example.gov.cn") != (former_name, former)
    assert sorted(sent_to(db, "corrected")) == sorted(["chenjing@hs.example.gov.cn", former])
    assert app.test_client().get(f"/password/reset?token={before}").status_code == 410
    assert sent_to(db, "reset") == [former]  # a link is never sent on
    with db.read() as connection:
        line = decision_lines(connection, as_of(db, "guanli"), kind="account.corrected").lines[0]
        assert (line.words, line.person, line.by) == ("更正账号资料", "陈靖", stored(db, "guanli")[0])
        seq = one(db, select(event.c.seq).where(event.c.kind == "account.corrected"))
        held = connection.execute(select(post.c.seq).where(post.c.person_id == whom, post.c.until.is_(None)))
        assert set(held.scalars()) == {seq}  # so that what the person does is signed with the name put right
        texts = {r.field: r.text for r in connection.execute(select(content).where(content.c.seq == seq))}
        assert {k: texts[k] for k in ("name", "email", "old_email")} == {
            "name": "陈靖",
            "email": "chenjing@hs.example.gov.cn",
            "old_email": former,
        }
        assert ("admin", seq, "name") in places_of_name(connection, whom)
    assert complaints(db) == []


def test_mails_that_wait_go_to_the_address_put_right(app: Flask, db: Database) -> None:
    whom = id_of(db, "renshe")
    with db.write() as tx:
        accounts.tell(tx, whom, "locked", "/password/forgotten", until=tx.now.isoformat())
    perform(db, as_of(db, "guanli"), corrections.correct, whom, stored(db, "renshe")[0], "new@example.gov.cn")
    assert set(sent_to(db, "locked")) == {"new@example.gov.cn"}
    assert complaints(db) == []


def test_a_mail_that_could_not_be_delivered_leads_to_the_address(app: Flask, db: Database) -> None:
    whom = id_of(db, "renshe")
    with db.write() as tx:
        accounts.tell(tx, whom, "locked", "/password/forgotten", until=tx.now.isoformat())
        dead = {"state": "dead", "attempts": 1, "error": "550 no such user", "token": None, "lease_until": None}
        tx.connection.execute(update(message).where(message.c.person_id == whom).values(**dead))
    admin = enter(app, "guanli")
    assert f"/people/{whom}#correct" in html(admin.get("/outgoing"))
    send(admin, f"/people/{whom}/correct", at="/account", name=stored(db, "renshe")[0], email="new@example.gov.cn")
    page = html(admin.get("/outgoing"))
    assert "现在的邮箱：new@example.gov.cn" in page and f"/people/{whom}#correct" not in page
    number = one(db, select(message.c.id).where(message.c.state == "dead"))
    assert send(admin, f"/outgoing/{number}/again", at="/account").status_code == 302
    assert one(db, select(message.c.address).where(message.c.id == number)) == "new@example.gov.cn"
    assert complaints(db) == []


@pytest.mark.parametrize(
    ("name", "email", "words"),
    [("陈靖", "没有", "不是邮箱地址"), ("=1", "a@b.cn", "不能用"), ("陈靖", "13812345678@b.cn", "手机号码")],
)
def test_what_no_account_may_have_is_refused(app: Flask, db: Database, name: str, email: str, words: str) -> None:
    admin, whom, before = enter(app, "guanli"), id_of(db, "renshe"), stored(db, "renshe")
    refused = send(admin, f"/people/{whom}/correct", at="/account", name=name, email=email)
    assert refused.status_code == 422 and words in html(refused) and stored(db, "renshe") == before
    assert email in html(refused)  # what was typed stays


def test_who_has_no_say_corrects_nobody(app: Flask, db: Database) -> None:
    whom, before = id_of(db, "renshe"), stored(db, "renshe")
    with pytest.raises(NotFound):
        perform(db, as_of(db, "jiaoyu"), corrections.correct, whom, "别人", "b@example.gov.cn")
    with pytest.raises(Refused, match="没有改动"):
        perform(db, as_of(db, "guanli"), corrections.correct, whom, *before)
    assert stored(db, "renshe") == before


def test_a_former_address_that_is_a_number_of_a_person_stays_out_of_the_chain(app: Flask, db: Database) -> None:
    with db.write() as tx:
        whom = register_person(tx, login="yi", name="易", email="13812345678@b.cn", password_hash="x")
        accounts.tell(tx, whom, "locked", "/password/forgotten", until=tx.now.isoformat())
        sent = {"state": "sent", "attempts": 1, "sent_at": tx.recorded_at}
        tx.connection.execute(update(message).where(message.c.person_id == whom).values(**sent))
    perform(db, as_of(db, "guanli"), corrections.correct, whom, "易", "yi@b.cn")
    fields = rows(
        db,
        select(content.c.field)
        .join(event, (event.c.stream == content.c.stream) & (event.c.seq == content.c.seq))
        .where(event.c.kind == "account.corrected"),
    )
    assert {r.field for r in fields} == {"email"} and complaints(db) == []


def test_a_mail_to_an_address_that_nobody_had_is_found(app: Flask, db: Database) -> None:
    whom = id_of(db, "renshe")
    perform(db, as_of(db, "guanli"), corrections.correct, whom, stored(db, "renshe")[0], "new@example.gov.cn")
    with db.write() as tx:
        tx.connection.execute(update(message).where(message.c.person_id == whom).values(address="evil@example.cn"))
    assert set(complaints(db)) == {"address"}
    with db.write() as tx:
        tx.connection.execute(update(message).where(message.c.person_id == whom).values(address="new@example.gov.cn"))
        tx.connection.execute(update(person).where(person.c.id == whom).values(name="别人"))
    assert set(complaints(db)) == {"name"}


# ---------------------------------------------------------------- one's own
def link_in_mail(db: Database) -> str:
    return str(json.loads(rows(db, select(message.c.context).where(message.c.kind == "address"))[-1].context)["link"])


def ask(client: FlaskClient, email: str, password: str = PASSWORD) -> Any:
    return send(client, "/account/email", at="/account", email=email, old_password=password)


def test_a_person_takes_a_new_address_by_the_link_that_goes_there(app: Flask, db: Database) -> None:
    client, former = enter(app, "renshe"), stored(db, "renshe")[1]
    assert ask(client, "mine@example.gov.cn").status_code == 302
    assert sent_to(db, "address") == ["mine@example.gov.cn"] and stored(db, "renshe")[1] == former
    assert complaints(db) == []
    link = link_in_mail(db)
    page = client.get(link)
    assert page.status_code == 200 and "mine@example.gov.cn" in html(page)
    assert stored(db, "renshe")[1] == former  # looking changes nothing
    token_ = link.partition("token=")[2]
    other = enter(app, "jiaoyu")
    assert other.get(link).status_code == 410
    assert send(other, "/account/email/confirm", at="/account", token=token_).status_code == 410
    assert send(client, "/account/email/confirm", at="/account", token=token_).status_code == 302
    assert stored(db, "renshe")[1] == "mine@example.gov.cn"
    assert sorted(sent_to(db, "corrected")) == sorted([former, "mine@example.gov.cn"])
    again = send(client, "/account/email/confirm", at="/account", token=token_)
    assert again.status_code == 410 and "已经用过" in html(again)
    assert complaints(db) == []


def test_a_new_address_wants_the_password_and_is_not_asked_for_without_end(app: Flask, db: Database) -> None:
    client, (_, own) = enter(app, "renshe"), stored(db, "renshe")
    wrong = ask(client, "mine@example.gov.cn", "guessed")
    assert wrong.status_code == 422 and "原密码不对" in html(wrong)
    for email, words in ((own, "现在的邮箱"), ("没有", "不是邮箱地址")):
        refused = ask(client, email)
        assert refused.status_code == 422 and words in html(refused)
    said = [ask(client, f"mine{n}@example.gov.cn").status_code for n in range(corrections.OFFERS.tries + 1)]
    assert said == [302] * corrections.OFFERS.tries + [409]
    assert stored(db, "renshe")[1] == own


def test_the_link_is_forgotten_once_the_mail_is_out() -> None:
    kept = without_secret("address", {"link": "/account/email/confirm?token=abc"})
    assert kept["link"] == "/account/email/confirm"
