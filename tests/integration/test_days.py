"""上班、休息 decided by an administrator, on both databases: what is armed follows, what was told stays, nothing is
lost or told twice, and the ledger verifies."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from io import BytesIO
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from bpmn.library import plan_xml
from engine import opening, ticking
from engine.commands import (
    Entry,
    StepDraft,
    TodoRef,
    acknowledge,
    answer,
    decide,
    decide_days,
    extend,
    perform,
    plan_steps,
    submit,
)
from engine.days import desk_for
from engine.moments import ladder_moments, round_moments
from engine.verifying import differences
from ledger.calendar import PUBLISHED, WorkCalendar, end_of
from ledger.clock import StoredClock, set_clock
from ledger.database import Database, calendar_of
from ledger.directory import register_person, take_post
from ledger.errors import Invalid, NotAllowed
from ledger.migrating import upgrade
from ledger.people import actor_of
from ledger.queries.days import decisions
from ledger.rules.days import Decision
from ledger.rules.due import DueRule
from ledger.schema import assignment, day_override, due, event, item, message, notice, person, petition, round_
from ledger.verification import Scene
from tests.bench.world import UNITS, generated
from tests.bench.world import found as world_of
from tests.conftest import Moulds, empty
from tests.hostile import machine as hostile
from tests.hostile.machine import BAIRI, found, small_plan
from tests.integration import test_adjusting
from tests.integration.test_adjusting import WHY, House, at
from tests.statements import statements
from webapp.app import create_app
from webapp.demo.people import PASSWORD
from webapp.hashing import hashed
from webapp.settings import Settings

MOST = 28  # statements of a decision, however much is live
KEYS = [u.key for u in UNITS]
A, B = "renshe", "jiaoyu"
GROUND = "市政府办公室关于端午节期间防汛值守的通知，黄政办〔2025〕18号。"
house = test_adjusting.house


def day(month: int, n: int) -> date:
    return date(2025, month, n)


def say(house: House, working: bool | None, *days: date, by: str = "guanli") -> int:
    done: int = house.do(by, decide_days, [Decision(d, working, GROUND) for d in days])
    return done


def armed(house: House, kind: str, owner: str = "assignment") -> set[datetime]:
    return {r.at for r in house.rows(select(due.c.at).where(due.c.owner_kind == owner, due.c.kind == kind))}


def check(db: Database) -> None:
    with db.read() as connection:
        assert [f.message for f in differences(Scene(connection, clock=db.clock))] == []


# ---------------------------------------------------------------- reminders
def test_a_reminder_of_a_new_day_off_goes_out_the_working_day_before(house: House) -> None:
    before = house.share("2", A).due_at
    assert at(6, 30) in armed(house, "tier:0")
    assert say(house, False, day(6, 30)) == 1
    assert at(6, 30) not in armed(house, "tier:0")
    assert at(6, 27) in armed(house, "tier:0")
    assert house.share("2", A).due_at == before == end_of(day(6, 30))  # a printed date never moves
    check(house.db)
    house.sign_for("2", A)
    share_ = house.share("2", A).id
    house.until(at(6, 27, 10))
    told = select(notice.c.tier, notice.c.state).where(notice.c.owner_id == share_, notice.c.owner_kind == "assignment")
    on_due = told.where(notice.c.tier == "0")
    assert [r.state for r in house.rows(on_due)] == ["sent"]
    house.until(at(7, 1, 10))
    tiers = [r.tier for r in house.rows(told.where(notice.c.tier.in_(("-3", "0", "1"))))]
    assert sorted(tiers) == ["-3", "0", "1"]
    digests = {r.at for r in house.rows(select(message.c.at).where(message.c.kind == "digest"))}
    assert at(6, 27) in digests and at(7, 1) in digests and at(6, 30) not in digests


def test_a_day_that_is_worked_takes_its_reminders_and_a_decision_taken_back_gives_them_back(house: House) -> None:
    first = armed(house, "tier:1")
    say(house, True, day(6, 28), day(6, 29))
    assert at(6, 27) in armed(house, "tier:-3")  # the 27th, 28th and 29th are worked
    say(house, None, day(6, 28), day(6, 29))
    assert at(6, 25) in armed(house, "tier:-3")
    assert armed(house, "tier:1") == first
    assert house.rows(select(day_override)) == []


def test_what_would_have_gone_out_already_goes_out_next_and_only_the_highest(house: House) -> None:
    """Tier 0 of the 30th would go out on Friday the 27th at nine, which has passed; tier 1 comes before the digest."""
    house.sign_for("2", A)
    house.until(at(6, 27, 10))
    assert say(house, False, day(6, 30)) == 1
    check(house.db)
    share_ = house.share("2", A).id
    told = select(notice.c.tier, notice.c.state).where(
        notice.c.owner_kind == "assignment", notice.c.owner_id == share_, notice.c.tier.in_(("0", "1"))
    )
    ticking.tick(house.db)
    assert [tuple(r) for r in house.rows(told)] == [("0", "pending")]
    house.until(at(7, 1, 10))
    assert sorted(tuple(r) for r in house.rows(told)) == [("0", "superseded"), ("1", "sent")]


def test_a_late_return_is_chased_from_the_days_to_mend(house: House) -> None:
    house.sign_for("2", A)
    house.until(at(7, 2))
    s = house.share("2", A)
    house.do(A, submit, TodoRef(s.id, "work", s.arm), Entry(), summary="已完成。")
    house.do("renshe-fenguan", decide, TodoRef(s.id, "sign", s.arm), agree=True)
    s = house.share("2", A)
    house.do("zhuanban", decide, TodoRef(s.id, s.step, s.arm), agree=False, reason="缺材料。")
    tiers = select(due.c.at).where(due.c.owner_kind == "assignment", due.c.owner_id == s.id, due.c.kind == "tier:0")
    assert house.row(tiers).at == at(7, 7)  # three working days after Wednesday the 2nd
    say(house, False, day(7, 4))
    assert house.row(tiers).at == at(7, 8)
    assert house.share("2", A).due_at == end_of(day(6, 30))


def test_reminders_of_applications_and_steps_move_their_dates_do_not(house: House) -> None:
    house.sign_for("2", A, B)
    house.do(A, extend, house.share("2", A).id, until=day(7, 15), **WHY)
    steps = [StepDraft("摸清底数", day(6, 10), "就业科")]
    house.do(B, plan_steps, house.share("2", B).id, steps=steps)
    house.do("zhuanban", answer, house.petition("2", B), agree=True)
    asked = house.row(select(petition.c.due_at).where(petition.c.kind == "extension")).due_at
    assert asked == end_of(day(5, 28))
    assert at(5, 28) in armed(house, "tier:0", "petition")
    assert at(6, 10) in armed(house, "tier:0", "step")
    say(house, False, day(5, 28), day(6, 10))
    assert armed(house, "tier:0", "petition") == {at(5, 27)}
    assert armed(house, "tier:0", "step") == {at(6, 9)}
    assert house.row(select(petition.c.due_at).where(petition.c.kind == "extension")).due_at == asked
    check(house.db)


def test_an_item_that_waits_for_working_days_opens_by_the_new_calendar(migrated: Database) -> None:
    waits = DueRule("within", "启动后5个工作日内", days=5, working=True, anchor="run")
    found(migrated, hostile._item("9", [], ["市人社局"], [], opens=waits))
    house = House(migrated)
    assert armed(house, "open", "item") == {at(5, 30, 0)}
    say(house, False, day(5, 28))
    assert armed(house, "open", "item") == {at(6, 3, 0)}
    check(migrated)
    house.until(at(5, 30, 12))
    assert house.item("9").state == "pending"
    house.until(at(6, 3, 1))  # when a timer has the diagram looked through, too
    assert house.item("9").state == "open"
    check(migrated)


# ---------------------------------------------------------------- rounds
def turns(house: House, cadence: str = "weekly") -> list[tuple[int, int, datetime]]:
    rows = select(round_.c.n, round_.c.n_last, round_.c.opens_at).where(round_.c.cadence == cadence)
    return [(r.n, r.n_last, r.opens_at) for r in house.rows(rows.order_by(round_.c.id))]


def test_a_round_opens_on_the_next_working_day(house: House) -> None:
    say(house, False, day(6, 3))
    house.until(at(6, 3, 12))
    assert turns(house) == [(1, 3, at(5, 26))]
    house.until(at(6, 4, 10))
    assert turns(house) == [(1, 3, at(5, 26)), (2, 3, at(6, 4))]


def test_an_open_round_stays_due_when_it_was_asked_for_and_its_reminders_move(house: House) -> None:
    house.until(at(5, 26, 10))
    asked = house.row(select(round_.c.id, round_.c.due_at).where(round_.c.cadence == "weekly"))
    assert at(5, 30) in armed(house, "tier:0", "share")
    say(house, False, day(5, 30))
    assert house.row(select(round_.c.due_at).where(round_.c.id == asked.id)).due_at == asked.due_at
    assert at(5, 30) not in armed(house, "tier:0", "share")
    assert at(5, 29) in armed(house, "tier:0", "share")
    closes = select(due.c.at).where(due.c.owner_kind == "round", due.c.owner_id == asked.id)
    assert house.row(closes).at == end_of(day(6, 3))  # with its last reminder, one working day late
    say(house, False, day(6, 3))
    assert house.row(closes).at == end_of(day(6, 4))
    house.until(at(6, 10))


def test_a_week_without_working_days_has_no_round_until_it_is_taken_back(house: House) -> None:
    week = [day(6, n) for n in (3, 4, 5, 6)]
    rounds = select(due.c.at).where(due.c.kind.like("round:weekly:%"))
    say(house, False, *week)
    assert sorted(r.at for r in house.rows(rounds)) == [at(5, 26), at(6, 9)]
    house.until(at(5, 27))
    assert turns(house) == [(1, 2, at(5, 26))]
    say(house, None, *week)
    assert sorted(r.at for r in house.rows(rounds)) == [at(6, 3), at(6, 9)]
    house.until(at(6, 9, 10))
    assert turns(house) == [(1, 2, at(5, 26)), (2, 3, at(6, 3)), (3, 3, at(6, 9))]


def test_a_round_that_was_asked_for_keeps_its_number_though_its_week_has_fallen_away(house: House) -> None:
    house.until(at(5, 26, 10))
    say(house, False, *(day(5, n) for n in range(26, 31)))
    house.until(at(6, 3, 10))
    assert turns(house) == [(1, 3, at(5, 26)), (2, 3, at(6, 3))]
    house.until(at(6, 9, 10))
    assert turns(house)[-1] == (3, 3, at(6, 9))


def test_turns_that_the_first_release_named_by_number_are_known(house: House) -> None:
    with house.db.writer.begin() as connection:
        for n, monday in enumerate((day(5, 26), day(6, 2), day(6, 9)), start=1):
            old = update(due).where(due.c.kind == f"round:weekly:{monday}")
            connection.execute(old.values(kind=f"round:weekly:{n}"))
    check(house.db)
    house.until(at(5, 26, 10))
    say(house, False, day(6, 3))
    assert {r.kind for r in house.rows(select(due.c.kind).where(due.c.kind.like("round:weekly:%")))} == {
        "round:weekly:2025-06-02",
        "round:weekly:2025-06-09",
    }
    house.until(at(6, 9, 10))
    assert [n for n, _, _ in turns(house)] == [1, 2, 3]


def test_the_digests_follow_too(house: House) -> None:
    house.until(at(5, 23, 10))
    assert armed(house, "digest", "system") == {at(5, 26)}
    say(house, False, day(5, 26))
    assert armed(house, "digest", "system") == armed(house, "weekly", "system") == {at(5, 27)}
    say(house, True, day(5, 25))
    assert armed(house, "digest", "system") == {at(5, 25)}
    assert armed(house, "weekly", "system") == {at(5, 27)}
    house.until(at(5, 28))
    days = {r.at for r in house.rows(select(message.c.at).where(message.c.kind == "weekly"))}
    assert days == {at(5, 27)}


# ---------------------------------------------------------------- deciding
@pytest.mark.parametrize(
    ("decided", "wrong"),
    [
        ([], {"days"}),
        ([Decision(day(5, 22), False, GROUND)], {"days"}),  # yesterday
        ([Decision(date(2028, 1, 3), False, GROUND)], {"days"}),
        ([Decision(date.min, True, GROUND), Decision(date.max, True, GROUND)], {"days"}),
        ([Decision(day(6, 6), True, GROUND), Decision(day(6, 7), False, GROUND)], {"days"}),  # they are so
        ([Decision(day(6, 6), None, GROUND)], {"days"}),
        ([Decision(day(6, 6), False)], {"ground"}),
        ([Decision(day(6, 6), False, "字" * 2001)], {"ground"}),
        ([Decision(day(6, 6), False, "电话 13912345678")], {"ground"}),
    ],
)
def test_what_is_refused(house: House, decided: list[Decision], wrong: set[str]) -> None:
    before = house.row(select(func.count()).select_from(event))[0]
    with pytest.raises(Invalid) as raised:
        house.do("guanli", decide_days, decided)
    assert set(raised.value.fields) == wrong
    assert house.row(select(func.count()).select_from(event))[0] == before
    for login in ("zhuanban", "ducha", "lingdao", A):
        with pytest.raises(NotAllowed):
            say(house, False, day(6, 6), by=login)


def test_today_can_still_be_decided_and_a_year_ahead_of_the_next(house: House) -> None:
    assert say(house, False, day(5, 23), date(2027, 12, 31)) == 2


def test_days_that_are_so_are_left_out_and_grounds_stand_apart(house: House) -> None:
    decided = [Decision(day(6, 5), True, "甲"), Decision(day(6, 6), False, "甲"), Decision(day(6, 7), True, "乙")]
    assert house.do("guanli", decide_days, decided) == 2
    say(house, False, day(6, 7))  # as it is published: nothing is left of it
    assert [(r.day, r.working) for r in house.rows(select(day_override))] == [(day(6, 6), False)]
    with house.db.read() as connection:
        lines = decisions(connection, 10)
    assert [(dict(line.days), line.ground) for line in lines] == [
        ({day(6, 7): None}, GROUND),
        ({day(6, 6): False}, "甲"),
        ({day(6, 7): True}, "乙"),
    ]
    assert {line.by for line in lines} == {house.who("guanli").name}


def test_an_administrator_of_a_county_does_not_decide_for_all(house: House) -> None:
    with house.db.write() as tx:
        one = register_person(tx, login="daye-guanli", name="县管", email="daye-guanli@x.example", password_hash="")
        take_post(tx, one, "daye", "administrator")
    with house.db.read() as connection:
        assert desk_for(connection, house.who("daye-guanli")) is None
        assert desk_for(connection, house.who("guanli")) is not None
    with pytest.raises(NotAllowed):
        say(house, False, day(6, 6), by="daye-guanli")


# ---------------------------------------------------------------- the page
class Hand:
    """An administrator at the page."""

    def __init__(self, house: House, login: str) -> None:
        self.client = create_app(Settings(demo=True, database_url=house.db.url), house.db).test_client()
        self.send("/login", account=login, password=PASSWORD)

    def send(self, path: str, **fields: Any) -> tuple[int, str]:
        found = re.search(r'csrf-token" content="([^"]+)"', self.client.get(path).text)
        assert found
        answer = self.client.post(path, data={"csrf_token": found[1], **fields}, content_type="multipart/form-data")
        return answer.status_code, answer.text


@pytest.fixture
def hand(house: House) -> Hand:
    with house.db.write() as tx:
        for login, unit in (("admin", "zhengfuban"), ("daye-admin", "daye")):
            facts = {"login": login, "name": "管理员", "email": f"{login}@x.example", "password_hash": hashed(PASSWORD)}
            take_post(tx, register_person(tx, **facts), unit, "administrator")  # type: ignore[arg-type]
    return Hand(house, "admin")


def test_the_page_looks_through_before_it_decides(house: House, hand: Hand) -> None:
    asked = {"days": "2025-06-06", "word": "off", "ground": GROUND, "act": "confirm"}
    status, text = hand.send("/calendar", **asked)
    assert status == 200 and "设定预览" in text and "2025年6月6日 休息" in text
    assert house.rows(select(day_override)) == []
    found = re.search(r'name="seen" value="(\w+)"', text)
    assert found
    status, text = hand.send("/calendar", **asked | {"days": "2025-06-05"}, seen=found[1])
    assert status == 200 and "2025年6月5日 休息" in text
    assert hand.send("/calendar", **asked, seen=found[1])[0] == 302
    assert [r.day for r in house.rows(select(day_override))] == [day(6, 6)]
    status, text = hand.send("/calendar", **asked | {"ground": "电话 13912345678", "word": "published"}, seen="")
    assert status == 200  # the number is stopped where it would be kept
    assert hand.send("/calendar", **asked | {"first": "9999-12-01", "last": "9999-12-31"})[0] == 422
    assert hand.send("/calendar", **asked | {"first": "0001-01-01", "last": "9999-12-31"})[0] == 422
    assert hand.client.get("/calendar?year=1900").text.count("工作日历 2025年") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("日期,安排\n2025-06-06,休息\n".encode("utf-16"), "CSV UTF-8"),
        ("日期,安排\n2025-05-01,上班\n2025-06-06,休息\n".encode(), "第 2 行：2025-05-01"),
        ("日期,安排\n2025-06-06,休息\n2025-06-06,上班\n".encode(), "第 3 行：2025-06-06 前面已经写过"),
        (b"x" * 300_000, "不是 CSV 的写法"),
    ],
)
def test_a_table_is_taken_whole_or_not_at_all(house: House, hand: Hand, content: bytes, said: str) -> None:
    status, text = hand.send("/calendar", ground=GROUND, act="preview", table=(BytesIO(content), "日历.csv"))
    assert status == 422 and said in text
    assert house.rows(select(day_override)) == []


def test_a_county_looks_and_does_not_decide(house: House, hand: Hand) -> None:
    lower = Hand(house, "daye-admin")
    page = lower.client.get("/calendar").text
    assert 'id="decide"' not in page and "由最上一级行政区的管理员设定" in page
    assert lower.send("/calendar", days="2025-06-06", word="off", ground=GROUND, act="preview")[0] == 403


# ---------------------------------------------------------------- whoever arms meanwhile
@pytest.mark.postgres
def test_what_is_armed_by_the_old_calendar_meanwhile_is_moved_too(postgres_url: str) -> None:
    empty(postgres_url)
    upgrade(postgres_url)
    db = Database(postgres_url, StoredClock())
    found(db)
    with db.read() as connection:
        one = connection.execute(select(person.c.id).where(person.c.login == "guanli")).scalar_one()
        who = actor_of(connection, one)
    assert who is not None
    deciding = Thread(target=perform, args=(db, who, decide_days, [Decision(day(8, 29), False, GROUND)]))
    with db.write() as tx:
        version = opening.publish(tx, plan_xml("huangshi-2025-keji-zhuanhua"))
    with db.write() as tx:
        opening.start_run(tx, version)
        deciding.start()
        deciding.join(0.5)
        assert deciding.is_alive()
    deciding.join(20)
    assert not deciding.is_alive()
    check(db)
    db.close()


# ---------------------------------------------------------------- however much is live
def test_as_many_statements_however_much_is_live(migrated: Database) -> None:
    with migrated.writer.begin() as connection:
        set_clock(connection, at(5, 23))
    world = world_of(migrated, generated(20, day(5, 23)))
    one = world.coordinator.person_id
    with migrated.write() as tx:
        take_post(tx, one, KEYS[0], "administrator")
    few = _asked(migrated, one, day(6, 6))
    world.publish(generated(400, day(5, 23)))
    world.start_run()
    world.start_run()
    many = _asked(migrated, one, day(6, 5))
    assert len(few) == len(many) <= MOST
    check(migrated)


def _asked(db: Database, person_id: int, when: date) -> list[Any]:
    with db.read() as connection:
        who = actor_of(connection, person_id)
    assert who is not None
    with statements(db.writer) as asked:
        perform(db, who, decide_days, [Decision(when, False, GROUND)])
    return asked


# ---------------------------------------------------------------- the law
DAYS = st.integers(0, 45).map(lambda n: day(5, 23) + timedelta(n))
WORDS = st.dictionaries(DAYS, st.sampled_from((True, False, None)), min_size=1, max_size=6)
STEPS = st.one_of(
    st.tuples(st.just("decide"), WORDS),
    st.tuples(st.just("wait"), st.integers(1, 6)),
    st.tuples(st.just("sign for"), st.integers(0, 20)),
)


def _small(url: str) -> int:
    upgrade(url)
    db = Database(url, StoredClock())
    found(db)
    db.close()
    return 0


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=2, max_size=6))
def test_what_lies_ahead_is_what_the_present_calendar_arms(
    steps: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory, moulds: Moulds
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('days') / 'duban.sqlite3'}"
    moulds.pour(_small, url)
    db = Database(url, StoredClock())
    house, decided, now = House(db), dict[date, bool | None](), at(5, 23)
    for kind, what in steps:
        if kind == "wait":
            now += timedelta(days=what)
            house.until(now)
        elif kind == "sign for":
            _sign_for(house, what)
        else:
            try:
                house.do("guanli", decide_days, [Decision(d, w, GROUND) for d, w in what.items()])
            except Invalid:
                continue
            decided |= what
        _law(house, PUBLISHED.as_decided(decided), now)
    db.close()


def _sign_for(house: House, n: int) -> None:
    waiting = house.rows(select(assignment).where(assignment.c.state == "acknowledging").order_by(assignment.c.id))
    if waiting:
        s = waiting[n % len(waiting)]
        login = "zhuanban" if s.unit == "jiuye-lingdao" else s.unit
        house.do(login, acknowledge, TodoRef(s.id, s.step, s.arm))


def _law(house: House, calendar: WorkCalendar, now: datetime) -> None:
    """Replay and armed rows verify; what lies ahead is what is armed from scratch, less what has been told."""
    check(house.db)
    with house.db.read() as connection:
        known = calendar_of(connection)
    days = [day(5, 23) + timedelta(n) for n in range(60)]
    assert [known.is_working_day(d) for d in days] == [calendar.is_working_day(d) for d in days]
    there = {(r.owner_kind, r.owner_id, r.kind, r.at) for r in house.rows(select(due).where(due.c.at > now))}
    notices = select(notice.c.owner_id, notice.c.tier).where(notice.c.owner_kind == "assignment")
    told = {(r.owner_id, f"tier:{r.tier}") for r in house.rows(notices)}
    dated = select(assignment.c.id, assignment.c.due_at).join(item, item.c.id == assignment.c.item_id)
    in_hand = assignment.c.due_at.is_not(None), assignment.c.closed_at.is_(None), item.c.cadence.is_(None)
    for s in house.rows(dated.where(*in_hand)):
        fresh = ladder_moments(s.due_at, BAIRI.facts.ladder, calendar, after=now)
        wanted = {("assignment", s.id, m.kind, m.at) for m in fresh if (s.id, m.kind) not in told}
        assert {r for r in there if r[:2] == ("assignment", s.id)} == wanted
    opened = {f"round:{r.cadence}:{r.day}" for r in house.rows(select(round_.c.cadence, round_.c.day))}
    turns = [m for m in round_moments(small_plan(), at(5, 23), calendar) if m.at > now and m.kind not in opened]
    assert {r for r in there if r[2].startswith("round:")} == {("run", 1, m.kind, m.at) for m in turns}
