"""No log of a real process holds what a person typed, is called, or can be reached at."""

from __future__ import annotations

import http.client
import io
import json
import logging
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from ledger.clock import wall_now
from ledger.schema import due, message, person
from tests.e2e.deployment import Site, build, running, wait_until
from webapp import loglines
from webapp.demo.people import PASSWORD

PHONE, IDENTITY, NAME = "13871234567", "420202198801011234", "欧阳某某"
MAIL, WORDS, SECRET = "ouyang@example.gov.cn", "已上门走访困难家庭并登记情况", "Pa55-word-of-mine"
PERSONAL = (PHONE, IDENTITY, NAME, MAIL, WORDS, SECRET)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A deployment whose logs are JSON, in the file `log`."""
    monkeypatch.setenv("DUBAN_LOG", "json")
    build(tmp_path / "started.sqlite3")
    folder = tmp_path / "site"
    folder.mkdir()
    with running(tmp_path / "started.sqlite3", folder) as deployed:
        yield deployed


class Browser:
    """Sends forms and addresses full of what must not be logged."""

    def __init__(self, site: Site) -> None:
        self.url = site.url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        headers = {"User-Agent": f"{NAME} {PHONE}".encode().decode("latin-1"), "X-Request-ID": PHONE}
        self._opener.addheaders = [*headers.items(), ("Referer", f"{self.url}/{PHONE}?mail={MAIL}")]

    def open(self, path: str, **fields: str) -> tuple[int, str, str]:
        """(status, page, the request's number)."""
        data = urllib.parse.urlencode(fields).encode() if fields else None
        try:
            answer = self._opener.open(self.url + urllib.parse.quote(path, "/?=&"), data, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.status or 0, answer.read().decode(), answer.headers["X-Request-ID"]

    def post(self, path: str, at: str = "/inbox", **fields: str) -> tuple[int, str, str]:
        token = re.search(r'csrf-token" content="([^"]+)"', self.open(at)[1])
        assert token
        return self.open(path, csrf_token=token[1], **fields)


def raw(site: Site, request: bytes) -> None:
    """What no browser sends."""
    host, port = site.host.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass


def test_no_personal_data_in_any_log(site: Site, tmp_path: Path) -> None:
    with site.db.writer.begin() as connection:  # the scheduler meets mails it cannot send and rows it cannot do
        connection.execute(update(person).where(person.c.login == "renshe").values(name=NAME))
        spoilt = {"state": "queued", "attempts": 0, "try_at": wall_now(), "address": f"{NAME} {PHONE}", "token": None}
        first = connection.execute(select(message.c.id).order_by(message.c.id)).scalars().first()
        connection.execute(update(message).where(message.c.id == first).values(**spoilt))
        second = spoilt | {"address": MAIL, "context": json.dumps({"told": 1, "phone": PHONE})}
        connection.execute(update(message).where(message.c.id == (first or 0) + 1).values(**second))
        now = site.db.clock.now(connection)
        connection.execute(
            insert(due).values(owner_kind="system", owner_id=9, kind=f"{NAME} {PHONE}", arm=1, at=now, rank=0)
        )
    browser = Browser(site)
    assert browser.post("/login", "/login", account=MAIL, password=SECRET)[0] == 422
    assert browser.post("/login", "/login", account="renshe", password=SECRET)[0] == 422
    assert browser.post("/login", "/login", account="renshe", password=PASSWORD)[0] == 200
    browser.open(f"/ledger?words={NAME}&unit={PHONE}")
    assert browser.open(f"/{NAME}/{PHONE}?mail={MAIL}")[0] == 404
    assert browser.open("/items/999999")[0] == 404
    typed = {"progress": WORDS, "problem": f"{NAME} {PHONE}", "words": WORDS, "reason": MAIL, "summary": IDENTITY}
    for path in acts(browser):
        browser.post(path, **typed)
    with site.db.writer.begin() as connection:
        connection.execute(text("ALTER TABLE draft RENAME TO draft_gone"))  # the error quotes what was to be written
    saved = browser.post("/drafts/report-4", **typed)[0]
    status, page, number = browser.open("/items/4")
    assert status == 500 and f"差错编号 {number}" in page and saved == 500
    raw(site, f"GET /?{PHONE} HTTP/9.9\r\nX: {MAIL}\r\n\r\n".encode())
    raw(site, f"{PHONE} /{NAME} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
    raw(site, f"POST /login HTTP/1.1\r\nContent-Length: {PHONE}x\r\n\r\n{SECRET}".encode())
    log = tmp_path / "site" / "log"
    awaited = ("due rows", "cannot be rendered", "not sent")
    wait_until(lambda: all(words in log.read_text() for words in awaited), log.read_text)
    told = log.read_text("utf-8")
    assert [word for word in personal(site) if word in told] == []
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert len(lines) > 20 and [line for line in told.splitlines() if not line.startswith("{")] == []
    (broken,) = (line for line in lines if line.get("request") == number and line["level"] == "error")
    assert broken["error"].startswith("OperationalError") and any("webapp.items" in at for at in broken["at"])
    (asked,) = (line for line in lines if line.get("request") == number and line["event"] == "request")
    assert (asked["method"], asked["route"], asked["status"]) == ("GET", "/items/<int:item_id>", 500)
    assert asked["ms"] > 0 and asked["person"] > 0
    assert any(line["event"] == "tick" and line["fired"] >= 0 for line in lines)
    assert any(line["event"] == "mail" and line["sent"] > 0 for line in lines)
    assert any("not sent" in line["event"] and "SendError" in line["event"] for line in lines)


def acts(browser: Browser) -> list[str]:
    """The addresses of every form on some pages."""
    found = set()
    for page in ("/inbox", "/rounds", "/items/4", "/items/11"):
        found |= set(re.findall(r'<form[^>]*action="([^"?]+)"', browser.open(page)[1]))
    return sorted(found - {"/logout"})


def personal(site: Site) -> list[str]:
    """What must stand in no log: what was sent, and everybody's name, account and address."""
    with site.db.read() as connection:
        people = connection.execute(select(person.c.name, person.c.email)).all()
    return [*PERSONAL, PASSWORD, *(p.name for p in people), *(p.email for p in people)]


# ---------------------------------------------------------------- what a line may say, whoever logs it
@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root, kept = logging.getLogger(), list(logging.getLogger().handlers)
    level, stream = root.level, io.StringIO()
    loglines.configure("json", stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)


def line_of(out: io.StringIO) -> dict[str, object]:
    found: dict[str, object] = json.loads(out.getvalue().splitlines()[-1])
    return found


@pytest.mark.parametrize("name", ["engine.delivering", "gunicorn.error", "some.library"])
def test_of_the_arguments_only_numbers_are_printed(out: io.StringIO, name: str) -> None:
    log = logging.getLogger(name)
    log.warning("%s of %s, %d times, in %s: %s", NAME, [PHONE], 3, [1, 2], ValueError(MAIL), extra={"words": WORDS})
    said = line_of(out)
    assert said["event"] == "… of …, 3 times, in [1, 2]: ValueError"
    assert not any(word in out.getvalue() for word in PERSONAL)


def test_an_exception_is_told_by_its_type_code_and_places(out: io.StringIO) -> None:
    try:
        try:
            raise http.client.BadStatusLine(PHONE)
        except http.client.BadStatusLine as error:
            raise OSError(28, f"no space for {WORDS}", NAME) from error
    except OSError:
        logging.getLogger("webapp.app").exception("request failed")
    said = line_of(out)
    assert said["error"] == "OSError[28] < BadStatusLine"
    assert any("test_an_exception" in place for place in said["at"])  # type: ignore[attr-defined]
    assert not any(word in out.getvalue() for word in PERSONAL)


def test_what_a_library_has_put_together_itself_is_told_by_its_place(out: io.StringIO) -> None:
    put_together = f"Invalid request: {PHONE}"
    logging.getLogger("some.library").warning(put_together)
    said = line_of(out)
    assert said["event"] == "…" and "test_what_a_library" in str(said["at"])
    assert PHONE not in out.getvalue()


def test_a_sentence_that_wanted_a_number_is_printed_bare() -> None:
    record = logging.makeLogRecord({"name": "engine.delivering"})
    line = {"event": "%d mails to %s", "positional_args": (PHONE, NAME), "_record": record}
    assert loglines._say(None, "warning", line)["event"] == "%d mails to %s"


def test_people_get_lines_and_machines_json() -> None:
    stream = io.StringIO()
    assert loglines.form_of("auto", False, stream) == "json"
    assert loglines.form_of("auto", True, stream) == "console"
    assert loglines.form_of("json", True, stream) == "json"
    assert loglines.form_of("console", False, stream) == "console"
