"""One deployment a test file (a worker under pytest-xdist), one Chromium, and visitors who watch what they see."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.deployment import Site, build, running
from tests.e2e.visitor import Visitor, visit

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]

Enter = Callable[..., Visitor]


def pictures_of(name: str) -> Path | None:
    """The folder for a test's pictures; none are taken unless DUBAN_E2E_PICTURES names a place for them."""
    folder = os.environ.get("DUBAN_E2E_PICTURES")
    return Path(folder) / name if folder else None


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the plan has just started; every deployment copies it."""
    file = tmp_path_factory.mktemp("started") / "duban.sqlite3"
    build(file)
    return file


@pytest.fixture(scope="module")
def site(started: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(started, tmp_path_factory.mktemp("site")) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def enter(request: pytest.FixtureRequest, site: Site, browser: Browser) -> Iterator[Enter]:
    """`enter("renshe", width=390)`: a window of its own, logged in by account and password; None is a stranger.

    At the end every window must have seen no complaint.
    """
    pictures = pictures_of(re.sub(r"\W+", "-", request.node.name).strip("-"))
    with ExitStack() as stack:

        def entered(account: str | None, width: int = 1280) -> Visitor:
            visitor = stack.enter_context(visit(browser, site, width, pictures, account or "guest"))
            if account:
                visitor.log_in(account)
            return visitor

        yield entered
