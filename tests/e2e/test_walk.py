"""Liaison, deputy head and coordinator take an item from 签收 to 已办结: at a desk, on a phone, and by forms alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from tests.e2e.forms import Reader
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

PROGRESS = "已走访重点企业四十家，政策清单逐户送达。"
SUMMARY = "条文所列事项全部落实。"
REASON = "缺佐证材料，请附兑现明细。"
MENDED = "已附兑现明细，逐笔核对无误。"


@dataclass(frozen=True)
class Planned:
    """An item that 市人社局 alone holds."""

    element: str
    title: str
    width: int


AT_DESK = Planned("t04", "就业政策集中兑现", 1280)
ON_PHONE = Planned("t27", "直播带岗和空中面试", 390)


@pytest.mark.parametrize("planned", [AT_DESK, ON_PHONE], ids=["desk", "phone"])
def test_three_people_take_an_item_to_its_end(enter: Enter, planned: Planned) -> None:
    office = enter("zhuanban", planned.width)
    closed_before = tally(office)
    unit = enter("renshe", planned.width)
    sign_for_report_and_apply(unit, planned.title)
    unit.log_out()
    unit.log_in("renshe-fenguan")
    sign(unit, planned.title, SUMMARY)

    office.go("/inbox")
    send_back(office, planned.title)

    unit.log_out()
    unit.log_in("renshe")
    mend(unit, planned.title)
    unit.log_out()
    unit.log_in("renshe-fenguan")
    sign(unit, planned.title, MENDED)

    office.go("/inbox")
    office.slip(planned.title).get_by_role("link", name="审 核").click()
    expect(office.page.locator("blockquote", has_text=MENDED)).to_be_visible()
    office.press("同意办结", "已同意。")
    expect(office.page.locator(".head .state")).to_have_text("已办结")
    expect(office.page.locator(".head .light")).to_have_text("已办结")
    expect(office.page.get_by_text("任务办结")).to_be_visible()
    expect(office.page.locator("#forms form")).to_have_count(0)
    office.look("closed")

    assert tally(office) == closed_before + 1
    office.look("ledger")
    drawn(office, planned)
    unit.go("/inbox")
    expect(unit.page.get_by_role("link", name=planned.title, exact=True)).to_have_count(0)


def sign_for_report_and_apply(liaison: Visitor, title: str) -> None:
    liaison.look("inbox")
    liaison.slip(title).get_by_role("button", name="签 收").click()
    expect(liaison.page.locator(".toast")).to_have_text("已签收。")
    slip = liaison.slip(title)
    expect(slip.locator(".state")).to_have_text("办理中")
    liaison.shoot("signed-for")
    slip.get_by_role("link", name=title, exact=True).click()
    expect(liaison.page.get_by_role("heading", level=1)).to_have_text(title)
    liaison.look("work")
    liaison.page.get_by_label("进展").fill(PROGRESS)
    liaison.press("填报", "已填报。")
    expect(liaison.page.get_by_text(PROGRESS)).to_be_visible()
    liaison.look("reported")
    liaison.page.get_by_role("link", name="申请办结").click()
    liaison.page.get_by_label("完成情况").fill(SUMMARY)
    liaison.look("applying")
    liaison.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    expect(liaison.page.locator("table.units .state")).to_have_text("待审签")
    liaison.look("applied")


def sign(signer: Visitor, title: str, summary: str) -> None:
    signer.slip(title).get_by_role("link", name="审 签").click()
    expect(signer.page.locator("blockquote", has_text=summary)).to_be_visible()
    signer.look("signing")
    signer.press("同意并报送", "已同意。")
    expect(signer.page.locator("table.units .state")).to_have_text("待审核")
    signer.look("signed")


def send_back(office: Visitor, title: str) -> None:
    """Without a reason the form says what is missing, with one it goes back."""
    office.look("inbox")
    office.slip(title).get_by_role("link", name="审 核").click()
    expect(office.page.locator("blockquote", has_text=SUMMARY)).to_be_visible()
    office.look("reviewing")
    action = str(office.page.locator("#forms form").get_attribute("action"))
    office.expect_refusal(action)
    office.press("退回补正")
    expect(office.page.locator("#err-reason")).to_contain_text("请写明退回理由")
    expect(office.page.get_by_label("意见")).to_have_attribute("aria-invalid", "true")
    office.look("unsaid")
    office.page.get_by_label("意见").fill(REASON)
    office.press("退回补正", "已退回，理由已告知对方。")
    office.look("sent-back")


def mend(liaison: Visitor, title: str) -> None:
    slip = liaison.slip(title)
    expect(slip.locator(".slip-q")).to_contain_text(REASON)
    group = liaison.page.locator("h2.grp + .slips").filter(has=liaison.page.get_by_role("link", name=title, exact=True))
    expect(group.locator("xpath=preceding-sibling::h2[1]")).to_have_text("退回补正 1 件")
    liaison.look("returned")
    slip.get_by_role("link", name="补 正").click()
    expect(liaison.page.locator("#forms .note", has_text=REASON)).to_be_visible()
    liaison.page.get_by_label("完成情况").fill(MENDED)
    liaison.look("mending")
    liaison.press("重新提交", "已提交，送下一步审签或审核；结果会发到待办。")


def tally(visitor: Visitor) -> int:
    """How many items the ledger counts as closed."""
    visitor.go("/ledger")
    return int(visitor.page.locator(".tally .is-blue b").inner_text())


def drawn(visitor: Visitor, planned: Planned) -> None:
    """The plan's diagram and its contents show the item as closed."""
    visitor.page.goto(f"{visitor.site.url}/plans")
    visitor.page.locator("h2 a[href^='/plans/']").click()
    visitor.settle()
    box = visitor.page.locator(f"[data-element-id={planned.element}]")
    expect(box).to_have_class(re.compile(r"\blight-blue\b"))
    badge = visitor.page.locator(f".djs-overlays[data-container-id={planned.element}] .plan-light")
    expect(badge).to_have_text("☑ 已办结")
    row = visitor.page.locator(".toc li").filter(has_text=planned.title)
    expect(row.locator(".is-blue")).to_have_text("已办结")
    visitor.look("plan")


# ---------------------------------------------------------------- by forms alone
def test_three_people_take_an_item_to_its_end_by_forms_alone(site: Site) -> None:
    """No script runs and no service is called: links and forms of the pages, sent as they were served."""
    title = "扩大国有企业招聘规模"
    liaison, signer, office = (Reader(site.url, who) for who in ("guozi", "guozi-fenguan", "zhuanban"))
    office.open("/ledger")
    closed_before = int(office.words("//nav[@class='tally']/a[contains(@class,'is-blue')]/b"))

    liaison.open("/inbox")
    liaison.submit("//form[@id='batch']", one=liaison.value(f"//article[.//a='{title}']//button[@name='one']"))
    assert liaison.says("已签收。")
    liaison.follow(f"//article//a[.='{title}']")
    liaison.submit("//form[contains(@action,'/report')]", progress=PROGRESS, act="report")
    assert liaison.says("已填报。")
    assert liaison.says(PROGRESS)
    liaison.follow("//div[@class='tabs']/a[.='申请办结']")
    liaison.submit("//form[contains(@action,'/submit')]", summary=SUMMARY)
    assert liaison.says("已提交，送下一步审签或审核")

    decide(signer, title, SUMMARY, act="agree")
    decide(office, title, SUMMARY, act="return", reason=REASON)

    liaison.open("/inbox")
    assert REASON in liaison.words(f"//article[.//a='{title}']")
    liaison.follow(f"//article//a[.='{title}']")
    assert liaison.says(REASON)
    liaison.follow("//div[@class='tabs']/a[.='补正后重新提交']")
    liaison.submit("//form[contains(@action,'/submit')]", summary=MENDED)

    decide(signer, title, MENDED, act="agree")
    decide(office, title, MENDED, act="agree")
    assert office.words("//div[@class='head']//span[@class='state']") == "已办结"
    item = office.path

    office.open("/ledger")
    assert int(office.words("//nav[@class='tally']/a[contains(@class,'is-blue')]/b")) == closed_before + 1
    office.open("/plans")
    office.follow("//h2/a[contains(@href,'/plans/')]")
    lights = office.json(office.value("//div[@data-bpmn]", "data-lights"))
    assert lights["t08"] == {"colour": "blue", "shape": "☑", "word": "已办结", "href": item}


def decide(reader: Reader, title: str, summary: str, **fields: str) -> None:
    reader.open("/inbox")
    reader.follow(f"//article//a[.='{title}']")
    assert reader.says(summary)
    reader.submit("//form[contains(@action,'/decide')]", **fields)
    assert reader.says("已同意。" if fields["act"] == "agree" else "已退回，理由已告知对方。")
