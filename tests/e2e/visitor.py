"""A person at the browser. Whatever page is looked at must be whole: its language, its width, its access, its quiet."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, ViewportSize, expect

from bpmn.library import plan_xml
from bpmn.reading import read_plan
from ledger import organisation
from tests.e2e.deployment import PLAN, Site
from webapp.demo.people import PASSWORD, seats

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
PHONE = (
    "Mozilla/5.0 (Linux; Android 14; 23049RAD8C) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"  # only where a test has taken the network away
UNSENT = ("htmx:sendError", "htmx:afterRequest,")  # what htmx notes of it; a server that answers is not meant
OWN_PAGES = ("chrome://", "chrome-extension://")  # of the browser itself: its viewer of PDF
HEIGHTS = {1920: 1080, 1600: 1000, 1280: 900, 1100: 800, 1024: 768, 768: 1024, 390: 844}
# A4 within the margins of print.css, in the pixels of a sheet
PORTRAIT, LANDSCAPE = ViewportSize(width=680, height=1002), ViewportSize(width=1017, height=695)
expect.set_options(timeout=20_000)  # a busy machine is slow, not broken

# Latin letters that may stand in a Chinese page: addresses and accounts, the mark of bpmn.io, what the plan itself
# writes (24小时人社高校服务e站, App), record hashes, seals with the command that compares them, kinds and sizes of
# files, the number of a message, the password of the demonstration.
_PLAN = read_plan(plan_xml(PLAN))
ACCOUNTS = sorted((seat.login for seat in seats(_PLAN, organisation.load("huangshi"))), key=len, reverse=True)
ALLOWED = re.compile(
    r"[\w.+-]+@[\w.-]+\w"  # e-mail addresses and Message-IDs
    r"|https?://[\w./:?=&#%-]+"
    r"|\bBPMN\.iO\b|\bbpmn\.io\b|\bPowered by bpmn\.io\b"
    r"|e站|App(?![A-Za-z])"
    r"|[AB] 角"
    r"|(?<![A-Za-z])(?:[JKX]|srsj)(?![A-Za-z])"  # keys to press, an example of initials
    r"|第 \d+ 号 · [0-9a-f]+"
    r"|duban verify --head \d+:[0-9a-f]{64}"
    r"|\b[0-9a-f]{64}\b"
    r"|\.(?:pdf|png|docx|xlsx|csv|zip)\b|\d (?:KB|MB)\b"
    rf"|(?<![A-Za-z])(?:{'|'.join(map(re.escape, [*ACCOUNTS, PASSWORD]))})(?![A-Za-z])",
)
LATIN = re.compile(r"[A-Za-z]+(?:[ '-][A-Za-z]+)*")

WORDS = """() => {
  const shown = [document.title, document.body.innerText];
  for (const one of document.querySelectorAll('[title],[aria-label],[placeholder],[alt]'))
    for (const name of ['title', 'aria-label', 'placeholder', 'alt']) shown.push(one.getAttribute(name) || '');
  for (const one of document.querySelectorAll('option,details,.vh')) shown.push(one.textContent);
  const own = [...document.querySelectorAll('[translate=no]')].map(one => one.textContent);  // what a machine reads
  return own.reduce((words, one) => words.replaceAll(one, ''), shown.join('\\n'));
}"""
WIDER = """width => [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > width + 1)
  .slice(0, 8).map(one => `${one.tagName}.${one.getAttribute('class')}`)"""
PHONE_BELOW = 640
WALL_FROM = 1000  # narrower, the war room is a page to scroll
LIGHT = 120 * 1024  # bytes of compressed script and style that a page for a phone may load
# The addresses of the script and style that the page has asked for, from the network or from what the browser kept.
ASKED = """() => [...new Set([
  ...performance.getEntriesByType('resource').map(one => one.name),
  ...[...document.querySelectorAll('script[src]')].map(one => one.src),
  ...[...document.querySelectorAll('link[rel=stylesheet]')].map(one => one.href),
])].filter(one => /[.](js|css)$/.test(new URL(one).pathname))"""
# What would be lost or in the way on paper: words cut off, what lies over the sheets, what only a screen can do.
LOST_ON_PAPER = """() => {
  const found = [];
  const say = (what, one) => found.push(`${what}: ${one.tagName}.${one.getAttribute('class')} ${one.id}`);
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('.vh, svg, .djs-container')) continue;
    if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const style = getComputedStyle(one), { width, height } = one.getBoundingClientRect();
    if (width < 2 || height < 2) continue;
    if (['fixed', 'sticky'].includes(style.position)) say(style.position, one);
    const cuts = (overflow, inner, outer) => !['visible', ''].includes(overflow) && inner > outer + 1;
    if (cuts(style.overflowY, one.scrollHeight, one.clientHeight)) say('cut below', one);
    if (cuts(style.overflowX, one.scrollWidth, one.clientWidth)) say('cut at the side', one);
    if (one.matches('button, select, textarea, input')) say('control', one);
  }
  if (document.documentElement.scrollWidth > innerWidth) say('wider than the sheet', document.body);
  return found;
}"""
AXE_RUN = """() => axe.run(document, {resultTypes: ['violations'], iframes: false}).then(found => found.violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => [one.id, ...one.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"""


# Fields that stand under the bar of buttons once one has come to them; of a large one a browser shows the caret.
COVERED = """() => [...document.querySelectorAll('form .abar')].flatMap(bar =>
  [...bar.closest('form').querySelectorAll('input:not([type=hidden]),select,textarea')].filter(field => {
    if (bar.contains(field) || !field.getClientRects().length || field.closest('.vh')) return false;
    field.focus();
    const [own, its] = [field.getBoundingClientRect(), bar.getBoundingClientRect()];
    const end = field.matches('textarea') ? Math.min(own.bottom, own.top + 36) : own.bottom;
    return Math.min(end, its.bottom) - Math.max(own.top, its.top) > 1;
  }).map(field => field.name))"""


@dataclass
class Visitor:
    """One window, and what it has complained of."""

    page: Page
    site: Site
    width: int
    pictures: Path | None
    name: str
    complaints: list[str] = field(default_factory=list)
    refusals: set[str] = field(default_factory=set)
    _shots: int = 0

    # ---------------------------------------------------------------- getting about
    def log_in(self, account: str) -> None:
        if not self.page.url.startswith(f"{self.site.url}/login"):
            self.go("/login")
        self.page.get_by_label("账号").fill(account)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登 录").click()
        expect(self.page.get_by_role("button", name="退出")).to_be_visible()

    def log_out(self) -> None:
        self.page.get_by_role("button", name="退出").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("督办台账")

    def go(self, path: str, status: int = 200) -> None:
        """Open a page, which must answer with `status`; the browser's own note of a refusal is no complaint."""
        if status >= 400:
            self.expect_refusal(path)
        answer = self.page.goto(self.site.url + path)
        assert answer is not None and answer.status == status, f"{path}: {answer and answer.status}"
        self.settle()

    def expect_refusal(self, path: str) -> None:
        """From now on the browser may note that this address answered with 4xx."""
        self.refusals.add(self.site.url + path)

    def settle(self) -> None:
        """Wait for what the page loads: measured before its style sheets are there, every page is too wide."""
        self.page.wait_for_load_state("load")
        if self.page.locator("[data-bpmn]").count():
            self.page.locator("[data-bpmn][data-ready]").wait_for(state="attached")  # the war room turns it away
        if self.page.locator("#wall").count() and self.width >= WALL_FROM:
            self.page.locator("#wall[data-ready]").wait_for()
        if self.page.locator("#editor").count():
            self.page.locator("#editor[data-ready], [data-drawing][data-ready]").first.wait_for()

    def press(self, name: str, says: str = "") -> None:
        """Press the button of this name (two characters may be set wide) and wait for what the page says to it."""
        wide = r"\s*".join(name) if len(name) == 2 else re.escape(name)
        self.page.get_by_role("button", name=re.compile(f"^{wide}$")).click()
        if says:
            expect(self.page.locator(".toast")).to_have_text(says)

    def slip(self, title: str) -> Locator:
        """A thing of the inbox, those that are folded away included."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text("待办")
        for folded in self.page.locator("details.later:not([open]) > summary").all():
            folded.click()
        return self.page.locator("article.slip").filter(has=self.page.get_by_role("link", name=title, exact=True))

    # ---------------------------------------------------------------- looking
    def look(self, picture: str) -> None:
        """Every check of a page as it stands now, and its picture."""
        self.settle()
        self.shoot(picture)
        page, where = self.page, f"{self.name} {self.width} {self.page.url.removeprefix(self.site.url)}"
        assert page.locator("html").get_attribute("lang") == "zh-CN", where
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= self.width, (where, wide, page.evaluate(WIDER, self.width))
        english = leftovers(page.evaluate(WORDS))
        assert not english, (where, english)
        if self.width < PHONE_BELOW:
            loaded = {address: weight(address) for address in page.evaluate(ASKED)}
            assert sum(loaded.values()) <= LIGHT, (where, loaded)
        page.evaluate(AXE)
        found = page.evaluate(AXE_RUN)
        assert not found, (where, found)
        self.assert_quiet()

    def assert_uncovered(self) -> None:
        """No field is come to that the bar of buttons covers; without the tab bar below, nothing shows beneath it."""
        assert self.page.evaluate(COVERED) == []
        beneath = "[...document.querySelectorAll('.abar')].map(bar => parseFloat(getComputedStyle(bar).bottom) || 0)"
        room = 52 if self.width < PHONE_BELOW and self.page.locator(".tabbar").count() else 0
        assert all(bottom <= room for bottom in self.page.evaluate(beneath))

    def look_at_paper(self) -> None:
        """The page as it would be printed on A4: nothing cut off, nothing over the text, nothing to fill in."""
        with self.on_paper():
            found = self.page.evaluate(LOST_ON_PAPER)
        assert not found, (self.name, self.page.url.removeprefix(self.site.url), found)

    @contextmanager
    def on_paper(self) -> Iterator[None]:
        """The page in between is as it is printed; the browser says so to the page before and after."""
        page, size = self.page, self.page.viewport_size
        assert size is not None
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.set_viewport_size(LANDSCAPE if page.locator("main.wide").count() else PORTRAIT)
        yield
        page.emulate_media(media="screen")
        page.set_viewport_size(size)
        page.evaluate("dispatchEvent(new Event('afterprint'))")

    def shoot(self, picture: str) -> None:
        if self.pictures:
            self._shots += 1
            self.pictures.mkdir(parents=True, exist_ok=True)
            path = self.pictures / f"{self.width}-{self.name}-{self._shots:02}-{picture}.png"
            self.page.screenshot(path=path, full_page=True)

    def assert_quiet(self) -> None:
        assert not self.complaints, self.complaints

    # ---------------------------------------------------------------- listening
    def heard(self, message: ConsoleMessage) -> None:
        place = message.location.get("url", "")
        if place in self.refusals and "Failed to load resource" in message.text:
            return
        if any(words in message.text for words in (OFFLINE, *UNSENT)):
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({place})")

    def requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:", *OWN_PAGES)):
            self.complaints.append(f"request to {request.url}")

    def failed(self, request: Request) -> None:
        if request.failure not in (
            "net::ERR_ABORTED",
            OFFLINE,
        ):  # the first is what a page left early does to its last pictures
            self.complaints.append(f"failed: {request.url} {request.failure}")


@contextmanager
def visit(browser: Browser, site: Site, width: int, pictures: Path | None, name: str) -> Iterator[Visitor]:
    """A window of this width, a phone's below 640; it must have been quiet to the end."""
    phone = width < PHONE_BELOW
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        is_mobile=phone,
        has_touch=phone,
        user_agent=PHONE if phone else None,
    )
    page = context.new_page()
    visitor = Visitor(page, site, width, pictures, name)
    context.on("request", visitor.requested)
    page.on("console", visitor.heard)
    page.on("pageerror", lambda error: visitor.complaints.append(f"page error: {error}"))
    page.on("requestfailed", visitor.failed)
    try:
        yield visitor
        visitor.assert_quiet()
    finally:
        context.close()


@cache
def weight(address: str) -> int:
    """The bytes of a file as they come to a browser that has kept nothing."""
    asked = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return len(answer.read())


def leftovers(words: str) -> list[str]:
    """Latin words that are not allowed in a page."""
    return sorted(set(LATIN.findall(ALLOWED.sub("", words))))
