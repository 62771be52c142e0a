"""The doors in a real browser, with the mails that really arrive: locked, forgotten, first log-in, ended elsewhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select, update

from ledger.schema import event, message, person
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site, wait_until
from tests.e2e.visitor import Visitor
from webapp.demo.mailsink import Mailbox, body
from webapp.demo.people import PASSWORD

pytestmark = pytest.mark.e2e

NEW = "骑单车去看磁湖的晚霞"
WORDS = "写了很久的进展，正要提交时登录过期了。"


def address_of(site: Site, login: str) -> str:
    with site.db.read() as connection:
        return str(connection.execute(select(person.c.email).where(person.c.login == login)).scalar_one())


def mail_of(site: Site, login: str, kind: str) -> str:
    """The text of the newest mail of this kind that has arrived for an account."""
    to = address_of(site, login)

    def heads() -> list[int]:
        return [h.number for h in Mailbox(site.mail).heads() if h.kind == kind and h.to == to]

    wait_until(lambda: bool(heads()))
    mail = Mailbox(site.mail).mail(heads()[0])
    assert mail is not None
    return body(mail, "plain")


def link_in(text: str, site: Site) -> str:
    """The path of the one link of a mail."""
    found = re.findall(r"https?://\S+", text)
    assert len(found) == 1, text
    assert found[0].startswith(site.url)
    return str(found[0].removeprefix(site.url))


def type_in(visitor: Visitor, account: str, password: str) -> None:
    visitor.page.get_by_label("账号").fill(account)
    visitor.page.get_by_label("密码").fill(password)
    visitor.press("登录")


def set_password(visitor: Visitor, password: str, button: str) -> None:
    visitor.page.get_by_label("新密码", exact=True).fill(password)
    visitor.page.get_by_label("再填一次新密码").fill(password)
    visitor.press(button)


@pytest.mark.parametrize(("width", "account"), [(1280, "gongan"), (390, "caizheng")])
def test_lock_out_is_said_told_by_mail_and_lifted(enter: Enter, site: Site, width: int, account: str) -> None:
    guest = enter(None, width)
    guest.go("/login")
    guest.expect_refusal("/login")
    for left in (4, 3, 2, 1):
        type_in(guest, account, "wrong")
        expect(guest.page.get_by_role("alert")).to_contain_text(f"还可再试 {left} 次")
    type_in(guest, account, "wrong")
    expect(guest.page.get_by_role("alert")).to_contain_text("登录已锁定到")
    guest.look("locked")
    type_in(guest, account, PASSWORD)  # not even the right one
    expect(guest.page.get_by_role("alert")).to_contain_text("登录已锁定到")
    told = mail_of(site, account, "locked")
    assert "已锁定到" in told and account not in told.replace(link_in(told, site), "")
    assert link_in(told, site) == "/password/forgotten"

    admin = enter("guanli", width)
    admin.go("/people?shown=locked")
    admin.look("locked-accounts")
    admin.page.get_by_role("link", name=account, exact=True).click()
    admin.look("locked-account")
    admin.press("解锁", "已解锁，可以马上登录。")
    type_in(guest, account, PASSWORD)
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("待办")


@pytest.mark.parametrize(("width", "account"), [(1280, "no-such-one"), (390, "jiaoyu")])
def test_forgotten_password_is_set_by_the_mail_that_arrives(enter: Enter, site: Site, width: int, account: str) -> None:
    guest = enter(None, width)
    guest.go("/login")
    guest.page.get_by_role("link", name="忘记密码").click()
    is_known = account == "jiaoyu"
    guest.page.get_by_label("账号或邮箱").fill(address_of(site, account) if is_known else account)
    guest.press("发重设邮件")
    expect(guest.page.get_by_role("status")).to_contain_text("如果有这个账号")
    guest.look("asked")
    if not is_known:
        return
    there = enter(account, 1280)
    link = link_in(mail_of(site, account, "reset"), site)
    guest.go(link)
    guest.look("by-link")
    guest.expect_refusal("/password/reset")
    set_password(guest, "jiaoyu2025!!", "设置新密码")
    expect(guest.page.get_by_role("alert")).to_contain_text("容易被猜到")
    guest.look("too-easy")
    set_password(guest, NEW, "设置新密码")
    expect(guest.page.locator(".toast")).to_have_text("密码已重设，请用新密码登录。")
    expect(guest.page.get_by_label("账号")).to_have_value(account)
    guest.page.get_by_label("密码").fill(NEW)
    guest.press("登录")
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("待办")
    guest.go(link, 410)
    assert "密码已变更" in mail_of(site, account, "changed")
    with site.db.read() as connection:  # what has gone out no longer lies in the outbox
        kept = connection.execute(select(message.c.context).where(message.c.kind == "reset")).scalars().all()
    assert kept and not [words for words in kept if "token" in words]
    there.go("/ledger")
    expect(there.page.get_by_role("status").first).to_contain_text("登录已过期，或已在别处结束")


@pytest.mark.parametrize(("width", "account"), [(1280, "guozi"), (390, "keji")])
def test_first_log_in_changes_the_password(enter: Enter, site: Site, width: int, account: str) -> None:
    with site.db.write() as tx:
        tx.connection.execute(update(person).where(person.c.login == account).values(must_change=True))
    fresh = enter(account, width)
    expect(fresh.page.get_by_role("heading", level=1)).to_have_text("修改密码")
    fresh.look("first")
    fresh.go("/ledger")
    expect(fresh.page.get_by_role("heading", level=1)).to_have_text("修改密码")
    fresh.page.get_by_label("原密码").fill(PASSWORD)
    set_password(fresh, NEW, "修改密码")
    expect(fresh.page.locator(".toast")).to_have_text("密码已修改，在别处的登录已全部结束。")
    expect(fresh.page.get_by_role("heading", level=1)).to_have_text("待办")
    assert "密码已变更" in mail_of(site, account, "changed")


def end_the_other(visitor: Visitor) -> None:
    visitor.go("/account")
    visitor.look("sessions")
    visitor.press("结束其他全部登录")
    expect(visitor.page.locator(".toast")).to_contain_text("已结束其他")


@pytest.mark.parametrize("width", [1280, 390])
def test_session_that_was_ended_elsewhere_leads_back_with_what_was_typed(enter: Enter, site: Site, width: int) -> None:
    account, title = {1280: ("renshe", "就业政策集中兑现"), 390: ("daye", "募集就业见习岗位")}[width]
    here = enter(account, width)
    here.slip(title).get_by_role("button", name="签 收").click()
    expect(here.page.locator(".toast")).to_have_text("已签收。")
    here.slip(title).get_by_role("link", name=title, exact=True).click()
    here.page.locator(".tabs").get_by_role("link", name="填报", exact=True).click()
    expect(here.page.locator(".tabs [aria-current]")).to_have_text("填报")
    form = str(here.page.locator("#forms form").get_attribute("action"))

    end_the_other(enter(account, width))
    here.page.on("response", lambda answer: here.expect_refusal(answer.url.removeprefix(site.url)))
    here.page.get_by_label("进展").fill(WORDS)
    expect(here.page.locator("[id^=draft-]")).to_contain_text("登录已过期，草稿没有存上")
    here.expect_refusal(form)
    here.press("填报")
    expect(here.page.get_by_role("status").first).to_contain_text("刚才填写的内容没有丢")
    here.look("asked-to-log-in")
    type_in(here, account, "wrong")
    expect(here.page.get_by_role("alert")).to_contain_text("还可再试")
    type_in(here, account, PASSWORD)
    expect(here.page.locator(".toast")).to_have_text("刚才填写的内容已放回，请核对后再提交。")
    expect(here.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(here.page.get_by_label("进展")).to_have_value(WORDS)
    here.look("put-back")
    before = reported(site)
    here.press("填报", "已填报。")
    assert reported(site) == before + 1


@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_asked_for_after_the_session_ended_is_led_back_to(enter: Enter, width: int) -> None:
    here = enter("ducha", width)
    end_the_other(enter("ducha", width))
    here.go("/ledger?light=red")
    expect(here.page.get_by_role("status").first).to_contain_text("登录已过期，或已在别处结束")
    here.look("expired")
    type_in(here, "ducha", PASSWORD)
    expect(here.page.get_by_role("heading", level=1)).to_have_text("台账")
    assert here.page.url.endswith("/ledger?light=red")


def reported(site: Site) -> int:
    with site.db.read() as connection:
        kinds = select(func.count()).select_from(event).where(event.c.kind.like("assignment.report%"))
        return int(connection.execute(kinds).scalar_one())
