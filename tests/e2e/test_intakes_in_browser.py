"""批示件 from the desk to the report: the office registers and proposes, a leader decides on a phone, units sign for it
and read on phones, the office reports and prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests import samples
from tests.e2e.conftest import Enter
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

TITLE = "摸清高校毕业生就业底数"
TO_READ = "学习外地稳就业做法"
WORDS = "请人社局牵头，摸清我市高校毕业生就业底数，月底前报我。"
ACCOUNT = "底数已摸清，未就业毕业生逐人建档。"


def test_a_leaders_word_is_carried_out_and_reported(enter: Enter, tmp_path: Path) -> None:
    office = enter("zhuanban", 1280)
    case = registered(office, TITLE, tmp_path)
    proposed(office)
    leader = enter("lingdao", 390)
    decided(leader, TITLE, "同意立项，交承办单位办理")
    carried_out(enter)
    reported(office, case)
    seen_by_others(enter, case)


def test_what_is_only_to_be_read_ends_with_one_tap_each(enter: Enter, tmp_path: Path) -> None:
    office = enter("zhuanban", 390)
    case = registered(office, TO_READ, tmp_path)
    page = office.page
    page.get_by_label("阅知：送有关单位阅知，确认即可").check()
    expect(page.get_by_label(re.compile("^牵头承办单位"))).to_be_hidden()
    page.get_by_label(re.compile("^阅知单位")).fill("市教育局，市财政局")
    page.get_by_label(re.compile("^拟办意见")).fill("请两局阅知。")
    office.look("propose-to-read")
    office.press("报审定", "拟办意见已报审定。")
    page.get_by_label("同意阅知，送有关单位").check()
    page.get_by_label(re.compile("^审定人")).fill("张明（市长）")
    page.get_by_label(re.compile("^理由和依据")).fill("张市长圈阅同意。")
    office.look("decide-recorded")
    office.press("确定", "已送有关单位阅知。")
    for unit in ("jiaoyu", "caizheng"):
        liaison = enter(unit, 390)
        liaison.slip(TO_READ).get_by_role("link", name=TO_READ, exact=True).click()
        expect(liaison.page.locator("main")).to_contain_text(WORDS)
        liaison.look("to-read")
        liaison.press("阅知", "已阅知。")
    office.go(case)
    expect(page.locator(".head .state")).to_have_text("已阅知")
    office.look("read")


def registered(office: Visitor, title: str, folder: Path) -> str:
    """An empty form says what is missing, a draft and a scan are kept; the case's address."""
    page = office.page
    office.go("/intakes")
    office.look("register")
    page.get_by_role("link", name="登记批示件").click()
    expect(page.get_by_text("本系统为非涉密系统", exact=True)).to_be_visible()
    office.look("new")
    office.expect_refusal("/intakes/new/instruction")
    office.press("登记")
    expect(page.locator("#err-title")).to_contain_text("请填写事项名称")
    office.look("new-refused")
    page.get_by_label(re.compile("^事项名称")).fill(title)
    page.get_by_label(re.compile("^批示领导")).fill("张明（市长）")
    page.get_by_label(re.compile("^批示日期")).fill("2025-05-23")
    page.get_by_label("批示载体").select_option(label="报告")
    page.get_by_label("记录方式").select_option(label="批示原文")
    page.get_by_label(re.compile("^批示内容")).fill(WORDS)
    page.get_by_label(re.compile("^来文标题")).fill("关于高校毕业生就业情况的报告")
    scan = folder / "批示扫描件.pdf"
    scan.write_bytes(samples.pdf())
    page.get_by_label("选择文件").set_input_files(scan)
    expect(page.locator("[data-upload]:not(.part)")).to_have_count(1)
    office.press("登记", "已登记，请提出拟办意见。")
    expect(page.get_by_role("link", name="批示扫描件.pdf", exact=True)).to_be_visible()
    return page.url.removeprefix(office.site.url)


def proposed(office: Visitor) -> None:
    page = office.page
    page.get_by_label("立项：交承办单位办理，办结后呈报").check()
    page.get_by_label(re.compile("^牵头承办单位")).fill("市人社局")
    page.get_by_label(re.compile("^配合单位")).fill("市某某局")
    page.get_by_label(re.compile("^或者工作日数")).fill("8")
    page.get_by_label(re.compile("^拟办意见")).fill("建议由市人社局牵头，市教育局配合。")
    office.expect_refusal(page.url.removeprefix(office.site.url) + "/propose")
    office.press("报审定")
    expect(page.locator("#err-others")).to_contain_text("单位目录中没有“市某某局”")
    office.look("propose-refused")
    page.get_by_label(re.compile("^配合单位")).fill("市教育局")
    office.press("报审定", "拟办意见已报审定。")
    expect(page.locator(".chain .now")).to_contain_text("等")
    office.look("proposed")


def decided(leader: Visitor, title: str, words: str) -> None:
    page = leader.page
    leader.look("overview-of-leader")
    page.locator("#decisions").get_by_role("link", name=title).click()
    page.get_by_label(words).check()
    expect(page.get_by_label(re.compile("^审定人"))).to_have_count(0)
    page.get_by_label(re.compile("^理由和依据")).fill("同意拟办意见，请抓紧办理。")
    leader.look("decide")
    leader.press("确定", "已立项，任务交办到承办单位。")
    leader.look("decided")


def carried_out(enter: Enter) -> None:
    """The units' own work, as on any other item."""
    for unit in ("renshe", "jiaoyu"):
        liaison = enter(unit, 390)
        page = liaison.page
        liaison.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
        expect(page.locator("main")).to_contain_text(WORDS)
        liaison.press("签收", "已签收，请按时限办理。")
        liaison.look("item-of-a-case")
        if unit == "jiaoyu":
            page.get_by_role("link", name="提交反馈").click()
            page.get_by_label("配合情况").fill("名单已比对。")
            liaison.press("提交反馈", "已提交，送下一步审签或审核；结果会发到待办。")
    lead = enter("renshe", 1280)
    lead.go("/inbox")
    lead.slip(TITLE).filter(has_text="配合").get_by_role("link", name=re.compile("认\\s*可")).click()
    lead.press("认可反馈", "已同意。")
    lead.page.get_by_role("link", name="申请办结").click()
    lead.page.get_by_label("完成情况").fill(ACCOUNT)
    lead.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    signer = enter("renshe-fenguan", 390)
    signer.slip(TITLE).get_by_role("link", name=re.compile("审\\s*签")).click()
    signer.press("同意并报送", "已同意。")
    reviewer = enter("zhuanban", 1280)
    reviewer.slip(TITLE).get_by_role("link", name=re.compile("审\\s*核")).click()
    reviewer.press("同意办结", "已同意。")


def reported(office: Visitor, case: str) -> None:
    page = office.page
    office.go("/inbox")
    office.slip(TITLE).get_by_role("link", name=re.compile("呈\\s*报")).click()
    page.get_by_label(re.compile("^呈报情况")).fill(ACCOUNT)
    page.get_by_label("呈报日期").fill("2025-05-26")
    office.look("present")
    office.press("呈报", "已呈报，办理完毕。")
    expect(page.locator(".head .state")).to_have_text("已呈报")
    office.look("presented")
    page.get_by_role("link", name="呈批单").click()
    expect(page.locator(".approval")).to_contain_text(ACCOUNT)
    office.look("sheet")
    office.go("/intakes?leader=张明（市长）&state=presented")
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    office.look("register-filtered")
    office.go("/plans/studio")
    expect(page.locator("main")).not_to_contain_text("登记簿")
    office.go("/plans")
    page.get_by_role("link", name="市就业领导小组批示件登记簿").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("批示件")


def seen_by_others(enter: Enter, case: str) -> None:
    """A unit that takes part reads the words, not what was reported upwards; another sees nothing."""
    liaison = enter("jiaoyu", 390)
    liaison.go(case)
    expect(liaison.page.locator("main")).to_contain_text(WORDS)
    expect(liaison.page.locator("main")).not_to_contain_text(ACCOUNT + "呈报")
    expect(liaison.page.get_by_role("link", name="呈批单")).to_have_count(0)
    liaison.look("seen-by-a-participant")
    other = enter("caizheng", 1280)
    other.go(case, 404)
