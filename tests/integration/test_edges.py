"""Plans and moments at the edge, on both databases: what a review once found wrong stays mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import and_, delete, func, insert, select, update

from bpmn.library import plan_xml
from bpmn.plan import Heading, Item, Plan, Share
from bpmn.reading import read_plan
from bpmn.writing import write_plan
from engine import admission, opening, ticking
from engine.clockwork import advance_to
from engine.commands import Entry, TodoRef, acknowledge, perform, report, report_round, urge
from engine.verifying import differences
from ledger import organisation
from ledger.calendar import moment
from ledger.clock import set_clock
from ledger.database import Database
from ledger.directory import register_person, register_units, take_post
from ledger.errors import Conflict, Invalid, NotAllowed, Refused
from ledger.people import Actor, actor_of
from ledger.rules.due import DueRule
from ledger.schema import assignment, due, item, message, notice, person, post, round_, run, share, todo
from ledger.verification import Scene, broken_chains, replay_differences
from ledger.visibility import sight_of, visible
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.demo.people import seat_people
from webapp.installing import start_plan

BAIRI = read_plan(plan_xml(campaign.PLAN))
Start = Callable[..., Office]


def at(month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    return moment(date(2025, month, day), time(hour, minute))


def an_item(no: str, *units: str, **more: object) -> Item:
    """An item of the responsible units; a name after a slash is cooperating: \"市人社局\" \"/大冶市\"."""
    shares = tuple(Share(u.strip("/"), "cooperating" if u.startswith("/") else "responsible") for u in units)
    plain = Item(
        f"t{no}", no, f"任务{no}", f"办好第{no}件事", "h1", shares, DueRule("by", "8月底前", date=date(2025, 8, 31))
    )
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.fixture
def start(migrated: Database) -> Start:
    """Start a small plan of one heading, with 百日攻坚's people, facts and rhythms, at a moment."""

    def begin(items: Sequence[Item], when: datetime, cadences: Sequence[str] = ()) -> Office:
        chosen = tuple(replace(c, first=date(2025, 5, 25)) for c in BAIRI.cadences if c.id in cadences)
        plan = Plan(BAIRI.facts, (Heading("h1", "一、任务", tuple(items)),), cadences=chosen)
        with migrated.writer.begin() as connection:
            set_clock(connection, when)
        known = organisation.load("huangshi")
        with migrated.write() as tx:
            register_units(tx, known)
            seat_people(tx, BAIRI, known)
            ticking.start_ticking(tx, tx.now)
            run_id = opening.start_run(tx, opening.publish(tx, write_plan(plan)))
        office = Office(migrated, run_id)
        office.at(when)
        return office

    return begin


def close(office: Office, unit: str, no: str) -> None:
    office.apply(unit, no, "已完成。")
    office.decide(unit, no)
    office.decide(unit, no)


def consistent(office: Office) -> None:
    with office.db.read() as connection:
        assert broken_chains(connection) == []
        assert replay_differences(connection) == []


# ---------------------------------------------------------------- time and mail
def test_a_digest_missed_overnight_goes_out_once_and_blocks_nothing(office: Office) -> None:
    """The scheduler comes back at eight: today's digest still goes at nine, and tomorrow's as well."""
    office.at(at(6, 24, 10))
    with office.db.writer.begin() as connection:
        set_clock(connection, at(6, 26, 8))
    ticking.tick(office.db)
    office.at(at(6, 26, 12))
    office.at(at(6, 27, 12))
    with office.db.read() as connection:
        sent = connection.execute(select(message.c.at).where(message.c.kind == "digest", message.c.at > at(6, 24, 10)))
        days = set(sent.scalars())
        left = connection.execute(select(func.count()).where(notice.c.state == "pending")).scalar_one()
    assert days >= {at(6, 26)} and at(6, 26, 8) not in days
    assert left == 0


def test_two_openings_within_a_second_are_two_mails(start: Start) -> None:
    items = [an_item("1", "市国资委"), an_item("2", "市国资委", after=("t1",)), an_item("3", "市国资委", after=("t2",))]
    office = start(items, at(6, 2 + 1, 10))
    for no in ("1", "2", "3"):
        office.acknowledge("guozi")
        close(office, "guozi", no)
        ticking.tick(office.db)
    with office.db.read() as connection:
        handed = connection.execute(select(func.count()).where(message.c.kind == "handed")).scalar_one()
        assert connection.execute(select(run.c.ended_at)).scalar_one() is not None
    assert handed == 3
    consistent(office)


def test_what_the_clock_hands_out_on_a_day_off_is_told_on_the_next_working_day(start: Start) -> None:
    opens = DueRule("by", "6月1日起", date=date(2025, 6, 1))  # a Sunday within 端午
    office = start([an_item("1", "市国资委", opens=opens), an_item("2", "市教育局")], at(5, 23))
    office.at(at(6, 2, 12))
    with office.db.read() as connection:
        opened = connection.execute(select(item.c.opened_at).where(item.c.no == "1")).scalar_one()
        told = connection.execute(select(func.count()).where(message.c.kind == "handed")).scalar_one()
    assert (opened, told) == (at(6, 1, 0), 1)
    office.at(at(6, 3, 9))
    with office.db.read() as connection:
        assert connection.execute(select(func.count()).where(message.c.kind == "handed")).scalar_one() == 2


def test_an_item_that_opens_by_date_does_not_stop_the_plan_from_advancing(start: Start) -> None:
    opens = DueRule("by", "7月起", date=date(2025, 7, 1))
    office = start(
        [an_item("1", "市国资委", opens=opens), an_item("2", "市教育局"), an_item("3", "市教育局")], at(5, 23)
    )
    office.acknowledge("jiaoyu")
    close(office, "jiaoyu", "2")
    close(office, "jiaoyu", "3")
    office.at(at(7, 1, 10))
    office.acknowledge("guozi")
    close(office, "guozi", "1")
    with office.db.read() as connection:
        assert connection.execute(select(run.c.ended_at)).scalar_one() == at(7, 1, 10)


def test_a_tier_speaks_to_the_signer_while_the_application_waits_for_a_signature(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(8, 25))
    office.acknowledge("guozi")
    office.apply("guozi", "1", "已完成。")
    office.at(at(8, 27, 10))
    with office.db.read() as connection:
        rows = connection.execute(select(notice.c.role, notice.c.state).where(notice.c.tier == "-3")).all()
        digest = select(message.c.context).where(message.c.kind == "digest", message.c.at == at(8, 27))
        context = connection.execute(digest)
        assert [tuple(r) for r in rows] == [("deputy_head", "sent")]
        assert '"copied": false' in context.scalar_one()


def test_a_late_application_that_is_returned_is_chased_again(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(8, 25))
    office.acknowledge("guozi")
    office.at(at(9, 9, 10))
    office.apply("guozi", "1", "已完成。")
    office.decide("guozi", "1")
    office.decide("guozi", "1", agree=False, reason="缺附件。")
    office.at(at(9, 30, 10))
    with office.db.read() as connection:
        told = connection.execute(select(notice.c.tier).where(notice.c.arm == 2, notice.c.role == "liaison")).scalars()
        # three days to mend end on 09-12: the day itself, the next working day, the fifth
        assert set(told) >= {"returned", "0", "1", "5"}
        assert connection.execute(select(assignment.c.due_at)).scalar_one() == at(9, 1, 0)


def test_a_reminder_of_a_round_can_still_be_answered(office: Office) -> None:
    office.acknowledge("renshe")
    office.at(at(6, 3, 10))  # the first week's last reminder went out at nine; the second week has begun
    office.report_round("renshe", "weekly", {})
    assert first_week(office, "renshe") == "reported"
    office.at(at(6, 4, 1))
    assert first_week(office, "guozi") == "missed"


def first_week(office: Office, unit: str) -> str:
    with office.db.read() as connection:
        found = select(share.c.state).join(round_).where(round_.c.n == 1, round_.c.cadence == "weekly")
        return str(connection.execute(found.where(share.c.unit == unit)).scalar_one())


def test_after_weeks_without_a_scheduler_no_dead_round_is_opened(office: Office) -> None:
    with office.db.writer.begin() as connection:
        set_clock(connection, at(6, 17, 10))
    ticking.tick(office.db)
    with office.db.read() as connection:
        weekly = connection.execute(select(round_.c.n).where(round_.c.cadence == "weekly")).scalars().all()
        monthly = connection.execute(select(round_.c.n).where(round_.c.cadence == "monthly")).scalars().all()
        missed = connection.execute(select(func.count()).where(share.c.state == "missed")).scalar_one()
    assert (weekly, monthly, missed) == ([4], [1], 0)  # May's report is late, but owed


# ---------------------------------------------------------------- recurring items
def test_a_recurring_item_that_began_late_can_be_closed_after_its_last_occurrence(start: Start) -> None:
    every = DueRule("every", "每月底前", period="month", monthday=-1)
    office = start([an_item("10", "大冶市", due=every, cadence="posts")], at(7, 1), ["posts"])
    office.acknowledge("daye")
    with pytest.raises(Refused, match="还有 2 期没有开始"):
        office.apply("daye", "10", "已完成。")
    for month, day in ((7, 28), (8, 26)):
        office.at(at(month, day))
        if month == 8:
            with pytest.raises(Refused, match="第 4 期还没有报送"):
                office.apply("daye", "10", "已完成。")
        office.report_round("daye", "posts", {"10": ({}, "已报。")})
    close(office, "daye", "10")
    with office.db.read() as connection:
        assert connection.execute(select(run.c.ended_at)).scalar_one() == at(8, 26)
    consistent(office)


def test_closing_an_item_frees_those_who_only_cooperate_from_their_reports(start: Start) -> None:
    every = DueRule("every", "每月底前", period="month", monthday=-1)
    office = start([an_item("10", "大冶市", "/阳新县", due=every, cadence="posts")], at(8, 25), ["posts"])
    office.acknowledge("daye")
    office.at(at(8, 26))
    office.report_round("daye", "posts", {"10": ({}, "已报。")})
    close(office, "daye", "10")
    office.at(at(9, 20))
    with office.db.read() as connection:
        states = dict(connection.execute(select(share.c.unit, share.c.state)).all())
        assert states == {"daye": "reported", "yangxin": "withdrawn"}
        assert connection.execute(select(func.count()).where(todo.c.closed_at.is_(None))).scalar_one() == 0
        late = select(func.count()).where(notice.c.unit == "yangxin", notice.c.tier.in_(["-3", "0", "1", "5"]))
        assert connection.execute(late).scalar_one() == 0
        assert sorted(connection.execute(select(due.c.kind)).scalars()) == ["digest", "weekly"]
    consistent(office)


# ---------------------------------------------------------------- dates that hang on something
def test_days_after_acknowledgement_are_counted_for_each_share(start: Start) -> None:
    rule = DueRule("within", "签收后5个工作日内", days=5, working=True, anchor="acknowledge")
    office = start([an_item("1", "市国资委", "市教育局", due=rule)], at(5, 23))
    office.acknowledge("guozi")
    office.at(at(6, 18, 15))
    office.acknowledge("jiaoyu")
    with office.db.read() as connection:
        dates = dict(connection.execute(select(assignment.c.unit, assignment.c.due_at)).all())
    assert dates == {"guozi": at(5, 31, 0), "jiaoyu": at(6, 26, 0)}  # the end of 05-30 and of 06-25
    office.at(at(6, 30))
    with office.db.read() as connection:
        told = select(notice.c.tier).where(notice.c.unit == "jiaoyu", notice.c.tier != "handed")
        assert set(connection.execute(told).scalars()) == {"-3", "0", "1"}


def test_days_after_another_item_count_from_its_closing(start: Start) -> None:
    rule = DueRule("within", "第1项办结后3个工作日内", days=3, working=True, anchor="item:t1")
    office = start([an_item("1", "市国资委"), an_item("2", "市教育局", after=("t1",), due=rule)], at(6, 16))
    office.acknowledge("guozi")
    office.at(at(6, 18, 15))
    close(office, "guozi", "1")
    with office.db.read() as connection:
        assert connection.execute(select(item.c.due_at).where(item.c.no == "2")).scalar_one() == at(6, 24, 0)


def test_an_item_opens_days_after_another_is_closed_and_not_before(start: Start) -> None:
    rule = DueRule("within", "第1项办结后3个工作日启动", days=3, working=True, anchor="item:t1")
    office = start([an_item("1", "市国资委"), an_item("2", "市教育局", opens=rule)], at(6, 16))
    office.acknowledge("guozi")
    office.at(at(6, 18, 15))
    assert opening_of(office) == ("pending", None, None)
    assert wrong(office) == []
    plant = {"owner_kind": "item", "kind": "open", "arm": 1, "at": at(6, 19), "rank": 3}
    with office.db.writer.begin() as connection:
        waiting = connection.execute(select(item.c.id).where(item.c.no == "2")).scalar_one()
        planted = insert(due).values(**plant, owner_id=waiting).returning(due.c.id)
        early = connection.execute(planted).scalar_one()
    assert wrong(office) == ["方案实施第 1 号：清单第 2 项还在等前面的任务办结，却已有启动日期的安排"]
    with office.db.writer.begin() as connection:
        connection.execute(delete(due).where(due.c.id == early))
    close(office, "guozi", "1")
    assert opening_of(office) == ("pending", None, at(6, 23, 0))  # Wednesday 06-18; Thursday, Friday, Monday
    assert wrong(office) == []
    office.at(at(6, 23))
    assert opening_of(office) == ("open", at(6, 23, 0), None)
    office.acknowledge("jiaoyu")
    close(office, "jiaoyu", "2")
    office.at(at(6, 23, 10))
    with office.db.read() as connection:
        assert connection.execute(select(run.c.ended_at)).scalar_one() == at(6, 23)
    assert wrong(office) == []
    consistent(office)


def test_an_opening_that_was_taken_out_after_its_anchor_closed_is_found(start: Start) -> None:
    rule = DueRule("within", "第1项办结后3天启动", days=3, anchor="item:t1")
    office = start([an_item("1", "市国资委"), an_item("2", "市教育局", opens=rule)], at(6, 16))
    office.acknowledge("guozi")
    close(office, "guozi", "1")
    with office.db.writer.begin() as connection:
        connection.execute(delete(due).where(due.c.kind == "open"))
    assert wrong(office) == ["方案实施第 1 号：清单第 2 项应当启动，却没有启动，也没有启动日期的安排"]


def opening_of(office: Office) -> tuple[str, datetime | None, datetime | None]:
    """Of item 2: its state, when it opened, when it will."""
    with office.db.read() as connection:
        found = (
            select(item.c.state, item.c.opened_at, due.c.at)
            .outerjoin(due, and_(due.c.owner_kind == "item", due.c.owner_id == item.c.id))
            .where(item.c.no == "2")
        )
        return tuple(connection.execute(found).one())


def wrong(office: Office) -> list[str]:
    """What `duban verify` finds."""
    with office.db.read() as connection:
        return [f.message for f in differences(Scene(connection, clock=office.db.clock))]


# ---------------------------------------------------------------- publishing
def test_a_diagram_is_checked_before_the_transaction_and_not_again_in_it(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = start([an_item("1", "市国资委")], at(5, 23)).db
    plan = Plan(BAIRI.facts, (Heading("h1", tmp_path.name, (an_item("1", "市国资委"),)),))
    file = tmp_path / "plan.bpmn"
    file.write_bytes(write_plan(plan))
    acts: list[str] = []
    for owner, name in ((admission, "findings"), (Database, "write")):
        monkeypatch.setattr(owner, name, _noting(acts, name, getattr(owner, name)))
    start_plan(db, str(file))
    assert acts == ["findings", "write"]


def _noting(acts: list[str], name: str, act: Callable[..., object]) -> Callable[..., object]:
    def noted(*args: object) -> object:
        acts.append(name)
        return act(*args)

    return noted


# ---------------------------------------------------------------- people
def test_the_head_answers_for_a_post_that_nobody_holds(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(6, 16))
    with office.db.write() as tx:
        liaison = select(post.c.id).where(post.c.unit == "guozi", post.c.role == "liaison")
        left = tx.connection.execute(liaison).scalar_one()
        tx.connection.execute(update(post).where(post.c.id == left).values(until=tx.now))
        head = register_person(tx, login="guozi-head", name="主任", email="h@huangshi.example", password_hash="-")
        take_post(tx, head, "guozi", "head")
    office.acknowledge("guozi")
    with office.db.read() as connection:
        assert connection.execute(select(assignment.c.state)).scalar_one() == "working"
    assert actor(office, "guozi-head").desk("guozi", "liaison")


def test_notices_for_an_empty_post_wait_until_somebody_holds_it(start: Start) -> None:
    office = start([an_item("1", "市发改委")], at(6, 16))
    with office.db.read() as connection:
        assert connection.execute(select(notice.c.state)).scalar_one() == "pending"
    with office.db.write() as tx:
        late = register_person(tx, login="fagai", name="来晚", email="f@huangshi.example", password_hash="-")
        take_post(tx, late, "fagai", "liaison")
    ticking.tick(office.db)
    with office.db.read() as connection:
        assert connection.execute(select(message.c.person_id)).scalar_one() == late


def test_who_may_urge(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(6, 16))
    with office.db.read() as connection:
        one = connection.execute(select(assignment.c.id)).scalar_one()
    for login in ("zhuanban", "ducha"):
        perform(office.db, actor(office, login), urge, [one], words="请抓紧办理。")
    for login in ("guozi", "lingdao"):
        with pytest.raises(NotAllowed):
            perform(office.db, actor(office, login), urge, [one], words="请抓紧办理。")
    with pytest.raises(Invalid, match="文字过长"):
        perform(office.db, actor(office, "zhuanban"), urge, [one], words="催" * 5000)


def actor(office: Office, login: str) -> Actor:
    with office.db.read() as connection:
        found = actor_of(
            connection, connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
        )
    assert found is not None
    return found


def test_nobody_reports_for_another_unit(office: Office) -> None:
    office.at(at(5, 26, 10))
    office.acknowledge("renshe")
    with office.db.read() as connection:
        shares = select(assignment.c.id).join(item).where(item.c.no == "4")
        one = connection.execute(shares).scalar_one()
        asked = connection.execute(select(share.c.id).join(round_).where(share.c.unit == "renshe")).scalars().first()
    assert asked is not None
    with pytest.raises(NotAllowed):
        perform(office.db, actor(office, "daye"), report, one, Entry(progress="代填"))
    with pytest.raises(NotAllowed):
        perform(office.db, actor(office, "daye"), report_round, asked, {}, nothing_new=True)


def test_an_inspector_sees_the_runs_of_the_own_jurisdiction_alone(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(6, 16))
    with office.db.write() as tx:
        facts = {
            "key": "daye-du",
            "name": "大冶市督查室",
            "short": "大冶督查室",
            "kind": "organ",
            "host": None,
            "ord": 999,
            "parent": "daye",
        }
        tx.record("admin", "unit.registered", {"jurisdiction": "daye", **facts})
        tx.flush()
        other = register_person(tx, login="daye-du", name="外", email="x@daye.example", password_hash="-")
        take_post(tx, other, "daye-du", "inspector")
    seen = select(item.c.id).join(run, run.c.id == item.c.run_id)
    with office.db.read() as connection:
        own, other_sight = (sight_of(connection, actor(office, login)) for login in ("ducha", "daye-du"))
        assert len(connection.execute(visible(seen), own.binds).all()) == 1
        assert connection.execute(visible(seen), other_sight.binds).all() == []


def test_the_last_tier_is_a_copy_for_those_who_do_not_hold_the_todo(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(9, 4))
    office.at(at(9, 5, 10))
    with office.db.read() as connection:
        rows = connection.execute(
            select(person.c.login, message.c.context)
            .join(person, person.c.id == message.c.person_id)
            .where(message.c.kind == "digest", message.c.at == at(9, 5))
        ).all()
    assert {r.login: '"copied": true' in r.context for r in rows} == {
        "guozi": False,
        "guozi-fenguan": True,
        "zhuanban": True,
    }


def test_a_second_click_is_told_who_did_what_and_when(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(6, 16, 10))
    office.acknowledge("guozi")
    with office.db.read() as connection:
        one = connection.execute(select(assignment.c.id)).scalar_one()
    with pytest.raises(Conflict, match=r"市国资委 .+ 已于 06-16 10:00 签收了这项任务"):
        perform(office.db, actor(office, "guozi"), acknowledge, TodoRef(one, "acknowledge", 1))


def test_two_databases_in_one_process_keep_their_plans_apart(start: Start) -> None:
    office = start([an_item("1", "市国资委")], at(6, 16))
    other = write_plan(Plan(BAIRI.facts, (Heading("h1", "别的", (an_item("1", "市教育局"),)),)))
    with pytest.raises(RuntimeError), office.db.write() as tx:
        opening.publish(tx, other)
        raise RuntimeError("the publication is rolled back")
    with office.db.write() as tx:
        second = opening.start_run(tx, opening.publish(tx, write_plan(BAIRI)))
    advance_to(office.db, at(6, 16) + timedelta(minutes=1))
    with office.db.read() as connection:
        assert connection.execute(select(func.count()).where(item.c.run_id == second)).scalar_one() == 33
