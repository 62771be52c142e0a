"""Files in a browser: sent while typing, kept by a refused form, gone on after a break, seen and saved by reviewers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Route, expect
from sqlalchemy import func, select

from ledger.schema import item, upload
from tests import samples
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from tests.e2e.visitor import Visitor
from webapp.demo.people import PASSWORD

pytestmark = pytest.mark.e2e

PDF = samples.pdf("Duban", padding=1_300_000)  # three chunks
PHOTO = samples.png(640, 480)


def payload(name: str, content: bytes, kind: str = "application/octet-stream") -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def opened(visitor: Visitor, title: str, tab: str) -> None:
    """The item's page on one of its forms, signed for."""
    visitor.go("/inbox")
    if (button := visitor.slip(title).get_by_role("button", name="签 收")).count():
        button.click()
        expect(visitor.page.locator(".toast")).to_have_text("已签收。")
    visitor.slip(title).get_by_role("link", name=title, exact=True).click()
    visitor.page.locator(".tabs").get_by_role("link", name=tab, exact=True).click()
    expect(visitor.page.locator(".files.live")).to_be_visible()


def choose(page: Page, *files: FilePayload) -> None:
    page.get_by_label("选择文件").set_input_files(list(files))


def stored(page: Page, *names: str) -> None:
    """These files stand in the form, whole."""
    lines = page.locator(".files [data-list] li")
    expect(page.locator(".files progress")).to_have_count(0)
    expect(lines.locator("a.name")).to_have_text(list(names))


def address(site: Site, no: str) -> str:
    with site.db.read() as connection:
        return f"/items/{connection.execute(select(item.c.id).where(item.c.no == no)).scalar_one()}"


def counted(site: Site, table: object) -> int:
    with site.db.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def on_disk(site: Site) -> list[Path]:
    return [path for path in site.store.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("width", "title", "no"), [(1280, "就业政策集中兑现", "4"), (390, "直播带岗和空中面试", "27")])
def test_files_go_with_an_application_and_its_reviewer_sees_and_saves_them(
    enter: Enter, site: Site, width: int, title: str, no: str
) -> None:
    liaison = enter("renshe", width)
    opened(liaison, title, "申请办结")
    shares: list[str] = []
    liaison.page.on("request", lambda r: shares.append(r.headers["upload-offset"]) if r.method == "PATCH" else None)
    choose(liaison.page, payload("兑现情况说明.pdf", PDF), payload("现场照片.png", PHOTO))
    stored(liaison.page, "兑现情况说明.pdf", "现场照片.png")
    assert shares[:3] == ["0", "524288", "1048576"]
    liaison.look("chosen")

    liaison.expect_refusal(str(liaison.page.locator("#forms form").get_attribute("action")))
    liaison.press("申请办结")
    expect(liaison.page.locator("#err-summary")).to_be_in_viewport()
    stored(liaison.page, "兑现情况说明.pdf", "现场照片.png")
    liaison.look("refused")
    liaison.page.reload()
    stored(liaison.page, "兑现情况说明.pdf", "现场照片.png")

    liaison.page.get_by_label("完成情况").fill("政策全部兑现，见附件。")
    liaison.press("申请办结", "已提交，送下一步审签或审核；结果会发到待办。")
    first = liaison.page.locator(".tl > li").first
    expect(first.locator("a.name")).to_have_text(["兑现情况说明.pdf", "现场照片.png"])
    first.scroll_into_view_if_needed()
    liaison.page.wait_for_function("document.querySelector('.tl img')?.naturalWidth === 640")
    liaison.look("handed-in")

    signer = enter("renshe-fenguan", width)
    signer.go(address(site, no))
    beside = signer.page.locator("#forms .pane > div", has_text="附件").first
    expect(beside.locator("a.name")).to_have_text(["兑现情况说明.pdf", "现场照片.png"])
    signer.page.wait_for_function("document.querySelector('#forms img')?.naturalWidth === 640")
    signer.look("to-sign")
    with signer.page.expect_download() as saving:
        beside.get_by_role("link", name=re.compile("^下载.*兑现情况说明")).click()
    assert saving.value.suggested_filename == "兑现情况说明.pdf"
    assert Path(saving.value.path()).read_bytes() == PDF

    href = str(beside.locator("a.name").first.get_attribute("href"))
    answer = signer.page.request.get(site.url + href)
    assert answer.body() == PDF
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline; filename")
    part = signer.page.request.get(site.url + href, headers={"Range": "bytes=10-19"})
    assert (part.status, part.body()) == (206, PDF[10:20])
    stranger = enter("keji", width)
    assert stranger.page.request.get(site.url + href).status == 404
    assert enter(None, width).page.request.get(site.url + href, max_redirects=0).status == 302


def test_a_pdf_opens_in_a_page_of_its_own(enter: Enter, site: Site) -> None:
    liaison = enter("gongan")
    opened(liaison, "毕业生就业护航行动", "填报")
    choose(liaison.page, payload("方案.pdf", samples.pdf("Duban")))
    stored(liaison.page, "方案.pdf")
    asked = list[str]()
    liaison.page.context.on("request", lambda request: asked.append(request.url))
    with liaison.page.expect_popup() as opening:
        liaison.page.locator(".files a.name").click()
    shown = opening.value
    shown.wait_for_load_state()
    assert shown.url.startswith(f"{site.url}/uploads/")
    assert shown.evaluate("document.contentType") == "application/pdf"
    assert any(url.startswith("chrome-extension://") for url in asked)  # the viewer starts, whatever our policy says


def test_a_weak_line_breaks_and_the_upload_goes_on(enter: Enter, site: Site) -> None:
    liaison, tried = enter("gongan"), list[str]()

    def break_once(route: Route) -> None:
        tried.append(route.request.headers["upload-offset"])
        if tried.count("524288") == 1 and tried[-1] == "524288":
            route.abort("connectionreset")
        else:
            route.continue_()

    opened(liaison, "毕业生就业护航行动", "填报")
    for line in liaison.page.locator(".files").get_by_role("button", name="移除").all():
        line.click()
    liaison.page.route("**/uploads/*", break_once)
    choose(liaison.page, payload("断线.pdf", PDF))
    stored(liaison.page, "断线.pdf")
    assert tried == ["0", "524288", "524288", "1048576"]
    liaison.complaints[:] = [c for c in liaison.complaints if "ERR_CONNECTION_RESET" not in c]
    liaison.press("填报", "已填报。")
    href = liaison.page.locator(".tl > li").first.locator("a.name").get_attribute("href")
    assert liaison.page.request.get(f"{site.url}{href}").body() == PDF


def test_a_file_that_stopped_halfway_goes_on_when_it_is_chosen_again(enter: Enter) -> None:
    liaison, sent = enter("caizheng", 390), list[str]()
    opened(liaison, "便捷办理创业担保贷款", "填报")

    def stop_at_half(route: Route) -> None:
        if route.request.headers["upload-offset"] == "0":
            route.continue_()

    liaison.page.route("**/uploads/*", stop_at_half)
    choose(liaison.page, payload("半途.pdf", PDF))
    expect(liaison.page.locator(".files progress")).to_have_js_property("value", 524288)
    expect(liaison.page.locator(".files [data-state]")).to_have_text("40%")
    liaison.look("halfway")
    liaison.page.once("dialog", lambda dialog: dialog.accept())  # asks whether to leave while files are on their way
    liaison.page.reload()
    expect(liaison.page.locator(".files [data-state]")).to_have_text("没有传完（40%），重新选择同一个文件可以接着传")
    liaison.look("halfway-after-reload")
    liaison.expect_refusal(str(liaison.page.locator("#forms form").get_attribute("action")))
    liaison.page.get_by_label("进展").fill("见附件。")
    liaison.press("填报")
    expect(liaison.page.locator("#err-files")).to_contain_text("“半途.pdf”没有传完")
    liaison.look("halfway-refused")

    liaison.page.unroute("**/uploads/*")
    liaison.page.on("request", lambda r: sent.append(r.headers["upload-offset"]) if r.method == "PATCH" else None)
    choose(liaison.page, payload("半途.pdf", PDF))
    stored(liaison.page, "半途.pdf")
    assert sent == ["524288", "1048576"]
    liaison.press("填报", "已填报。")


@pytest.mark.parametrize("width", [1280, 390])
def test_what_may_not_come_in_is_refused_and_leaves_nothing(enter: Enter, site: Site, width: int) -> None:
    before, kept = on_disk(site), counted(site, upload)
    liaison = enter("guozi", width)
    opened(liaison, "扩大国有企业招聘规模", "填报")
    liaison.expect_refusal(str(liaison.page.locator("[data-files]").get_attribute("data-files")))
    choose(
        liaison.page,
        payload("【秘密】人员名单.pdf", PDF),
        payload("打包.zip", samples.zipped("a.txt")),
    )
    said = liaison.page.locator(".files [data-said]")
    expect(said).to_contain_text("“【秘密】人员名单.pdf”标有“秘密”。本系统为非涉密系统")
    expect(said).to_contain_text("是压缩包")
    expect(liaison.page.locator(".files li")).to_have_count(0)
    assert on_disk(site) == before
    assert counted(site, upload) == kept
    liaison.look("not-taken")


def test_what_is_pressed_while_files_are_on_their_way_is_done_when_they_have_come(enter: Enter, site: Site) -> None:
    liaison, held = enter("xuanchuan"), list[Route]()
    opened(liaison, "开展智汇黄石行活动", "填报")
    liaison.page.route("**/uploads/*", lambda route: held.append(route))
    choose(liaison.page, payload("慢.pdf", samples.pdf()))
    expect(liaison.page.locator(".files progress")).to_have_count(1)
    liaison.page.get_by_label("进展").fill("活动已办。")
    liaison.press("填报")
    expect(liaison.page.locator(".files [data-said]")).to_have_text("附件还在上传，传完后自动提交")
    while not held:
        liaison.page.wait_for_timeout(50)
    held.pop().continue_()
    expect(liaison.page.locator(".toast")).to_have_text("已填报。")
    expect(liaison.page.locator(".tl > li").first.locator("a.name")).to_have_text(["慢.pdf"])


def test_somebody_was_faster_and_the_files_can_be_taken_back(enter: Enter, site: Site) -> None:
    title = "开展“六进”校园活动"
    first, second = enter("jiaoyu"), enter("jiaoyu")
    opened(first, title, "提交反馈")
    opened(second, title, "提交反馈")
    choose(second.page, payload("活动总结.pdf", samples.pdf()))
    stored(second.page, "活动总结.pdf")
    first.page.get_by_label("配合情况").fill("六进活动全部办完。")
    first.press("提交反馈", "已提交，送下一步审签或审核；结果会发到待办。")
    second.expect_refusal(str(second.page.locator("#forms form").get_attribute("action")))
    second.page.get_by_label("配合情况").fill("第二位写的。")
    second.press("提交反馈")
    expect(second.page.get_by_text("您传的附件，可以取回")).to_be_visible()
    href = second.page.get_by_role("link", name="活动总结.pdf").get_attribute("href")
    assert second.page.request.get(f"{site.url}{href}").body() == samples.pdf()
    second.look("faster")


def test_without_javascript_files_go_with_the_form(site: Site, browser: Browser) -> None:
    """A refused form keeps what came with it; a file is taken out again and what was typed stays."""
    context = browser.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.get_by_label("账号").fill("daye")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登 录").click()
    page.goto(f"{site.url}{address(site, '13')}")
    page.get_by_role("button", name="签 收").click()
    page.goto(f"{site.url}{address(site, '13')}")
    choose(page, payload("现场.png", PHOTO), payload("岗位.docx", samples.docx()), payload("绝密.pdf", PDF))
    page.get_by_label("进展").fill("岗位已落实，见附件。")
    page.get_by_role("button", name="填 报").click()
    expect(page.locator("#err-files")).to_contain_text("“绝密.pdf”标有“绝密”。本系统为非涉密系统")
    expect(page.get_by_label("进展")).to_have_value("岗位已落实，见附件。")
    names = page.locator(".files [data-list] a.name")
    expect(names).to_have_text(["现场.png", "岗位.docx"])
    page.get_by_role("button", name=re.compile("^移除.*现场")).click()
    expect(names).to_have_text(["岗位.docx"])
    expect(page.get_by_label("进展")).to_have_value("岗位已落实，见附件。")
    page.get_by_role("button", name="填 报").click()
    expect(page.locator(".toast")).to_have_text("已填报。")
    expect(page.locator(".tl > li").first.locator("a.name")).to_have_text(["岗位.docx"])
    context.close()
