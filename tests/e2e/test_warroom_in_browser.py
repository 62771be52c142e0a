"""挂图作战 on a projector: large enough, turning by itself and by hand, fresh every minute, honest when it is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from ledger.schema import person
from tests.e2e.conftest import Enter
from tests.e2e.deployment import START, Site, build
from tests.e2e.visitor import Visitor
from webapp.demo.office import Office

pytestmark = pytest.mark.e2e

WALL = "/plans/1/warroom"
SMALLEST = 20  # px at 1920, of any word
# Every text that is seen, with the size it has on the screen: the drawing's words are scaled with it.
SIZES = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const words = node.textContent.trim(), one = node.parentElement;
    if (!words || one.closest('.vh, .skip, script, style')) continue;
    if (!one.checkVisibility({visibilityProperty: true})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { width, height } = range.getBoundingClientRect();
    if (width < 2 || height < 2) continue;
    const drawn = one.closest('.djs-overlay-container');
    const scale = drawn ? drawn.getBoundingClientRect().width / drawn.offsetWidth || 1 : 1;
    found.push([words, parseFloat(getComputedStyle(one).fontSize) * scale]);
  }
  return found;
}"""
LEFT = """() => {
  const regions = [...document.querySelectorAll('.board.is-on, .w-head, .week, .w-foot')];
  return regions.filter(one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1)
    .map(one => [one.className, one.scrollHeight, one.clientHeight, one.scrollWidth, one.clientWidth]);
}"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("wall") / "duban.sqlite3"
    build(file, act)
    return file


def act(office: Office) -> None:
    office.at(START)
    for unit in ("renshe", "daye", "hubei-shifan", "guozi"):
        office.acknowledge(unit)
    office.report("daye", "13", "已对接用人单位。", {"trainee-posts": 214})


def boards(page: Page) -> int:
    return max(page.locator(f"{region} > .board").count() for region in (".stage", ".turning"))


@pytest.mark.parametrize("width", [1920, 1280])
def test_every_board_is_whole_and_its_words_are_large(enter: Enter, width: int) -> None:
    leader = enter("lingdao", width)
    leader.go(WALL)
    smallest = SMALLEST * width / 1920
    heights = leader.page.locator(".mark b").evaluate_all(
        "all => all.map(b => parseFloat(getComputedStyle(b).fontSize))"
    )
    assert min(heights) >= 48 * width / 1920
    for n in range(boards(leader.page)):
        leader.page.wait_for_timeout(700)  # a board comes up in half a second
        found = leader.page.evaluate(SIZES)
        assert len(found) > 40
        assert [(words, size) for words, size in found if size < smallest - 0.1] == []
        assert leader.page.evaluate(LEFT) == []
        leader.look(f"board-{n}")
        leader.page.keyboard.press("ArrowRight")
    expect(leader.page.locator("#turn")).to_have_text(re.compile(r"^1 / "))


def test_drawing_and_tiles_say_the_same(enter: Enter) -> None:
    leader = enter("lingdao", 1920)
    leader.go(WALL)
    tiles = leader.page.locator(".tile")
    assert tiles.count() == leader.page.locator(".w-box").count() == 33
    expect(leader.page.locator("[data-element-id=t13]")).to_have_class(re.compile(r"\blight-(green|red|yellow)\b"))
    box = leader.page.locator(".djs-overlays[data-container-id=t13] .w-box")
    expect(box).to_contain_text("13")
    expect(box).to_contain_text("0/7")
    expect(leader.page.locator(".bjs-powered-by")).to_be_visible()


def test_boards_turn_by_themselves_until_they_are_stopped(enter: Enter) -> None:
    leader = enter("lingdao", 1920)
    leader.page.clock.install()
    leader.go(WALL)
    turn = leader.page.locator("#turn")
    expect(turn).to_have_text(re.compile("^1 / "))
    leader.page.clock.run_for(20_500)
    expect(turn).to_have_text(re.compile("^2 / "))
    leader.page.keyboard.press("Space")
    expect(leader.page.get_by_role("button", name="暂停轮播")).to_have_attribute("aria-pressed", "true")
    leader.page.clock.run_for(45_000)
    expect(turn).to_have_text(re.compile("^2 / "))
    leader.press("上一屏")
    expect(turn).to_have_text(re.compile("^1 / "))
    leader.press("暂停轮播")
    leader.page.clock.run_for(20_500)
    expect(turn).to_have_text(re.compile("^2 / "))


def test_nothing_turns_where_motion_is_not_wanted(enter: Enter) -> None:
    leader = enter("lingdao", 1920)
    leader.page.emulate_media(reduced_motion="reduce")
    leader.page.clock.install()
    leader.go(WALL)
    expect(leader.page.get_by_role("button", name="暂停轮播")).to_have_attribute("aria-pressed", "true")
    leader.page.clock.run_for(45_000)
    expect(leader.page.locator("#turn")).to_have_text(re.compile("^1 / "))
    assert leader.page.locator(".board.is-on").first.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


def test_it_fetches_itself_and_says_when_it_cannot(enter: Enter, site: Site) -> None:
    leader = enter("lingdao", 1920)
    leader.page.clock.install()
    leader.go(WALL)
    leader.page.locator(".djs-container").evaluate("drawing => { drawing.dataset.first = 'yes' }")
    closed = leader.page.locator(".mark.is-blue b")
    expect(closed).to_have_text("0")
    office = Office(site.db, 1)
    office.apply("guozi", "8", "招聘计划全部完成。")
    office.decide("guozi", "8")
    office.decide("guozi", "8")
    leader.page.clock.run_for(61_000)
    expect(closed).to_have_text("1")
    expect(leader.page.locator("[data-element-id=t08]")).to_have_class(re.compile(r"\blight-blue\b"))
    expect(leader.page.locator(".djs-container")).to_have_attribute("data-first", "yes")  # not drawn anew
    expect(leader.page.locator(".curve svg").first).to_be_attached()

    lost = leader.page.locator("#lost")
    expect(lost).to_have_text("")
    leader.page.context.set_offline(True)
    leader.page.clock.run_for(61_000)
    expect(lost).to_contain_text("连接中断")
    expect(closed).to_have_text("1")
    leader.page.context.set_offline(False)
    leader.page.clock.run_for(61_000)
    expect(lost).to_have_text("")


def test_phone_scrolls_through_everything_without_chart_or_drawing(enter: Enter, site: Site) -> None:
    head = enter("renshe-fenguan", 390)
    head.go(WALL)
    head.look("phone")
    expect(head.page.locator(".plot .bar").first).to_be_visible()
    loaded = head.page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert not [name for name in loaded if re.search(r"/(charts|plan)\.", name)]
    with site.db.read() as connection:
        names = connection.execute(select(person.c.name)).scalars().all()
    shown = json.dumps(head.page.content(), ensure_ascii=False)
    assert [name for name in names if name in shown] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_figures_lead_to_their_origin_and_are_narrowed(enter: Enter, width: int) -> None:
    office = enter("zhuanban", width)
    office.go("/plans")
    office.page.get_by_role("link", name="指标总览").click()
    expect(office.page.get_by_role("heading", level=1)).to_have_text("指标总览")
    office.look("figures")
    office.page.get_by_label("填报单位").fill("dys")
    office.press("筛选")
    expect(office.page.locator(".numbers > li")).not_to_have_count(0)
    office.look("narrowed")
    office.page.locator(".numbers .v a").first.click()
    expect(office.page.get_by_role("heading", level=1)).to_have_text("就业见习岗位")


def visited(visitor: Visitor) -> list[str]:
    return [str(name) for name in visitor.page.evaluate("performance.getEntriesByType('resource').map(o => o.name)")]


def test_no_other_page_loads_the_curves(enter: Enter) -> None:
    office = enter("zhuanban", 1280)
    for path in ("/home", "/plans/1", "/figures", "/ledger"):
        office.go(path)
        assert not [name for name in visited(office) if "charts" in name or "warroom" in name], path
