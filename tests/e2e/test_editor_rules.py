"""What an official types about time is read, or said not to be read; findings are told in words she sees."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect
from sqlalchemy import select

from ledger.schema import plan_draft
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from tests.e2e.test_editor import assign, fill, ready, saved, tool
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


def begun(enter: Enter, title: str) -> Visitor:
    """A new plan until the end of 2026, with one item."""
    writer = enter("zhuanban")
    writer.go("/plans/studio")
    writer.page.get_by_role("link", name="新建方案").click()
    for label, words in (("方案名称", title), ("简称", title[:6]), ("文号", "无"), ("结束日期", "2026-12-31")):
        writer.page.get_by_label(re.compile(f"^{label}")).fill(words)
    writer.page.get_by_role("button", name="下一步：画任务").click()
    ready(writer)
    tool(writer, "任务")
    fill(writer, "短标题", "摸清底数")
    fill(writer, "文件原话", "摸清底数。")
    assign(writer, "责任", "srsj", "市人社局")
    return writer


def told(writer: Visitor, nth: int = 0) -> Locator:
    return writer.page.locator("[data-props] .limit .told").nth(nth)


def kept(site: Site, title: str) -> str:
    with site.db.read() as connection:
        return str(connection.execute(select(plan_draft.c.xml).where(plan_draft.c.title == title)).scalar_one())


def test_words_that_are_not_understood_leave_no_rule_and_are_a_finding(enter: Enter, site: Site) -> None:
    title = "黄石市时限说法试点方案"
    writer = begun(enter, title)
    lint = writer.page.locator("[data-lint]")
    fill(writer, "完成时限", "10月底前")
    expect(told(writer)).to_contain_text("将于 2025-10-31")
    for words in ("下个月", "2025年13月40日"):
        fill(writer, "完成时限", words)
        expect(told(writer)).to_contain_text(f"没有读懂完成时限“{words}”")
        expect(lint).to_contain_text(f"没有读懂完成时限“{words}”")
    saved(writer)
    assert "<duban:due>2025年13月40日</duban:due>" in kept(site, title)
    writer.look("not-read")

    fill(writer, "完成时限", "长期坚持")
    expect(told(writer)).to_contain_text("长期坚持，没有到期日")
    expect(lint).not_to_contain_text("没有读懂")
    saved(writer)
    assert '<duban:due kind="lasting">长期坚持</duban:due>' in kept(site, title)
    fill(writer, "完成时限", "签收后10个工作日内")
    expect(told(writer)).to_contain_text(re.compile("如各单位在 .+（方案开始之日）签收，将于"))
    fill(writer, "启动时间", "12月1日起")
    expect(told(writer, 1)).to_contain_text("将于 2025-12-01 周一 零时启动")
    fill(writer, "完成时限", "10月底前")
    expect(lint).to_contain_text("没有时间办理")

    tool(writer, "任务")
    fill(writer, "短标题", "建立台账")
    fill(writer, "启动时间", "任务1办结后3个工作日")
    expect(told(writer, 1)).to_contain_text("如前序任务在")
    fill(writer, "启动时间", "任务7办结后3个工作日")
    expect(told(writer, 1)).to_contain_text("没有读懂启动时间")


def test_words_typed_without_a_network_are_read_when_it_is_back(enter: Enter) -> None:
    writer = begun(enter, "黄石市断网试点方案")
    saved(writer)
    writer.page.context.set_offline(True)
    fill(writer, "完成时限", "10月底前")
    expect(told(writer)).to_contain_text("“完成时限”还没有读成规则")
    writer.page.context.set_offline(False)
    writer.page.get_by_role("button", name="重新读一遍").click()
    expect(told(writer)).to_contain_text("将于 2025-10-31")


def test_a_quarterly_limit_gets_its_quarterly_rhythm(enter: Enter, site: Site) -> None:
    title = "黄石市季度调度试点方案"
    writer = begun(enter, title)
    page = writer.page
    fill(writer, "完成时限", "每季度末月25日前")
    expect(told(writer)).to_contain_text("每季度一期，时限为当季末月25日")
    expect(page.locator("[data-lint]")).to_contain_text("却没有报送节奏")
    page.get_by_role("button", name="按“每季度末月25日前”新建节奏").click()
    expect(page.get_by_label("单独的报送节奏", exact=True).locator("option:checked")).to_have_text("每季度报送")
    saved(writer)
    expect(page.locator("[data-lint]")).not_to_contain_text("报送节奏")
    assert 'due="FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=25"' in kept(site, title)

    page.locator(".djs-container > svg").click(position={"x": 8, "y": 8})
    page.get_by_role("button", name="添加每年报送").click()
    yearly = page.locator("[data-part=cadence-yearly]")
    expect(yearly).to_contain_text("共 2 期")
    yearly.locator("summary").click()
    yearly.get_by_label("截止规则：周期").select_option(label="每季度")
    yearly.get_by_label("截止规则：月份").select_option(label="首月")
    yearly.get_by_label("截止规则：哪一天").select_option(label="第 3 个工作日")
    saved(writer)
    assert 'due="FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=3"' in kept(site, title)
    writer.look("rhythms")


def test_findings_are_told_in_words_of_the_drawing_and_one_hides_no_other(enter: Enter) -> None:
    writer = begun(enter, "黄石市检查结果试点方案")
    page = writer.page
    fill(writer, "完成时限", "8月底前")
    page.locator("[data-part=figures] summary").click()
    page.get_by_role("button", name="添加指标").click()
    fill(writer, "名称", "走访企业")
    fill(writer, "目标值", "一百家")
    fill(writer, "计量单位", "家")
    tool(writer, "任务")
    fill(writer, "短标题", "没有单位也没有序号的任务")
    fill(writer, "序号", "")
    tool(writer, "并行")
    tool(writer, "开始")
    page.locator(".djs-container > svg").click(position={"x": 8, "y": 8})
    page.get_by_role("button", name="添加每月报送").click()
    page.get_by_role("button", name="添加每月报送").click()
    expect(page.locator("[data-part=cadences]")).to_contain_text("月报送 2")
    saved(writer)
    lint = page.locator("[data-lint]")
    for words in (
        "从“开始”走不到“并行”",
        "“开始”没有连出的线",
        "目标值”写成“一百家”",
        "任务“没有单位也没有序号的任务”：“任务”缺少“序号”，请填写。",
        "没有原文",
        "无人办理",
    ):
        expect(lint).to_contain_text(words)
    expect(lint.locator(".where", has_text="没有单位也没有序号的任务").first).to_be_visible()
    expect(lint).not_to_contain_text("undefined")
    writer.look("findings")  # no Latin word anywhere
