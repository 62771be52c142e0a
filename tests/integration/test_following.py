"""Lists from `standing` say what the ledger says: on every day of the whole plan, followed, half followed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import pytest
from sqlalchemy import delete, func, insert, select, update

from engine.clockwork import advance_to
from engine.opening import start_run
from ledger import following
from ledger.calendar import WorkCalendar, last_day, local_day, moment
from ledger.database import Database, Tx, calendar_of
from ledger.following import differences, follow, unfollowed
from ledger.organisation import load
from ledger.people import actor_of
from ledger.queries.ledger import SOON_DAYS, Filters, ledger_page, state_of
from ledger.queries.overview import COLOURS, overview_of
from ledger.queries.standing import Standing, standings
from ledger.rules.lights import RANKS
from ledger.schema import UNDATED, assignment, basis, day_override, item, person, run, standing, stream, tally
from ledger.visibility import Sight, sight_of, visible
from tests.integration.bairi_script import SCRIPT
from tests.integration.test_whole_plan import act, moment_of
from webapp.demo.office import Office

WATCHERS = ("zhuanban", "ducha", "renshe", "daye", "hubei-shifan")


# ---------------------------------------------------------------- what a list was before it had a table to read from
def sight(connection, login: str) -> Sight:
    actor = actor_of(connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one())
    assert actor is not None
    return sight_of(connection, actor)


def computed(connection, who: Sight, now: datetime, calendar: WorkCalendar) -> list[Standing]:
    """Every item the person may see, judged one by one."""
    seen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id))
    return list(standings(connection, calendar, now, connection.execute(seen, who.binds).scalars().all()).values())


def _due(s: Standing) -> datetime:
    return s.due_at or UNDATED


STATE_ORDER = ["pending", "disputed", "extending", "returned", "acknowledging", "working", "signing", "reviewing"]
STATE_ORDER += ["suspended", "lasting", "closed"]
ORDERS: dict[str, Callable[[Standing], tuple]] = {
    "light": lambda s: (s.light.rank, _due(s), s.item.run_id, s.item.ord),
    "no": lambda s: (s.item.run_id, s.item.ord),
    "due": lambda s: (_due(s), s.item.run_id, s.item.ord),
    "unit": lambda s: (_first_unit(s), s.item.run_id, s.item.ord),
    "state": lambda s: (STATE_ORDER.index(state_of(s)), s.item.run_id, s.item.ord),
    "done": lambda s: (s.done / s.total if s.total else 0, s.item.run_id, s.item.ord),
    "touched": lambda s: (_touched(s), s.item.run_id, s.item.ord),
}


def _first_unit(s: Standing) -> int:
    parts = [p for p in s.parts if p.state not in ("withdrawn", "terminated", "revoked")]
    named = sorted(parts, key=lambda p: ("lead", "responsible", "cooperating").index(p.role))
    return HUANGSHI_ORD[named[0].unit] if named else 10**9


HUANGSHI_ORD = {u.key: n for n, u in enumerate(load("huangshi").units, start=1)}


def _touched(s: Standing) -> datetime:
    return max((p.touched_at for p in s.parts if p.touched_at), default=datetime(1970, 1, 1, tzinfo=UTC))


def is_due(s: Standing, asked: str, now: datetime, calendar: WorkCalendar) -> bool:
    if s.due_at is None:
        return asked == "none"
    today, day, is_open = local_day(now), last_day(s.due_at), s.item.state != "closed"
    monday = today - timedelta(days=today.weekday())
    if ".." in asked:
        first, _, last = asked.partition("..")
        return (first or "0") <= day.isoformat() <= (last or "9")
    return {
        "late": is_open and s.due_at < now,
        "soon": is_open and s.due_at >= now and calendar.days_left(today, day) <= SOON_DAYS,
        "week": monday <= day <= monday + timedelta(days=6),
        "month": (day.year, day.month) == (today.year, today.month),
        "none": False,
    }[asked]


def is_asked(s: Standing, asked: Filters, now: datetime, calendar: WorkCalendar) -> bool:
    return (
        asked.run in (None, s.item.run_id)
        and (not asked.heading or s.item.heading_name == asked.heading)
        and (not asked.words or asked.words in s.item.title + s.item.clause)
        and (not asked.state or any(p.state == asked.state for p in s.parts if p.state != "withdrawn"))
        and (not asked.due or is_due(s, asked.due, now, calendar))
    )


ASKED = (
    [Filters(sort=sort, light=light, size=24) for sort, light in product(ORDERS, ("", "red", "warn", "green"))]
    + [
        Filters(sort=f"-{sort}", light=light, size=24, page=n + 1)
        for sort in ORDERS
        for n, light in enumerate(("", "warn"))
    ]
    + [
        Filters(due=due, size=100)
        for due in ("late", "soon", "week", "month", "none", "2025-06-01..2025-08-31", "2025-08-01..", "..2025-08-01")
    ]
    + [Filters(state=state, light="warn") for state in ("working", "reviewing", "returned")]
    + [Filters(words="岗位", sort="due"), Filters(page=2), Filters(page=2, sort="no"), Filters(page=2, sort="due")]
)


def check(db: Database, asked_for: Sequence[Filters] = ASKED, watchers: Sequence[str] = WATCHERS) -> None:
    """Every page of every watcher is what judging each item gives."""
    with db.read() as connection:
        now, calendar = db.clock.now(connection), calendar_of(connection)
        assert differences(connection, now, calendar) == []
        for login in watchers:
            who = sight(connection, login)
            everything = computed(connection, who, now, calendar)
            seen = overview_of(connection, who, now, calendar)
            for asked in asked_for:
                page = ledger_page(seen, who, asked, now, calendar)
                whole = [s for s in everything if is_asked(s, asked, now, calendar)]
                assert page.tally == {c: sum(s.light.colour == c for s in whole) for c in COLOURS}, (login, asked)
                colours = ("red", "yellow") if asked.light == "warn" else (asked.light,) if asked.light else COLOURS
                order, down = ORDERS[asked.sort.removeprefix("-")], asked.sort.startswith("-")
                lit = sorted((s for s in whole if s.light.colour in colours), key=order, reverse=down)
                cut = lit[page.first : page.first + asked.size]
                assert [line.standing.item.id for line in page.lines] == [s.item.id for s in cut], (login, asked, now)
                assert [line.standing.light for line in page.lines] == [s.light for s in cut]
                assert (page.total, page.found) == (len(whole), len(lit))


# ---------------------------------------------------------------- over the whole plan
@pytest.fixture
def db(office: Office) -> Database:
    return office.db


def play(office: Office, until: datetime) -> Iterator[date]:
    """What people do, day by day; yields each day at the end of its last act."""
    rows = sorted((r for r in SCRIPT if moment_of(r) <= until), key=moment_of)
    for n, row in enumerate(rows):
        office.at(moment_of(row))
        for no in row.items.split() or [""]:
            for unit in row.units.split():
                act(office, row, unit, no)
        if n + 1 == len(rows) or rows[n + 1].day != row.day:
            yield moment_of(row).date()


def test_every_day_of_the_whole_plan(office: Office) -> None:
    few = [Filters(), Filters(light="warn"), Filters(page=2), Filters(due="soon"), Filters(sort="due", state="working")]
    for n, _ in enumerate(play(office, moment(date(2025, 9, 9), time(18)))):
        if n % 3 == 0:
            check(office.db, few, WATCHERS[:3])  # half followed: what happened since it was is not taken in
        if n % 4 == 0:
            follow(office.db)
            check(office.db, few, WATCHERS[:3])
        if n % 16 == 0:
            check(office.db)


def started(office: Office) -> None:
    office.acknowledge("renshe")
    office.acknowledge("daye")
    office.report("daye", "13", "已对接用人单位。", {"trainee-posts": 214})
    follow(office.db)


def test_a_page_is_right_before_during_and_after_following(office: Office) -> None:
    check(office.db)
    started(office)
    check(office.db)
    office.at(moment(date(2025, 6, 30), time(23, 59)))
    check(office.db)
    office.at(moment(date(2025, 7, 1), time(0)) + timedelta(microseconds=1))  # what was due in June is late
    check(office.db)
    follow(office.db)
    check(office.db)


def test_following_takes_in_what_happened_and_nothing_else(office: Office) -> None:
    started(office)
    with office.db.read() as connection:
        now, calendar = office.db.clock.now(connection), calendar_of(connection)
        assert unfollowed(connection, now, calendar) == set()
        assert connection.execute(select(func.count()).select_from(standing)).scalar_one() == 33
    assert follow(office.db) == 0
    office.acknowledge("jiaoyu")
    with office.db.read() as connection:
        shares = select(assignment.c.item_id).where(assignment.c.unit == "jiaoyu", assignment.c.state == "working")
        assert unfollowed(connection, now, calendar) == set(connection.execute(shares).scalars())
    assert follow(office.db) > 0
    assert follow(office.db) == 0


def test_time_is_taken_in_when_it_turns_a_light(office: Office) -> None:
    started(office)
    with office.db.read() as connection:
        soonest = connection.execute(select(func.min(standing.c.changes_at))).scalar_one()
    advance_to(office.db, soonest - timedelta(microseconds=1))
    with office.db.read() as connection:
        calendar = calendar_of(connection)
        before = unfollowed(connection, soonest - timedelta(microseconds=1), calendar)
        after = unfollowed(connection, soonest, calendar)
    assert before is not None and after is not None and after > before
    check(office.db)


def test_a_day_that_is_decided_otherwise_has_everything_judged_anew(office: Office) -> None:
    started(office)
    office.at(moment(date(2025, 6, 24), time(9)))
    follow(office.db)
    with office.db.writer.begin() as connection:  # four days off before the end of June
        days = [{"day": date(2025, 6, d), "working": False} for d in (25, 26, 27, 30)]
        connection.execute(insert(day_override), days)
    with office.db.read() as connection:
        assert unfollowed(connection, office.db.clock.now(connection), calendar_of(connection)) is None
    check(office.db)
    follow(office.db)
    with office.db.read() as connection:
        assert unfollowed(connection, office.db.clock.now(connection), calendar_of(connection)) == set()
    check(office.db)


def test_more_than_a_page_can_work_out_is_worked_out_without_the_table(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(office)
    monkeypatch.setattr(following, "MOST", 3)
    monkeypatch.setattr(following, "_unfollowed", following._unfollowed.limit(4))
    office.acknowledge("jiaoyu")
    with office.db.read() as connection:
        assert unfollowed(connection, office.db.clock.now(connection), calendar_of(connection)) is None
    check(office.db)


@pytest.mark.parametrize("few", [0, 10_000])
def test_reading_by_runs_and_reading_off_the_index_give_the_same_pages(
    office: Office, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(office)
    with office.db.write() as tx:
        other = start_again(tx)
    follow(office.db)
    office.acknowledge("hubei-shifan")
    monkeypatch.setattr("ledger.queries.overview.FEW", few)
    check(office.db, [*ASKED, Filters(run=other), Filters(size=24, page=3), Filters(size=24, page=3, sort="due")])


def start_again(tx: Tx) -> int:
    return start_run(tx, tx.connection.execute(select(run.c.version_id)).scalar_one())


# ---------------------------------------------------------------- what `duban verify` is told
@pytest.mark.parametrize("act_of", ["rank", "due", "dropped", "invented", "tally"])
def test_a_cache_changed_by_hand_is_found(office: Office, act_of: str) -> None:
    started(office)
    change = {
        "rank": update(standing).where(standing.c.item_id == 4).values(rank=RANKS["blue"].start),
        "due": update(standing).where(standing.c.item_id == 4).values(due_at=UNDATED),
        "dropped": delete(standing).where(standing.c.item_id == 4),
        "invented": insert(standing).values(item_id=999, run_id=1, ord=1, rank=1, due_at=UNDATED, seq=1),
        "tally": update(tally).values(red=tally.c.red + 1),
    }[act_of]
    with office.db.writer.begin() as connection:
        connection.execute(change)
    with office.db.read() as connection:
        found = differences(connection, office.db.clock.now(connection), calendar_of(connection))
    assert any(
        ("任务 4 " if act_of in ("rank", "due", "dropped") else "任务 999 " if act_of == "invented" else "方案实施 1 ")
        in f
        for f in found
    )


def test_a_cache_that_is_thrown_away_is_made_again(office: Office) -> None:
    started(office)
    with office.db.writer.begin() as connection:
        for table in (standing, tally, basis):
            connection.execute(delete(table))
        connection.execute(update(stream).values(followed=0))
    check(office.db)
    follow(office.db)
    check(office.db)
