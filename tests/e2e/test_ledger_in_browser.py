"""Ledger and plan in a real Chromium at both widths: nothing sticks out or leaves the host, filters swap in place."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

from ledger.database import Database
from tests.integration.test_ledger_and_plans import World, build, letter
from webapp.app import create_app
from webapp.demo.mailsink import Mailbox
from webapp.settings import Settings

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
STICKS_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("browser")
    built = build(f"sqlite:///{folder / 'duban.sqlite3'}", folder / "mail")
    Mailbox(built.mail).keep(letter("renshe@huangshi.example", "returned", "甲任务"))
    yield built
    built.db.close()


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[str]:
    database = Database(world.db.url, world.db.clock)
    app = create_app(Settings(demo=True, database_url=world.db.url, demo_mail=str(world.mail)), database)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    database.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(params=WIDTHS)
def page(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """A page logged in as the coordinator; the test fails when it complains or asks another host."""
    opened = browser.new_page(viewport={"width": request.param, "height": 900}, base_url=site, bypass_csp=False)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda sent: None if sent.url.startswith((site, "data:")) else complaints.append(sent.url))
    opened.goto("/login")
    opened.fill("[name=account]", "zhuanban")
    opened.fill("[name=password]", "duban-demo")
    opened.keyboard.press("Enter")
    opened.wait_for_url("**/inbox")
    yield opened
    opened.close()
    assert not complaints


def paths(world: World) -> tuple[str, ...]:
    return "/ledger", "/ledger?light=warn", "/plans", f"/plans/{world.run_id}", "/demo/mail", "/demo/mail/1"


def test_no_page_is_wider_than_the_screen_and_axe_finds_nothing_serious(page: Page, world: World) -> None:
    session = page.context.new_cdp_session(page)
    for path in paths(world):
        page.goto(path)
        if page.locator("[data-bpmn]").count():
            page.locator("[data-bpmn][data-ready]").wait_for()
        assert page.evaluate(STICKS_OUT) == [], path
        session.send("Runtime.evaluate", {"expression": AXE.read_text()})  # past the page's own policy
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")]
        assert grave == [], path


def test_filter_swaps_the_list_without_a_new_page(page: Page) -> None:
    page.goto("/ledger")
    page.evaluate("window.kept = true")
    if page.locator(".more").is_visible():
        page.check("#f-more")
    page.select_option("#f-light", "red")
    page.wait_for_url("**/ledger?light=red")
    expect(page.locator("tbody tr").first).to_contain_text("逾期")
    assert page.evaluate("window.kept")
    page.go_back()
    expect(page.locator("#f-light")).to_have_value("")


def test_filter_works_without_script(browser: Browser, page: Page) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(page.url.replace("/inbox", "/ledger"))
    plain.fill("#f-words", "见习岗位")
    plain.locator(".filters button").click()
    expect(plain.locator("tbody tr")).to_have_count(1)
    context.close()


def test_diagram_leads_to_the_items_by_mouse_and_by_keyboard(page: Page, world: World) -> None:
    for act in (lambda link: link.click(), lambda link: link.press("Enter")):
        page.goto(f"/plans/{world.run_id}")
        page.locator("[data-bpmn][data-ready]").wait_for()
        link = page.locator(".plan-link").first
        href = link.get_attribute("href")
        act(link)
        page.wait_for_url(f"**{href}")


def test_only_red_and_yellow_dims_the_rest(page: Page, world: World) -> None:
    page.goto(f"/plans/{world.run_id}")
    page.locator("[data-bpmn][data-ready]").wait_for()
    page.check("#only-warn")
    expect(page.locator(".toc li.is-green").first).to_be_hidden()
    expect(page.locator(".toc li.is-red").first).to_be_visible()
    expect(page.locator(".djs-element.light-green").first).to_have_css("opacity", "0.18")


def test_link_in_a_mail_opens_the_page_around_it(page: Page) -> None:
    page.goto("/demo/mail/1")
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_have_text("退回补正：甲任务")
    expect(frame.get_by_text("登录办理")).to_have_attribute("href", "http://127.0.0.1:8000/inbox")
    expect(frame.locator("base")).to_have_attribute("target", "_top")
