"""A seal's hash covers every part of it, the event's hash included."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.events import GENESIS
from ledger.sealing import seal_hash

SEAL: dict[str, Any] = {
    "prev": GENESIS,
    "ordinal": 1,
    "name": "item:1",
    "seq": 1,
    "event_hash": "a" * 64,
    "sealed_at": datetime(2025, 5, 23, 1, tzinfo=UTC),
}
OTHER: dict[str, Any] = {
    "prev": "1" * 64,
    "ordinal": 2,
    "name": "item:2",
    "seq": 2,
    "event_hash": "b" * 64,
    "sealed_at": datetime(2025, 5, 23, 2, tzinfo=UTC),
}


@pytest.mark.parametrize("part", list(SEAL))
def test_the_hash_covers_every_part(part: str) -> None:
    assert seal_hash(**SEAL) != seal_hash(**{**SEAL, part: OTHER[part]})
    assert seal_hash(**SEAL) == seal_hash(**dict(SEAL))
