"""The diagram of 百日攻坚 says what its hand label says, row by row."""

from datetime import date, time
from typing import Any

import pytest

from bpmn import library
from bpmn.plan import Item
from bpmn.reading import read_plan
from bpmn.writing import write_plan
from ledger.rules.due import DueRule
from tests.labels import ROLES, due_as_label, figure, label_figure, label_of, rows_of

LABEL = label_of("huangshi-2025-bairi")
ROWS = rows_of(LABEL, "annex")
XML = library.plan_xml("huangshi-2025-bairi")
PLAN = read_plan(XML)
PAIRS = list(zip(PLAN.items, ROWS, strict=True))


def by_no(number: int) -> Item:
    return next(item for item in PLAN.items if item.no == str(number))


def test_every_row_is_an_item() -> None:
    assert len(ROWS) == len(PLAN.items) == 33
    assert [row["seq"] for row in ROWS] == list(range(14, 47))
    assert [item.no for item in PLAN.items] == [str(number) for number in range(1, 34)]


@pytest.mark.parametrize(("item", "row"), PAIRS, ids=[item.no for item in PLAN.items])
def test_row(item: Item, row: dict[str, Any]) -> None:
    assert item.title == LABEL["short_titles"][str(row["seq"])]
    assert item.clause == row["text"]
    for role in ROLES:
        assert list(item.units(role)) == row[role]
    assert item.due is not None
    assert item.due.text == row["deadline_text"]
    assert due_as_label(item.due) == row["deadline"]
    assert item.completion == ("lead" if row["lead"] else "all")
    assert [figure(each, item) for each in item.indicators] == [label_figure(each, row) for each in row["indicators"]]
    assert item.lifecycle == "standard"


def test_headings_stand_in_printed_order() -> None:
    printed = list(dict.fromkeys(row["section"].split(" > ")[-1] for row in ROWS))
    assert [heading.name for heading in PLAN.headings] == printed
    assert [len(heading.items) for heading in PLAN.headings] == [3, 16, 12, 1]


def test_the_last_row_opens_by_date_in_a_branch_of_its_own() -> None:
    (last,) = PLAN.branch_items
    (timer,) = PLAN.timers
    assert (timer.date, timer.items) == (date(2025, 8, 25), (last.id,))
    assert last.heading is None
    assert last.opens == DueRule("by", timer.name, date=date(2025, 8, 25))
    assert last.due is not None and last.due.date == date(2025, 8, 31)


def test_recurring_rows_and_only_they_have_a_cadence() -> None:
    assert {item.no: item.cadence for item in PLAN.items if item.cadence} == {"10": "posts", "32": "monthly"}
    rhythms = {cadence.id: (cadence.name, cadence.asks, cadence.closes) for cadence in PLAN.cadences}
    assert rhythms == {
        "weekly": ("周调度", "open-shares", True),
        "monthly": ("月通报", "item", False),
        "posts": ("岗位征集月报", "item", False),
    }
    weekly = PLAN.cadences[0]
    assert (weekly.opens_at, weekly.opens_shift, weekly.due_at, weekly.due_shift) == (
        time(9),
        "next",
        time(17),
        "previous",
    )
    assert (weekly.first, weekly.last, weekly.ladder) == (date(2025, 5, 26), date(2025, 8, 25), (0, 1))


def test_weekly_visits_are_notes_and_not_rounds() -> None:
    assert by_no(3).notes == ("每周进行跟踪回访和服务，实行动态更新",)
    assert any("每周走访" in note for note in by_no(6).notes)


def test_a_norm_for_each_county_keeps_its_units_and_a_norm_for_each_student_is_no_total() -> None:
    assert [indicator.unit_name for indicator in by_no(26).indicators] == [
        "每个县(市、区)",
        "每个县(市、区)",
        "各县(市、区)",
    ]
    (student,) = by_no(3).indicators
    assert (student.op, student.sum, student.per) == (">=", "latest", None)
    keys = [indicator.key for item in PLAN.items for indicator in item.indicators]
    assert len(keys) == len(set(keys)) == 10


def test_facts_are_those_of_the_cover() -> None:
    facts = PLAN.facts
    assert (facts.title, facts.issuer, facts.doc_no) == (LABEL["plan"], LABEL["issuer"], LABEL["doc_no"])
    assert facts.issued == date(2025, 5, 23)
    assert facts.period == (date(2025, 5, 1), date(2025, 8, 31))
    assert (facts.mend_days, facts.mail, facts.ladder) == (3, "titles", (-3, 0, 1, 5))


def test_writing_what_was_read_gives_the_same_bytes() -> None:
    assert write_plan(PLAN) + b"\n" == XML
    assert read_plan(write_plan(PLAN)) == PLAN
