"""Where a shown number comes from: the page behind it names who reported, corrected, checked and settled it."""

from __future__ import annotations

from decimal import Decimal
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from engine.commands import Entry, check, correct, enter, report, settle
from ledger.database import calendar_of
from ledger.errors import NotFound
from ledger.queries.figures import Origin, origin
from ledger.queries.items import item_view
from ledger.queries.timeline import records
from ledger.schema import indicator
from ledger.visibility import sight_of
from tests.integration.test_adjusting import A, B, House
from tests.integration.test_adjusting import house as house
from tests.integration.test_indexes import client_of


def words_of(html: str) -> list[str]:
    """The words of a page without its tags."""
    return _Text(html).words


class _Text(HTMLParser):
    """The words of a page without its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def posts(house: House) -> int:
    return int(house.row(select(indicator.c.id)).id)


def origin_for(house: House, login: str) -> Origin:
    with house.db.read() as connection:
        item_id, now = house.item("1").id, house.db.seen_now(connection)
        sight = sight_of(connection, house.who(login))
        view = item_view(connection, calendar_of(connection), now, sight, item_id)
        return origin(connection, view, records(connection, item_id), posts(house))


@pytest.fixture
def told(house: House) -> House:
    """80 reported, put right to 90, checked as 85, settled as 84; another unit's 20 entered for it."""
    house.sign_for("1", A, B)
    own, i = house.share("1", A).id, posts(house)
    house.do(A, report, own, Entry({i: Decimal(80)}, "已对接。"))
    house.do(A, correct, own, figures={i: Decimal(90)}, reason="漏计两家。")
    house.do("zhuanban", check, own, figures={i: Decimal(85)}, reason="核对花名册。")
    house.do("ducha", settle, own, figures={i: Decimal(84)}, reason="现场核查。")
    more = {"source": "phone", "told_by": "王主任来电", "progress": "已办。"}
    house.do("zhuanban", enter, house.share("1", B).id, figures={i: Decimal(20)}, **more)
    return house


def test_each_value_is_there_with_who_gave_it_and_why(told: House) -> None:
    found = origin_for(told, "zhuanban")
    shares = {p.unit: lines for p, lines in found.shares}
    newest, oldest = shares[A] or ()
    first = (str(oldest.value), oldest.how, oldest.who, oldest.reason)
    assert first == ("80.0000", "填报", "市人社局联络员", "已对接。")
    assert (str(newest.value), newest.how, newest.reason) == ("90.0000", "更正", "漏计两家。")
    assert (newest.corrects, oldest.corrected_by) == (oldest.seq, newest.seq)
    assert newest.checked is not None and newest.settled is not None
    assert (newest.checked.value, newest.checked.reason) == (Decimal(85), "核对花名册。")
    assert (newest.settled.value, newest.settled.reason) == (Decimal(84), "现场核查。")
    assert newest.settled.who.endswith("督查人员")
    assert (newest.counts, found.gauge.value) == (Decimal(84), Decimal(104))
    assert [(line.how, line.value) for line in shares[B] or ()] == [("代录", Decimal(20))]


def test_another_unit_sees_that_there_are_readings_and_not_which(told: House) -> None:
    assert {p.unit: lines is None for p, lines in origin_for(told, "daye").shares} == {A: True, B: True}
    assert {p.unit: lines is None for p, lines in origin_for(told, A).shares}[A] is False


def test_the_number_on_the_item_leads_to_it(told: House) -> None:
    client, item_id = client_of(told.db, "zhuanban"), told.item("1").id
    address = f"/items/{item_id}/figures/{posts(told)}"
    assert f'href="{address}"' in client.get(f"/items/{item_id}").get_data(as_text=True)
    words = words_of(client.get(address).get_data(as_text=True))
    assert {"84", "85", "90", "80", "现场核查。", "核对花名册。", "口径"} <= set(words)


def test_an_indicator_of_another_item_is_not_found(told: House) -> None:
    with told.db.read() as connection:
        other, now = told.item("2").id, told.db.seen_now(connection)
        view = item_view(connection, calendar_of(connection), now, sight_of(connection, told.who("zhuanban")), other)
        with pytest.raises(NotFound):
            origin(connection, view, records(connection, other), posts(told))
