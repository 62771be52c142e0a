"""变更记录 of a running plan: what was changed, by whom, and who may read of it, on both databases."""

from __future__ import annotations

from datetime import date, time

import pytest
from sqlalchemy import select

from engine.commands import perform, resume, suspend, terminate
from ledger.calendar import WorkCalendar, moment
from ledger.queries import changes
from ledger.queries.changes import Changes, changes_of
from ledger.queries.plans import run_facts
from ledger.schema import assignment, item
from ledger.visibility import sight_of
from webapp.demo.office import Office


def share_of(office: Office, no: str, unit: str) -> int:
    chosen = select(assignment.c.id).join(item, item.c.id == assignment.c.item_id)
    with office.db.read() as connection:
        return int(
            connection.execute(
                chosen.where(item.c.run_id == office.run_id, item.c.no == no, assignment.c.unit == unit)
            ).scalar_one()
        )


def seen_by(office: Office, login: str, page: int = 1) -> Changes:
    with office.db.read() as connection:
        sight = sight_of(connection, office.who(login))
        facts = run_facts(connection, sight, office.run_id)
        return changes_of(connection, WorkCalendar(), office.db.seen_now(connection), sight, facts, page)


def told(found: Changes) -> list[tuple[str, str, str]]:
    return [(s.item.no, line.words, f"{line.who}{line.post}".split(" ")[0]) for s, line in found.lines]


@pytest.fixture
def changed(office: Office) -> Office:
    coordinator = office.who("zhuanban")
    office.at(moment(date(2025, 5, 26), time(9)))
    office.acknowledge("bianban")
    perform(office.db, coordinator, suspend, share_of(office, "7", "bianban"), ground="防汛应急响应期间暂停。")
    office.at(moment(date(2025, 5, 28), time(9)))
    perform(office.db, coordinator, resume, share_of(office, "7", "bianban"), ground="防汛应急响应结束。")
    perform(office.db, coordinator, terminate, share_of(office, "13", "yangxin"), ground="区划调整。")
    office.acknowledge("renshe")  # no change of the plan
    return office


def test_what_was_changed_newest_first(changed: Office) -> None:
    assert told(seen_by(changed, "zhuanban")) == [
        ("13", "终止 阳新县 的责任", "市就业领导小组专班办工作人员"),
        ("7", "恢复 市编办 计时，暂停 2 个工作日，时限顺延至 2025-09-02 周二", "市就业领导小组专班办工作人员"),
        ("7", "暂停 市编办 计时", "市就业领导小组专班办工作人员"),
    ]
    (_, ended), *_ = seen_by(changed, "zhuanban").lines
    assert list(ended.quotes) == [("理由和依据", "区划调整。")]


def test_whoever_takes_part_reads_of_the_own_items_alone(changed: Office) -> None:
    assert [no for no, _, _ in told(seen_by(changed, "bianban"))] == ["7", "7"]
    assert [no for no, _, _ in told(seen_by(changed, "daye"))] == ["13"]
    assert told(seen_by(changed, "hubei-shifan")) == []


def test_pages_hold_all_of_them_once(changed: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    first, second = seen_by(changed, "zhuanban"), seen_by(changed, "zhuanban", 2)
    assert (first.pages, len(first.lines), len(second.lines)) == (2, 2, 1)
    assert len({(s.item.id, line.seq) for s, line in [*first.lines, *second.lines]}) == 3
