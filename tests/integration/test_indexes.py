"""No list reads a large table from end to end: whatever a page asks, each database finds by an index."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from ledger.database import Database
from ledger.following import follow
from ledger.queries.overview import ORDERS
from tests.statements import statements
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.settings import Settings

SMALL = {
    "run",
    "advance",
    "plan_version",
    "plan_source",
    "unit",
    "jurisdiction",
    "holder",
    "county",  # like holder, a unit by another name
    "day_override",
    "heartbeat",
    "clock",
    "basis",
    "tally",
}
# A list in its order is read off the order's index, up to the end of the page; these two hold only what is not kept up.
IN_ORDER = {"ix_standing_rank", "ix_standing_due_at", "ix_standing_run_id_ord"}
IN_ORDER |= {f"ix_standing_{name}" for name in ("unit_ord", "state_rank", "done", "touched")}
ONLY_WHAT_CHANGED = {"ix_stream_unfollowed", "ix_standing_changes_at"}
PATHS = (
    *(f"/ledger?sort={sort}" for sort in ORDERS),
    "/ledger?sort=unit&light=warn", "/ledger?sort=state&page=2&after=3.1.9", "/ledger?sort=-touched&page=2&after=3.1.9",
    "/home", "/inbox", "/ledger", "/ledger?sort=no", "/ledger?sort=due&light=green", "/ledger?light=warn&page=2",
    "/ledger?sort=no&page=2&after=1.9", "/ledger?page=2&before=9.1748000000000000.1.9",
    "/ledger?sort=due&page=2&after=1748000000000000.1.9", "/ledger?timeliness=near", "/ledger?timeliness=late_closed",
    "/ledger?run=1", "/ledger?plan=bairi", "/ledger/units", "/ledger/plans", "/ledger/views",
    "/plans", "/plans/1", "/plans/1/lights.json", "/plans/1/warroom", "/items/4",
    "/figures", "/figures?run=1&unit=srsj&light=red",
)  # fmt: skip


def scans(db: Database, asked: list[tuple[str, Any]]) -> set[str]:
    """What is read from end to end, as the database's own plan says it."""
    found: set[str] = set()
    with db.writer.connect() as connection:
        if not db.is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")  # else small tables are never read otherwise
        for statement, parameters in asked:
            plan = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
            for row in connection.exec_driver_sql(plan + statement, parameters):
                found |= {line for line in str(row[-1]).splitlines() if _is_scan(line)}
        connection.rollback()
    return found


def _is_scan(line: str) -> bool:
    if re.search(r"\bSEARCH todo USING .*\(owner_kind=\?\)", line):  # all todos of shares: nearly every one
        return True
    read = re.search(r"\bSCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", line) or re.search(
        r"Seq Scan on \"?(\w+)\"?()", line
    )
    if read is None or read[1] in SMALL or read[1] == "CONSTANT":  # a row of literals
        return False
    return read[2] not in IN_ORDER | ONLY_WHAT_CHANGED


def client_of(db: Database, login: str) -> FlaskClient:
    app = create_app(Settings(secret_key=SecretStr("x" * 32), database_url=db.url), db)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/login", data={"account": login, "password": "duban-demo"})
    return client


@pytest.mark.parametrize("few", [0, 10_000])
def test_no_page_reads_a_large_table_from_end_to_end(office: Office, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.queries.overview.FEW", few)
    follow(office.db)
    for unit in ("renshe", "daye"):
        office.acknowledge(unit)
    for login in ("zhuanban", "ducha", "renshe", "daye", "daye-ducha"):
        client = client_of(office.db, login)
        for path in PATHS:
            with statements(office.db.reader) as asked:
                assert client.get(path).status_code in (200, 403, 404), (login, path)
            assert scans(office.db, asked) == set(), (login, path)
