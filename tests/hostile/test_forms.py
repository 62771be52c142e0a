"""Hostile values in every route, field, body and header: never a server's error, nothing executed, the ledger whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import func, select
from werkzeug.routing import Rule

from engine.mail.rendering import render
from engine.mail.smtp import compose
from ledger.clock import wall_now
from ledger.schema import content, draft, event, figure, indicator, message
from tests.hostile.conftest import MARKUP, RAW, House
from webapp.demo.people import PASSWORD

PEOPLE = ("", "renshe", "renshe-fenguan", "zhuanban", "ducha")
NUMBERS = ("0", "-1", "2147483647", "2147483648", "99999999999999999999", "9" * 5000, "１", "²", "٣", "1e3", "0x1",
           "NaN", "1.0", "+1", " 1", "1%20", "1%00", "../1", "1%2f..%2f2", "1;2", "%ff", "null")  # fmt: skip
STRINGS = (
    *("..", "../../etc/passwd", "%2e%2e%2fetc%2fpasswd", "..%5c..%5cx", "%00", "a%00b", "%c0%ae%c0%ae", "%ff"),
    *("x" * 81, "x" * 5000, "report-1%0d%0aSet-Cookie:x=1", "__class__", "{{7*7}}"),
    *("%3Cscript%3Ealert(1)%3C/script%3E", "%f0%9f%92%a9", "con", "a/../b", ".git/config", "%e2%80%ae", "%ed%a0%80", "report-1", "report-²"),
    "report-99999999999999999999",
)  # fmt: skip
TEXTS = (
    *(MARKUP, "</textarea><script>alert(2)</script>", "{{ config }}{% raw %}", "=cmd|'/C calc'!A0", "@SUM(1)", "+1+1"),
    *("a\x00b", "\x00", "\x01\x02\x1b[31m", "a\u202eb\u2066c", "\u200b", "\ufeff\ufffe", "\x85\u2028", "\U000e0041", "\r\nBcc: x@y"),
    *("’ OR 1=1 --", "'; DROP TABLE event; --", "%s%n%(x)s", "../../etc/passwd", "\\", "x" * 1999, "字" * 2001, "x" * 100_000),
    *("😀" * 100, "e\u0301" * 500, "\t\n\r", "null", "[]", '{"typename": "foo"}', "true", "１２", "²", "NaN", "𝟙"),
)  # fmt: skip
FIGURES = {
    "１２": 12, "12": 12, "1,200": 1200, "3.5万": 35000, "0": 0, "99999999999.9999": None, "²": None, "1²": None, "①": None,
    "½": None, "٣": None, "１２３²": None, "NaN": None, "Infinity": None, "-Infinity": None, "1e5": None, "1E400": None, "-1": None,
    "--1": None, "0x10": None, "1_000": None, "9" * 21: None, "9" * 5000: None, "100000000000": None, "0.00001": None,
    "1,2,3": None, "1.2.3": None, "1000亿": None, "=1+1": None, "1\x00": None, "1\u202e2": None, "𝟙": None, "⒈": None, "㏠": None,
    "1 OR 1": None, "{{7}}": None, "true": None, "十": None, "Ⅻ": None,
}  # fmt: skip
KEYS = ("typename", "__class__", "__init__.__globals__", "version", "data", "state", "step", "arm", "csrf_token", "act",
        "confirmed", "items", "values", "get", "self", "figure-0", "figure-²", "figure-99999999999999999999", "assignments",
        "todo", "one", "x" * 5000, "a\x00b", "<script>alert(2)</script>", "", "[]", "a[b][c]", "progress\u202e")  # fmt: skip


def _paths(rule: Rule) -> Iterator[str]:
    """The rule's path with each hostile value in each of its arguments."""
    plain = re.sub(r"<int:[^>]+>", "1", re.sub(r"<(?:path:)?[a-z_]+>", "report-1", rule.rule))
    yield plain
    for argument in re.findall(r"<[^>]+>", rule.rule):
        for value in NUMBERS if argument.startswith("<int:") else STRINGS:
            one = rule.rule.replace(argument, value)
            yield re.sub(r"<int:[^>]+>", "1", re.sub(r"<(?:path:)?[a-z_]+>", "report-1", one))


def test_paths(house: House) -> None:
    for rule in house.app.url_map.iter_rules():
        for path in _paths(rule):
            for who in PEOPLE if "<" not in rule.rule else ("renshe", "zhuanban"):
                if "GET" in (rule.methods or ()):
                    house.get(who, path)
                if "POST" in (rule.methods or ()) and rule.endpoint != "accounts.leave":
                    house.post(who, path)
    assert len(house.answers) > 700
    house.clean()


ARGUMENTS = ("run", "heading", "unit", "role", "light", "state", "due", "words", "sort", "page", "size", "tab", "next",
             "account", "to", "kind", "back", "order_by", "_method", "lang", "__class__")  # fmt: skip


def test_arguments(house: House) -> None:
    short = [value for value in TEXTS if len(value) < 3000]
    for page in ("/inbox", "/ledger", "/plans/2", "/items/34", "/demo/mail", "/login"):
        for value in (*short, *NUMBERS):
            house.get("zhuanban", f"{page}?{'&'.join(f'{name}={quote(value)}' for name in ARGUMENTS)}")
        house.get("zhuanban", f"{page}?{'&'.join(f'words={n}' for n in range(3000))}")
        house.get("zhuanban", f"{page}?{'&'.join(f'{name}=%ff%00' for name in ARGUMENTS)}")
        house.get(
            "zhuanban", page, headers={"HX-Request": "true", "HX-Target": MARKUP, "HX-Current-URL": "javascript:1"}
        )
    for name in ARGUMENTS:
        for value in (MARKUP, "\x00", "a\u202eb", "%_\\", "9" * 5000, "2147483648", "²", "-1", "字" * 900):
            house.get("zhuanban", f"/ledger?{name}={quote(value)}")
    house.clean()


NUMBER_FIELDS = ("arm", "todo", "one", "assignments", "step", "confirmed", "act")


UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def test_texts_in_every_field(house: House) -> None:
    item_id, share_id = house.share("4", "renshe")
    forms = {
        ("renshe", f"/assignments/{share_id}/report"): ("progress", "problem", "act"),
        ("renshe", f"/assignments/{share_id}/acknowledge"): ("arm", "step"),
        ("renshe", f"/drafts/report-{share_id}"): ("progress", "figure-1", "anything"),
        ("zhuanban", f"/items/{item_id}/urge"): ("words", "assignments"),
        ("renshe", f"/assignments/{share_id}/submit"): ("arm",),
        ("zhuanban", f"/assignments/{share_id}/decide"): ("step", "arm", "act", "reason"),
        ("renshe", "/inbox/acknowledge"): ("todo", "one"),
        ("renshe", "/rounds/1"): ("progress-1", "figure-1-1", "confirmed", "act"),
        ("renshe", "/demo/clock"): ("back",),
        ("", "/demo/enter"): ("account",),
    }
    for (who, path), fields in forms.items():
        for name in fields:
            for value in (*TEXTS[:12], *NUMBERS) if name in NUMBER_FIELDS else TEXTS:
                usual = {"assignments": str(share_id), "words": "请抓紧"} if path.endswith("urge") else {}
                house.post(who, path, usual | {name: value})
        if who:
            house.get(who, f"/items/{item_id}")
            house.get(who, f"/items/{item_id}?tab=report-{share_id}")
            house.get(who, "/inbox")
    for value in TEXTS[:12]:
        client, token = house.browser("")
        form = {"csrf_token": token, "account": f"{value[:50]}", "password": value}
        house.judged("POST /login", client.post("/login", data=form))
    house.clean()
    with house.db.read() as connection:  # what was taken is kept so that anybody can see what it says
        for text in connection.execute(select(content.c.text)).scalars():
            assert not UNSEEN.search(text or ""), ascii(text)


def test_pages_and_mails_show_markup_as_text(house: House) -> None:
    item_id, share_id = house.share("m1", "renshe")
    house.post("renshe", f"/assignments/{share_id}/report", {"progress": MARKUP, "problem": MARKUP})
    house.post("zhuanban", f"/items/{item_id}/urge", {"assignments": str(share_id), "words": MARKUP})
    answer = house.post("renshe", f"/assignments/{share_id}/submit", {"arm": "1", "summary": MARKUP, "problem": MARKUP})
    assert answer.status_code == 302
    house.post(
        "renshe-fenguan",
        f"/assignments/{share_id}/decide",
        {"arm": "1", "step": "sign", "act": "agree", "reason": MARKUP},
    )
    house.post(
        "renshe", f"/assignments/{share_id}/decide", {"arm": "1", "step": "review", "act": "return", "reason": MARKUP}
    )
    house.post("renshe", f"/drafts/report-{share_id}", {"progress": MARKUP, "problem": MARKUP})
    shown = 0
    for who in PEOPLE[1:]:
        for page in ("/inbox", "/ledger", "/plans", "/plans/2", "/plans/2/lights.json", "/plans/2/diagram.bpmn", "/rounds",
                     f"/items/{item_id}", f"/items/{item_id}?tab=report-{share_id}", "/login", "/ledger?words=" + quote(MARKUP)):  # fmt: skip
            answer = house.get(who, page)
            shown += "&lt;img src=x" in answer.get_data(as_text=True)
            if answer.mimetype == "application/json":
                json.loads(answer.get_data(as_text=True))
    assert shown > 20  # it is there, and as text
    with house.db.read() as connection:
        later = house.db.clock.now(connection) + timedelta(days=2)
    house.office.at(later)
    with house.db.read() as connection:
        mails = connection.execute(select(message)).all()
    assert len(mails) > 30 and any("<img" in m.context for m in mails)
    for m in mails:
        made = render(m.kind, {**json.loads(m.context), "base_url": "http://127.0.0.1:8000"})
        assert not any(raw in made.html for raw in RAW)
        wire = compose("duban@example.gov.cn", m.address, made, m.header_id, wall_now()).as_bytes()
        head = wire.partition(b"\r\n\r\n")[0]
        assert not re.search(rb"(?im)^(bcc|cc|x-evil)", head) and head.count(b"\nTo: ") == 1
    house.clean()


def test_figures(house: House) -> None:
    _, share_id = house.share("m1", "renshe")
    with house.db.read() as connection:
        name = f"figure-{connection.execute(select(indicator.c.id).where(indicator.c.key == 'k')).scalar_one()}"
    for typed, value in FIGURES.items():
        answer = house.post("renshe", f"/assignments/{share_id}/report", {name: typed, "confirmed": "1"})
        taken = answer.status_code == 302
        assert taken == (value is not None) or typed == "99999999999.9999", (typed[:40], answer.status_code)
        if taken and value is not None:
            with house.db.read() as connection:
                assert connection.execute(select(figure.c.value)).scalar_one() == value, typed
    house.clean()


def test_names_of_fields(house: House) -> None:
    item_id, share_id = house.share("4", "renshe")
    with house.db.read() as connection:
        before = connection.execute(select(func.count()).select_from(event)).scalar_one()
    for key in KEYS:
        for value in ("1", ["1", "2"], "x" * 1000, MARKUP, "-1", "１", "²"):
            for path in (
                f"/assignments/{share_id}/decide",
                f"/assignments/{share_id}/submit",
                f"/drafts/report-{share_id}",
                "/rounds/1",
            ):
                house.post("renshe", path, {key: value})
        house.get("renshe", f"/items/{item_id}")
        house.get("renshe", "/rounds/1")
    client, token = house.browser("renshe")
    twice = f"csrf_token={quote(token)}&csrf_token=x&progress=a&progress=b&act=report&act=nothing-new"
    plain = "application/x-www-form-urlencoded"
    house.judged("twice", client.post(f"/assignments/{share_id}/report", data=twice, content_type=plain))
    swapped = f"csrf_token=x&csrf_token={quote(token)}&progress=a"
    answer = house.judged("swapped", client.post(f"/assignments/{share_id}/report", data=swapped, content_type=plain))
    assert answer.status_code == 400
    house.clean()
    with house.db.read() as connection:
        assert connection.execute(select(func.count()).select_from(event)).scalar_one() <= before + 1
        assert connection.execute(select(func.count()).select_from(draft)).scalar_one() <= 1


# Werkzeug leaves the file of an upload that breaks off to the garbage collector.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning"
)
def test_bodies(house: House) -> None:
    item_id, share_id = house.share("4", "renshe")
    client, token = house.browser("renshe")
    paths = (
        f"/assignments/{share_id}/report",
        f"/items/{item_id}/urge",
        "/rounds/1",
        f"/drafts/report-{share_id}",
        "/inbox/acknowledge",
        "/login",
    )
    plain, multi = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    start = f"csrf_token={quote(token)}".encode()
    part = f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'.encode()
    file = b'--x\r\nContent-Disposition: form-data; name="progress"; filename="../../x"\r\nContent-Type: text/html\r\n\r\n<script>\r\n'
    bodies = [
        (start + b"&progress=" + b"x" * 2_000_000, plain),
        (start + b"".join(b"&f%d=1" % n for n in range(20_000)), plain),
        (start + b"".join(b"&todo=%d.acknowledge.1" % n for n in range(20_000)), plain),
        (start + b"".join(b"&assignments=%d" % n for n in range(20_000)), plain),
        (start + b"&progress=%ff%fe%c0%af&words=\xff\xfe\x00", plain),
        (start + b"&progress=%ed%a0%80&words=%ed%a0%80&assignments=1", plain),
        (start + b"&" * 100_000, plain),
        (start + b"&progress=%", plain),
        (start + b"&progress=x", plain + "; charset=utf-16"),
        (start + b"&progress=x", "text/plain"),
        (start + b"&progress=x", ""),
        (start + b"&progress=x", "x" * 3000),
        (json.dumps({"csrf_token": token, "progress": "x"}).encode(), "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "application/xml"),
        (part + file + b"--x--\r\n", multi),
        (part + file, multi),
        (part + b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(3000)) + b"--x--", multi),
        (part + b'--x\r\nContent-Disposition: form-data; name="progress"\r\n\r\n' + b"x" * 900_000 + b"\r\n--x--", multi),
        (b"--x", multi),
        (part, "multipart/form-data"),
        (b"", plain),
    ]  # fmt: skip
    for path in paths:
        for body, kind in bodies:
            house.judged(
                f"POST {path} {kind[:40]} {body[:40]!r}",
                client.post(path, data=body, content_type=kind, headers={"X-CSRFToken": token}),
            )
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "X" * 50):
            house.judged(f"{method} {path}", client.open(path, method=method))
    house.clean()


def test_headers(house: House) -> None:
    client, token = house.browser("renshe")
    hostile = (MARKUP, "x" * 10_000, "%00", "../..", "\u00ff", "evil.example", "javascript:alert(1)", "-1", "1e99")
    names = ("Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Referer", "Origin", "User-Agent",
             "Accept", "Accept-Language", "Range", "If-None-Match", "If-Modified-Since", "HX-Request", "HX-Target", "Cookie",
             "X-HTTP-Method-Override", "X-Original-URL", "Content-Length", "Transfer-Encoding")  # fmt: skip
    for name in names:
        for value in hostile:
            for path in ("/inbox", "/static/css/frame.css"):
                if name == "Host" and not re.fullmatch(r"[\w.:-]+", value):
                    continue  # no server hands these on
                fresh = house.app.test_client() if name == "Cookie" else client
                house.judged(f"{name}: {value[:40]} {path}", fresh.get(path, headers={name: value}))
    for cookie in (
        "duban=x",
        "duban=" + "x" * 4000,
        "remember_token=1|x",
        "remember_token=../../|",
        "duban=.eJx",
        "=;=;",
        "duban=\u00ff",
    ):
        house.judged(f"Cookie {cookie[:30]}", house.app.test_client().get("/inbox", headers={"Cookie": cookie}))
    answer = house.app.test_client().get("/inbox", headers={"Host": "evil.example"})
    assert answer.headers["Location"].startswith("/login")
    assert token
    house.clean()


REDIRECTS = ("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
             "\t//evil.example", " //evil.example", "https:evil.example", "https://evil.example", "javascript:alert(1)",
             "/%09/evil.example", "/%5cevil.example", "/..//evil.example", "/.//evil.example", "/@evil.example",
             "//evil.example@127.0.0.1", "/\x00/evil.example", "/\u202e/evil", "data:text/html,x", "/x\r\nSet-Cookie: a=b", "?", "#", "")  # fmt: skip


def test_nobody_is_led_away(house: House) -> None:
    """The Location of every answer is a path of this site, as a browser reads it (`House.judged` and below)."""
    for target in REDIRECTS:
        client = house.app.test_client()
        token = house._token(client, "/login")
        form = {"csrf_token": token, "account": "renshe", "password": PASSWORD}
        answer = house.judged(f"next={target!r}", client.post(f"/login?next={quote(target)}", data=form))
        moved = house.post("renshe", "/demo/clock", {"to": "nowhere", "back": target})
        for place in (answer.headers.get("Location", "/"), moved.headers.get("Location", "/")):
            read = re.sub(r"[\t\r\n]", "", place).strip(" ").replace("\\", "/")  # as browsers do
            assert read.startswith("/") and not read.startswith("//"), (target, place)
        assert "Set-Cookie: a=b" not in str(answer.headers)
    house.clean()
