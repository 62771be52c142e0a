"""概览 in the browser: a leader's is one screen of a phone, worst first, a tap from the facts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Enter

pytestmark = pytest.mark.e2e

# From the first thing on the page to the last that is seen above the bar of tabs; the clock is the demonstration's.
SEEN = """() => {
  const bottom = [...document.querySelectorAll('main *')].map(one => one.getBoundingClientRect())
    .filter(box => box.height).reduce((last, box) => Math.max(last, box.bottom), 0);
  const clock = document.querySelector('.clock');
  const tabs = document.querySelector('.tabbar');
  return bottom - (clock ? clock.offsetHeight : 0) + (tabs ? tabs.offsetHeight : 0);
}"""


def test_a_leader_sees_everything_on_one_screen_and_taps_to_the_facts(enter: Enter) -> None:
    visitor = enter("lingdao", 390)
    visitor.go("/home")
    assert visitor.page.evaluate(SEEN) <= 844 + 1
    expect(visitor.page.locator("#worst li")).not_to_have_count(0)
    visitor.look("leader")
    visitor.page.locator("#worst li a").first.click()
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    expect(visitor.page).to_have_url(re.compile("/items/"))
