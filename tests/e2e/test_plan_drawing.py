"""The plan bundle in a real Chromium, on a page with nothing else: does the drawing stand, light up and lead on?"""

import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "webapp" / "static" / "dist"

PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>方案图</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/plan.css"><script type="module" src="/app.js"></script>
<main><h1>方案图</h1><div>
<button type="button" data-zoom="in">放大</button> <button type="button" data-zoom="fit">全图</button>
<div data-bpmn data-url="/plan.bpmn" data-lights="/lights.json" aria-label="方案图" style="height: 420px"></div>
</div></main><script type="module" src="/plan.js"></script></html>"""

DIAGRAM = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
    targetNamespace="urn:test">
  <bpmn:process id="plan" isExecutable="true"><bpmn:adHocSubProcess id="H1" name="一、强化就业">
    <bpmn:userTask id="I2" name="2 举办招聘会"/><bpmn:userTask id="I1" name="1 摸清底数"/>
  </bpmn:adHocSubProcess></bpmn:process>
  <bpmndi:BPMNDiagram id="d"><bpmndi:BPMNPlane id="p" bpmnElement="plan">
    <bpmndi:BPMNShape id="H1_di" bpmnElement="H1" isExpanded="true">
      <dc:Bounds x="0" y="0" width="188" height="240"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="I1_di" bpmnElement="I1"><dc:Bounds x="20" y="40" width="148" height="66"/></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="I2_di" bpmnElement="I2"><dc:Bounds x="20" y="116" width="148" height="66"/></bpmndi:BPMNShape>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""

LIGHTS = {
    "H1": {"nm": "0/2"},
    "I2": {"colour": "red", "word": "逾期", "shape": "■", "href": "#item-2"},
    "I1": {"colour": "green", "word": "正常", "shape": "●", "href": "#item-1"},
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    for name in ("app.js", "plan.js", "plan.css"):
        shutil.copy(DIST / name, tmp_path)
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "plan.bpmn").write_text(DIAGRAM)
    (tmp_path / "lights.json").write_text(json.dumps(LIGHTS))
    handler = partial(QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("request", lambda sent: None if sent.url.startswith((site, "data:")) else complaints.append(sent.url))
        page.goto(site)
        page.locator("[data-bpmn][data-ready]").wait_for()
        yield page
        browser.close()
    assert complaints == []


def zoom(page: Page) -> float:
    scale: float = page.locator(".viewport").evaluate("layer => layer.getCTM().a")
    return scale


def test_each_item_shows_its_light_with_shape_and_word(page: Page):
    expect(page.locator("[data-element-id=I2].light-red")).to_be_visible()
    expect(page.locator(".plan-light")).to_have_text(["● 正常", "■ 逾期"])
    expect(page.locator(".plan-nm")).to_have_text("0/2")
    expect(page.locator(".bjs-powered-by")).to_be_visible()


def test_items_are_links_in_reading_order_for_the_keyboard_too(page: Page):
    links = page.locator(".plan-link")
    assert links.evaluate_all("all => all.map(a => a.getAttribute('aria-label'))") == [
        "1 摸清底数，正常",
        "2 举办招聘会，逾期",
    ]
    links.first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#item-2")
    links.first.click()
    page.wait_for_url("**/#item-1")


def test_dragging_an_item_moves_the_drawing_and_follows_no_link(page: Page):
    box = page.locator(".plan-link").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.up()
    moved = page.locator(".plan-link").first.bounding_box()
    assert moved
    assert moved["x"] - box["x"] == pytest.approx(60, abs=8)
    assert "#" not in page.url


def test_zoom_buttons_and_escape(page: Page):
    fitted = zoom(page)
    page.get_by_role("button", name="放大").click()
    assert zoom(page) == pytest.approx(fitted * 1.25)
    page.locator(".plan-link").first.focus()
    page.keyboard.press("Escape")
    assert zoom(page) == pytest.approx(fitted)


def test_axe_finds_nothing_on_the_drawing(page: Page):
    page.add_script_tag(path=ROOT / "node_modules" / "axe-core" / "axe.min.js")
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']}).then(answer => answer.violations)")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_htmx_is_kept_to_the_security_policy(page: Page):
    assert page.evaluate("[htmx.config.allowEval, htmx.config.includeIndicatorStyles]") == [False, False]
