"""A running installation with a hostile plan beside the real one, for people who mean no good."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import opening
from engine.clockwork import advance_to
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.schema import assignment, item, person
from ledger.verification import broken_chains, replay_differences
from tests.conftest import Moulds
from tests.hostile.corpus import flow
from tests.hostile.corpus import item as task
from tests.hostile.corpus import plan as diagram
from webapp.app import create_app
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

AFTERNOON = moment(date(2025, 5, 26), time(15))
# Markup, a template, a formula and a quote in one; what no page and no mail may hand on as it is.
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'{{7*7}}{%x%}${7*7}=HYPERLINK(1)"
SHORT = "<script>alert(2)</script>{{7*7}}"
RAW = ("<img src=x", "<script>alert", "onerror=alert(1)>")


def hostile_plan() -> bytes:
    """A plan without a fault whose every text is markup."""
    words, few = escape(MARKUP, {'"': "&quot;"}), escape(SHORT)
    figure = f'<duban:indicator key="k" name="{words}" op="ge" value="10" unit="个" unitName="{few}" sum="sum">{words}'
    hostile = task("m1").replace("任务m1", words).replace("办好一件事", words).replace('name="m1"', f'name="{words}"')
    hostile = hostile.replace("8月底前", few).replace("<duban:clause>", f"{figure}</duban:indicator><duban:clause>")
    hostile = hostile.replace("</duban:item>", f"<duban:note>{words}</duban:note></duban:item>")
    cadence = (
        f'<duban:cadence id="weekly" name="{few}" asks="open-shares" opens="FREQ=WEEKLY;BYDAY=MO" opensAt="09:00" '
        'opensShift="next" due="FREQ=WEEKLY;BYDAY=FR" dueAt="17:00" dueShift="previous" first="2025-05-26" '
        'last="2025-08-25"/>'
    )
    xml = diagram(heading=hostile + task("m2") + flow("o", "m1", "m2"), facts=' mail="full"', inside=cadence).decode()
    xml = xml.replace('title="小方案"', f'title="{words}"').replace('short="小"', f'short="{few}"')
    return xml.replace('issuer="市人社局"', f'issuer="{words}"').replace('docNo="1号"', f'docNo="{few}"').encode()


class Log(logging.Handler):
    """Every error that anything logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record)[-800:])


@dataclass
class House:
    """The installation, its people's browsers, and what went wrong in it."""

    db: Database
    app: Flask
    office: Office
    log: Log
    answers: list[tuple[str, int]] = field(default_factory=list)
    _clients: dict[str, tuple[FlaskClient, str]] = field(default_factory=dict)

    def browser(self, account: str) -> tuple[FlaskClient, str]:
        """(client, CSRF token) of a person, "" for a stranger."""
        if account not in self._clients:
            client = self.app.test_client()
            if account:
                form = {"csrf_token": self._token(client, "/login"), "account": account, "password": PASSWORD}
                assert client.post("/login", data=form).status_code == 302
            self._clients[account] = client, self._token(client, "/inbox" if account else "/login")
        return self._clients[account]

    def _token(self, client: FlaskClient, page: str) -> str:
        found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).get_data(as_text=True))
        assert found
        return found[1]

    def get(self, account: str, path: str, **more: Any) -> TestResponse:
        return self.judged(f"GET {path}", self.browser(account)[0].get(path, **more))

    def post(self, account: str, path: str, data: Any = None, **more: Any) -> TestResponse:
        client, token = self.browser(account)
        if isinstance(data, dict) or data is None:
            data = {"csrf_token": token, **(data or {})}
        return self.judged(f"POST {path}", client.post(path, data=data, headers={"X-CSRFToken": token}, **more))

    def judged(self, what: str, answer: TestResponse) -> TestResponse:
        """No answer is a server's error, a trace, or hostile markup as it came."""
        self.answers.append((what[:300], answer.status_code))
        text = answer.get_data().decode("utf-8", "replace")  # sheets are no text
        answer.close()
        assert answer.status_code < 500, (what[:300], answer.status_code, self.log.found[-1:])
        assert "Traceback (most recent call last)" not in text, what[:300]
        if answer.mimetype == "text/html":
            for raw in RAW:
                assert raw not in text, (what[:300], raw, text[max(0, text.find(raw) - 200) : text.find(raw) + 200])
        place = answer.headers.get("Location", "/")
        assert place.startswith("/") and not place.startswith(("//", "/\\")), (what[:300], place)
        return answer

    def share(self, no: str, unit: str) -> tuple[int, int]:
        """(item, share) by printed number and unit."""
        with self.db.read() as connection:
            found = connection.execute(
                select(assignment.c.item_id, assignment.c.id)
                .join(item, item.c.id == assignment.c.item_id)
                .where(item.c.no == no, assignment.c.unit == unit)
            ).one()
        return found[0], found[1]

    def person(self, login: str) -> int:
        with self.db.read() as connection:
            return int(connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one())

    def clean(self) -> None:
        """Nothing was logged as an error, and the ledger is whole."""
        assert self.log.found == []
        with self.db.read() as connection:
            assert broken_chains(connection) == []
            assert replay_differences(connection) == []


def _two_plans(url: str) -> int:
    upgrade(url)
    db = Database(url, StoredClock())
    first = campaign.begin(db)
    with db.write() as tx:
        second = opening.start_run(tx, opening.publish(tx, hostile_plan()))
    advance_to(db, AFTERNOON)
    for run_id in (first, second):
        Office(db, run_id).acknowledge("renshe")
    db.close()
    return first


@pytest.fixture
def house(db_url: str, moulds: Moulds, tmp_path: Path) -> Iterator[House]:
    """百日攻坚 on its first Monday, the hostile plan beside it, items 4 and m1 signed for."""
    run_id = moulds.pour(_two_plans, db_url)
    db = Database(db_url, StoredClock())
    office = Office(db, run_id)
    mail = tmp_path / "mail"
    mail.mkdir()
    app = create_app(Settings(demo=True, database_url=db_url, demo_mail=str(mail)), db)
    log = Log()
    logging.getLogger().addHandler(log)
    yield House(db, app, office, log)
    logging.getLogger().removeHandler(log)
    db.close()
