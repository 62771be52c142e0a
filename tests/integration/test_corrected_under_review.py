"""更正 of a figure that lies before a signer or reviewer, and 核定值 as the last word, on both databases."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import ticking
from engine.commands import Entry, TodoRef, check, correct, decide, report, settle, sign_many, submit
from ledger.database import calendar_of
from ledger.errors import Conflict, NotEvery, Refused
from ledger.queries.signing import applications
from ledger.schema import figure, indicator, message, reading
from tests.integration.test_adjusting import A, B, C, House
from tests.integration.test_adjusting import house as house
from tests.integration.test_indexes import client_of

SIGNER = f"{A}-fenguan"


def posts(house: House) -> int:
    return int(house.row(select(indicator.c.id)).id)


def counting(house: House, unit: str) -> Decimal:
    return Decimal(house.row(select(figure.c.value).where(figure.c.assignment_id == house.share("1", unit).id)).value)


def handed_in(house: House, unit: str, value: int) -> TodoRef:
    """A share of item 1 applied for with a figure; the todo before which it lies."""
    house.sign_for("1", unit)
    share = house.share("1", unit)
    entry = Entry({posts(house): Decimal(value)})
    house.do(unit, submit, TodoRef(share.id, "work", share.arm), entry, summary="已完成。", confirmed=True)
    share = house.share("1", unit)
    return TodoRef(share.id, share.step, share.arm)


def put_right(house: House, unit: str, value: int) -> None:
    share = house.share("1", unit)
    house.do(unit, correct, share.id, figures={posts(house): Decimal(value)}, reason="漏计两家。", confirmed=True)


def seen_on(client: FlaskClient, address: str, name: str = "seen") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', client.get(address).text)
    assert found
    return found[1]


# ---------------------------------------------------------------- 更正 under review
def test_who_has_the_application_before_them_is_told_at_once(house: House) -> None:
    handed_in(house, C, 30)  # feedback, before the liaison of the first lead
    put_right(house, C, 28)
    put_right(house, C, 27)
    assert house.told("corrected") == [(A, "liaison"), (A, "liaison")]
    mails = [m.context for m in house.rows(select(message).where(message.c.kind == "told"))]
    assert len([m for m in mails if "待您审核的数字已更正" in m]) == 2


def test_what_lies_in_the_units_hands_is_corrected_without_a_word_to_others(house: House) -> None:
    house.sign_for("1", C)
    house.do(C, report, house.share("1", C).id, Entry({posts(house): Decimal(30)}))
    put_right(house, C, 28)
    assert house.told("corrected") == []


def test_a_review_of_another_number_than_counts_is_not_taken(house: House) -> None:
    ref = handed_in(house, C, 30)
    old = {posts(house): Decimal(30)}
    put_right(house, C, 28)
    for agree in (True, False):
        with pytest.raises(Conflict, match=r"更正了数字（\S* ?30 → 28 个）"):
            house.do(A, decide, ref, agree=agree, reason="数字不对。", seen=old)
    assert house.share("1", C).state == "reviewing"
    house.do(A, decide, ref, agree=True, seen={posts(house): Decimal(28)})
    assert house.share("1", C).state == "closed"
    assert counting(house, C) == 28


def test_a_figure_that_was_not_there_when_it_was_looked_at_is_looked_at(house: House) -> None:
    house.sign_for("1", C)
    share = house.share("1", C)
    house.do(C, submit, TodoRef(share.id, "work", share.arm), Entry(), summary="已完成。")
    share = house.share("1", C)
    ref = TodoRef(share.id, share.step, share.arm)
    house.do(C, report, share.id, Entry({posts(house): Decimal(5)}))
    with pytest.raises(Conflict, match=r"填报了数字（.*未报 → 5 个）"):
        house.do(A, decide, ref, agree=True, seen={})


def test_the_page_says_what_was_corrected_and_keeps_what_was_typed(house: House) -> None:
    ref = handed_in(house, C, 30)
    item_id, reviewer = house.item("1").id, client_of(house.db, A)
    address = f"/items/{item_id}?todo={ref.assignment_id}"
    form = {"arm": ref.arm, "step": ref.step, "seen": seen_on(reviewer, address), "act": "agree", "reason": "我的意见"}
    put_right(house, C, 28)
    page = reviewer.get(address).text
    assert "提交后更正" in page
    assert "30 → 28 个" in page
    assert "大冶市联络员" in page
    assert "漏计两家" in page
    answer = reviewer.post(f"/assignments/{ref.assignment_id}/decide", data=form)
    assert answer.status_code == 409
    assert "更正了数字" in answer.text
    assert "我的意见" in answer.text
    assert house.share("1", C).state == "reviewing"
    again = form | {"seen": re.search(r'name="seen" value="([^"]*)"', answer.text)[1]}  # type: ignore[index]
    assert reviewer.post(f"/assignments/{ref.assignment_id}/decide", data=again).status_code == 302
    assert house.share("1", C).state == "closed"


def test_a_batch_is_signed_as_it_was_looked_through(house: House) -> None:
    handed_in(house, C, 10)
    share = house.share("1", C)
    house.do(A, decide, TodoRef(share.id, share.step, share.arm), agree=True)
    house.close("1", B)
    ref = handed_in(house, A, 90)
    assert ref.step == "sign"
    with house.db.read() as connection:
        now, who = house.db.clock.now(connection), house.who(SIGNER)
        (one,) = applications(connection, calendar_of(connection), now, who)
    client = client_of(house.db, SIGNER)
    form = {"todo": one.ref, f"seen-{ref.assignment_id}": seen_on(client, "/inbox/sign", f"seen-{ref.assignment_id}")}
    put_right(house, A, 92)
    assert house.told("corrected") == [(A, "deputy_head")]
    with pytest.raises(NotEvery) as raised:
        house.do(SIGNER, sign_many, [ref], seen={ref.assignment_id: {posts(house): Decimal(90)}})
    assert "90 → 92" in raised.value.reasons[ref]
    answer = client.post("/inbox/sign", data=form)
    assert (answer.status_code, "90 → 92" in answer.text) == (409, True)
    form |= {f"seen-{ref.assignment_id}": seen_on(client, "/inbox/sign", f"seen-{ref.assignment_id}")}
    assert client.post("/inbox/sign", data=form).status_code == 302
    assert house.share("1", A).state == "reviewing"


# ---------------------------------------------------------------- 核定值
def test_what_was_settled_is_neither_checked_nor_corrected_any_more(house: House) -> None:
    house.sign_for("1", C)
    share, i = house.share("1", C).id, posts(house)
    house.do(C, report, share, Entry({i: Decimal(12)}))
    house.do(A, check, share, figures={i: Decimal(9)}, reason="两家重复。")
    house.do("ducha", settle, share, figures={i: Decimal(8)}, reason="现场核查。")
    for login, verb, word in ((A, check, "填审核值"), (C, correct, "更正")):
        with pytest.raises(Refused, match=f"已由督查人员核定（.* 8），按核定值计算，不能再{word}"):
            house.do(login, verb, share, figures={i: Decimal(20)}, reason="再核。", confirmed=True)
    assert counting(house, C) == 8
    house.do("ducha", settle, share, figures={i: Decimal(7)}, reason="复查。")
    assert counting(house, C) == 7
    kept = house.rows(select(reading.c.value, reading.c.checked, reading.c.settled))
    assert [tuple(r) for r in kept] == [(12, 9, 7)]
    ticking.tick(house.db)


def test_what_is_reported_after_it_counts_and_may_be_checked(house: House) -> None:
    house.sign_for("1", C)
    share, i = house.share("1", C).id, posts(house)
    house.do(C, report, share, Entry({i: Decimal(12)}))
    house.do("ducha", settle, share, figures={i: Decimal(8)}, reason="现场核查。")
    house.do(C, report, share, Entry({i: Decimal(15)}))
    house.do(A, check, share, figures={i: Decimal(14)}, reason="两家重复。")
    assert counting(house, C) == 14


def test_a_page_offers_no_verb_that_the_settled_number_refuses(house: House) -> None:
    house.sign_for("1", C)
    share, i, address = house.share("1", C).id, posts(house), f"/items/{house.item('1').id}"
    house.do(C, report, share, Entry({i: Decimal(12)}))
    unit, inspector = client_of(house.db, C), client_of(house.db, "ducha")
    assert f"tab=correct-{share}" in unit.get(address).text
    house.do("ducha", settle, share, figures={i: Decimal(8)}, reason="现场核查。")
    assert f"tab=correct-{share}" not in unit.get(address).text
    assert f"tab=settle-{share}" in inspector.get(address).text
