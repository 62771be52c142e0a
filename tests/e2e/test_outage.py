"""The database does not take an act: people read why, keep what they typed, and send it again when it does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from ledger.schema import content
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site, wait_until
from tests.e2e.test_keeping import opened, refuse_next

pytestmark = pytest.mark.e2e

PATIENCE = 40_000  # the server itself waits ten seconds for the lock
WIDTHS = {1280: ("jiaoyu", "开展“六进”校园活动"), 390: ("guozi", "扩大国有企业招聘规模")}


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Somebody else holds the database's one write lock."""
    with closing(sqlite3.connect(str(make_url(site.db.url).database), isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def recorded(site: Site, words: str) -> int:
    with site.db.read() as connection:
        return connection.execute(select(func.count()).where(content.c.text == words)).scalar_one()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_typed_stands_on_the_page_that_says_no_and_can_be_sent_again(
    enter: Enter, site: Site, width: int
) -> None:
    account, title = WIDTHS[width]
    words, more = f"写了很久的进展，不能丢（{width}）。", "数据库忙的时候又改了一句。"
    liaison = enter(account, width)
    opened(liaison, title, "填报")
    with locked(site):
        liaison.page.get_by_label("进展").fill(words)
        refuse_next(liaison)
        liaison.expect_refusal(str(liaison.page.locator("[id^=draft-]").get_attribute("hx-post")))
        liaison.page.get_by_role("button", name="填 报").click()
        expect(liaison.page.get_by_role("heading", level=1)).to_have_text("系统正忙", timeout=PATIENCE)
        expect(liaison.page.get_by_role("alert")).to_contain_text("刚才的内容没有提交，已为您保留在下方")
        expect(liaison.page.get_by_label("进展")).to_have_value(words)
        liaison.look("busy")
    assert recorded(site, words) == 0
    liaison.page.get_by_label("进展").fill(words + more)
    liaison.press("重新提交", "已填报。")
    assert recorded(site, words + more) == 1


def test_a_draft_that_the_server_did_not_take_stays_in_the_browser(enter: Enter, site: Site) -> None:
    liaison, words = enter("daye", 390), "草稿也不能丢。"
    opened(liaison, "募集就业见习岗位", "填报")
    with locked(site):
        liaison.expect_refusal(str(liaison.page.locator("[id^=draft-]").get_attribute("hx-post")))
        liaison.page.get_by_label("进展").fill(words)
        expect(liaison.page.get_by_text("还没有存到服务器，内容已存在这台设备上，连上后自动补存")).to_be_visible(
            timeout=PATIENCE
        )
        liaison.look("draft-failed")
        liaison.page.reload()
        expect(liaison.page.get_by_label("进展")).to_have_value(words)
        expect(liaison.page.get_by_text("已恢复这台设备上没有存上的内容")).to_be_visible()
    expect(liaison.page.get_by_text("草稿已存")).to_be_visible(timeout=PATIENCE)
    liaison.press("填报", "已填报。")
    expect(liaison.page.get_by_label("进展")).to_have_value("")


@pytest.mark.parametrize(("width", "account"), [(1280, "keji"), (390, "caizheng")])
def test_without_a_network_nothing_is_lost_and_nothing_is_sent(
    enter: Enter, site: Site, width: int, account: str
) -> None:
    words = f"在路上写的进展，没有信号（{width}）。"
    liaison = enter(account, width)
    liaison.go("/inbox")
    opened(liaison, liaison.page.locator("article.slip h3").first.inner_text(), "填报")
    address = liaison.page.url
    liaison.settle()  # the page and its script are there before the network goes
    liaison.page.context.set_offline(True)
    liaison.page.get_by_label("进展").fill(words)
    expect(liaison.page.get_by_text("还没有存到服务器，内容已存在这台设备上")).to_be_visible()
    liaison.press("填报")
    expect(liaison.page.get_by_text("现在连不上网络，没有提交")).to_be_in_viewport()
    liaison.shoot("offline")
    assert recorded(site, words) == 0
    liaison.page.close()  # the tab, and with it what only a tab keeps
    liaison.page = liaison.page.context.new_page()
    liaison.page.context.set_offline(False)
    liaison.page.goto(address)
    expect(liaison.page.get_by_label("进展")).to_have_value(words)
    expect(liaison.page.get_by_text("草稿已存")).to_be_visible()
    liaison.look("restored")
    liaison.press("填报", "已填报。")
    assert recorded(site, words) == 1
    kept = "JSON.stringify(Object.keys(localStorage).filter(key => key.startsWith('typed ')))"
    wait_until(lambda: liaison.page.evaluate(kept) == "[]", lambda: str(liaison.page.evaluate(kept)))


def test_a_draft_is_saved_by_itself_when_the_network_is_back(enter: Enter, site: Site) -> None:
    liaison, words = enter("shangwu", 1280), "信号断了又来。"
    liaison.go("/inbox")
    opened(liaison, liaison.page.locator("article.slip h3").first.inner_text(), "填报")
    liaison.settle()  # the page and its script are there before the network goes
    liaison.page.context.set_offline(True)
    liaison.page.get_by_label("进展").fill(words)
    expect(liaison.page.get_by_text("连上后自动补存")).to_be_visible()
    liaison.page.context.set_offline(False)
    expect(liaison.page.get_by_text("草稿已存")).to_be_visible()
    again = enter("shangwu", 390)
    again.page.goto(liaison.page.url)
    expect(again.page.get_by_label("进展")).to_have_value(words)


def test_who_logs_out_leaves_nothing_on_the_device(enter: Enter, site: Site) -> None:
    liaison = enter("jingxin", 1280)
    liaison.go("/inbox")
    opened(liaison, liaison.page.locator("article.slip h3").first.inner_text(), "填报")
    with locked(site):
        liaison.expect_refusal(str(liaison.page.locator("[id^=draft-]").get_attribute("hx-post")))
        liaison.page.get_by_label("进展").fill("不留在公用电脑上。")
        expect(liaison.page.get_by_text("内容已存在这台设备上")).to_be_visible(timeout=PATIENCE)
    assert liaison.page.evaluate("Object.keys(localStorage).length") == 1
    liaison.log_out()
    assert liaison.page.evaluate("Object.keys(localStorage).length") == 0


def test_a_page_that_cannot_be_read_says_so_and_leads_back(enter: Enter, site: Site) -> None:
    """Out of disk, away or broken: whatever the reason, the page asks nothing of the database."""
    reader = enter("renshe", 390)
    file = str(make_url(site.db.url).database)
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
        other.execute("ALTER TABLE heartbeat RENAME TO hidden")
        try:
            reader.go("/ledger", 500)
            expect(reader.page.get_by_role("heading", level=1)).to_have_text("系统出了差错")
            reader.look("broken")
        finally:
            other.execute("ALTER TABLE hidden RENAME TO heartbeat")
    reader.page.get_by_role("link", name="再试一次").click()
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("台账")
