"""A stranger's walk: from an empty database, through the first steps in the browser, to an item that another unit has
closed. Nothing is prepared but what `duban init` prints."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from engine.verifying import differences
from ledger.clock import MachineClock
from ledger.database import Database
from ledger.schema import item
from ledger.verification import Scene
from tests.e2e import test_editor as editor
from tests.e2e.conftest import pictures_of
from tests.e2e.deployment import Site, deployed, wait_until
from tests.e2e.visitor import Visitor, visit
from webapp.demo.mailsink import Mailbox

pytestmark = pytest.mark.e2e

CHOSEN = "城南旧事又一年2026"  # a password of one's own
PLAN = "huangshi-2025-fanxiang"
TITLE = "培育农业社会化服务组织"
PEOPLE = [
    ("陈静", "chenjing", "市就业领导小组", "专班办工作人员"),
    ("刘洋", "liuyang", "市人社局", "联络员"),
    ("周敏", "zhoumin", "市农业农村局", "联络员"),
    ("吴涛", "wutao", "市农业农村局", "分管负责人"),
    ("郑凯", "zhengkai", "市政府办", "督查人员"),
]

Open = Callable[[int], Visitor]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """Processes on an empty database, and what `duban init` said."""
    said: list[str] = []

    def init(environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "webapp.cli", "init"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=True)
        said.append(done.stdout)

    with deployed(tmp_path, init, DUBAN_SECRET_KEY="a-secret-of-this-walk-alone-0123456789") as site:
        yield site, said[0]


@pytest.fixture
def window(request: pytest.FixtureRequest, begun: tuple[Site, str], browser: Browser) -> Iterator[Open]:
    pictures = pictures_of(request.node.name)
    with ExitStack() as stack:
        yield lambda width: stack.enter_context(visit(browser, begun[0], width, pictures, "stranger"))


def test_a_stranger_takes_an_empty_database_to_a_closed_item(
    begun: tuple[Site, str], window: Open, tmp_path: Path
) -> None:
    site, said = begun
    found = re.search(r"http://127\.0\.0\.1:\d+/setup\?code=\S+", said)
    assert found, said
    admin = window(1280)
    become_administrator(admin, found[0].removeprefix(site.url))
    passwords = enrol(admin, tmp_path)
    start(admin, site)

    liaison, head, office = window(390), window(390), window(1280)
    log_in(liaison, "zhoumin", passwords["zhoumin"])
    wait_until(lambda: any("zhoumin@" in mail.to for mail in Mailbox(site.mail).heads()))  # she is told by mail
    slip = liaison.slip(TITLE)
    slip.get_by_role("button", name="签 收").click()
    expect(liaison.page.locator(".toast")).to_have_text("已签收。")
    liaison.slip(TITLE).get_by_role("link", name=TITLE, exact=True).click()
    liaison.page.locator(".tabs").get_by_role("link", name="申请办结", exact=True).click()
    liaison.page.get_by_label("完成情况").fill("全市社会化服务组织已登记成册。")
    liaison.look("applies")
    liaison.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")

    log_in(head, "wutao", passwords["wutao"])
    head.slip(TITLE).get_by_role("link", name="审 签").click()
    head.press("同意并报送", "已同意。")

    log_in(office, "chenjing", passwords["chenjing"])
    office.slip(TITLE).get_by_role("link", name="审 核").click()
    office.press("同意办结", "已同意。")
    expect(office.page.locator(".head .state")).to_have_text("已办结")
    office.look("closed")
    with site.db.read() as connection:
        assert connection.execute(select(item.c.state).where(item.c.title == TITLE)).scalar_one() == "closed"
    own = Database(site.db.url, MachineClock())
    with own.read() as connection:
        assert list(differences(Scene(connection, clock=own.clock))) == []
    own.close()


# ---------------------------------------------------------------- with a directory and a plan of one's own
UNITS = [
    ("荆州市人民政府办公室", "市政府办", "党政机关", "", ""),
    ("荆州市水利局", "市水利局", "党政机关", "", ""),
    ("荆州市应急管理局", "市应急局", "党政机关", "", ""),
    ("荆州市防汛抗旱指挥部", "市防指", "议事协调机构", "", "市水利局"),
]
STAFF = [
    ("陈静", "chenjing", "市防指", "专班办工作人员"),
    ("王磊", "wanglei", "市应急局", "联络员"),
    ("吴涛", "wutao", "市应急局", "分管负责人"),
]
OWN_PLAN = "荆州市防汛备汛工作方案"
PATROL = "排查隐患"


def test_a_stranger_of_another_place_brings_directory_and_plan(
    begun: tuple[Site, str], window: Open, tmp_path: Path
) -> None:
    """The first steps on a phone, the plan drawn at a desk; not a word of the place that the package ships."""
    site, said = begun
    found = re.search(r"http://127\.0\.0\.1:\d+(/setup\?code=\S+)", said)
    assert found, said
    admin = window(390)
    admin.go(found[1])
    admin.look("own-directory")
    admin.assert_uncovered()
    bring_units(admin, tmp_path)
    passwords = own_people(admin, tmp_path)
    admin.go("/outgoing")
    admin.look("own-mail")
    admin.page.get_by_role("button", name="给我发一封试信").click()
    expect(admin.page.locator(".toast")).to_contain_text("试信已交给发信服务器")

    office = window(1280)
    log_in(office, "chenjing", passwords["chenjing"])
    draw(office)
    liaison, head = window(390), window(390)
    log_in(liaison, "wanglei", passwords["wanglei"])
    expect(liaison.page.locator("header.top")).to_contain_text("荆州市")
    wait_until(lambda: any("wanglei@" in mail.to for mail in Mailbox(site.mail).heads()))
    liaison.slip(PATROL).get_by_role("button", name="签 收").click()
    liaison.slip(PATROL).get_by_role("link", name=PATROL, exact=True).click()
    liaison.page.locator(".tabs").get_by_role("link", name="申请办结", exact=True).click()
    liaison.page.get_by_label("完成情况").fill("隐患已全部排查并登记。")
    liaison.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    log_in(head, "wutao", passwords["wutao"])
    signing = head.slip(PATROL).get_by_role("link", name="审 签")
    if signing.count():
        signing.click()
        head.press("同意并报送", "已同意。")
    office.go("/inbox")
    office.slip(PATROL).get_by_role("link", name="审 核").click()
    office.press("同意办结", "已同意。")
    expect(office.page.locator(".head .state")).to_have_text("已办结")
    office.look("own-closed")
    for visitor in (admin, office, liaison):
        visitor.go("/account")
        assert "黄石" not in visitor.page.content()


def bring_units(admin: Visitor, folder: Path) -> None:
    """One's own table, after every bad line of it was named at once; then the administrator."""
    file = folder / "单位表.xlsx"
    bad = [("荆州市教育局", "市教育局", "教育机关", "", ""), ("荆州市科技局", "市科技局", "党政机关", "火星", "")]
    _table(file, ("全称", "简称", "类别", "上级单位", "挂靠单位"), [*UNITS, *bad])
    page = admin.page
    page.get_by_label("行政区名称").fill("荆州市")
    page.get_by_label("选择文件").set_input_files(file)
    admin.expect_refusal("/setup/directory")
    admin.press("导入本地的单位表")
    expect(page.get_by_role("alert").first).to_contain_text(re.compile("第 6 行.*第 7 行", re.S))
    admin.look("own-bad-lines")
    _table(file, ("全称", "简称", "类别", "上级单位", "挂靠单位"), UNITS)
    page.get_by_label("行政区名称").fill("荆州市")
    page.get_by_label("选择文件").set_input_files(file)
    admin.press("导入本地的单位表")
    expect(page.locator("main")).to_contain_text("荆州市单位目录已建立，共 4 个单位")
    admin.look("own-administrator")
    for label, words in (("姓名", "周一"), ("账号", "zhouyi"), ("邮箱", "zhouyi@example.gov.cn")):
        page.get_by_label(label).fill(words)
    page.locator("select[name=unit]").select_option(label="市政府办")
    page.get_by_label("密码", exact=True).fill(CHOSEN)
    page.get_by_label("再填一次密码").fill(CHOSEN)
    admin.press("建立管理员账号", "管理员账号已建立，您已登录。")
    expect(page.locator("header.top")).to_contain_text("荆州市")
    admin.look("own-to-do")


def own_people(admin: Visitor, folder: Path) -> dict[str, str]:
    file = folder / "人员表.xlsx"
    rows = [(login, name, f"{login}@example.gov.cn", unit, post) for name, login, unit, post in STAFF]
    _table(file, ("账号", "姓名", "邮箱", "单位", "岗位"), rows)
    admin.go("/people/new")
    admin.look("own-people")
    admin.page.get_by_label("选择文件").set_input_files(file)
    admin.press("导入人员表")
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("已开通 3 个账号")
    found = [row.locator("td").all_inner_texts() for row in admin.page.locator("tbody tr").all()]
    return {row[1]: row[2] for row in found}


def _table(path: Path, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (head, *rows):
        sheet.append(row)
    book.save(path)


def draw(office: Visitor) -> None:
    """A plan of two items without a number of its own and without an end: led there from an empty page."""
    page = office.page
    office.go("/plans")
    office.look("own-no-plans")
    page.get_by_role("link", name="编制方案").first.click()
    page.get_by_role("link", name="新建方案").click()
    page.get_by_label(re.compile("^方案名称")).fill(OWN_PLAN)
    page.get_by_label(re.compile("^简称")).fill("防汛")
    page.get_by_role("button", name="下一步：画任务").click()
    editor.ready(office)
    page.locator(".djs-shape[data-element-id=h1]").click()
    editor.fill(office, "组名", "汛前准备")
    for title, clause, unit in ((PATROL, "开展隐患排查。", "yjj"), ("储备物资", "储备防汛物资。", "slj")):
        editor.tool(office, "任务")
        editor.fill(office, "短标题", title)
        editor.fill(office, "文件原话", clause)
        editor.assign(office, "责任", unit, "市应急局" if unit == "yjj" else "市水利局")
    editor.saved(office)
    page.get_by_role("link", name="检查并发布").click()
    expect(page.locator("main")).to_contain_text("1 个单位没有联络员，也没有主要负责人")
    office.look("own-publish")
    page.get_by_label("发布依据").fill("市防指第一次会议")
    office.press("发布", "已发布，成为不可更改的一版。")
    expect(page.locator("main")).to_contain_text("任务交办后无人签收：市水利局")
    office.look("own-version")
    office.press("启动实施", "方案已启动，任务已交办到各单位。")
    office.go("/home")
    expect(page.locator("#unheld")).to_contain_text("市水利局（无人签收）")
    office.look("own-home")


def become_administrator(admin: Visitor, address: str) -> None:
    admin.go("/setup", status=403)
    expect(admin.page.locator("main")).to_contain_text("请在服务器上运行 duban init")
    admin.go(address)
    admin.look("directory")
    admin.page.locator("select[name=shipped]").select_option(label="黄石市")
    admin.press("使用这份目录")
    expect(admin.page.locator("main")).to_contain_text("黄石市单位目录已建立")
    admin.look("administrator")
    admin.page.get_by_label("姓名").fill("郭志强")
    admin.page.get_by_label("账号").fill("guozhiqiang")
    admin.page.get_by_label("邮箱").fill("guozhiqiang@example.gov.cn")
    admin.page.locator("select[name=unit]").select_option(label="市政府办")
    admin.page.get_by_label("密码", exact=True).fill("12345678")
    admin.page.get_by_label("再填一次密码").fill("12345678")
    admin.expect_refusal("/setup/administrator")
    admin.press("建立管理员账号")
    expect(admin.page.locator(".err").first).to_be_visible()
    expect(admin.page.get_by_label("姓名")).to_have_value("郭志强")
    admin.page.get_by_label("密码", exact=True).fill(CHOSEN)
    admin.page.get_by_label("再填一次密码").fill(CHOSEN)
    admin.press("建立管理员账号", "管理员账号已建立，您已登录。")
    expect(admin.page.get_by_role("row", name="人员和岗位")).to_contain_text("还没有专班办工作人员、联络员、督查人员")
    admin.look("to-do")


def enrol(admin: Visitor, folder: Path) -> dict[str, str]:
    """Everybody by a table, after a bad line of it was named; returns the passwords that were shown."""
    admin.page.get_by_role("link", name="开通账号").first.click()
    with admin.page.expect_download() as download:
        admin.page.get_by_role("link", name="下载空白表").click()
    blank = folder / "人员表.xlsx"
    download.value.save_as(blank)
    book = load_workbook(blank)
    sheet = book["人员"]
    assert [cell.value for cell in sheet[1]] == ["账号", "姓名", "邮箱", "单位", "岗位"]
    for name, login, unit, post in PEOPLE:
        sheet.append([login, name, f"{login}@example.gov.cn", unit, post])
    sheet.cell(4, 4).value = "市外星局"
    book.save(blank)
    admin.page.get_by_label("选择文件").set_input_files(blank)
    admin.expect_refusal("/people/import")
    admin.press("导入人员表")
    expect(admin.page.get_by_role("alert")).to_contain_text("第 4 行：单位目录中没有“市外星局”这一个单位。")
    admin.look("bad-line")
    _mend(book, blank)
    admin.page.get_by_label("选择文件").set_input_files(blank)
    admin.press("导入人员表")
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("已开通 5 个账号")
    rows = [row.locator("td").all_inner_texts() for row in admin.page.locator("tbody tr").all()]
    assert [row[0] for row in rows] == [f"{unit} {post}" for _, _, unit, post in PEOPLE]
    admin.shoot("passwords")
    return {row[1]: row[2] for row in rows}


def _mend(book: Workbook, path: Path) -> None:
    book["人员"].cell(4, 4).value = PEOPLE[2][2]
    book.save(path)


def start(admin: Visitor, site: Site) -> None:
    admin.go("/")
    expect(admin.page.get_by_role("row", name="定时服务")).to_contain_text("已就绪")
    admin.look("ready")
    admin.page.locator("select[name=plan]").select_option(PLAN)
    admin.press("启动方案")
    check = admin.page.get_by_role("form", name="确认启动")  # most units of the plan have nobody yet
    expect(check).to_contain_text("没有联络员，也没有主要负责人，任务交办后无人签收")
    expect(check.get_by_role("link", name="去开通账号")).to_be_visible()
    admin.look("check")
    admin.press("仍然启动", "方案已启动，任务已交办。")
    admin.look("started")
    admin.go("/")
    expect(admin.page.get_by_role("heading", level=1)).to_have_text("待办")


def log_in(visitor: Visitor, login: str, password: str) -> None:
    """With the password of the slip, which has to be changed at once."""
    visitor.go("/login")
    visitor.page.get_by_label("账号").fill(login)
    visitor.page.get_by_label("密码").fill(password)
    visitor.page.get_by_role("button", name="登 录").click()
    visitor.page.get_by_label("原密码").fill(password)
    visitor.page.get_by_label("新密码", exact=True).fill(CHOSEN)
    visitor.page.get_by_label("再填一次新密码").fill(CHOSEN)
    visitor.press("修改密码")
    visitor.go("/inbox")
    visitor.look("inbox")
