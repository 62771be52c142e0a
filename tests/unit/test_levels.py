"""分解下达: dates within the whole's, quotas that add up, parts summed up; the lifecycle of a part."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import pytest

from bpmn.library import lifecycle_keys, lifecycle_xml
from bpmn.lifecycle import LOCAL, Value
from bpmn.reading import read_lifecycle
from engine import instances
from ledger.organisation import Kind
from ledger.rules.levels import gap, inner, rolled, splits

VERSION = "local@1"
D10, D20, D30 = (datetime(2025, 6, day, tzinfo=UTC) for day in (10, 20, 30))


@pytest.mark.parametrize(
    ("due", "parent", "not_before", "expected"),
    [
        (D10, D20, None, D10),
        (D30, D20, None, D20),
        (D30, None, None, D30),
        (None, D20, None, None),
        (D30, D10, D20, D20),  # what was given before the whole was moved is not taken back
        (D30, D20, D10, D20),
    ],
)
def test_a_part_ends_no_later_than_the_whole(
    due: datetime | None, parent: datetime | None, not_before: datetime | None, expected: datetime | None
) -> None:
    assert inner(due, parent, not_before) == expected


@pytest.mark.parametrize(
    ("quota", "parts", "expected"),
    [
        (Decimal(60), [Decimal(40), Decimal(20)], 0),
        (Decimal(60), [Decimal(40), None], 20),
        (Decimal("1.5"), [Decimal(1), Decimal(1)], Decimal("-0.5")),
        (None, [Decimal(40)], None),
        (Decimal(0), [], 0),
    ],
)
def test_quotas_add_up_or_lack_something(
    quota: Decimal | None, parts: list[Decimal | None], expected: Decimal | None
) -> None:
    assert gap(quota, parts) == expected


def test_parts_are_summed_up_and_those_ended_count_for_nothing() -> None:
    parts = [("closed", "blue"), ("reviewing", "red"), ("working", "red"), ("acknowledging", "green")]
    found = rolled([*parts, ("terminated", "grey"), ("withdrawn", "blue")])  # type: ignore[list-item]
    assert (found.done, found.waiting, found.late, found.total) == (1, 1, 2, 4)
    assert found.words == "已分解 4 家，办结 1 家，待审 1 家，红灯 2 家；下级的灯不影响本级的灯。"
    assert rolled([("working", "green")]).words == "已分解 1 家，办结 0 家。"
    assert rolled([("terminated", "grey")]).total == 0


def test_only_a_town_hands_nothing_down() -> None:
    assert [kind for kind in get_args(Kind) if not splits(kind)] == ["town"]


# ---------------------------------------------------------------- the lifecycle
@pytest.fixture
def registered() -> None:
    instances.load_lifecycle_spec(VERSION, lifecycle_xml(LOCAL))


def after(step: str, **values: Value) -> tuple[str, ...]:
    return instances.outcome(VERSION, step, frozenset(values.items()))


@pytest.mark.usefixtures("registered")
def test_a_part_goes_from_its_unit_to_the_unit_that_handed_it_down() -> None:
    assert instances.is_single(VERSION) and instances.entry(VERSION) == "acknowledge"
    assert after("acknowledge") == ("work",)
    assert after("work", needs_sign=True) == ("sign",)
    assert after("work", needs_sign=False) == ("review",)
    assert (after("sign", decision="pass"), after("sign", decision="return")) == (("review",), ("work",))
    assert (after("review", decision="pass"), after("review", decision="return")) == ((), ("work",))


def test_no_other_lifecycle_ends_at_the_unit_above() -> None:
    holders = {key: {s.holder for s in read_lifecycle(lifecycle_xml(key)).steps} for key in lifecycle_keys()}
    assert [key for key, found in holders.items() if "parent" in found] == [LOCAL]
    assert not {"office", "lead", "host"} & holders[LOCAL]
