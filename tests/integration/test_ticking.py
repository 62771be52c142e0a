"""What time makes happen, on both databases: ladders, supersession, quiet days, digests, failures."""

from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import date, datetime, time
from time import sleep
from typing import Any

import pytest
from sqlalchemy import func, select, update

from engine import ticking
from engine.clockwork import advance_to, next_due
from engine.notices import Notice, tell
from ledger.calendar import local_day, moment
from ledger.clock import StoredClock, set_clock
from ledger.database import Database
from ledger.schema import assignment, due, item, message, notice, person, round_, seal, share
from webapp.demo import campaign
from webapp.demo.office import Office


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return moment(date(2025, month, day), time(hour, minute))


def jump(db: Database, to: datetime) -> None:
    """The clock leaps, as after a downtime: no due instant in between was seen."""
    with db.writer.begin() as connection:
        set_clock(connection, to)
    ticking.tick(db)


def tiers_of(db: Database, no: str, unit: str) -> dict[str, str]:
    with db.read() as connection:
        rows = connection.execute(
            select(notice.c.tier, notice.c.state)
            .join(assignment, (notice.c.owner_kind == "assignment") & (notice.c.owner_id == assignment.c.id))
            .join(item, item.c.id == assignment.c.item_id)
            .where(item.c.no == no, assignment.c.unit == unit, notice.c.role == "liaison")
        ).all()
    return {r.tier: r.state for r in rows}


def test_after_a_downtime_only_the_highest_passed_tier_is_told(office: Office) -> None:
    office.at(at(5, 26))
    jump(office.db, at(7, 2, 10))
    told = tiers_of(office.db, "1", "hubei-shifan")
    assert told == {"handed": "sent", "-3": "superseded", "0": "superseded", "1": "sent"}


def test_a_back_dated_start_tells_only_the_highest_passed_tier(migrated: Database) -> None:
    campaign.begin(migrated, at(7, 3, 8))
    advance_to(migrated, at(7, 3, 10))
    told = tiers_of(migrated, "20", "renshe")
    assert told == {"handed": "sent", "-3": "superseded", "0": "superseded", "1": "sent"}


def test_nobody_gets_a_digest_on_a_day_off_and_one_on_the_next_working_day(office: Office) -> None:
    office.at(at(6, 28))
    jump(office.db, at(6, 28, 12))  # a Saturday
    with office.db.read() as connection:
        assert next_due(connection, at(6, 28, 12)) == at(6, 30)
        days = {
            local_day(d) for d in connection.execute(select(message.c.at).where(message.c.kind == "digest")).scalars()
        }
    assert all(day.weekday() < 5 for day in days)
    office.at(at(6, 30))
    with office.db.read() as connection:
        keys = connection.execute(select(message.c.key).where(message.c.at == at(6, 30))).scalars().all()
    assert len(keys) == len(set(keys)) > 0


def test_a_digest_is_one_mail_a_person_a_day_and_never_about_nothing(office: Office) -> None:
    office.at(at(7, 10, 12))
    with office.db.read() as connection:
        rows = connection.execute(
            select(message.c.person_id, message.c.at, message.c.context).where(message.c.kind == "digest")
        ).all()
    assert rows
    assert max(Counter((r.person_id, local_day(r.at)) for r in rows).values()) == 1
    assert not any('"told": 0' in r.context for r in rows)


def test_what_was_done_before_the_digest_is_not_told(office: Office) -> None:
    """The tier passes on a day off's eve; before the digest the unit has handed in."""
    office.acknowledge("renshe")
    office.at(at(7, 9))
    office.acknowledge("jiaoyu")
    with office.db.write() as tx:
        tell(tx, [Notice("assignment", _share(office, "4"), 9, "0", "renshe", "liaison", office.run_id, 4)])
    office.apply("renshe", "4", "已完成。")
    office.decide("renshe", "4")
    office.at(at(7, 10, 10))
    with office.db.read() as connection:
        assert connection.execute(select(notice.c.state).where(notice.c.arm == 9)).scalar_one() == "moot"


def _share(office: Office, no: str) -> int:
    with office.db.read() as connection:
        found = select(assignment.c.id).join(item, item.c.id == assignment.c.item_id).where(item.c.no == no)
        return int(connection.execute(found).scalars().first() or 0)


def test_a_row_that_fails_stays_due_and_the_others_go_on(office: Office) -> None:
    with office.db.writer.begin() as connection:
        broken = connection.execute(select(due.c.id).where(due.c.kind == "round:weekly:2025-05-26")).scalar_one()
        connection.execute(update(due).where(due.c.id == broken).values(kind="round:nonsense:2025-05-26"))
    office.at(at(5, 26, 10))
    with office.db.read() as connection:
        assert (
            connection.execute(select(due.c.kind).where(due.c.id == broken)).scalar_one() == "round:nonsense:2025-05-26"
        )
        opened = set(connection.execute(select(round_.c.cadence)).scalars())
    assert opened == {"monthly", "posts"}
    with office.db.writer.begin() as connection:
        connection.execute(update(due).where(due.c.id == broken).values(kind="round:weekly:2025-05-26"))
    ticking.tick(office.db)
    with office.db.read() as connection:
        assert set(connection.execute(select(round_.c.cadence)).scalars()) == {"weekly", "monthly", "posts"}


def test_schedulers_side_by_side_tell_nobody_twice(office: Office) -> None:
    with office.db.writer.begin() as connection:
        set_clock(connection, at(7, 2, 10))
    databases = [Database(office.db.writer.url.render_as_string(hide_password=False), StoredClock()) for _ in range(3)]
    threads = [threading.Thread(target=ticking.tick, args=(db,)) for db in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with office.db.read() as connection:
        told = Counter(
            connection.execute(
                select(
                    notice.c.owner_kind, notice.c.owner_id, notice.c.arm, notice.c.tier, notice.c.unit, notice.c.role
                )
            ).all()
        )
        keys = connection.execute(select(message.c.key)).scalars().all()
        rounds = Counter(connection.execute(select(round_.c.cadence, round_.c.n)).all())
        left = connection.execute(select(func.count()).where(due.c.at <= at(7, 2, 10))).scalar_one()
    assert set(told.values()) == set(rounds.values()) == {1}
    assert len(keys) == len(set(keys)) > 24
    assert left == 0
    for db in databases:
        db.close()


def test_a_second_tick_waits_at_the_door_until_the_first_is_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both would find due is looked at by one at a time, whatever the database would have forgiven."""
    with office.db.writer.begin() as connection:
        set_clock(connection, at(5, 26, 10))
    looking, most = list[int](), list[int]()
    claim = ticking._claim

    def slow_claim(*args: Any) -> Any:
        looking.append(threading.get_ident())
        most.append(len(looking))
        sleep(0.05)
        rows = claim(*args)
        sleep(0.05)
        looking.remove(threading.get_ident())
        return rows

    monkeypatch.setattr(ticking, "_claim", slow_claim)
    databases = [Database(office.db.writer.url.render_as_string(hide_password=False), StoredClock()) for _ in range(2)]
    threads = [threading.Thread(target=ticking.tick, args=(db,)) for db in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for db in databases:
        db.close()
    assert max(most) == 1 and len(most) > 2
    with office.db.read() as connection:
        assert connection.execute(select(func.count()).where(due.c.at <= at(5, 26, 10))).scalar_one() == 0


@pytest.mark.parametrize("role", ["deputy_head", "coordinator"])
def test_the_last_tier_is_copied_to_the_deputy_head_and_the_coordinator(office: Office, role: str) -> None:
    office.at(at(7, 7, 10))
    with office.db.read() as connection:
        copied = connection.execute(
            select(notice.c.tier, func.count())
            .where(notice.c.role == role, ~notice.c.immediate)
            .group_by(notice.c.tier)
        ).all()
    # items 1 (3 colleges) and 20 (市人社局, 市教育局) are five working days late, and so are May's and June's reports
    with office.db.read() as connection:
        may = select(func.count()).select_from(share).join(round_).where(round_.c.cadence != "weekly", round_.c.n == 1)
        june = select(func.count()).select_from(share).join(round_).where(round_.c.cadence != "weekly", round_.c.n == 2)
        owed = connection.execute(may).scalar_one() + connection.execute(june).scalar_one()
    weeks = ("05-26", "06-02", "06-09", "06-16", "06-23", "06-30", "07-07") if role == "coordinator" else ()
    assert dict(map(tuple, copied)) == {"5": 3 + 2 + owed, **{f"weekly:2025-{monday}": 1 for monday in weeks}}
    assert owed == 2 * (12 + 6)


def test_mails_go_to_the_holders_of_posts(office: Office) -> None:
    office.at(at(5, 23, 10))
    with office.db.read() as connection:
        rows = connection.execute(
            select(person.c.login, message.c.kind).join(person, person.c.id == message.c.person_id)
        ).all()
    assert {r.kind for r in rows} == {"handed"}
    assert len(rows) == 24
    assert "renshe" in {r.login for r in rows} and "renshe-fenguan" not in {r.login for r in rows}


def weekly_mails(db: Database) -> list[datetime]:
    with db.read() as connection:
        return list(
            connection.execute(select(message.c.at).where(message.c.kind == "weekly").order_by(message.c.at)).scalars()
        )


def test_a_coordinator_gets_one_mail_a_week_on_its_first_working_day(office: Office) -> None:
    office.at(at(6, 10))
    assert weekly_mails(office.db) == [at(5, 26), at(6, 3), at(6, 9)]  # 06-02 is 端午
    with office.db.read() as connection:
        rows = connection.execute(select(message.c.context).where(message.c.kind == "weekly").order_by(message.c.id))
        contexts = [json.loads(context) for context in rows.scalars()]
        sealed = connection.execute(select(seal.c.ordinal, seal.c.hash)).all()
    assert [c["since"] for c in contexts] == ["2025-05-19", "2025-05-26", "2025-06-02"]
    assert all((c["seal"]["ordinal"], c["seal"]["hash"]) in {tuple(s) for s in sealed} for c in contexts)
    assert [c["plans"][0]["plan"] for c in contexts] == ["百日攻坚"] * 3


def test_a_week_missed_in_a_downtime_is_told_on_the_next_working_day_and_once(office: Office) -> None:
    office.at(at(6, 4))
    jump(office.db, at(6, 14, 12))  # a Saturday: Monday's mail never went out
    assert weekly_mails(office.db) == [at(5, 26), at(6, 3)]
    office.at(at(6, 18))
    assert weekly_mails(office.db) == [at(5, 26), at(6, 3), at(6, 16)]
    with office.db.read() as connection:
        assert connection.execute(select(due.c.at).where(due.c.kind == "weekly")).scalars().all() == [at(6, 23)]


def test_the_week_says_what_was_closed_is_late_and_waits(office: Office) -> None:
    office.at(at(6, 24, 10))
    for unit in ("renshe", "guozi"):
        office.acknowledge(unit)
    office.apply("guozi", "8", "招聘公告全部发布。")
    office.decide("guozi", "8")
    office.decide("guozi", "8")
    office.at(at(7, 4, 10))
    office.apply("renshe", "4", "全部完成。")
    office.decide("renshe", "4")
    office.at(at(7, 7))
    with office.db.read() as connection:
        rows = connection.execute(select(message.c.context).where(message.c.kind == "weekly").order_by(message.c.id))
        *_, one, two = [json.loads(context)["plans"][0] for context in rows.scalars()]
    assert (one["closed"], [line["title"] for line in one["lines"]]) == (1, ["扩大国有企业招聘规模"])
    # items 1 and 20 are due 06-30; the first monthly reports of items 10 and 32 are owed since May
    assert (two["closed"], two["late"], two["waiting"], two["done"], two["total"]) == (0, 4, 1, 1, 33)
    assert two["lines"] == []  # what is late has no name outside of the house


def test_a_week_that_finds_no_coordinator_is_dropped_with_the_next(office: Office) -> None:
    with office.db.writer.begin() as connection:
        connection.execute(update(person).where(person.c.login == "zhuanban").values(active=False))
    office.at(at(6, 4))
    assert weekly_mails(office.db) == []
    with office.db.writer.begin() as connection:
        connection.execute(update(person).where(person.c.login == "zhuanban").values(active=True))
    office.at(at(6, 10))
    assert weekly_mails(office.db) == [at(6, 9)]
    with office.db.read() as connection:
        told = connection.execute(select(notice.c.tier, notice.c.state).where(notice.c.tier.like("weekly:%")))
        assert dict(map(tuple, told.all())) == {
            "weekly:2025-05-26": "superseded",
            "weekly:2025-06-02": "superseded",
            "weekly:2025-06-09": "sent",
        }
