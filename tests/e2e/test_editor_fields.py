"""The panel asks for whatever the dialect has, and a figure that another plan has is taken over, not made again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from bpmn.descriptor import panel
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site, wait_until
from tests.e2e.test_editor import assign, fill, ready, saved, tool
from tests.e2e.test_editor_keeping import begun, home, kept
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

NAMES = "one => [...one.querySelectorAll('[name]')].map(field => field.getAttribute('name'))"

CHOOSE = "(one, value) => { one.value = value; one.dispatchEvent(new Event('change', {bubbles: true})); }"


def asked(props: Locator) -> set[str]:
    return set(props.evaluate(NAMES))


def missing(element: str, names: set[str], before: str = "", after: str = "") -> list[str]:
    """Fields of an element of the dialect that no control is named after (a rhythm has several)."""
    wanted = [name for name, known in panel()[element]["fields"].items() if known["asked"]]
    return [f for f in wanted if not any(re.match(rf"{re.escape(before + f + after)}(-|$)", name) for name in names)]


def test_every_field_of_the_dialect_is_in_the_panel(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban", 1600)
    begun(writer, "字段方案", 1)
    props = writer.page.locator("[data-props]")

    if not props.locator("fieldset.figure").count():
        props.locator("[data-part=figures] summary").first.click()
        props.get_by_role("button", name="添加指标").click()
    assign(writer, "责任", "srsj", "市人社局")
    names = asked(props)
    assert missing("item", names) == []
    assert missing("assignment", names, after="-0") == ["unit"]  # found by a search, and shown as words
    assert missing("indicator", names, before="figure-0-") == ["max"]
    props.locator("[name=figure-0-op]").select_option(label="区间")
    assert missing("indicator", asked(props), before="figure-0-") == []
    writer.look("item")
    for element in ("due", "opens"):
        fill(writer, panel()[element]["label"], "6月1日")
        kind = props.locator(f"[name={element}-kind]")
        expect(kind).to_have_value("by")
        seen: set[str] = set()
        for value, _words in panel()[element]["fields"]["kind"]["choices"]:
            kind.evaluate(CHOOSE, value)
            expect(kind).to_have_value(value)
            seen |= asked(props)
        assert [f for f in missing(element, seen, before=f"{element}-") if f != "anchor"] == []
        assert "anchor" in seen
    home(writer)
    assert missing("plan", asked(props)) == []
    props.get_by_role("button", name="添加每周报送").click()
    assert missing("cadence", asked(props), before="weekly-") == []
    props.locator("details.cadence summary").click()
    writer.look("plan")
    props.locator("[name=steps]").select_option(label="必须报")
    saved(writer)


def test_a_figure_of_another_plan_is_filled_once_for_both(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban", 1600)
    path = begun(writer, "共用方案", 0)
    tool(writer, "任务")
    props = writer.page.locator("[data-props]")
    props.locator("[data-part=figures] summary").first.click()
    props.get_by_role("button", name="添加指标").click()
    props.locator("fieldset.figure details summary").click()
    choose(writer, "查找别的方案里的指标", "市场化", "市场化优质岗位")
    expect(props.locator("fieldset.figure")).to_contain_text("还没有写填报单位")
    choose(writer, "填报单位", "srsj", "市人社局")
    fill(writer, "口径", "签订合同的岗位")
    writer.look("shared")
    wait_until(lambda: 'key="market-posts"' in kept(site, path) and 'reporter="市人社局"' in kept(site, path))
    assert 'definition="签订合同的岗位"' in kept(site, path)
    ready(writer)


def choose(writer: Visitor, label: str, typed: str, name: str) -> None:
    props = writer.page.locator("[data-props]")
    props.get_by_role("combobox", name=label).press_sequentially(typed)
    props.get_by_role("option", name=re.compile(re.escape(name))).first.click()
