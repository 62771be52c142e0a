"""The diagrams of the plans beside 百日攻坚 say what their hand labels say, row by row."""

from datetime import date, time
from typing import Any

import pytest

from bpmn import library
from bpmn.plan import Item, Plan
from bpmn.reading import read_plan
from bpmn.rhythm import annotation
from bpmn.writing import write_plan
from tests.labels import ROLES, due_as_label, figure, label_figure, label_of, rows_of

FANXIANG, KEJI, MAMAGANG = "huangshi-2025-fanxiang", "huangshi-2025-keji-zhuanhua", "huangshi-2025-mamagang"
# Where the tasks stand that become items: 返乡创业 splits the measures of its body into the rows of its 分工表.
PART = {FANXIANG: "annex", KEJI: "body", MAMAGANG: "body"}
LABELS = {key: label_of(key) for key in PART}
PLANS: dict[str, Plan] = {key: read_plan(library.plan_xml(key)) for key in PART}
PAIRS = [
    pytest.param(key, item, row, id=f"{key.removeprefix('huangshi-2025-')}-{item.id}")
    for key, part in PART.items()
    for item, row in zip(PLANS[key].items, rows_of(LABELS[key], part), strict=True)
]


def units_of(row: dict[str, Any], role: str) -> list[str]:
    """The units of the responsibility clause; 妈妈岗 has none, there those count who act in the sentences."""
    found: list[str] = row.get("responsible_by_actors", row)[role]
    return found


@pytest.mark.parametrize(("key", "item", "row"), PAIRS)
def test_row(key: str, item: Item, row: dict[str, Any]) -> None:
    assert item.no == row["no"]
    assert item.title == LABELS[key]["short_titles"][str(row["seq"])]
    assert item.clause == row["text"]
    presumed = [share for share in item.shares if share.presumed]
    for role in ROLES:
        printed = [share.unit for share in item.shares if share.role == role and not share.presumed]
        assert printed == units_of(row, role)
    assert bool(presumed) == (not any(units_of(row, role) for role in ROLES))
    assert due_as_label(item.due) == row["deadline"]
    assert (item.due.text if item.due else None) == row["deadline_text"]
    assert [figure(each, item) for each in item.indicators] == [label_figure(each, row) for each in row["indicators"]]
    assert (item.opens, item.after, item.lifecycle) == (None, (), "standard")


@pytest.mark.parametrize(
    ("key", "count", "headings"),
    [(FANXIANG, 50, [8, 14, 8, 4, 7, 9]), (KEJI, 12, [3, 3, 2, 4]), (MAMAGANG, 15, [3, 3, 4, 3, 2])],
)
def test_every_row_stands_under_its_printed_heading(key: str, count: int, headings: list[int]) -> None:
    plan, rows = PLANS[key], rows_of(LABELS[key], PART[key])
    assert (len(plan.items), len(plan.branch_items)) == (count, 0)
    assert [len(heading.items) for heading in plan.headings] == headings
    assert [h.name for h in plan.headings for _ in h.items] == [row["section"].split(" > ")[-1] for row in rows]


@pytest.mark.parametrize("key", PART)
def test_facts_are_those_of_the_cover(key: str) -> None:
    facts, label = PLANS[key].facts, LABELS[key]
    assert (facts.key, facts.title, facts.issuer) == (key, label["plan"], label["issuer"])
    assert (facts.doc_no or None, str(facts.issued)) == (label["doc_no"], label["issued"])
    printed = label["period"]
    assert str(facts.period[0]) == (printed["start"] or label["issued"]), "a plan without a first day starts as issued"
    assert (str(facts.period[1]) if facts.period[1] else None) == printed["end"]


def test_offices_are_who_issued_the_document() -> None:
    assert {key: plan.facts.office for key, plan in PLANS.items()} == {
        FANXIANG: "市就业促进和劳动保护工作领导小组办公室",
        KEJI: "中共黄石市委科技委员会办公室",
        MAMAGANG: "市人社局",  # the first of three that issued the notice
    }


def test_rows_of_fanxiang_keep_their_second_heading() -> None:
    for item, row in zip(PLANS[FANXIANG].items, rows_of(LABELS[FANXIANG], "annex"), strict=True):
        assert item.notes == (f"重点任务：{row['title']}",)


def test_yearly_rows_and_only_they_report_at_the_end_of_each_year() -> None:
    recurring = {key: [item.no for item in plan.items if item.cadence] for key, plan in PLANS.items()}
    assert recurring == {FANXIANG: ["38"], KEJI: ["4"], MAMAGANG: []}
    for key in (FANXIANG, KEJI):
        (yearly,) = PLANS[key].cadences
        assert (yearly.asks, yearly.opens_at, yearly.due_at) == ("item", time(9), None)
        assert (yearly.first, yearly.last) == (date(2025, 12, 1), date(2027, 12, 1))
        assert annotation(PLANS[key]) == "调度节奏：年度报送（每年12月1日9时发起，12月31日截止）"
    assert annotation(PLANS[MAMAGANG]) == ""


def test_most_rows_print_no_date() -> None:
    undated = {key: sum(item.due is None for item in plan.items) for key, plan in PLANS.items()}
    assert undated == {FANXIANG: 47, KEJI: 11, MAMAGANG: 15}


def test_figures_of_2025_keep_their_year_in_a_row_that_repeats() -> None:
    item = next(item for item in PLANS[FANXIANG].items if item.no == "38")
    assert [(each.key, each.per, each.by) for each in item.indicators] == [
        ("farmer-courses", "year", None),
        ("trained-founders", "total", date(2025, 12, 31)),
        ("rural-founders", "total", date(2025, 12, 31)),
    ]


def test_rates_are_no_sums() -> None:
    rules = {each.key: each.sum for plan in PLANS.values() for item in plan.items for each in item.indicators}
    assert len(rules) == 13
    assert {key for key, rule in rules.items() if rule != "sum"} == {"guarantee-rate"}


def test_where_nobody_is_named_the_labour_bureau_waits_for_the_coordinators_word() -> None:
    presumed = {item.no: item.shares for item in PLANS[MAMAGANG].items if any(share.presumed for share in item.shares)}
    assert list(presumed) == ["（七）", "（八）", "（十）"]
    assert {(s.unit, s.role) for shares in presumed.values() for s in shares} == {("市人社局", "responsible")}


def test_where_each_county_leads_at_home_no_county_closes_the_item_for_the_others() -> None:
    assert {item.completion for plan in PLANS.values() for item in plan.items} == {"all"}
    assert [item.no for item in PLANS[MAMAGANG].items if item.units("lead") == ("各地",)] == ["（二）", "（十三）"]


@pytest.mark.parametrize("key", PART)
def test_writing_what_was_read_gives_the_same_bytes(key: str) -> None:
    assert write_plan(PLANS[key]) + b"\n" == library.plan_xml(key)
    assert read_plan(write_plan(PLANS[key])) == PLANS[key]
