"""What a new version changes for each unit is said from what to what."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, time
from decimal import Decimal

import pytest

from bpmn.comparing import EVERYONE, NOBODY, changes
from bpmn.library import plan_xml
from bpmn.plan import Cadence, Facts, Indicator, Item, Plan, Share
from bpmn.reading import read_plan
from ledger import organisation
from ledger.rules.due import DueRule

KNOWN = organisation.load("huangshi")
OLD = read_plan(plan_xml("huangshi-2025-bairi"))
ITEM = next(item for item in OLD.items if item.indicators and item.due and item.heading)


def edited(item: Item) -> Plan:
    headings = tuple(
        replace(heading, items=tuple(item if old.id == item.id else old for old in heading.items))
        for heading in OLD.headings
    )
    return replace(OLD, headings=headings)


def said(new: Plan, old: Plan = OLD) -> list[str]:
    """What is told to any unit, once each."""
    return list(dict.fromkeys(change.words for found in changes(old, new, KNOWN).values() for change in found))


def test_a_figure_is_told_with_its_old_and_its_new_target() -> None:
    figure = ITEM.indicators[0]
    [words] = said(edited(replace(ITEM, indicators=(replace(figure, value=figure.value * 2), *ITEM.indicators[1:]))))
    assert words.startswith(f"指标“{figure.name}”由")
    assert f" {figure.value} " in words.replace(",", "")
    assert f" {figure.value * 2} " in words.replace(",", "")
    [words] = said(edited(replace(ITEM, indicators=())))
    assert words == "；".join(f"取消指标“{gone.name}”" for gone in ITEM.indicators)
    shared = replace(figure, reporter="市统计局", unit_name="每个县", op="range", value_max=Decimal(999), per="year")
    [words] = said(edited(replace(ITEM, indicators=(shared, *ITEM.indicators[1:]))))
    for part in ("每年", "至 999 ", "适用单位由未定改为“每个县”", "填报单位由未定改为“市统计局”"):
        assert part in words


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (replace(ITEM, lifecycle="joint"), "办理流程由“"),
        (replace(ITEM, completion="all" if ITEM.completion == "lead" else "lead"), "办结规则由"),
        (replace(ITEM, gated=not ITEM.gated), "等齐反馈由"),
        (replace(ITEM, steps="required"), "节点计划由未定改为必须报"),
        (replace(ITEM, cadence=OLD.cadences[0].id), f"报送节奏由不单独报送改为{OLD.cadences[0].name}（每"),
        (replace(ITEM, after=(OLD.items[-1].id,)), f"先后次序由不等其他任务改为等任务 {OLD.items[-1].no} 办结后启动"),
        (replace(ITEM, clause=ITEM.clause + "逐户上门。"), "逐户上门。”"),
        (replace(ITEM, notes=("每周走访",)), "新增工作要求“每周走访”"),
        (replace(ITEM, opens=DueRule("within", "启动后", days=10, anchor="run")), "（方案启动后 10 日内）"),
        (
            replace(ITEM, due=DueRule("every", "每季度", period="quarter", days=3, working=True)),
            "每季度结束后 3 个工作日内",
        ),
        (replace(ITEM, no="99"), f"序号由 {ITEM.no} 改为 99"),
    ],
)
def test_whatever_is_changed_about_an_item_says_from_what_to_what(new: Item, words: str) -> None:
    [told] = said(edited(new))
    assert words in told
    assert "有改动" not in told


def test_nothing_an_item_says_can_change_in_silence() -> None:
    """A new field of the plan's model is told, or stands here with its reason."""
    elsewhere = {"id", "heading", "shares"}  # what it is known by; told by its own lines
    told = {"no", "title", "clause", "due", "opens", "after", "indicators", "completion", "gated", "lifecycle"}
    assert {f.name for f in fields(Item)} - elsewhere == told | {"cadence", "notes", "steps"}
    assert {f.name for f in fields(Share)} == {"unit", "role", "quota", "presumed"}
    for name in {f.name for f in fields(Indicator)} - {"key"}:
        figure = ITEM.indicators[0]
        other = {"value": Decimal(7), "value_max": Decimal(9), "by": date(2030, 1, 1), "op": "<=", "sum": "max"}
        value = other.get(name, "year" if name == "per" else "别的")
        new = replace(figure, **{name: value}, **({"op": "range"} if name == "value_max" else {}))  # type: ignore[arg-type]
        assert said(edited(replace(ITEM, indicators=(new, *ITEM.indicators[1:])))), name


def test_the_plan_itself_says_from_what_to_what() -> None:
    facts = OLD.facts
    start, end = facts.period
    for change, words in (
        ({"mend_days": 5}, f"补正工作日由 {facts.mend_days} 改为 5 "),
        ({"ladder": (-5, 0)}, "改为 -5、0 "),
        ({"period": (start, date(2026, 6, 30))}, f"起止日期由 {start} 至 {end} 改为 {start} 至 2026-06-30"),
        ({"period": (start, None)}, "至 另行通知"),
        ({"sign_roles": ("lead",)}, "改为牵头"),
        ({"steps": "required"}, "节点计划由可以报改为必须报"),
        ({"mail": "full"}, "邮件内容由"),
        ({"title": "新名"}, f"方案名称由“{facts.title}”改为“新名”"),
        ({"extends": ("deputy_head",)}, "延期审批由"),
    ):
        found = changes(OLD, replace(OLD, facts=replace(facts, **change)), KNOWN)
        [told] = found[EVERYONE]
        assert words in told.words, told
        assert "有改动" not in told.words
    assert {f.name for f in fields(Facts)} >= {"mend_days", "ladder"}


def test_a_rhythm_says_what_is_different() -> None:
    rhythm = OLD.cadences[0]
    for change, words in (
        ({"due": "FREQ=WEEKLY;BYDAY=TH"}, "改为"),
        ({"due_at": time(12)}, "12时截止"),
        ({"last": date(2025, 12, 1)}, f"末期由 {rhythm.last} 改为 2025-12-01"),
        ({"ladder": (0,)}, "提醒档由"),
        ({"closes": not rhythm.closes}, "过期关闭由"),
        ({"due_shift": "skip"}, "截止遇休由"),
        ({"asks": "item"}, "向谁收由所有有在办任务的单位改为"),
    ):
        new: Cadence = replace(rhythm, **change)
        [told] = changes(OLD, replace(OLD, cadences=(new, *OLD.cadences[1:])), KNOWN)[EVERYONE]
        assert told.words.startswith(f"报送节奏“{rhythm.name}”")
        assert words in told.words, told


def test_a_renamed_group_an_item_in_another_group_and_another_order_are_told() -> None:
    first, second, *others = OLD.headings
    renamed = replace(OLD, headings=(replace(first, name="新的名称"), second, *others))
    assert said(renamed) == [f"任务组“{first.name}”改名为“新的名称”"]
    units = {unit for unit, found in changes(OLD, renamed, KNOWN).items() if found}
    assert units == {
        unit for unit, found in changes(None, replace(OLD, headings=(first,), branch_items=()), KNOWN).items()
    }

    moving = replace(first.items[0], heading=second.id)
    moved = (replace(first, items=first.items[1:]), replace(second, items=(*second.items, moving)), *others)
    assert said(replace(OLD, headings=moved)) == [f"由“{first.name}”移到“{second.name}”"]

    lifted = (replace(first, items=(first.items[2], *first.items[:2], *first.items[3:])), second, *others)
    found = changes(OLD, replace(OLD, headings=lifted), KNOWN)
    assert {(change.no, change.words) for each in found.values() for change in each} == {
        (first.items[2].no, "次序移到最前")
    }


def test_a_share_that_is_presumed_no_longer_is_told() -> None:
    share = replace(ITEM.shares[0], presumed=True)
    was = edited(replace(ITEM, shares=(share, *ITEM.shares[1:])))
    assert said(OLD, was) == ["不再待确认"]


def test_in_a_draft_an_item_without_units_is_told_too() -> None:
    bare = replace(ITEM, shares=())
    found = changes(edited(bare), edited(replace(bare, title="新题")), KNOWN)
    assert [change.words for change in found[NOBODY]] == [f"短标题由“{ITEM.title}”改为“新题”"]
