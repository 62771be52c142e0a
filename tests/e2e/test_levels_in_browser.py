"""分解下达: a county hands its share to two towns at a desk, the towns report and apply on a phone, the county sums up
and reports once, the city accepts and sees 3/3; the inspector looks into what lies below, the coordinator cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

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
from ledger.migrating import upgrade
from tests.e2e.conftest import Enter
from tests.e2e.deployment import NOW, PLAN, START, Site, running
from tests.e2e.visitor import Visitor
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.demo.people import seat_people

pytestmark = pytest.mark.e2e

TITLE, NO = "智汇黄石高校行和招聘会", "26"
TOWNS = {"daye-jinhu": ("金湖街道", "5"), "daye-chengui": ("陈贵镇", "3")}
NOTE = "每场须留存参会企业名单。"
SUMMARY = "招聘会全部办结，名单已存档。"
SEEN_BELOW = "金湖街道"


def plan() -> Plan:
    """百日攻坚, with a quota of the fairs for each county."""
    bairi = read_plan(plan_xml(PLAN))

    def counted(item_id: str) -> object:
        return item_id == "t26"

    headings = tuple(
        replace(
            h,
            items=tuple(
                replace(
                    i,
                    shares=tuple(Share(u, "responsible", Decimal(8)) for u in ("大冶市", "阳新县", "下陆区")),
                    indicators=(replace(i.indicators[2], value=Decimal(24), per="total", unit_name=None),),
                )
                if counted(i.id)
                else i
                for i in h.items
            ),
        )
        for h in bairi.headings
    )
    return replace(bairi, headings=headings)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("levels") / "duban.sqlite3"
    _build(file)
    with running(file, tmp_path_factory.mktemp("site")) as deployed:
        yield deployed


def _build(file: Path) -> None:
    upgrade(f"sqlite:///{file}")
    db = Database(f"sqlite:///{file}", StoredClock())
    campaign.prepare(db, START)
    with db.write() as tx:
        seat_people(tx, plan(), organisation.load("huangshi"))
        run_id = opening.start_run(tx, opening.publish(tx, write_plan(plan())))
    advance_to(db, NOW)
    office = Office(db, run_id)
    for unit in ("yangxin", "xialu"):  # the two beside it are done
        office.acknowledge(unit)
        office.apply(unit, NO, "八场招聘会已举办。", {"local-job-fairs": 8})
        assert [office.decide(unit, NO) for _ in range(2)] == ["sign", "review"]
    db.close()


def test_a_county_splits_its_share_to_two_towns_and_reports_once(enter: Enter) -> None:
    county = enter("daye", 1280)
    county.slip(TITLE).get_by_role("button", name="签 收").click()
    expect(county.page.locator(".toast")).to_have_text("已签收。")
    item = hand_down(county)
    for account, (_, value) in TOWNS.items():
        report_and_apply(enter(account, 390), value)
        signer = enter(f"{account}-fenguan", 390)
        signer.slip(TITLE).get_by_role("link", name="审 签").click()
        signer.press("同意并报送", "已同意。")
    review_and_report_once(county, item)
    signer = enter("daye-fenguan", 1280)
    signer.slip(TITLE).get_by_role("link", name="审 签").click()
    signer.press("同意并报送", "已同意。")
    accept(enter, item)
    look_from_above(enter, item)


def hand_down(county: Visitor) -> str:
    """Two rows by name, quotas that are added up as they are typed; the wrong sum is refused, and nothing is lost."""
    page = county.page
    county.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
    page.get_by_text("更多办理").click()
    page.get_by_role("link", name="分解下达").click()
    form = page.locator("form", has=page.locator("[data-split]"))
    county.look("split-empty")
    rows = list(TOWNS.values())
    form.locator("[name=unit-1]").fill("金湖")
    form.locator("[name=quota-1]").fill(rows[0][1])
    expect(form.locator("[data-sum]")).to_have_text("合计 5 / 8，还差 3")
    form.locator("[name=until-1]").fill("2025-08-15")
    form.locator("[name=unit-2]").fill(rows[1][0])
    form.locator("[name=quota-2]").fill("2")
    form.get_by_label("工作要求").fill(NOTE)
    form.get_by_role("button", name="再加一家").click()
    expect(form.locator("[name=unit-5]")).to_be_focused()
    county.look("split-typed")
    county.expect_refusal(str(form.get_attribute("action")))
    county.press("分解下达")
    expect(page.locator("#err-gap")).to_have_text(
        "各下级单位的分解数合计比本单位的 8 少 1；请改成一致，或者在这里写明原因。"
    )
    expect(form.locator("[name=unit-2]")).to_have_value(rows[1][0])
    county.look("split-refused")
    form.locator("[name=quota-2]").fill(rows[1][1])
    expect(form.locator("[data-sum]")).to_have_text("合计 8 / 8，一致")
    county.press("分解下达", "已办理。下达给下级单位的，在其待办里可以看到。")
    table = page.locator(".down table")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.locator("tr.total")).to_contain_text("8 / 8")
    county.look("handed-down")
    return page.url.removeprefix(county.site.url).partition("?")[0]


def report_and_apply(town: Visitor, value: str) -> None:
    page = town.page
    town.look("inbox")
    slip = town.slip(TITLE)
    expect(slip).to_contain_text("大冶市分解下达")
    slip.get_by_role("button", name="签 收").click()
    expect(page.locator(".toast")).to_have_text("已签收。")
    town.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
    expect(page.locator("main")).to_contain_text("本任务由大冶市分解下达")
    expect(page.locator("main")).to_contain_text(NOTE)
    town.look("work")
    page.get_by_label(re.compile("本单位累计")).fill(value)
    page.get_by_label("进展").fill("招聘会进村进社区。")
    town.press("填报", "已填报。")
    page.get_by_role("link", name="申请办结").click()
    page.get_by_label("完成情况").fill(SUMMARY)
    town.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    town.look("applied")


def review_and_report_once(county: Visitor, item: str) -> None:
    page = county.page
    county.go("/inbox")
    county.look("to-review")
    county.go(item)
    for name, _ in TOWNS.values():
        page.get_by_role("link", name=f"审核（{name}）").click()
        expect(page.locator("blockquote", has_text=SUMMARY)).to_be_visible()
        county.look("reviewing")
        county.press("同意办结", "已同意。")
    page.get_by_role("link", name="填报", exact=True).click()
    figure = page.get_by_label(re.compile("本单位累计"))
    expect(figure).to_have_value("8")
    figure.fill("7")
    form = page.locator("#forms form")
    county.expect_refusal(str(form.get_attribute("action")))
    county.press("填报")
    expect(form).to_contain_text("下级 2 家填报汇总为 8 场，与本次填报的 7 场不一致")
    county.look("differs")
    form.locator("input.num").fill("8")
    county.press("填报", "已填报。")
    page.get_by_role("link", name="申请办结").click()
    page.get_by_label("完成情况").fill("两个乡镇（街道）全部办结，八场招聘会已举办。")
    county.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    county.look("reported")


def accept(enter: Enter, item: str) -> None:
    """The city reviews the county's one application: what it comes to, and not what lies below."""
    office = enter("zhuanban", 1280)
    office.go(item)
    done = office.page.locator(".meta .nm")
    expect(done).to_have_text("2/3")
    expect(office.page.locator("#forms blockquote")).to_have_text("两个乡镇（街道）全部办结，八场招聘会已举办。")
    office.look("accepting")
    office.press("同意办结", "已同意。")
    expect(done).to_have_text("3/3")
    expect(office.page.locator(".fig-top .v")).to_have_text(re.compile(r"24\s*/\s*24\s*场"))
    on_phone = enter("zhuanban", 390)
    for visitor in (office, on_phone):
        visitor.go(f"/ledger?words={quote(TITLE)}")
        row = visitor.page.locator("tr", has=visitor.page.get_by_role("link", name=TITLE))
        expect(row.locator(".nm")).to_have_text("3/3")
        visitor.look("ledger")


def look_from_above(enter: Enter, item: str) -> None:
    office = enter("zhuanban", 1280)
    office.go(item)
    expect(office.page.locator(".meta .nm")).to_have_text("3/3")
    lower = office.page.locator("table.units .lower")
    expect(lower).to_have_text(re.compile(r"下级\s*2/2"))
    expect(office.page.locator("main")).not_to_contain_text(SEEN_BELOW)
    office.look("city")
    inspector = enter("ducha", 1280)
    inspector.go(item)
    expect(inspector.page.locator(".meta .nm")).to_have_text("3/3")
    expect(inspector.page.locator("table.units .lower")).to_have_text(re.compile(r"下级\s*2/2"))
    below = inspector.page.locator(".down table")
    for name, value in TOWNS.values():
        expect(below.get_by_role("row", name=name)).to_contain_text(value)
    expect(below.locator("tr.total")).to_contain_text("8 / 8")
    expect(inspector.page.locator("main")).to_contain_text("招聘会进村进社区。")
    inspector.look("drilled")
    part = str(inspector.page.locator(".down a.clear").first.get_attribute("href"))
    inspector.go(part)
    inspector.look("sheet")
    office.go(part, 404)
    on_phone = enter("ducha", 390)
    on_phone.go(item)
    on_phone.look("drilled")
    county = enter("daye", 390)
    county.go(item)
    county.look("county")
