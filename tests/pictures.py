"""Takes the pictures of the README: every page, at the width of a desk and of a phone.

    python -m tests.pictures                                   starts a demo of its own on a temporary folder
    python -m tests.pictures --url http://127.0.0.1:8000       uses one that runs already
    python -m tests.pictures ledger plan                       takes only these

A picture is a lossy WebP of the first screens of a page, below 300 KB.
"""

from __future__ import annotations

import argparse
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
LIMIT = 300_000
TALLEST = {1280: 1700, 390: 1900}
PATIENCE = 240
WALL_FROM = 1000  # narrower, the war room is a page to scroll


@dataclass(frozen=True)
class Shot:
    """A picture: who looks at which page. `link` is a selector whose first link leads on to the page meant."""

    name: str
    path: str
    account: str | None = "zhuanban"
    link: str | None = None


SHOTS = (
    Shot("login", "/login", account=None),
    Shot("inbox", "/inbox", account="renshe"),
    Shot("item", "/ledger?words=就业见习岗位", link="th a[href^='/items/']"),
    Shot("report", "/rounds", account="renshe", link="main a[href^='/rounds/']"),
    Shot("ledger", "/ledger"),
    Shot("plans", "/plans"),
    Shot("plan", "/plans", link="h2 a[href='/plans/1']"),
    Shot("figures", "/figures"),
    Shot("warroom", "/plans/1/warroom", account="lingdao"),
    Shot("mails", "/demo/mail"),
    Shot("mail", "/demo/mail?kind=digest", link="th a[href^='/demo/mail/']"),
)


def take(url: str, shots: Sequence[Shot], folder: Path, password: str | None = None) -> list[Path]:
    """Every shot at both widths; returns the files. Raises AssertionError for a page that does not answer with 200."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        for width in TALLEST:
            for shot in shots:
                path = folder / f"{shot.name}-{width}.webp"
                path.write_bytes(_picture(browser, url, shot, width, password))
                print(f"{path.relative_to(folder.parent)}  {path.stat().st_size // 1000} KB")
                found.append(path)
        browser.close()
    return found


def _picture(browser: Browser, url: str, shot: Shot, width: int, password: str | None) -> bytes:
    page = browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")
    try:
        if shot.account:
            _log_in(page, url, shot.account, password)
        answer = page.goto(url + shot.path)
        assert answer is not None and answer.status == 200, f"{shot.path}: {answer and answer.status}"
        if shot.link:
            page.goto(url + str(page.locator(shot.link).first.get_attribute("href")))
        if page.locator("[data-bpmn]").count():
            page.locator("[data-bpmn][data-ready]").wait_for()
        if page.locator("#wall").count() and width >= WALL_FROM:
            page.locator("#wall[data-ready]").wait_for()
        return _webp(page, width)
    finally:
        page.close()


def _log_in(page: Page, url: str, account: str, password: str | None) -> None:
    """By password, or with the button of the demo's list of accounts."""
    page.goto(f"{url}/login")
    if password:
        page.fill("[name=account]", account)
        page.fill("[name=password]", password)
        page.keyboard.press("Enter")
    else:
        page.locator(f"button[name=account][value='{account}']").evaluate("button => button.click()")
    page.wait_for_url(lambda now: "/login" not in now)


def _webp(page: Page, width: int) -> bytes:
    """As good as the size allows."""
    height = min(int(page.evaluate("document.documentElement.scrollHeight")), TALLEST[width])
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(300)
    session = page.context.new_cdp_session(page)
    for quality in (88, 75, 60, 40):
        answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": quality})
        picture = base64.b64decode(answer["data"])
        if len(picture) < LIMIT:
            break
    return picture


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def demo() -> Iterator[str]:
    """A demonstration of its own; yields its address once it answers."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "webapp.cli", "demo", "--port", str(port), "--folder", folder]
        running = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
        try:
            _wait_for(f"http://127.0.0.1:{port}/login", running)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(running.pid, signal.SIGINT)
            running.wait(timeout=30)


def _wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and running.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise SystemExit("the demo did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="names of pages; all when none is given")
    parser.add_argument("--url", help="a demo that runs already")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--password", help="log in by password instead of the demo's account buttons")
    asked = parser.parse_args()
    shots = [shot for shot in SHOTS if not asked.pages or shot.name in asked.pages]
    if asked.url:
        take(asked.url.rstrip("/"), shots, asked.folder, asked.password)
    else:
        with demo() as url:
            take(url, shots, asked.folder, asked.password)


if __name__ == "__main__":
    main()
