"""Four plans at once, as the demonstration has them, where room is scarce: a phone, a small window, the wall, paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from tests.e2e.conftest import Enter
from tests.e2e.visitor import LANDSCAPE
from webapp.demo import campaign

pytestmark = pytest.mark.e2e

RUNS = (1, 2, 3, 4)
# Down to where the page ends above the bar of tabs; the demonstration's clock is not left out.
BOTTOM = """() => [...document.querySelectorAll('main *')].map(one => one.getBoundingClientRect())
  .filter(box => box.height).reduce((last, box) => Math.max(last, box.bottom), 0)
  + document.querySelector('.tabbar').offsetHeight"""
WORDLESS = """() => [...document.querySelectorAll('main .tally a, main .plain')].filter(one => {
  const words = [...one.querySelectorAll('span')].find(word => /[^\\d\\s]/.test(word.textContent));
  const box = words && words.getBoundingClientRect();
  return !one.querySelector('svg') || !box || box.width < 10 || box.height < 10;
}).map(one => one.outerHTML)"""
# Of the drawing on the wall: words that leave their box, headings that leave their group or lie over an item.
CROSSING = """() => {
  const found = [];
  const rect = one => one.getBoundingClientRect();
  const text = one => { const range = document.createRange(); range.selectNodeContents(one); return rect(range); };
  const within = (a, b) =>
    a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const boxes = [...document.querySelectorAll('.w-box')];
  for (const box of boxes) for (const mark of box.children) {
    if (mark.matches('svg') || !rect(mark).height) continue;
    if (!within(rect(mark), rect(box)) || mark.scrollWidth > mark.clientWidth + 1) found.push(box.textContent);
  }
  for (const title of document.querySelectorAll('.w-title span')) {
    const id = title.closest('[data-container-id]').dataset.containerId;
    const frame = rect(document.querySelector(`[data-element-id="${id}"] > .djs-visual > rect`));
    const words = rect(title);
    if (!within(words, frame)) found.push(`leaves its group: ${title.textContent}`);
    if (title.scrollHeight > title.clientHeight * 1.5) found.push(`cut: ${title.textContent}`);
    for (const box of boxes) {
      const b = rect(box);
      if (words.left < b.right && words.right > b.left && words.top < b.bottom - 1 && words.bottom > b.top + 1)
        found.push(`${title.textContent} over ${box.textContent}`);
    }
  }
  return [boxes.length, found];
}"""
# Of the drawing on paper: where the sheet's part for it ends, what of it lies outside, how large its words are.
DRAWN = """() => {
  const container = document.querySelector('.djs-container'), room = container.getBoundingClientRect();
  const parts = [...container.querySelectorAll('.djs-shape, .plan-light')].filter(one => one.checkVisibility());
  const outside = parts.filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < room.left - 1 || box.right > room.right + 1
      || box.top < room.top - 6 || box.bottom > room.bottom + 1);
  });
  const part = document.querySelector('#drawing, .lone');
  return {
    parts: parts.length, outside: outside.map(one => one.dataset.elementId || one.textContent),
    bottom: part.getBoundingClientRect().bottom, height: part.offsetHeight,
    zoom: Math.round(container.querySelector('.viewport').getCTM().a * 1000) / 1000,
  };
}"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("four") / "duban.sqlite3"
    upgrade(f"sqlite:///{file}")
    db = Database(f"sqlite:///{file}", StoredClock())
    campaign.build(db)
    db.close()
    return file


def test_a_leaders_phone_shows_everything_on_one_screen_each_light_in_words(enter: Enter) -> None:
    leader = enter("lingdao", 390)
    leader.go("/home")
    assert leader.page.locator(".plans li").count() == len(RUNS)
    assert leader.page.evaluate(BOTTOM) <= 844
    assert leader.page.evaluate(WORDLESS) == []
    leader.look("leader")


@pytest.mark.parametrize("width", [1100, 1024, 768])
def test_a_small_window_never_scrolls_sideways(enter: Enter, width: int) -> None:
    office = enter("zhuanban", width)
    for path in ("/home", "/inbox", "/ledger", "/plans/1", "/items/13", "/figures"):
        office.go(path)
        assert office.page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_words_of_the_drawing_on_the_wall_stay_where_they_belong(enter: Enter) -> None:
    leader = enter("lingdao", 1920)
    for run in RUNS:
        leader.go(f"/plans/{run}/warroom")
        boxes, found = leader.page.evaluate(CROSSING)
        assert boxes == leader.page.locator(".tile").count()
        assert found == [], run
        leader.shoot(f"wall-{run}")


def test_a_sheet_holds_the_whole_drawing(enter: Enter) -> None:
    for login, address in (*(("lingdao", f"/plans/{run}") for run in RUNS), ("zhuanban", "/plans/studio/versions/2")):
        office = enter(login)
        office.go(address)
        before = office.page.evaluate(DRAWN)
        with office.on_paper():
            drawn: dict[str, Any] = office.page.evaluate(DRAWN)
        assert drawn["parts"] > 15, address
        assert drawn["outside"] == [], address
        ends = drawn["height"] if "versions" in address else drawn["bottom"]  # a version's has a sheet of its own
        assert ends <= LANDSCAPE["height"], address
        assert drawn["zoom"] * 12 >= 6.6, address  # px: five points
        assert office.page.evaluate(DRAWN) == before, address
        office.look_at_paper()


def test_the_browser_tells_the_page_before_it_prints_it_lying(enter: Enter) -> None:
    office = enter("zhuanban")
    office.go("/plans/2")
    office.page.evaluate(
        "addEventListener('beforeprint', () => { document.title = document.querySelector('.bpmn').className })"
    )
    sheet = office.page.pdf(format="A4", prefer_css_page_size=True)
    assert b"/MediaBox [0 0 841.9" in sheet
    expect(office.page).to_have_title("bpmn on-paper")
