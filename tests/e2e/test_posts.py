"""A liaison hands over her post in one step; a deputy head signs ten applications from his phone in one batch."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from engine.commands import decide, perform
from engine.desk import TodoRef
from ledger.directory import register_person, take_post
from ledger.errors import DubanError
from ledger.people import actor_of
from ledger.schema import assignment, item, person, todo
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from webapp import hashing
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD

pytestmark = pytest.mark.e2e

NOTE = "第27项直播场地已谈妥，本周内签合同；联系人：王主任。"
TYPED = "已与三家平台对接，首场直播定在六月。"
TITLE = "直播带岗和空中面试"
TEN = 10


def newcomer(site: Site, login: str, name: str, unit: str, role: str) -> None:
    with site.db.write() as tx:
        hashed, email = hashing.hashed(PASSWORD), f"{login}@huangshi.example"
        made = register_person(tx, login=login, name=name, email=email, password_hash=hashed)
        take_post(tx, made, unit, role)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_liaison_hands_over_in_one_step(enter: Enter, site: Site, width: int) -> None:
    before, after = ("renshe", "renshe-2") if width == 1280 else ("renshe-2", "renshe-3")
    newcomer(site, after, "林晓", "renshe", "section_head")
    liaison = enter(before, width)
    count = liaison.page.locator(".head p b").first.inner_text()
    slip = liaison.slip(TITLE)
    if slip.get_by_role("button", name="签 收").count():
        slip.get_by_role("button", name="签 收").click()
    liaison.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
    liaison.page.get_by_label("进展").fill(TYPED)
    expect(liaison.page.get_by_text("草稿已存")).to_be_visible()

    liaison.go("/account")
    liaison.page.get_by_role("link", name="交接 市人社局 联络员").click()
    expect(liaison.page.get_by_role("heading", level=1)).to_have_text("岗位交接")
    expect(liaison.page.get_by_text(f"待办 {count} 件、草稿 1 份")).to_be_visible()
    is_only = width == 1280  # on the phone she keeps another post
    kept = "账号停用，不删除" if is_only else "还有其他岗位，账号保留"
    expect(liaison.page.get_by_text(kept)).to_be_visible()
    liaison.page.get_by_label("接任人账号").fill("查无此人")
    liaison.page.get_by_label("交接说明").fill(NOTE)
    liaison.look("preview")
    liaison.expect_refusal(liaison.page.url.removeprefix(site.url))
    liaison.press("确认交接")
    expect(liaison.page.locator("#err-login")).to_contain_text("没有账号")
    expect(liaison.page.get_by_label("交接说明")).to_have_value(NOTE)
    liaison.look("refused")
    liaison.page.get_by_label("接任人账号").fill(after)
    rest = "您的账号没有其他岗位，已停用。" if is_only else "您在各处的登录已结束，请重新登录。"
    liaison.press("确认交接", f"岗位已交接，待办和草稿转给接任人。{rest}")
    expect(liaison.page.get_by_role("heading", level=1)).to_have_text("督办台账")
    liaison.look("handed-over")

    colleague = enter(after, width)
    expect(colleague.page.get_by_role("region", name="岗位交接")).to_contain_text(NOTE)
    expect(colleague.page.locator(".head p b").first).to_have_text(count)
    colleague.look("to-receive")
    colleague.press("接收确认", "已确认接收。")
    expect(colleague.page.get_by_role("region", name="岗位交接")).to_have_count(0)
    colleague.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
    expect(colleague.page.get_by_label("进展")).to_have_value(TYPED)
    colleague.look("draft")

    stranger = enter(None, width)
    stranger.go("/login")
    if is_only:
        stranger.expect_refusal("/login")
    stranger.page.get_by_label("账号").fill(before)
    stranger.page.get_by_label("密码").fill(PASSWORD)
    stranger.press("登录")
    if is_only:
        expect(stranger.page.get_by_role("alert")).to_contain_text("账号或密码不对")
    else:
        expect(stranger.page.get_by_role("heading", level=1)).to_have_text("待办")


def ten_applications(site: Site, unit: str, liaison: str) -> list[int]:
    """Ten shares of the unit before its deputy head: what it holds alone or answers for."""
    office = Office(site.db, 1)
    office.acknowledge(unit)
    with site.db.read() as connection:
        nos = connection.execute(
            select(item.c.no)
            .join(assignment, assignment.c.item_id == item.c.id)
            .where(assignment.c.unit == unit, assignment.c.state == "working")
            .order_by(item.c.ord)
        ).scalars()
        wanted = list(nos)
    signing = select(assignment.c.id).where(assignment.c.unit == unit, assignment.c.state == "signing")
    for no in wanted:
        with site.db.read() as connection:
            if len(connection.execute(signing).all()) == TEN:
                break
        try:
            office.apply(unit, no, f"第{no}项所列事项全部落实，佐证材料齐备。")
        except DubanError:  # what waits for others' feedback, or for its occurrences
            continue
    with site.db.read() as connection:
        return list(connection.execute(signing).scalars())


def test_a_deputy_head_signs_ten_from_a_phone(enter: Enter, site: Site) -> None:
    unit = "renshe"
    waiting = ten_applications(site, unit, unit)
    assert len(waiting) == TEN
    signer = enter(f"{unit}-fenguan", 390)
    expect(signer.page.get_by_role("heading", name="待审签")).to_contain_text(f"{TEN} 件")
    signer.look("inbox")
    signer.page.get_by_role("link", name="批量审签").click()
    expect(signer.page.get_by_role("heading", level=1)).to_have_text("批量审签")
    boxes = signer.page.locator("input[name=todo]")
    expect(boxes).to_have_count(TEN)
    assert all(box.is_checked() for box in boxes.all())
    signer.look("preview")

    # Somebody is faster with one of them: nothing is signed, that one says why, the others stay ticked.
    with site.db.read() as connection:
        arm = connection.execute(
            select(todo.c.arm).where(todo.c.owner_id == waiting[0], todo.c.step == "sign", todo.c.closed_at.is_(None))
        ).scalar_one()
        faster = actor_of(
            connection, connection.execute(select(person.c.id).where(person.c.login == f"{unit}-fenguan")).scalar_one()
        )
    assert faster is not None
    perform(site.db, faster, decide, TodoRef(waiting[0], "sign", arm), agree=False, reason="请补明细。")
    signer.expect_refusal("/inbox/sign")
    signer.press("同意并报送")
    expect(signer.page.get_by_role("alert")).to_contain_text(f"{TEN} 件中有 1 件不能办理")
    expect(signer.page.get_by_role("alert")).to_contain_text("办完了审签")
    expect(boxes).to_have_count(TEN - 1)
    signer.look("one-in-the-way")

    # It is handed in again: ten once more.
    with site.db.read() as connection:
        no = connection.execute(
            select(item.c.no).join(assignment, assignment.c.item_id == item.c.id).where(assignment.c.id == waiting[0])
        ).scalar_one()
    Office(site.db, 1).apply(unit, no, "已补明细。")
    signer.go("/inbox/sign")
    expect(boxes).to_have_count(TEN)
    signer.press("同意并报送")
    expect(signer.page.get_by_role("heading", level=1)).to_have_text("审签结果")
    expect(signer.page.get_by_text(f"已审签 {TEN} 件，全部报送")).to_be_visible()
    expect(signer.page.locator("tbody .state", has_text="待审核")).to_have_count(TEN)
    signer.look("result")
    signer.go("/inbox")
    expect(signer.page.get_by_role("heading", name="待审签")).to_have_count(0)


def test_an_administrator_looks_a_merger_through_and_decides(enter: Enter, site: Site) -> None:
    office = enter("guanli", 1280)
    office.go("/units")
    office.page.locator("a[href='/units/danbao']").click()
    unit = office.page.locator("h1").inner_text()
    office.page.get_by_label("调整事项").select_option("merge")
    office.page.locator("select[name=to]").select_option("caizheng")
    office.press("预览")
    expect(office.page.get_by_role("status").filter(has_text="调整预览")).to_contain_text("件任务移交")
    expect(office.page.locator("select[name=to]")).to_have_value("caizheng")
    office.look("preview")
    office.expect_refusal("/units/danbao/changes")
    office.press("确认调整")
    expect(office.page.locator("#err-ground")).to_contain_text("请写明依据的文件")
    office.look("without-ground")
    office.page.get_by_label("依据").fill("机构改革方案，市委编办第12号文件。")
    office.press("预览")
    office.press("确认调整", "单位调整已生效。")
    expect(office.page.get_by_role("heading", level=1)).to_have_text(unit)
    expect(office.page.get_by_text("由市财政局承接")).to_be_visible()
    office.look("merged")
    successor = enter("caizheng", 390)
    successor.look("inbox-of-the-successor")
