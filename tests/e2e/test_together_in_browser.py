"""会签 and 或签: a share is signed on two levels in its unit, then by three at once, on desks and phones; everybody
sees who has agreed, and who comes late is told who was faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from bpmn.library import plan_xml
from bpmn.plan import Plan, Share
from bpmn.reading import read_plan
from bpmn.writing import write_plan
from engine import opening
from engine.clockwork import advance_to
from ledger import organisation
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.directory import register_person, take_post
from ledger.migrating import upgrade
from tests.e2e.conftest import Enter
from tests.e2e.deployment import NOW, PLAN, START, Site, running
from tests.e2e.visitor import Visitor
from webapp import hashing
from webapp.demo import campaign
from webapp.demo.people import PASSWORD, seat_people

pytestmark = pytest.mark.e2e

TITLE = "智汇黄石高校行和招聘会"
SUMMARY = "招聘会全部办结，企业名单和签到表已存档。"
HEAD = "daye-keshi"


def plan() -> Plan:
    """百日攻坚, one item of which is reviewed as `countersign` draws it."""
    bairi = read_plan(plan_xml(PLAN))
    shares = (Share("市人社局", "lead"), Share("大冶市", "responsible"))
    headings = tuple(
        replace(
            h,
            items=tuple(
                replace(i, shares=shares, completion="lead", indicators=(), cadence=None, lifecycle="countersign")
                if i.id == "t26"
                else i
                for i in h.items
            ),
        )
        for h in bairi.headings
    )
    return replace(bairi, headings=headings)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("together") / "duban.sqlite3"
    upgrade(f"sqlite:///{file}")
    db = Database(f"sqlite:///{file}", StoredClock())
    campaign.prepare(db, START)
    with db.write() as tx:
        seat_people(tx, plan(), organisation.load("huangshi"))
        shared = hashing.hashed(PASSWORD)
        head = register_person(tx, login=HEAD, name="石明", email="keshi@example.org", password_hash=shared)
        take_post(tx, head, "daye", "section_head")
        opening.start_run(tx, opening.publish(tx, write_plan(plan())))
    advance_to(db, NOW)
    db.close()
    with running(file, tmp_path_factory.mktemp("site")) as deployed:
        yield deployed


def open_slip(visitor: Visitor) -> None:
    visitor.go("/inbox")
    visitor.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()


def test_levels_then_all_then_the_first(enter: Enter) -> None:
    apply(enter("daye", 1280))
    sign_inside(enter)
    first, second, last = enter("zhuanban", 1280), enter("ducha", 390), enter("renshe-fenguan", 390)
    for n, visitor in enumerate((first, second)):
        open_slip(visitor)
        expect(visitor.page.locator(".pane")).to_contain_text(f"会签 {n}/3 已同意")
        visitor.look(f"countersign-{n}")
        visitor.press("会签同意", "已同意。")
        visitor.go("/inbox")
        expect(visitor.page.locator("article", has_text=TITLE)).to_have_count(0)
    open_slip(last)
    expect(last.page.locator(".pane .signers .done")).to_have_count(2)
    expect(last.page.locator(".pane .signers li:not(.done)")).to_contain_text("市人社局 分管负责人")
    last.look("countersign-2")
    last.press("会签同意", "已同意。")

    # 或签: two have it before them; the slower one is told who was faster, and keeps what was typed.
    leader = enter("lingdao", 390)
    open_slip(leader)
    leader.look("either")
    open_slip(last)
    last.page.get_by_label("意见").fill("请补充名单。")
    leader.press("同意办结", "已同意。")
    last.expect_refusal(str(last.page.locator("form", has=last.page.locator("[name=reason]")).get_attribute("action")))
    last.press("退回补正")
    expect(last.page.get_by_role("alert")).to_contain_text("市政府办")
    expect(last.page.locator("textarea[readonly]")).to_have_value("请补充名单。")
    expect(last.page.locator(".units tbody tr", has_text="大冶市")).to_contain_text("已办结")
    last.look("late")


def apply(county: Visitor) -> None:
    county.slip(TITLE).get_by_role("button", name="签 收").click()
    expect(county.page.locator(".toast")).to_have_text("已签收。")
    open_slip(county)
    county.page.get_by_role("link", name="申请办结").click()
    expect(county.page.locator("main")).to_contain_text("送本单位科室负责人审签")
    county.page.get_by_label("完成情况").fill(SUMMARY)
    county.press("申请办结", "")


def sign_inside(enter: Enter) -> None:
    head = enter(HEAD, 390)
    head.slip(TITLE).get_by_role("link", name="审 签").click()
    head.look("section")
    head.go("/inbox/sign")
    head.press("审签同意")
    expect(head.page.locator("main")).to_contain_text("其中 1 件送本单位下一级审签")
    deputy = enter("daye-fenguan", 390)
    deputy.go("/inbox/sign")
    expect(deputy.page.locator("input[name=todo]")).to_have_count(1)
    deputy.press("同意并报送")
    expect(deputy.page.locator("main")).to_contain_text("已审签 1 件，全部报送")
    deputy.look("signed")
