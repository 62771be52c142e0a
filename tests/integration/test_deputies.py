"""委托代理 on both databases: holder and deputy are both written to, until the holder is back or the day is over."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select

from engine import ticking
from engine.commands import delegate, end_delegation, hand_on, urge
from ledger.directory import register_person, take_post
from ledger.schema import message, person, post
from tests.integration import test_adjusting
from tests.integration.test_adjusting import A, House, at

house = test_adjusting.house


def join(house: House, login: str, unit: str, role: str) -> None:
    with house.db.write() as tx:
        new = register_person(tx, login=login, name="李四", email=f"{login}@x.example", password_hash="-")
        take_post(tx, new, unit, role)


def own_post(house: House, login: str, role: str) -> int:
    held = select(post.c.id).join(person, person.c.id == post.c.person_id)
    return int(house.row(held.where(person.c.login == login, post.c.role == role, post.c.until.is_(None))).id)


def mails(house: House, *kinds: str) -> list[tuple[str, str]]:
    """(kind, login) of the mails about items, in their order."""
    ticking.tick(house.db)
    found = select(message.c.kind, person.c.login).join(person, person.c.id == message.c.person_id)
    return [tuple(r) for r in house.rows(found.where(message.c.kind.in_(kinds)).order_by(message.c.id))]


def test_both_are_written_to_while_it_runs_and_the_holder_alone_afterwards(house: House) -> None:
    join(house, "a-2", A, "section_head")
    house.sign_for("2", A)
    share = house.share("2", A).id
    made = house.do(A, delegate, own_post(house, A, "liaison"), login="a-2", until=date(2025, 5, 30))
    house.do("zhuanban", urge, [share], words="请抓紧。")
    assert sorted(mails(house, "urged")) == [("urged", "a-2"), ("urged", A)]
    house.do(A, end_delegation, made)
    house.do("zhuanban", urge, [share], words="再催一次。")
    assert sorted(mails(house, "urged")) == [("urged", "a-2"), ("urged", A), ("urged", A)]


def test_it_ends_by_itself_with_its_last_day(house: House) -> None:
    join(house, "a-2", A, "section_head")
    house.sign_for("2", A)
    house.do(A, delegate, own_post(house, A, "liaison"), login="a-2", until=date(2025, 5, 30))
    house.until(at(6, 3))
    house.do("zhuanban", urge, [house.share("2", A).id], words="请抓紧。")
    assert mails(house, "urged") == [("urged", A)]
    assert mails(house, "deputising") == [("deputising", "a-2")]  # the day was said when it began


def test_the_deputy_is_told_until_when_and_when_it_is_over_before(house: House) -> None:
    join(house, "a-2", A, "section_head")
    made = house.do(A, delegate, own_post(house, A, "liaison"), login="a-2", until=date(2025, 5, 30))
    house.do(A, end_delegation, made)
    said = [json.loads(r.context) for r in house.rows(select(message).where(message.c.kind == "deputising"))]
    assert [(c.get("until"), c.get("ended")) for c in said] == [("2025-05-30", None), (None, "1")]


def test_who_deputises_for_whom_the_work_was_handed_on_to_is_written_to(house: House) -> None:
    """转交 names one of two liaisons; her deputy gets her mails, the other liaison still gets none."""
    join(house, "a-keeper", A, "liaison")
    join(house, "a-2", A, "section_head")
    house.sign_for("2", A)
    share = house.share("2", A).id
    house.do(A, hand_on, share, to=own_post(house, "a-keeper", "liaison"))
    house.do("a-keeper", delegate, own_post(house, "a-keeper", "liaison"), login="a-2", until=date(2025, 5, 30))
    house.do("zhuanban", urge, [share], words="请抓紧。")
    assert sorted(mails(house, "urged")) == [("urged", "a-2"), ("urged", "a-keeper")]
