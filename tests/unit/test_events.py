"""The chain's hash covers every part of an event; canonical text is one text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import GENESIS, SCHEMAS, canonical, chain_hash, digest, salted, upcast

EVENT: dict[str, Any] = {
    "prev": GENESIS,
    "stream": "item:1",
    "seq": 1,
    "kind": "assignment.signed",
    "schema": 1,
    "at": datetime(2025, 5, 23, 1, tzinfo=UTC),
    "recorded_at": datetime(2025, 5, 23, 2, tzinfo=UTC),
    "actor": '{"person":1}',
    "payload": "{}",
}
OTHER: dict[str, Any] = {
    "prev": "1" * 64,
    "stream": "item:2",
    "seq": 2,
    "kind": "assignment.accepted",
    "schema": 2,
    "at": datetime(2025, 5, 24, 1, tzinfo=UTC),
    "recorded_at": datetime(2025, 5, 24, 2, tzinfo=UTC),
    "actor": '{"person":2}',
    "payload": '{"a":1}',
}


@pytest.mark.parametrize("part", list(EVENT))
def test_the_hash_covers_every_part(part: str) -> None:
    assert chain_hash(**EVENT) != chain_hash(**{**EVENT, part: OTHER[part]})
    assert chain_hash(**EVENT) == chain_hash(**dict(EVENT))


def test_what_stands_in_an_event_has_one_text() -> None:
    value = {"b": Decimal("1.50"), "a": [date(2025, 5, 23), datetime(2025, 5, 23, 1, tzinfo=UTC)], "c": "签收"}
    assert canonical(value) == '{"a":["2025-05-23","2025-05-23T01:00:00+00:00"],"b":"1.5","c":"签收"}'
    with pytest.raises(TypeError):
        canonical({"x": object()})


@given(st.text(), st.text())
def test_a_digest_tells_texts_apart_and_hides_them(one: str, other: str) -> None:
    salt, said = salted(one)
    assert digest(salt, one) == said
    assert (digest(salt, other) == said) is (one == other)


def test_payloads_of_earlier_releases_get_what_they_lacked() -> None:
    planned = {"item": 1, "indicators": [{"id": 1, "key": "posts"}]}
    added = {"by": None, "definition": None, "source": None, "as_of": None, "reporter": None, "same_as": None}
    today = {"item": 1, "needs_steps": False, "indicators": [{"id": 1, "key": "posts", **added}]}
    assert upcast("item.planned", 1, planned) == today
    opened = {"item": 1, "assignments": [{"id": 1}, {"id": 2}]}
    assert upcast("item.opened", 1, opened)["assignments"] == [{"id": n, "presumed": False} for n in (1, 2)]
    today = {"item": 1, "assignments": [{"id": 1, "presumed": True}]}
    assert upcast("item.opened", SCHEMAS["item.opened"], today) == today
