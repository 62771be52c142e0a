"""批量审签 on both databases: all or none, and each that stands in the way says why."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import pytest
from sqlalchemy import select

from engine.commands import Entry, TodoRef, decide, sign_many, submit, take_back
from ledger.calendar import moment
from ledger.database import calendar_of
from ledger.directory import take_post
from ledger.errors import NotEvery, NotFound, Refused
from ledger.queries.signing import applications
from ledger.schema import glance, indicator
from tests.integration.test_adjusting import House
from tests.integration.test_adjusting import house as house
from tests.integration.test_indexes import client_of
from tests.statements import statements

A, B = "renshe", "jiaoyu"


def applied(house: House, *nos: str) -> list[TodoRef]:
    """What 市人社局 has applied for, before its deputy head."""
    refs = []
    for no in nos:
        house.sign_for(no, A)
        share = house.share(no, A)
        house.do(A, submit, TodoRef(share.id, "work", share.arm), Entry(), summary=f"第{no}项已完成。")
        refs.append(TodoRef(share.id, "sign", house.share(no, A).arm))
    return refs


def test_a_batch_is_signed_as_one(house: House) -> None:
    refs = applied(house, "2", "5")
    signer = house.who("renshe-fenguan")
    with house.db.read() as connection:
        found = applications(connection, calendar_of(connection), house.db.clock.now(connection), signer)
    assert [(a.ref, a.summary) for a in found] == [
        (f"{ref.assignment_id}.sign.{ref.arm}", f"第{no}项已完成。") for ref, no in zip(refs, "25", strict=True)
    ]
    assert len(house.do("renshe-fenguan", sign_many, refs)) == 2
    assert {house.share(no, A).state for no in "25"} == {"reviewing"}
    assert house.tiers("2", A) == []


def test_one_in_the_way_leaves_all_and_says_why(house: House) -> None:
    first, second = applied(house, "2", "5")
    house.do("renshe-fenguan", decide, first, agree=False, reason="缺明细。")
    with pytest.raises(NotEvery) as raised:
        house.do("renshe-fenguan", sign_many, [first, second])
    assert set(raised.value.reasons) == {first}
    assert "办完了审签" in raised.value.reasons[first]
    assert str(raised.value).startswith("2 件中有 1 件不能办理")
    assert house.share("5", A).state == "signing"
    house.do("renshe-fenguan", sign_many, [second])
    assert house.share("5", A).state == "reviewing"


def test_who_does_not_hold_the_post_signs_nothing(house: House) -> None:
    refs = applied(house, "2")
    with pytest.raises(NotEvery, match="1 件中有 1 件") as raised:
        house.do(A, sign_many, refs)
    assert "不在您的岗位上" in raised.value.reasons[refs[0]]
    with pytest.raises(NotFound):
        house.do("renshe-fenguan", sign_many, [TodoRef(99999, "sign", 1)])


def test_what_is_handed_in_late_says_so(house: House) -> None:
    house.sign_for("2", A)
    house.until(moment(date(2025, 7, 2), time(9)))
    share = house.share("2", A)
    house.do(A, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    with house.db.read() as connection:
        found = applications(
            connection, calendar_of(connection), house.db.clock.now(connection), house.who("renshe-fenguan")
        )
    assert [a.is_late for a in found] == [True]


# ---------------------------------------------------------------- what was shown is read
PAGES = {
    "the page of all that waits": "/inbox/sign",
    "the item's page": "/items/{item}",
    "its page with another tab open": "/items/{item}?tab=urge-{item}",
    "where its figure comes from": "/items/{item}/figures/{figure}",
}


@pytest.mark.parametrize("page", list(PAGES))
def test_what_a_page_has_shown_to_its_signer_is_not_taken_back(house: House, page: str) -> None:
    house.sign_for("1", B)
    share, number = house.share("1", B), house.row(select(indicator.c.id)).id
    entry = Entry({number: Decimal(20)})
    house.do(B, submit, TodoRef(share.id, "work", 1), entry, summary="岗位归集全部完成。", confirmed=True)
    address = PAGES[page].format(item=share.item_id, figure=number)
    signer = client_of(house.db, "jiaoyu-fenguan")
    assert signer.head(address).status_code == 200
    for login in (B, "zhuanban"):  # before whom it does not lie
        assert client_of(house.db, login).get(address).status_code == 200
    assert house.rows(select(glance)) == []
    for _ in range(2):
        assert "岗位归集全部完成。" in signer.get(address).get_data(as_text=True)
    assert [(g.assignment_id, g.step, g.arm) for g in house.rows(select(glance))] == [(share.id, "sign", 1)]
    with pytest.raises(Refused, match="已经打开查看"):
        house.do(B, take_back, share.id)


def test_who_holds_both_posts_has_not_read_it_as_another(house: House) -> None:
    [ref] = applied(house, "2")
    with house.db.write(house.who("guanli")) as tx:
        take_post(tx, house.who(A).person_id, A, "deputy_head")
    client_of(house.db, A).get(f"/items/{house.item('2').id}")
    assert len(house.rows(select(glance))) == 1
    house.do(A, take_back, ref.assignment_id)
    assert house.share("2", A).state == "working"


def test_however_many_are_shown_that_is_kept_in_one_write(house: House) -> None:
    refs = applied(house, "2")
    signer, cost = client_of(house.db, "renshe-fenguan"), []
    signer.get("/inbox/sign")
    for more in ((), ("5",)):
        refs += applied(house, *more)
        with statements(house.db.writer) as sent:
            signer.get("/inbox/sign")
        cost.append((len(sent), sum("INSERT INTO glance" in sql for sql, _ in sent)))
    assert cost == [(cost[0][0], 1)] * 2
    assert sorted(g.assignment_id for g in house.rows(select(glance))) == sorted(r.assignment_id for r in refs)
