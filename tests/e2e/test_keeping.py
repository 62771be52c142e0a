"""Nothing typed is lost: someone was faster, something is missing, the page was left, a number is doubted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from ledger.schema import assignment, item, person, round_, share
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

HERS = "第一位写的：政策兑现已全部完成。"
HIS = "第二位写了很久的完成情况，不能丢。"


def opened(visitor: Visitor, title: str, tab: str | None = None) -> None:
    """The item's page on one of its forms, signed for."""
    visitor.go("/inbox")
    slip = visitor.slip(title)
    button = slip.get_by_role("button", name="签 收")
    if button.count():
        button.click()
        expect(visitor.page.locator(".toast")).to_have_text("已签收。")
    visitor.slip(title).get_by_role("link", name=title, exact=True).click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text(title)
    if tab:
        visitor.page.locator(".tabs").get_by_role("link", name=tab, exact=True).click()
        expect(visitor.page.locator(".tabs [aria-current]")).to_have_text(tab)


def refuse_next(visitor: Visitor) -> None:
    """The form that is open will be refused, which the browser notes."""
    visitor.expect_refusal(str(visitor.page.locator("#forms form").get_attribute("action")))


def holder(site: Site, login: str) -> str:
    with site.db.read() as connection:
        return str(connection.execute(select(person.c.name).where(person.c.login == login)).scalar_one())


def weekly_of(site: Site, unit: str) -> int:
    """The unit's share of the open weekly round."""
    with site.db.read() as connection:
        found = connection.execute(
            select(share.c.id)
            .join(round_, round_.c.id == share.c.round_id)
            .where(share.c.unit == unit, round_.c.cadence == "weekly")
        )
        return int(found.scalar_one())


@pytest.mark.parametrize("width", [1280, 390])
def test_second_of_two_is_told_who_and_when_and_keeps_the_text(enter: Enter, site: Site, width: int) -> None:
    title = {1280: "就业政策集中兑现", 390: "直播带岗和空中面试"}[width]
    first, second = enter("renshe", width), enter("renshe", width)
    opened(first, title, "申请办结")
    opened(second, title, "申请办结")
    second.page.get_by_label("完成情况").fill(HIS)
    first.page.get_by_label("完成情况").fill(HERS)
    first.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")

    refuse_next(second)
    second.press("申请办结")
    notice = second.page.get_by_role("alert").filter(has_text="您的内容没有提交")
    expect(notice).to_contain_text(f"市人社局 {holder(site, 'renshe')} 已于 05-26 10:00")
    expect(notice).to_be_in_viewport()
    expect(second.page.get_by_label("您写的内容，可以复制留用")).to_have_value(HIS)
    second.look("conflict")
    with site.db.read() as connection:
        state = connection.execute(
            select(assignment.c.state).join(item, item.c.id == assignment.c.item_id).where(item.c.title == title)
        ).scalar_one()
    assert state == "signing"


def test_second_report_of_a_round_is_told_who_and_when_and_keeps_the_text(enter: Enter, site: Site) -> None:
    address = f"/rounds/{weekly_of(site, 'xuanchuan')}"
    first, second = enter("xuanchuan"), enter("xuanchuan")
    opened(first, "开展智汇黄石行活动")
    first.go(address)
    second.go(address)
    second.page.get_by_text("进展、问题（选填）").click()
    second.page.get_by_label("进展 做了什么").fill(HIS)
    first.page.get_by_role("button", name=re.compile("本期无新进展")).click()
    expect(first.page.locator(".toast")).to_have_text("已报送第1期周调度：本期无新进展。")

    second.expect_refusal(address)
    second.press("报送")
    expect(second.page.get_by_role("alert")).to_be_in_viewport()
    expect(second.page.get_by_role("alert")).to_contain_text(f"{holder(site, 'xuanchuan')} 已于 05-26 10:00")
    expect(second.page.get_by_label("进展 做了什么")).to_have_value(HIS)
    second.look("conflict")


@pytest.mark.parametrize("width", [1280, 390])
def test_empty_summary_is_named_beside_its_field_and_the_rest_is_kept(enter: Enter, width: int) -> None:
    liaison = enter("guozi", width)
    opened(liaison, "扩大国有企业招聘规模", "申请办结")
    liaison.page.get_by_text("遗留问题（选填）").click()
    liaison.page.get_by_label("遗留问题").fill("两家企业的名额还在核定。")
    refuse_next(liaison)
    liaison.press("申请办结")
    summary = liaison.page.get_by_label("完成情况")
    expect(summary).to_have_attribute("aria-describedby", "err-summary")
    expect(summary).to_be_focused()
    expect(liaison.page.locator("#err-summary")).to_be_in_viewport()
    expect(liaison.page.locator("#err-summary")).to_contain_text("完成情况")
    expect(liaison.page.get_by_label("遗留问题")).to_have_value("两家企业的名额还在核定。")
    liaison.look("missing")


@pytest.mark.parametrize(
    ("width", "account", "title"), [(1280, "gongan", "毕业生就业护航行动"), (390, "caizheng", "便捷办理创业担保贷款")]
)
def test_draft_that_was_left_is_there_again(enter: Enter, width: int, account: str, title: str) -> None:
    liaison, words = enter(account, width), "写到一半，被叫去开会了"
    opened(liaison, title, "填报")
    liaison.page.get_by_label("进展").press_sequentially(words)
    expect(liaison.page.get_by_text("草稿已存 10:00")).to_be_visible()
    liaison.look("drafted")
    liaison.page.reload()
    expect(liaison.page.get_by_label("进展")).to_have_value(words)
    expect(liaison.page.get_by_text("草稿已存")).to_be_visible()
    again = enter(account, width)
    opened(again, title, "填报")
    expect(again.page.get_by_label("进展")).to_have_value(words)


def test_what_is_typed_before_the_script_is_there_is_kept_too(enter: Enter) -> None:
    liaison, words, held = enter("jiaoyu", 390), "网络很慢，先写了再说", []
    opened(liaison, "开展“六进”校园活动", "填报")
    liaison.page.route(re.compile(r"/app\b[^/]*\.js"), lambda route: held.append(route))
    liaison.page.reload(wait_until="commit")
    liaison.page.get_by_label("进展").press_sequentially(words)
    expect(liaison.page.get_by_label("进展")).to_have_value(words)
    assert len(held) == 1, "the script was there before"
    held[0].continue_()
    expect(liaison.page.get_by_text("草稿已存 10:00")).to_be_visible()


def test_figure_ten_times_too_big_is_asked_about_and_taken_when_confirmed(enter: Enter) -> None:
    liaison = enter("renshe", 390)
    opened(liaison, "归集城乡基层就业岗位", "填报")
    figure, words = liaison.page.get_by_label("本单位累计"), liaison.page.get_by_label("进展")
    figure.fill("350")
    liaison.press("填报", "已填报。")

    figure.fill("3500")
    words.fill("会同乡镇归集。")
    refuse_next(liaison)
    liaison.press("填报")
    expect(liaison.page.locator("[id^=err-figure]")).to_contain_text("3,500")
    expect(figure).to_have_value("3500")
    expect(words).to_have_value("会同乡镇归集。")
    liaison.look("asked")
    liaison.press("填报")  # without the tick it asks again
    expect(liaison.page.get_by_label("数字确实如此，仍要提交")).not_to_be_checked()
    liaison.page.get_by_label("数字确实如此，仍要提交").check()
    liaison.press("填报", "已填报。")
    expect(liaison.page.locator(".fig .v b").first).to_have_text("3,500")
    liaison.look("taken")
