"""Questions about the ledger: what an address says comes back as it was, and reads as people would say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from ledger.queries import columns
from ledger.queries.ledger import days_of
from webapp.questions import DUE_CHOICES, asked_for, due_words, in_words, said


def asked(**fields: str) -> str:
    return asked_for(MultiDict(fields)).due


@pytest.mark.parametrize(
    ("fields", "due", "words"),
    [
        (
            {"due_from": "2025-06-01", "due_to": "2025-06-30"},
            "2025-06-01..2025-06-30",
            "2025-06-01 周日 至 2025-06-30 周一",
        ),
        (
            {"due_from": "2025-06-30", "due_to": "2025-06-01"},
            "2025-06-01..2025-06-30",
            "2025-06-01 周日 至 2025-06-30 周一",
        ),
        ({"due_from": "2025-06-01", "due_to": ""}, "2025-06-01..", "2025-06-01 周日 起"),
        ({"due_to": "2025-06-30"}, "..2025-06-30", "2025-06-30 周一 止"),
        ({"due": "2025-06-30..2025-06-30"}, "2025-06-30..2025-06-30", "2025-06-30 周一"),
        # a choice goes before the days; emptied fields take back the days that the list still names
        ({"due": "month", "due_from": "2025-06-01"}, "month", "本月到期"),
        ({"due": "2025-06-01..2025-06-30", "due_from": "", "due_to": ""}, "", ""),
        (
            {"due": "2025-06-01..2025-06-30", "due_from": "2025-07-01", "due_to": ""},
            "2025-07-01..",
            "2025-07-01 周二 起",
        ),
        ({"due": "乱写"}, "", ""),
        ({"due": "..", "due_from": "2025-02-30"}, "", ""),
    ],
)
def test_days_that_items_are_due_in(fields: dict[str, str], due: str, words: str) -> None:
    assert asked(**fields) == due
    assert due_words(due) == words
    assert in_words(asked_for(MultiDict(fields)), {}, {}) == ([f"时限：{words}"] if words else [])


@given(st.text(max_size=30) | st.sampled_from([*DUE_CHOICES, "2025-06-01..", "..2025-06-30"]))
def test_what_an_address_says_comes_back(due: str) -> None:
    first = asked_for(MultiDict({"due": due}))
    assert asked_for(MultiDict({k: str(v) for k, v in said(first).items()})) == first
    assert first.due in ("", *DUE_CHOICES) or any(days_of(first.due))


def test_what_stands_in_small_on_the_page_has_columns_of_its_own_in_a_sheet() -> None:
    def words(keys: str, *, several: bool) -> list[str]:
        return [c.words for c in columns.of_sheet(keys, several_plans=several)]

    assert words("due.title", several=True) == ["时限", "任务", "方案", "红黄灯依据"]
    assert words("due.title", several=False) == ["时限", "任务", "红黄灯依据"]
    assert words("title.reason.plan", several=True) == ["任务", "灯的依据", "方案"]
    assert words("", several=True)[2:5] == ["任务", "方案", "红黄灯依据"]
