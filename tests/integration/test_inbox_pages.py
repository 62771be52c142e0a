"""An inbox of more slips than one page holds: the pages are the whole inbox, cut."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date, time
from itertools import product

import pytest
from sqlalchemy import func, select, update

from bpmn import library
from engine import opening
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database, calendar_of
from ledger.directory import register_person
from ledger.following import follow
from ledger.migrating import upgrade
from ledger.people import actor_of
from ledger.queries import inbox as queries
from ledger.queries.arranging import WAYS, Asked, Spot, order
from ledger.queries.inbox import Inbox, inbox
from ledger.schema import assignment, person
from tests.conftest import Moulds
from tests.integration.test_indexes import client_of
from tests.statements import statements
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.hashing import hashed


def _on_the_last_of_june(url: str) -> int:
    """Items late and near, some returned, some waiting for the office, a weekly report owed."""
    upgrade(url)
    db = Database(url, StoredClock())
    office = Office(db, campaign.begin(db))
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
    db.close()
    return 0


@pytest.fixture
def db(db_url: str, moulds: Moulds) -> Iterator[Database]:
    moulds.pour(_on_the_last_of_june, db_url)
    made = Database(db_url, StoredClock())
    yield made
    made.close()


def read(db: Database, login: str, page: int = 1, by: str = "", words: str = "") -> Inbox:
    with db.read() as connection:
        found = connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
        actor = actor_of(connection, found)
        assert actor is not None
        return inbox(connection, calendar_of(connection), db.clock.now(connection), actor, Asked(by, words, page))


@pytest.mark.parametrize("followed", [False, True])
def test_pages_are_the_whole_inbox_cut(db: Database, followed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if followed:
        follow(db)
    for login, by in product(("renshe", "daye", "zhuanban", "yangxin"), WAYS):
        whole = read(db, login, by=by)
        assert whole.total == len(whole.slips) > 3 or login == "zhuanban"
        monkeypatch.setattr(queries, "AT_ONCE", 3)
        pages = [read(db, login, n, by) for n in range(1, -(-whole.total // 3) + 1)]
        monkeypatch.undo()
        assert [(s.kind, s.id, s.step, s.group) for p in pages for s in p.slips] == [
            (s.kind, s.id, s.step, s.group) for s in whole.slips
        ]
        for n, page in enumerate(pages):
            assert (page.counts, page.weeks, page.to_sign_for) == (whole.counts, whole.weeks, whole.to_sign_for)
            assert page.sizes == whole.sizes
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
    assert '<a class="btn" rel="prev" href="/inbox">前面 3 件</a>' in second
    for page in ("99999", "0", "x", "-1"):
        assert client.get(f"/inbox?page={page}").status_code == 200


@pytest.mark.parametrize("by", WAYS)
def test_each_group_stands_once_and_says_how_many_it_holds(db: Database, by: str) -> None:
    found = read(db, "renshe", by=by)
    names = [name for name, _ in found.groups]
    assert len(set(names)) == len(names)
    assert {name: len(slips) for name, slips in found.groups} == found.sizes
    assert sum(found.sizes.values()) == found.total == found.everything


def test_groups_are_what_they_are_called(db: Database) -> None:
    by_light = dict(read(db, "renshe", by="light").groups)
    assert all(s.light.colour == "red" for s in by_light["红灯"])
    by_due = dict(read(db, "renshe", by="due").groups)
    assert next(iter(by_due)) == "已逾期"
    assert all(s.due_at is None for s in by_due.get("未定时限", ()))
    assert [name for name, _ in read(db, "renshe", by="plan").groups] == ["百日攻坚"]
    client = client_of(db, "renshe")
    assert 'aria-current="true">方案<' in client.get("/inbox?by=plan").get_data(as_text=True)
    assert 'aria-current="true">轻重缓急<' in client.get("/inbox?by=nonsense").get_data(as_text=True)


def test_four_plans_in_one_list(office: Office) -> None:
    """Every plan stands once, the most urgent first; a plan's name or its initials leave that plan alone."""
    for key in library.plan_keys():
        if key != "huangshi-2025-bairi":
            with office.db.write() as tx:
                opening.start_run(tx, opening.publish(tx, library.plan_xml(key)))
    whole = read(office.db, "renshe")
    by_plan = read(office.db, "renshe", by="plan")
    names = [name for name, _ in by_plan.groups]
    assert len(names) == len(set(names)) == 4
    firsts = [whole.slips.index(slips[0]) for _, slips in by_plan.groups]
    assert firsts == sorted(firsts) and firsts[0] == 0
    for name in names:
        assert {s.plan for s in read(office.db, "renshe", words=name).slips} == {name}
    assert {s.plan for s in read(office.db, "renshe", words="fxcy").slips} == {"返乡创业"}


def test_plans_follow_each_other_by_what_is_most_urgent() -> None:
    due = moment(date(2025, 7, 1), time(10))
    spots = [Spot("以后", due, 9, "甲", 1), Spot("红灯", due, 1, "乙", 2), Spot("待签收", due, 5, "甲", 3)]
    assert [s.id for s in sorted(spots, key=order(spots, "plan"))] == [2, 3, 1]


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("见习岗位", "募集就业见习岗位"),
        ("jyjx", "募集就业见习岗位"),
        ("jianxigangwei", "募集就业见习岗位"),
        ("见习 brgj", "募集就业见习岗位"),  # a word of the title, and the plan by its initials
        ("13", "募集就业见习岗位"),
    ],
)
def test_found_by_words_numbers_and_initials(db: Database, words: str, title: str) -> None:
    assert title in [s.title for s in read(db, "yangxin", words=words).slips]
    assert read(db, "yangxin", words=words).everything == read(db, "yangxin").total


def test_what_is_found_is_cut_into_pages_and_what_is_not_says_so(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(db, "renshe", words="srsj")
    assert whole.total == len([s for s in read(db, "renshe").slips if s.unit_name == "市人社局"]) > 20
    some = read(db, "renshe", words="jy")
    assert 3 < some.total < some.everything
    monkeypatch.setattr(queries, "AT_ONCE", 3)
    pages = [read(db, "renshe", n, words="jy") for n in range(1, -(-some.total // 3) + 1)]
    assert [s.id for p in pages for s in p.slips] == [s.id for s in some.slips]
    client = client_of(db, "renshe")
    assert "/inbox?q=jy&amp;page=2" in client.get("/inbox?q=jy").get_data(as_text=True)
    nothing = client.get("/inbox?q=没有这样的").get_data(as_text=True)
    assert "没有找到“没有这样的”" in nothing and f"看全部 {whole.everything} 件" in nothing


def test_the_tab_says_how_many(db: Database) -> None:
    n = read(db, "daye").total
    assert f"<title>({n}) 待办 · 督办台账</title>" in client_of(db, "daye").get("/inbox?q=x").get_data(as_text=True)


def test_the_number_of_statements_is_the_same_however_it_is_looked_at(db: Database) -> None:
    client, counts = client_of(db, "renshe"), set()
    client.get("/inbox")
    for address in ("/inbox", "/inbox?by=plan", "/inbox?by=light", "/inbox?q=jy&by=due", "/inbox?q=srsj"):
        with statements(db.reader) as found:
            client.get(address)
        counts.add(len(found))
    assert len(counts) == 1


# ---------------------------------------------------------------- 批量签收
def test_one_that_was_signed_for_meanwhile_does_not_hold_up_the_others(office: Office) -> None:
    client = client_of(office.db, "jiaoyu")
    refs = re.findall(r'name="todo" value="([^"]+)"', client.get("/inbox").get_data(as_text=True))[:3]
    client_of(office.db, "jiaoyu").post("/inbox/acknowledge", data={"one": refs[1]})
    answer = client.post("/inbox/acknowledge", data={"todo": refs, "by": "plan", "q": "jy"})
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 409
    assert "已签收 <b>2</b> 件" in page and '<b class="red">1</b> 件没有签收' in page
    assert page.count("没有签收</b>") == 1 and "签收了这项任务。" in page
    assert "已保留在下方" not in page
    assert 'href="/inbox?by=plan&q=jy"' in page
    left = client.get("/inbox").get_data(as_text=True)
    assert not set(refs) & set(re.findall(r'name="todo" value="([^"]+)"', left))


def test_a_batch_of_somebody_else_is_not_known_and_nothing_is_done(office: Office) -> None:
    client = client_of(office.db, "daye")
    own = re.findall(r'name="todo" value="([^"]+)"', client.get("/inbox").get_data(as_text=True))
    for other in (share_unseen(office, "daye"), 999_999):
        refs = [own[0], f"{other}.acknowledge.1"]
        assert client.post("/inbox/acknowledge", data={"todo": refs}).status_code == 404
    assert own[0] in client.get("/inbox").get_data(as_text=True)


def share_unseen(office: Office, unit: str) -> int:
    """A share of an item that this unit takes no part in."""
    with office.db.read() as connection:
        own = select(assignment.c.item_id).where(assignment.c.unit == unit)
        return int(
            connection.execute(select(func.min(assignment.c.id)).where(assignment.c.item_id.not_in(own))).scalar_one()
        )


def test_after_a_batch_the_inbox_stands_as_it_did(office: Office) -> None:
    client = client_of(office.db, "jiaoyu")
    refs = re.findall(r'name="todo" value="([^"]+)"', client.get("/inbox").get_data(as_text=True))[:2]
    answer = client.post("/inbox/acknowledge", data={"todo": refs, "by": "due", "q": "jy", "page": "1"})
    assert answer.headers["Location"] == "/inbox?by=due&q=jy"


def test_who_holds_no_post_is_told_what_comes_next(office: Office) -> None:
    with office.db.write() as tx:
        register_person(tx, login="newcomer", name="新来的", email="n@x.example", password_hash=hashed("duban-demo"))
    assert "您现在没有岗位" in client_of(office.db, "newcomer").get("/inbox").get_data(as_text=True)
