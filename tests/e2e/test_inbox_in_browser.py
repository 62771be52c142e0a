"""The inbox and the views of the ledger, worked with at both widths: by keyboard, by words, in batches, by name."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Enter

pytestmark = pytest.mark.e2e

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_found_while_typing_and_grouped(enter: Enter, width: int) -> None:
    liaison = enter("renshe", width)
    liaison.go("/inbox")
    page, n = liaison.page, liaison.page.locator("article.slip").count()
    assert re.fullmatch(rf"\({n}\) 待办 · 督办台账", page.title())
    liaison.look("inbox")
    search = page.get_by_role("searchbox")
    search.press_sequentially("zcjz")  # 政策集中 …兑现
    expect(page.locator("#says")).to_contain_text("找到")
    expect(page.locator("article.slip")).not_to_have_count(n)
    expect(search).to_be_focused()
    assert page.url.endswith("/inbox?q=zcjz")
    liaison.look("found")
    search.fill("没有这样的任务")
    expect(page.get_by_text("没有找到“没有这样的任务”")).to_be_visible()
    liaison.look("nothing")
    page.get_by_role("link", name=re.compile("看全部")).click()
    expect(page.locator("article.slip")).to_have_count(n)
    for way in ("方案", "时限", "灯"):
        page.get_by_label("分组方式").get_by_role("link", name=way, exact=True).click()
        expect(page.get_by_label("分组方式").locator("[aria-current]")).to_have_text(way)
        liaison.look("grouped")


@WIDTHS
def test_a_batch_keeps_the_place_and_lists_what_was_not_done(enter: Enter, width: int) -> None:
    account = {1280: "jiaoyu", 390: "daye"}[width]
    liaison, colleague = enter(account, width), enter(account, width)
    for visitor in (liaison, colleague):
        visitor.go("/inbox?by=due")
    first = colleague.page.locator("article.slip").filter(has=colleague.page.locator(".pick")).first
    first.get_by_role("button", name=re.compile("签")).click()
    expect(colleague.page.locator(".toast")).to_have_text("已签收。")
    assert colleague.page.url.endswith("/inbox?by=due")
    liaison.page.get_by_label("全选本页").check()
    liaison.expect_refusal("/inbox/acknowledge")
    liaison.press("批量签收")
    expect(liaison.page.get_by_role("heading", level=1)).to_have_text("签收结果")
    expect(liaison.page.get_by_role("row").filter(has_text="没有签收")).to_have_count(1)
    expect(liaison.page.get_by_role("row").filter(has_text="已签收").first).to_be_visible()
    liaison.look("result")
    liaison.page.get_by_role("link", name="回到待办").click()
    assert liaison.page.url.endswith("/inbox?by=due")
    expect(liaison.page.locator(".pick")).to_have_count(0)


def test_a_slip_signed_for_leaves_the_page_where_it_was(enter: Enter) -> None:
    liaison = enter("renshe", 390)
    liaison.go("/inbox")
    last = liaison.page.locator("article.slip").filter(has=liaison.page.locator(".pick")).last
    last.scroll_into_view_if_needed()
    before = liaison.page.evaluate("scrollY")
    assert before > 0
    last.get_by_role("button", name=re.compile("签")).click()
    expect(liaison.page.locator(".toast")).to_have_text("已签收。")
    liaison.page.wait_for_function("before => Math.abs(scrollY - before) < 200", arg=before)


def test_by_keyboard(enter: Enter) -> None:
    liaison = enter("gongan")
    liaison.go("/inbox")
    page = liaison.page
    titles = page.locator("article.slip h3 a")
    keys = page.keyboard
    keys.press("j")
    expect(titles.nth(0)).to_be_focused()
    keys.press("ArrowDown")
    expect(titles.nth(1)).to_be_focused()
    liaison.look("by-keyboard")
    keys.press("k")
    expect(titles.nth(0)).to_be_focused()
    unsigned = page.locator("article.slip").filter(has=page.locator(".pick")).first
    unsigned.locator("h3 a").focus()
    box = unsigned.locator(".pick input")
    keys.press("x")
    expect(box).to_be_checked()
    keys.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    keys.type("jk")  # in a field they are letters
    expect(page.get_by_role("searchbox")).to_have_value("jk")
    page.get_by_role("searchbox").fill("")
    expect(titles.first).to_be_visible()
    keys.press("Escape")
    expect(titles.nth(0)).to_be_focused()
    keys.press("?")
    expect(page.get_by_text("正在填写时不起作用。")).to_be_visible()
    liaison.look("help")
    page.get_by_label("启用单键操作").uncheck()
    titles.nth(0).focus()
    keys.press("j")
    expect(titles.nth(0)).to_be_focused()
    page.reload()
    keys.press("j")
    expect(titles.nth(0)).not_to_be_focused()
    keys.press("?")
    page.get_by_text("键盘操作").click()
    page.get_by_label("启用单键操作").check()
    titles.nth(0).focus()
    title = titles.nth(0).inner_text()
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


@WIDTHS
def test_a_view_is_kept_opened_shared_and_deleted(enter: Enter, width: int) -> None:
    name = f"教育局{width}"
    office = enter("zhuanban", width)
    office.go(f"/ledger?unit=市教育局&role=lead&sort={'due' if width == 1280 else 'no'}")
    page = office.page
    page.get_by_text("存为视图", exact=True).click()
    page.get_by_label("名称").fill(name)
    office_name = page.get_by_label("谁能用").locator("option").nth(1).inner_text()
    page.get_by_label("谁能用").select_option(office_name)
    page.get_by_label("打开台账先看它").check()
    office.look("keeping")
    office.press("存视图", f"视图“{name}”已存。")
    expect(page.locator(".views [aria-current]")).to_have_text(f"{name}共享")
    office.look("kept")
    office.go("/inbox")
    page.locator(".tabbar, .nav").get_by_role("link", name="台账").locator("visible=true").click()
    expect(page.locator(".views [aria-current]")).to_have_text(f"{name}共享")
    page.locator(".views").get_by_role("link", name="全部", exact=True).click()
    expect(page.locator(".views [aria-current]")).to_have_text("全部")
    page.get_by_role("link", name="管理视图").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("台账视图")
    page.get_by_text("改名、共享").first.click()
    office.look("managing")
    page.get_by_label(f"“{name}”的名称").fill(f"新{name}"[:20])
    for button, says in (
        ("保存", "已保存。"),
        ("不再先看它", "以后打开台账先看全部任务。"),
        ("删除", "视图已删除。"),
    ):
        page.get_by_role("button", name=re.compile(f"^{button}")).click()
        expect(page.locator(".toast")).to_have_text(says)
    office.look("deleted")


@WIDTHS
def test_a_plan_is_found_by_its_initials(enter: Enter, width: int) -> None:
    office = enter("zhuanban", width)
    office.go("/ledger?sort=no")
    page = office.page
    if page.locator(".more").is_visible():
        page.check("#f-more")
    page.locator("#f-plan").focus()
    expect(page.locator("#plan-names option")).to_have_count(1)
    page.locator("#f-plan").fill("brgj")
    page.locator("#f-plan").press("Enter")
    page.wait_for_url("**/ledger?run=*")
    expect(page.locator("#f-plan")).to_have_value("百日攻坚")
    expect(page.locator("#f-heading option").first).to_have_text(re.compile(r"全部 \d 个"))
    if page.locator(".more").is_visible():
        page.check("#f-more")
    page.locator("#f-plan").fill("")
    page.locator("#f-plan").press("Tab")
    page.wait_for_url(re.compile(r"/ledger\?sort=no$"))
    office.look("plan-cleared")
