"""批量审签 on both databases: all or none, and each that stands in the way says why."""

from __future__ import annotations

from datetime import date, time

import pytest

from engine.commands import Entry, TodoRef, decide, sign_many, submit
from ledger.calendar import moment
from ledger.database import calendar_of
from ledger.errors import NotEvery, NotFound
from ledger.queries.signing import applications
from tests.integration import test_adjusting
from tests.integration.test_adjusting import House

A = "renshe"
house = test_adjusting.house


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
