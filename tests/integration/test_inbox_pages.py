"""An inbox of more slips than one page holds: the pages are the whole inbox, cut."""

from __future__ import annotations

from datetime import date, time

import pytest
from sqlalchemy import select, update

from ledger.calendar import moment
from ledger.database import Database, calendar_of
from ledger.following import follow
from ledger.people import actor_of
from ledger.queries import inbox as queries
from ledger.queries.inbox import Inbox, inbox
from ledger.schema import assignment, person
from tests.integration.test_indexes import client_of
from webapp.demo.office import Office


@pytest.fixture
def db(office: Office) -> Database:
    """On 2025-06-30: items late and near, some returned, some waiting for the office, a weekly report owed."""
    for unit in ("renshe", "jiaoyu", "daye", "guozi", "hubei-shifan"):
        office.acknowledge(unit)
    office.report("daye", "13", "已对接用人单位。", {"trainee-posts": 214})
    office.at(moment(date(2025, 6, 26), time(10)))
    for unit, no in (("guozi", "8"), ("renshe", "4"), ("renshe", "11"), ("daye", "13")):
        office.apply(unit, no, "任务全部完成，佐证材料齐备。", {})
        if unit != "daye":
            office.decide(unit, no)
    office.decide("renshe", "11", agree=False, reason="缺佐证材料，请补齐明细后再报。")
    office.at(moment(date(2025, 6, 30), time(10)))
    with office.db.writer.begin() as connection:  # a share with a figure of its own
        connection.execute(update(assignment).where(assignment.c.unit == "daye").values(quota=300))
    return office.db


def read(db: Database, login: str, page: int = 1) -> Inbox:
    with db.read() as connection:
        found = connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
        actor = actor_of(connection, found)
        assert actor is not None
        return inbox(connection, calendar_of(connection), db.clock.now(connection), actor, page)


@pytest.mark.parametrize("followed", [False, True])
def test_pages_are_the_whole_inbox_cut(db: Database, followed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if followed:
        follow(db)
    for login in ("renshe", "daye", "zhuanban", "yangxin"):
        whole = read(db, login)
        assert whole.total == len(whole.slips) > 3 or login == "zhuanban"
        monkeypatch.setattr(queries, "AT_ONCE", 3)
        pages = [read(db, login, n) for n in range(1, -(-whole.total // 3) + 1)]
        monkeypatch.undo()
        assert [(s.kind, s.id, s.step, s.group) for p in pages for s in p.slips] == [
            (s.kind, s.id, s.step, s.group) for s in whole.slips
        ]
        for n, page in enumerate(pages):
            assert (page.counts, page.weeks, page.to_sign_for) == (whole.counts, whole.weeks, whole.to_sign_for)
            assert (page.first, page.first + len(page.slips) + page.left) == (3 * n, whole.total)


def test_the_page_says_how_many_are_left_and_leads_on(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    total = read(db, "renshe").total
    monkeypatch.setattr(queries, "AT_ONCE", 3)
    client = client_of(db, "renshe")
    first = client.get("/inbox").get_data(as_text=True)
    assert f"共 <b>{total}</b> 件" in first
    assert f'<a class="btn" rel="next" href="/inbox?page=2">还有 {total - 3} 件</a>' in first
    assert first.count('<article class="slip') == 3
    second = client.get("/inbox?page=2").get_data(as_text=True)
    assert '<a class="btn" rel="prev" href="/inbox?page=1">前面 3 件</a>' in second
    for page in ("99999", "0", "x", "-1"):
        assert client.get(f"/inbox?page={page}").status_code == 200
