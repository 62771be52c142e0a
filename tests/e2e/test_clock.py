"""The demo's clock: the page asks, the running scheduler moves it, what falls due on the way happens and is mailed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from engine.clockwork import next_due
from ledger.calendar import SHANGHAI, moment
from ledger.schema import round_
from tests.e2e.conftest import Enter
from tests.e2e.deployment import NOW, Site, sent_everything, wait_until
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e

# 2025-06-02 is 端午, so the second weekly round opens on Tuesday 06-03 at 09:00.
TUESDAY = moment(date(2025, 6, 3), time(9, 30))
REQUEST = re.compile("第2期周调度")


def shown(page: Page, at: datetime) -> None:
    """The header shows this instant and its buttons again: the clock has arrived."""
    local = at.astimezone(SHANGHAI)
    expect(page.locator("#demo-clock time")).to_have_text(re.compile(rf"^{local:%Y-%m-%d} 周. {local:%H:%M}$"))
    expect(page.locator("#demo-clock").get_by_role("button", name="次日")).to_be_visible()


@pytest.fixture
def press(site: Site) -> Callable[[Visitor, str, datetime], None]:
    def pressed(visitor: Visitor, name: str, at: datetime) -> None:
        visitor.page.locator("#demo-clock").get_by_role("button", name=name).click()
        shown(visitor.page, at)
        visitor.look(name)

    return pressed


@pytest.mark.parametrize("width", [1280])
def test_clock_moves_by_day_and_by_event_until_the_weekly_request_arrives(
    enter: Enter, site: Site, press: Callable[[Visitor, str, datetime], None], width: int
) -> None:
    unit = enter("renshe", width)
    shown(unit.page, NOW)
    unit.go("/demo/mail")
    expect(unit.page.get_by_role("link", name=REQUEST)).to_have_count(0)
    unit.go("/ledger")
    press(unit, "次日", moment(date(2025, 5, 27), time(9, 30)))
    assert unit.page.url == f"{site.url}/ledger"

    with site.db.read() as connection:
        upcoming = next_due(connection, moment(date(2025, 5, 27), time(9, 30)))
    assert upcoming is not None
    assert upcoming > moment(date(2025, 5, 27), time(9, 30))
    press(unit, "下一事件", upcoming)

    press(unit, "下周", moment(date(2025, 6, 2), time(9, 30)))
    assert weekly_rounds(site) == 1
    press(unit, "次日", TUESDAY)
    assert weekly_rounds(site) == 2
    expect(
        unit.page.get_by_role("navigation", name="主导航").get_by_role("link", name=re.compile("^报送"))
    ).to_be_visible()

    mail = request_mail(unit)
    guest = enter(None, width)
    for reader in (unit, guest):  # logged in already, and asked to log in first
        reader.page.goto(mail)
        if reader is guest:
            expect(reader.page).to_have_url(re.compile("/login"))
            reader.log_in("renshe")
        expect(reader.page).to_have_url(mail)
        expect(reader.page.get_by_role("heading", level=1)).to_have_text("第2期周调度")
    guest.look("report")


def request_mail(unit: Visitor) -> str:
    """Find the request to 市人社局 in the demo's mailbox, read it, and return where its link leads."""
    wait_until(lambda: sent_everything(unit.site.db))
    unit.go("/demo/mail?to=renshe@huangshi.example&kind=request")
    link = unit.page.get_by_role("link", name=REQUEST)
    expect(link).to_have_count(1)
    unit.look("mails")
    link.click()
    body = unit.page.frame_locator("iframe.mail-frame")
    button = body.locator("a[href*='/rounds/']").first
    expect(button).to_be_visible()
    unit.look("mail")
    address = str(button.get_attribute("href"))
    assert address.startswith(f"{unit.site.url}/rounds/")
    button.click()
    expect(unit.page).to_have_url(address)
    return address


def weekly_rounds(site: Site) -> int:
    with site.db.read() as connection:
        found = select(func.count()).select_from(round_).where(round_.c.cadence == "weekly")
        return int(connection.execute(found).scalar_one())
