"""What the administrator of a database can do to it, on both databases, and that `duban verify` names each.

Each way begins as its owner would begin: the triggers are dropped, and put back afterwards, so that nothing but the
deed is left to be found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from engine.commands import (
    Part,
    PetitionRef,
    StepDraft,
    amend_due,
    amend_quota,
    amend_share_due,
    amend_target,
    amend_text,
    answer,
    check,
    copy,
    decide_days,
    delegate,
    enter,
    extend,
    hand_on,
    hand_over,
    perform,
    plan_steps,
    reassign,
    reorganise,
    resume,
    split,
    suspend,
    terminate,
)
from engine.delivering import deliver
from engine.mail.smtp import KIND_HEADER, Transport
from engine.reorganising import Change
from engine.verifying import CHECKS, differences
from ledger.calendar import moment
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.directory import leave_post, register_person, take_post
from ledger.events import GENESIS, canonical, chain_hash, digest
from ledger.following import follow
from ledger.migrating import upgrade
from ledger.people import actor_of
from ledger.rules.days import Decision
from ledger.schema import (
    PROJECTIONS,
    assignment,
    content,
    delivery,
    due,
    event,
    figure,
    item,
    message,
    notice,
    petition,
    reading,
    run_state,
    seal,
    stream,
    todo,
)
from ledger.sealing import seal_hash
from ledger.triggers import APPEND_ONLY, append_only, statements
from ledger.verification import Check, Finding, Scene, replay
from ledger.verification.scene import Found
from tests.conftest import empty
from tests.integration.test_cli import duban
from tests.integration.test_whole_plan import free_port
from webapp.demo import campaign
from webapp.demo.office import Office
from webapp.verifying import HeadError, heads_of_mail, parse_head


def at(month: int, day: int, hour: int = 9) -> datetime:
    return moment(date(2025, month, day), time(hour))


def lived(db: Database) -> Office:
    """A run with reports, a return, an urging, a closed item and mails, two weeks old."""
    office = Office(db, campaign.begin(db))
    office.at(at(5, 23, 10))
    for unit in ("renshe", "daye", "guozi"):
        office.acknowledge(unit)
    office.report("daye", "13", "已上门对接用人单位九家，推进顺利。", {"trainee-posts": 214})
    office.at(at(5, 27))
    office.apply("guozi", "8", "校园招聘名额扩大，招聘公告全部发布。")
    office.decide("guozi", "8")
    office.decide("guozi", "8")
    office.apply("renshe", "4", "政策兑现全部完成。")
    office.decide("renshe", "4")
    office.decide("renshe", "4", agree=False, reason="缺佐证材料，请补齐。")
    office.urge(("jiuye-lingdao", "coordinator"), ["jiaoyu"], "20", "请周三前签收并反馈。")
    office.at(at(6, 4))
    return office


def changed(office: Office) -> None:
    """What else may come: applications open, granted and declined, suspensions, shares moved and ended, and the rest
    that units are told of at once."""
    db, until = office.db, date(2025, 10, 31)
    with db.write() as tx:
        colleague = register_person(tx, login="daye-2", name="张三", email="daye-2@x.example", password_hash="-")
        second = take_post(tx, colleague, "daye", "liaison")

    def do(unit: str, role: str, command: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        with db.read() as connection:
            actor = actor_of(connection, office.holder(unit, role))
        assert actor is not None
        perform(db, actor, command, *args, **kwargs)

    def share(no: str, unit: str = "daye") -> int:
        with db.read() as connection:
            return int(office._share(connection, unit, no).id)

    def apply_for_time(no: str, *deciders: tuple[str, str], agree: bool = True) -> None:
        do("daye", "liaison", extend, share(no), until=until, reason="台风影响，场地延后。", progress="已完成七成。")
        for turn, decider in enumerate(deciders, start=1):
            with db.read() as connection:
                made = connection.execute(select(func.max(petition.c.id))).scalar_one()
            do(*decider, answer, PetitionRef(share(no), made, turn), agree=agree, reason="按实际情况定。")

    ground = {"ground": "市领导小组第3次会议议定。"}
    head, coordinator = ("daye", "deputy_head"), ("jiuye-lingdao", "coordinator")
    apply_for_time("2", head)
    apply_for_time("3", head, ("zhengfuban", "inspector"), ("zhengfuban", "leader"))
    apply_for_time("5", head, agree=False)
    do(*coordinator, suspend, share("14"), **ground)
    do(*coordinator, suspend, share("15"), **ground)
    do(*coordinator, resume, share("15"), **ground)
    do(*coordinator, reassign, share("24", "yangxin"), to="caizheng", **ground)
    do(*coordinator, terminate, share("18", "yangxin"), **ground)
    do(*coordinator, enter, share("24"), source="phone", told_by="王主任 9 时来电", progress="已办三场。", figures={})
    with db.read() as connection:
        read = connection.execute(select(reading.c.indicator_id).where(reading.c.assignment_id == share("13"))).scalar()
    do(*coordinator, check, share("13"), figures={read: Decimal(200)}, reason="核对花名册。")
    do(*coordinator, copy, share("13"), to="daye deputy_head", note="请关注。")
    do("daye", "liaison", hand_on, share("13"), to=second)
    steps = [StepDraft("摸清底数", date(2025, 6, 10), "就业科"), StepDraft("组织招聘", date(2025, 7, 4), "王科长")]
    do("daye", "liaison", plan_steps, share("13"), steps=steps)
    with db.read() as connection:
        made = connection.execute(select(func.max(petition.c.id))).scalar_one()
    do(*coordinator, answer, PetitionRef(share("13"), made, 1), agree=True)
    do("daye", "liaison", split, share("26"), parts=[Part("daye-jinhu"), Part("daye-chengui")])
    do("daye", "liaison", split, share("10"), parts=[Part("daye-baoan", None, date(2025, 8, 1))])
    do(*coordinator, terminate, share("10"), **ground)
    with db.read() as connection:
        desk = actor_of(connection, office.holder(*head)).desk(*head)  # type: ignore[union-attr]
    do(*head, delegate, desk.post_id, login="daye-2", until=date(2025, 6, 20))  # type: ignore[union-attr]
    with db.read() as connection:
        desk = actor_of(connection, office.holder("xialu", "liaison")).desk("xialu", "liaison")  # type: ignore[union-attr]
        left = actor_of(connection, office.holder("youzheng", "liaison")).desk("youzheng", "liaison")  # type: ignore[union-attr]
    new = {"name": "李四", "email": "xialu-2@x.example", "note": "在办事项见台账。", "password_hash": "-"}
    do("xialu", "liaison", hand_over, desk.post_id, login="xialu-2", **new)  # type: ignore[union-attr]
    with db.write() as tx:
        leave_post(tx, left.post_id)  # type: ignore[union-attr]
    administrator, by = ("zhengfuban", "administrator"), {"ground": "机构改革方案。"}
    do(*administrator, reorganise, "danbao", Change("merge", "caizheng"), **by)
    do(*administrator, reorganise, "keji", Change("rename", name="黄石市科学技术和创新局", short="市科创局"), **by)
    later = Change("merge", "caizheng", day=date(2025, 7, 1))
    do(*administrator, reorganise, "shangwu", later, **by)
    do(*administrator, decide_days, [Decision(date(2025, 7, 21), False, "防汛值守，黄政办〔2025〕9号。")])
    with db.read() as connection:
        items = {r.no: r.id for r in connection.execute(select(item.c.no, item.c.id))}
        title, clause = connection.execute(select(item.c.title, item.c.clause).where(item.c.no == "13")).one()
    told = {"ground": "印发时有误。"}
    do(*coordinator, amend_text, items["13"], title=title + "工作", clause=clause, **told)
    do(*coordinator, amend_target, items["13"], indicator=read, target=Decimal(1800), gap="各县另行分解。", **told)
    do(*coordinator, amend_quota, share("13"), quota=Decimal(300), gap="各县另行分解。", **told)
    do(*coordinator, amend_due, items["16"], until=date(2025, 8, 1), **told)
    do(*coordinator, amend_share_due, share("13"), until=date(2025, 8, 8), **told)
    office.at(at(6, 5))


def found(db: Database, heads: Sequence[tuple[int, str]] = ()) -> list[Finding]:
    with db.read() as connection:
        return list(differences(Scene(connection, heads, clock=db.clock)))


def triggers(dialect: str) -> list[str]:
    made = [*statements(dialect), *(s for t in APPEND_ONLY if t != "event" for s in append_only(t, dialect))]
    return [s for s in made if s.startswith("CREATE TRIGGER")]


def without_triggers(c: Connection) -> None:
    for made in triggers(c.dialect.name):
        name, table = made.split()[2], next(t for t in (*APPEND_ONLY, "content") if f" ON {t}" in made)
        c.execute(text(f"DROP TRIGGER {name}" + ("" if c.dialect.name == "sqlite" else f" ON {table}")))


def with_triggers(c: Connection) -> None:
    for made in triggers(c.dialect.name):
        c.execute(text(made))


def without_foreign_keys(c: Connection) -> None:
    """SQLite's own shell does not ask them; PostgreSQL's owner can say so."""
    c.execute(text("PRAGMA defer_foreign_keys = ON" if c.dialect.name == "sqlite" else _UNASKED))


_UNASKED = "SET LOCAL session_replication_role = replica"


# ---------------------------------------------------------------- the ways
ITEM, N = "item:4", 3  # 市人社局's: planned 1, opened 2, acknowledged 3, submitted 4, signed 5, returned 6


def here(seq: int, name: str = ITEM) -> Any:
    return (event.c.stream == name) & (event.c.seq == seq)


def row(c: Connection, seq: int, name: str = ITEM) -> Any:
    return c.execute(select(event).where(here(seq, name))).one()


def hashed(r: Any, **changes: Any) -> str:
    v = {**r._mapping, **changes}
    return chain_hash(
        v["prev"], v["stream"], v["seq"], v["kind"], v["schema"], v["at"], v["recorded_at"], v["actor"], v["payload"]
    )


def last(c: Connection, name: str = ITEM) -> Any:
    return c.execute(select(event).where(event.c.stream == name).order_by(event.c.seq.desc()).limit(1)).one()


def changed_payload(r: Any, **facts: Any) -> str:
    return canonical({**json.loads(r.payload), **facts})


def change_payload(c: Connection) -> None:
    c.execute(update(event).where(here(N)).values(payload=changed_payload(row(c, N), due_at=None)))


def change_payload_and_hash(c: Connection) -> None:
    r = row(c, N)
    payload = changed_payload(r, due_at=None)
    c.execute(update(event).where(here(N)).values(payload=payload, hash=hashed(r, payload=payload)))


def delete_in_the_middle(c: Connection) -> None:
    c.execute(delete(content).where(content.c.stream == ITEM, content.c.seq == N))
    c.execute(delete(event).where(here(N)))


def cut_the_tail(c: Connection) -> None:
    """The return never was: head, sealed number and seals fit again."""
    r = last(c)
    c.execute(delete(content).where(content.c.stream == ITEM, content.c.seq == r.seq))
    c.execute(delete(event).where(here(r.seq)))
    c.execute(update(stream).where(stream.c.name == ITEM).values(seq=r.seq - 1, head=r.prev))


def swap_two(c: Connection) -> None:
    """Numbers exchanged, and with them the texts."""
    for table in (event, content):
        for old, new in ((4, 1000), (5, 4), (1000, 5)):
            c.execute(update(table).where(table.c.stream == ITEM, table.c.seq == old).values(seq=new))


def insert_forged(c: Connection) -> None:
    """同意办结, chained as it ought to be."""
    r, share = last(c), c.execute(select(assignment).where(assignment.c.item_id == 4)).one()
    facts = {
        **{"assignment": share.id, "item": 4, "run": 1, "step": "work", "arm": share.arm, "version": share.version},
        **{"to": None, "to_arm": share.arm, "to_unit": None, "to_role": None, "state": "closed", "due_at": None},
        **{"todo_due": None, "closes": False, "texts": {}},
    }
    forged = {
        **{"stream": ITEM, "seq": r.seq + 1, "kind": "assignment.accepted", "schema": 1, "at": r.at},
        **{"recorded_at": r.recorded_at, "actor": r.actor, "payload": canonical(facts), "prev": r.hash},
    }
    named = ("prev", "stream", "seq", "kind", "schema", "at", "recorded_at", "actor", "payload")
    forged["hash"] = chain_hash(*(forged[k] for k in named))
    c.execute(insert(event), forged)
    c.execute(update(stream).where(stream.c.name == ITEM).values(seq=r.seq + 1, head=forged["hash"]))


def change_text(c: Connection) -> None:
    c.execute(update(content).where(content.c.stream == ITEM, content.c.field == "reason").values(text="没有问题。"))


def delete_text(c: Connection) -> None:
    c.execute(delete(content).where(content.c.stream == ITEM, content.c.field == "reason"))


def blank_text(c: Connection) -> None:
    """As 依规清除 does it, but nobody applied and nobody confirmed."""
    c.execute(update(content).where(content.c.stream == ITEM, content.c.field == "reason").values(text=None, salt=None))


def change_due_date(c: Connection) -> None:
    c.execute(
        update(assignment).where(assignment.c.item_id == 20, assignment.c.unit == "renshe").values(due_at=at(9, 1))
    )


def change_figure(c: Connection) -> None:
    c.execute(update(figure).values(value=999))
    c.execute(update(reading).values(value=999))


def delete_todo(c: Connection) -> None:
    c.execute(delete(todo).where(todo.c.item_id == 20, todo.c.unit == "jiaoyu", todo.c.closed_at.is_(None)))


def delete_due(c: Connection) -> None:
    c.execute(delete(due).where(due.c.owner_kind == "assignment", due.c.kind == "tier:5", due.c.owner_id == 1))


def delete_round_to_come(c: Connection) -> None:
    c.execute(delete(due).where(due.c.kind == "round:weekly:2025-07-21"))


def delete_timer(c: Connection) -> None:
    c.execute(delete(due).where(due.c.kind.like("timer:%")))


def delete_notice(c: Connection) -> None:
    """The urging was never told: notice, delivery and mail are gone together."""
    ids = c.execute(select(notice.c.id).where(notice.c.tier.like("urged:%"))).scalars().all()
    mails = c.execute(select(delivery.c.message_id).where(delivery.c.notice_id.in_(ids))).scalars().all()
    c.execute(delete(delivery).where(delivery.c.notice_id.in_(ids)))
    c.execute(delete(message).where(message.c.id.in_(mails)))
    c.execute(delete(notice).where(notice.c.id.in_(ids)))


def mark_as_sent(c: Connection) -> None:
    c.execute(update(message).where(message.c.kind == "urged").values(state="sent"))


def delete_message(c: Connection) -> None:
    mails = c.execute(select(message.c.id).where(message.c.kind == "returned")).scalars().all()
    c.execute(delete(delivery).where(delivery.c.message_id.in_(mails)))
    c.execute(delete(message).where(message.c.id.in_(mails)))


def delete_seal(c: Connection) -> None:
    c.execute(delete(seal).where(seal.c.ordinal == 40))


def cut_seals(c: Connection) -> None:
    c.execute(delete(seal).where(seal.c.ordinal > c.execute(select(func.max(seal.c.ordinal))).scalar_one() - 5))


def swap_seals(c: Connection) -> None:
    for old, new in ((40, 100000), (41, 40), (100000, 41)):
        c.execute(update(seal).where(seal.c.ordinal == old).values(ordinal=new))


def change_seal(c: Connection) -> None:
    c.execute(update(seal).where(seal.c.ordinal == 40).values(hash="f" * 64))


def backdate(c: Connection) -> None:
    r = last(c, "item:8")
    c.execute(update(event).where(event.c.id == r.id).values(at=r.at - timedelta(days=3)))


def change_run_state(c: Connection) -> None:
    """The heading that waits is said to be over."""
    state = json.loads(c.execute(select(run_state.c.state)).scalar_one())
    ready = next(t for t in state["tasks"].values() if t["state"] == 16 and t["task_spec"] != "Start")
    ready["state"] = 64
    c.execute(update(run_state).values(state=json.dumps(state)))


def change_diagram(c: Connection) -> None:
    c.execute(text("UPDATE plan_source SET xml = replace(xml, '市国资委', '市住建局')"))


# way, its rule, what the finding says, where it says it is
WAYS: list[tuple[Callable[[Connection], None], str, str, dict[str, Any]]] = [
    (change_payload, "chains.hash", "item:4 第 3 号的内容与其哈希不符", {"stream": ITEM, "seq": 3}),
    (change_payload_and_hash, "chains.link", "item:4 第 4 号与前一号不相连", {"stream": ITEM, "seq": 4}),
    (delete_in_the_middle, "chains.gap", "item:4 缺第 3 号", {"stream": ITEM, "seq": 3}),
    (cut_the_tail, "seals.event-gone", "所指的 item:4 第 6 号不见了", {"stream": ITEM, "seq": 6}),
    (swap_two, "chains.order", "item:4 第 5 号的先后次序被调换", {"stream": ITEM, "seq": 5}),
    (
        insert_forged,
        "replay.changed",
        "表 assignment 第 26 行的 state 现为 returned，按记录应为 closed",
        {"table": "assignment"},
    ),
    (
        change_text,
        "texts.changed",
        "item:4 第 6 号的文字（reason）与其摘要不符",
        {"stream": ITEM, "seq": 6, "field": "reason"},
    ),
    (delete_text, "texts.lost", "item:4 第 6 号的文字（reason）不见了", {"stream": ITEM, "seq": 6, "field": "reason"}),
    (
        blank_text,
        "texts.erased",
        "item:4 第 6 号的文字（reason）被抹去，没有依规清除的记录",
        {"stream": ITEM, "seq": 6},
    ),
    (change_due_date, "replay.changed", "的 due_at 现为 2025-09-01", {"table": "assignment", "column": "due_at"}),
    (change_figure, "replay.changed", "的 value 现为 999", {"table": "figure", "column": "value"}),
    (delete_todo, "todos.none", "却没有待办", {"table": "todo"}),
    (
        delete_due,
        "due.missing",
        "责任分工第 1 号应有的到期安排“tier:5”不见了",
        {"table": "due", "row": "assignment,1,tier:5"},
    ),
    (
        delete_round_to_come,
        "due.missing",
        "应有的到期安排“round:weekly:2025-07-21”不见了",
        {"table": "due", "row": "run,1,round:weekly:2025-07-21"},
    ),
    (delete_timer, "runs.timer", "到期安排里没有这一天", {"table": "run", "row": "1"}),
    (delete_notice, "told.urged", "应有的提醒“urged:1”不见了", {"table": "notice"}),
    (mark_as_sent, "outbox.message-state", "的状态“sent”与发送时间、次数、占用不符", {"table": "message"}),
    (delete_message, "outbox.unmailed", "（returned）记为已发，却没有邮件", {"table": "notice"}),
    (delete_seal, "seals.gap", "封存缺第 40 号", {"table": "seal", "row": "40"}),
    (cut_seals, "seals.uneven", "（封存或记录被截去）", {}),
    (swap_seals, "seals.hash", "封存第 40 号与", {"table": "seal", "row": "40"}),
    (change_seal, "seals.hash", "封存第 40 号与", {"table": "seal", "row": "40"}),
    (backdate, "chains.hash", "item:8 第 7 号的内容与其哈希不符", {"stream": "item:8", "seq": 7}),
    (change_run_state, "runs.not-reached", "流程却不在“", {"table": "run", "row": "1"}),
    (change_diagram, "shape.diagram", "的流程图与其摘要不符", {"table": "plan_source"}),
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One run that every way is tried on, in a transaction that is rolled back."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('tampering') / 'duban.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres_url")
        empty(url)
    upgrade(url)
    db = Database(url, StoredClock())
    changed(lived(db))
    follow(db)
    assert found(db) == []
    yield db
    db.close()


FAR = "'2099-01-01 01:00:00'"
DEEDS: dict[str, tuple[str, str]] = {  # what was done: how, and the rule that must say so
    # ---- when something is due
    "tiers put off": (f"UPDATE due SET at = {FAR} WHERE kind LIKE 'tier:%'", "due.wrong"),
    "rounds put off": (f"UPDATE due SET at = {FAR} WHERE kind LIKE 'round:%'", "due.wrong"),
    "tiers of another arm": ("UPDATE due SET arm = arm + 50 WHERE kind LIKE 'tier:%'", "due.wrong"),
    "a tier twice": (
        "INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank)"
        " SELECT owner_kind, owner_id, kind, arm + 7, at, rank FROM due WHERE kind = 'tier:5'",
        "due.wrong",
    ),
    "a tier of no ladder": ("UPDATE due SET kind = 'tier:77' WHERE kind = 'tier:5'", "due.wrong"),
    "tiers of what was returned gone": ("DELETE FROM due WHERE owner_kind = 'assignment' AND arm = 2", "due.missing"),
    "reminders of a round gone": ("DELETE FROM due WHERE owner_kind = 'share'", "due.missing"),
    "the end of a round gone": ("DELETE FROM due WHERE kind = 'close'", "due.missing"),
    "the end of a round put off": (f"UPDATE due SET at = {FAR} WHERE kind = 'close'", "due.wrong"),
    "a round of no cadence": ("UPDATE round SET cadence = cadence || 'x'", "due.cadence"),
    "digests gone": ("DELETE FROM due WHERE owner_kind = 'system'", "due.system"),
    "digests put off": (f"UPDATE due SET at = {FAR} WHERE owner_kind = 'system'", "due.system-time"),
    "a timer put off": (f"UPDATE due SET at = {FAR} WHERE kind LIKE 'timer:%'", "runs.timer"),
    "a reminder of what is closed": (
        "UPDATE due SET owner_id = (SELECT id FROM assignment WHERE closed_at IS NOT NULL LIMIT 1) WHERE id ="
        " (SELECT min(id) FROM due WHERE owner_kind = 'assignment')",
        "due.stray-assignment",
    ),
    "a reminder of what was reported": (
        "UPDATE due SET owner_id = owner_id + 9000 WHERE owner_kind = 'share'",
        "due.stray-share",
    ),
    "tiers of what was given more time gone": (
        "DELETE FROM due WHERE owner_kind = 'assignment' AND owner_id ="
        " (SELECT min(id) FROM assignment WHERE original_due IS NOT NULL)",
        "due.missing",
    ),
    "tiers of what was given more time by the old date": (
        f"UPDATE due SET at = {FAR} WHERE owner_kind = 'assignment' AND owner_id ="
        " (SELECT min(id) FROM assignment WHERE original_due IS NOT NULL)",
        "due.wrong",
    ),
    "a reminder of what is suspended": (
        "UPDATE due SET owner_id = (SELECT id FROM assignment WHERE overlay = 'suspended') WHERE id ="
        " (SELECT min(id) FROM due WHERE owner_kind = 'assignment')",
        "due.stray-assignment",
    ),
    "reminders of a petition gone": ("DELETE FROM due WHERE owner_kind = 'petition'", "due.missing"),
    "reminders of a petition put off": (f"UPDATE due SET at = {FAR} WHERE owner_kind = 'petition'", "due.wrong"),
    "a reminder of what was decided": (
        "UPDATE due SET owner_id = (SELECT min(id) FROM petition WHERE state = 'granted')"
        " WHERE owner_kind = 'petition'",
        "due.stray-petition",
    ),
    "reminders of a step gone": ("DELETE FROM due WHERE owner_kind = 'step'", "due.missing"),
    "reminders of a step put off": (f"UPDATE due SET at = {FAR} WHERE owner_kind = 'step'", "due.wrong"),
    "a reminder of no step": (
        "UPDATE due SET owner_id = 77 WHERE owner_kind = 'step' AND owner_id = 2",
        "due.stray-step",
    ),
    "a plan of steps that nobody owes": (
        f"INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank) VALUES ('planning', 4, 'tier:0', 0, {FAR}, 1)",
        "due.stray-planning",
    ),
    "a figure that another plan is said to hold": (
        "UPDATE indicator SET same_as = 2, reporter = 'renshe' WHERE id = 1",
        "replay.changed",
    ),
    "a step put off": (f"UPDATE step SET due_at = {FAR} WHERE id = 2", "replay.changed"),
    "a step that is said to be done": ("UPDATE step SET done_at = due_at, done_seq = 9 WHERE id = 1", "replay.changed"),
    "steps in force that were not confirmed": (
        "UPDATE assignment SET steps_in_force = 1 WHERE id = 4",
        "replay.changed",
    ),
    "steps of no event": ("UPDATE petition SET state = 'declined' WHERE kind = 'steps'", "replay.changed"),
    "what is lasting by nobody's word": ("UPDATE item SET lasting = true WHERE id = 4", "replay.changed"),
    "a confirmation of no steps": (
        "UPDATE notice SET tier = 'steps_confirmed:77' WHERE tier LIKE 'steps_confirmed:%'",
        "notices.forged",
    ),
    "a reminder of a step to another post": (
        "INSERT INTO notice (owner_kind, owner_id, arm, tier, unit, role, run_id, item_id, at, immediate, state)"
        " SELECT 'step', 1, 1, '0', 'daye', 'head', run_id, item_id, at, immediate, 'pending' FROM notice"
        " WHERE tier LIKE 'steps_confirmed:%'",
        "notices.recipient",
    ),
    "a deputy without an end": ("DELETE FROM due WHERE owner_kind = 'post'", "due.missing"),
    "a deputy for longer": (f"UPDATE due SET at = {FAR} WHERE owner_kind = 'post'", "due.wrong"),
    "a change of a unit without its day": ("DELETE FROM due WHERE owner_kind = 'change'", "due.missing"),
    "a change of a unit put off": (f"UPDATE due SET at = {FAR} WHERE owner_kind = 'change'", "due.wrong"),
    "a change of a unit that was cancelled": (
        "UPDATE unit_change SET state = 'cancelled' WHERE state = 'planned'",
        "due.stray-change",
    ),
    "a unit that has not ended": ("UPDATE unit SET successor = NULL, ended_at = NULL", "replay.changed"),
    "another successor": ("UPDATE unit SET successor = 'keji' WHERE successor IS NOT NULL", "replay.changed"),
    "an old name gone": ("DELETE FROM unit_name", "replay.gone"),
    "a unit of another name": ("UPDATE unit SET short = '市科学局' WHERE key = 'keji'", "replay.changed"),
    "a share that was moved untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'moved'", "told.outcome"),
    "a report that was moved untold": (
        "UPDATE notice SET tier = 'x' WHERE id = (SELECT max(id) FROM notice WHERE tier = 'request')",
        "told.request",
    ),
    "a post of another plan": ("UPDATE post SET plan = 'x' WHERE id = 3", "replay.changed"),
    "a post taken at another time": ("UPDATE post SET seq = 1 WHERE id = 3", "replay.changed"),
    "a hand-over that was received": ("UPDATE handover SET received_at = at", "replay.changed"),
    "a hand-over gone": ("DELETE FROM handover", "replay.gone"),
    "a hand-over to somebody else": ("UPDATE handover SET to_post = 1", "replay.changed"),
    "an account open again": ("UPDATE person SET active = true WHERE NOT active", "people.active"),
    "a vacancy of what is held": (
        "UPDATE notice SET tier = 'vacant:daye.liaison' WHERE tier LIKE 'vacant:%'",
        "notices.baseless",
    ),
    "a vacancy told to somebody else": (
        "UPDATE notice SET unit = 'daye', role = 'head' WHERE tier LIKE 'vacant:%' AND role = 'coordinator'",
        "notices.recipient",
    ),
    "a vacancy under no term": ("UPDATE notice SET arm = 0 WHERE tier LIKE 'vacant:%'", "notices.facts"),
    "a vacancy in no mail": ("UPDATE notice SET state = 'pending' WHERE tier LIKE 'vacant:%'", "outbox.mailed"),
    "the end of a post that is no deputy's": (
        "UPDATE due SET owner_id = 1 WHERE owner_kind = 'post'",
        "due.stray-post",
    ),
    "the end of a round that has ended": ("UPDATE due SET owner_id = 1 WHERE kind = 'close'", "due.stray-round"),
    "the opening of what is open": (
        f"INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank) VALUES ('item', 4, 'open', 1, {FAR}, 3)",
        "due.stray-item",
    ),
    "a moment of nothing": (
        f"INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank) VALUES ('person', 4, 'open', 1, {FAR}, 3)",
        "due.stray",
    ),
    # ---- who was told
    "an urging superseded": ("UPDATE notice SET state = 'superseded' WHERE tier LIKE 'urged:%'", "notices.superseded"),
    "a week's mail superseded": (
        "UPDATE notice SET state = 'superseded' WHERE tier LIKE 'weekly:%'",
        "notices.superseded",
    ),
    "hand-outs moot": ("UPDATE notice SET state = 'moot' WHERE tier = 'handed'", "notices.moot"),
    "the mails of the weeks gone": (
        "CREATE TEMP TABLE gone AS SELECT id FROM message WHERE kind = 'weekly';"
        "DELETE FROM delivery WHERE message_id IN (SELECT id FROM gone);"
        "DELETE FROM message WHERE id IN (SELECT id FROM gone); DELETE FROM notice WHERE tier LIKE 'weekly:%'",
        "notices.week",
    ),
    "a notice to somebody else": (
        "UPDATE notice SET unit = 'daye', role = 'head' WHERE tier LIKE 'urged:%'",
        "notices.recipient",
    ),
    "a hand-out to another unit": (
        "UPDATE notice SET unit = 'zhengfuban' WHERE id = (SELECT min(id) FROM notice WHERE tier = 'handed')",
        "notices.recipient",
    ),
    "an urging of nobody": ("UPDATE notice SET tier = 'urged:77' WHERE tier LIKE 'urged:%'", "notices.forged"),
    "a notice of nothing": ("UPDATE notice SET tier = '44' WHERE tier = 'handed'", "notices.baseless"),
    "a notice of another arm": ("UPDATE notice SET arm = 99 WHERE tier = 'handed'", "notices.facts"),
    "a notice of the future": (f"UPDATE notice SET at = {FAR}", "notices.future"),
    "an application before another post": (
        "UPDATE notice SET unit = 'daye', role = 'head' WHERE tier LIKE 'applied:1.%'",
        "notices.recipient",
    ),
    "an application of no petition": (
        "UPDATE notice SET tier = 'applied:77.1' WHERE tier = 'applied:1.1'",
        "notices.baseless",
    ),
    "a reminder at a turn that never was": (
        "UPDATE notice SET tier = 'pressing:1.9.0', immediate = false WHERE tier = 'applied:1.1'",
        "notices.baseless",
    ),
    "a reminder under another turn": (
        "UPDATE notice SET tier = 'pressing:1.2.0', immediate = false WHERE tier = 'applied:1.2'",
        "notices.facts",
    ),
    "a suspension of nobody": ("UPDATE notice SET tier = 'terminated' WHERE tier = 'suspended'", "notices.forged"),
    "a copy to somebody else": ("UPDATE notice SET unit = 'jiaoyu' WHERE tier LIKE 'copied:%'", "notices.forged"),
    "an outcome moot": ("UPDATE notice SET state = 'moot' WHERE tier LIKE 'declined:%'", "notices.moot"),
    # ---- mails
    "a mail of another kind": ("UPDATE message SET kind = 'locked' WHERE kind = 'urged'", "outbox.key"),
    "a mail of another kind and key": (
        "UPDATE message SET kind = 'digest', key = replace(key, 'urged', 'digest'),"
        " header_id = replace(header_id, 'urged', 'digest') WHERE kind = 'urged'",
        "mails.kind",
    ),
    "mails to one person": ("UPDATE message SET person_id = 1", "mails.person"),
    "mails to another address": ("UPDATE message SET address = 'evil@x.example'", "outbox.address"),
    "mails that say nothing": ("UPDATE message SET context = '{}'", "mails.context"),
    "a mail of another outcome": (
        """UPDATE message SET context = replace(context, '暂停', '恢复') WHERE kind = 'told'""",
        "mails.context",
    ),
    "a seal in a mail": (
        """UPDATE message SET context = replace(context, '"hash"', '"hash": "0", "x"') WHERE kind = 'weekly'""",
        "mails.seal",
    ),
    "a sent mail queued again": ("UPDATE message SET attempts = 1 WHERE kind = 'urged'", "outbox.message-state"),
    "mails given up": ("UPDATE message SET state = 'dead', attempts = 1", "outbox.message-state"),
    "mails put off": (f"UPDATE message SET try_at = {FAR}", "mails.put-off"),
    "a mail gone": ("DELETE FROM delivery WHERE message_id = 3; DELETE FROM message WHERE id = 3", "outbox.gap"),
    "the last mail gone": (
        "DELETE FROM delivery WHERE message_id = (SELECT max(id) FROM message);"
        "DELETE FROM message WHERE id = (SELECT max(id) FROM message)",
        "outbox.cut",
    ),
    # ---- what stands beside the log
    "a person renamed": ("UPDATE person SET name = '冒名者' WHERE id = 3", "people.name"),
    "a person gone": ("DELETE FROM person WHERE id = 3", "people.gone"),
    "a person locked out": ("UPDATE person SET active = false WHERE id = 3", "people.active"),
    "counters set back": ("UPDATE counter SET value = 0", "people.counter"),
    "the heartbeat gone": ("DELETE FROM heartbeat", "people.heartbeat"),
    "a day that was decided gone": ("DELETE FROM day_override", "replay.gone"),
    "a day that was decided otherwise": ("UPDATE day_override SET working = true", "replay.changed"),
    "a round where it stood before the decision": (
        "UPDATE due SET at = '2025-07-21 01:00:00' WHERE kind = 'round:weekly:2025-07-21'",
        "due.wrong",
    ),
    "a round of another turn": ("UPDATE round SET day = '2025-06-09'", "replay.changed"),
    "a day off that nobody decided": (
        "INSERT INTO day_override (day, working) VALUES ('2025-06-06', false)",
        "replay.added",
    ),
    "an index gone": ("DROP INDEX ix_due_at", "shape.index"),
    "an index that keeps nothing apart": (
        "DROP INDEX uq_petition_open; CREATE INDEX uq_petition_open ON petition (assignment_id) WHERE state = 'open'",
        "shape.index",
    ),
    "an index of other rows": (
        "DROP INDEX uq_petition_open;"
        "CREATE UNIQUE INDEX uq_petition_open ON petition (assignment_id) WHERE state = 'nonsense'",
        "shape.index",
    ),
    "events of two streams in each other's place": (
        "UPDATE event SET id = 999999 WHERE id = (SELECT id FROM event WHERE stream = 'item:8' AND seq = 1);"
        "UPDATE event SET id = (SELECT id FROM event WHERE stream = 'item:8' AND seq = 2) - 1000000"
        " WHERE stream = 'item:9' AND seq = 1;"
        "UPDATE event SET id = (SELECT min(id) FROM event WHERE stream = 'run:1') + 500000"
        " WHERE stream = 'item:8' AND seq = 1",
        "seals.order",
    ),
    # ---- todos and runs
    "a todo at another step": (
        "UPDATE todo SET arm = 9 WHERE owner_kind = 'assignment' AND closed_at IS NULL",
        "todos.elsewhere",
    ),
    "two todos of one share": (
        "INSERT INTO todo (owner_kind, owner_id, step, arm, run_id, item_id, unit, role, opened_at)"
        " SELECT owner_kind, owner_id, step, 9, run_id, item_id, unit, role, opened_at FROM todo"
        " WHERE owner_kind = 'assignment' AND closed_at IS NULL",
        "todos.several",
    ),
    "a todo of what was reported": (
        "UPDATE share SET state = 'reported' WHERE state = 'owed'",
        "todos.share-done",
    ),
    "no todo of what is owed": ("DELETE FROM todo WHERE owner_kind = 'share'", "todos.share-none"),
    "a todo of a petition at another turn": (
        "UPDATE todo SET arm = 9 WHERE owner_kind = 'petition' AND closed_at IS NULL",
        "todos.petition-elsewhere",
    ),
    "no todo of a petition": ("DELETE FROM todo WHERE owner_kind = 'petition'", "todos.petition-without"),
    "no todo of what the office entered": ("DELETE FROM todo WHERE owner_kind = 'entry'", "todos.entry"),
    "what lies over a share lifted": (
        "UPDATE assignment SET overlay = NULL WHERE overlay = 'extending'",
        "todos.overlay",
    ),
    # ---- what was handed down
    "a part of no whole": ("UPDATE assignment SET parent_id = 999999 WHERE unit = 'daye-jinhu'", "levels.whole"),
    "a part in another place": (
        "UPDATE assignment SET unit = 'xialu-xinxialu' WHERE unit = 'daye-jinhu'",
        "levels.tree",
    ),
    "a unit under another": ("UPDATE unit SET parent = 'yangxin' WHERE key = 'daye-jinhu'", "levels.tree"),
    "a whole that ended without its parts": (
        "UPDATE assignment SET closed_at = touched_at WHERE id ="
        " (SELECT parent_id FROM assignment WHERE unit = 'daye-jinhu')",
        "levels.left",
    ),
    "a part on the way of a whole": (
        "UPDATE assignment SET lifecycle = NULL WHERE unit = 'daye-jinhu'",
        "levels.path",
    ),
    "a part counted as a whole": ("UPDATE assignment SET parent_id = NULL WHERE unit = 'daye-chengui'", "levels.path"),
    "a whole's end kept from its part": ("DELETE FROM notice WHERE tier = 'ended'", "told.outcome"),
    "a step of no lifecycle": ("UPDATE assignment SET step = 'x' WHERE closed_at IS NULL", "todos.no-step"),
    "a todo of another role": ("UPDATE todo SET role = 'head' WHERE closed_at IS NULL", "todos.step"),
    "a run without state": ("DELETE FROM run_state", "runs.no-state"),
    "a run with any state": ("UPDATE run_state SET state = '{}'", "runs.unreadable"),
    "a run that has ended": ("UPDATE run SET ended_at = started_at", "runs.ended"),
    "items open in a run that has ended": ("UPDATE run SET ended_at = started_at", "runs.open-item"),
    "shares open in a run that has ended": ("UPDATE run SET ended_at = started_at", "runs.open-share"),
    "a heading that waits for nothing": ("UPDATE item SET state = 'closed'", "runs.all-closed"),
    "an item that was never opened": ("UPDATE item SET state = 'pending' WHERE id = 4", "runs.unopened"),
    "an item that opens another day": (
        "UPDATE item SET state = 'pending' WHERE id = 4;"
        f"INSERT INTO due (owner_kind, owner_id, kind, arm, at, rank) VALUES ('item', 4, 'open', 1, {FAR}, 3)",
        "runs.opens",
    ),
    "an advance of what is open": ("INSERT INTO advance (run_id, item_id) VALUES (1, 4)", "runs.advance"),
    # ---- notices and mails, row by row
    "a return untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'returned'", "told.returned"),
    "a hand-out untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'handed'", "told.handed"),
    "a request untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'request'", "told.request"),
    "an application untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'applied:1.2'", "told.applied"),
    "an extension told to one of two": (
        "UPDATE notice SET tier = 'x' WHERE tier LIKE 'granted:%' AND role = 'coordinator'",
        "told.outcome",
    ),
    "a refusal untold": ("UPDATE notice SET tier = 'x' WHERE tier LIKE 'declined:%'", "told.outcome"),
    "a suspension untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'suspended'", "told.outcome"),
    "time running again untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'resumed'", "told.outcome"),
    "a share moved untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'moved'", "told.outcome"),
    "a share ended untold": ("UPDATE notice SET tier = 'x' WHERE tier = 'terminated'", "told.outcome"),
    "an entry untold": ("UPDATE notice SET tier = 'x' WHERE tier LIKE 'entered:%'", "told.outcome"),
    "a checked figure untold": ("UPDATE notice SET tier = 'x' WHERE tier LIKE 'check:%'", "told.outcome"),
    "a copy untold": ("UPDATE notice SET tier = 'x' WHERE tier LIKE 'copied:%'", "told.outcome"),
    "work handed on untold": ("UPDATE notice SET tier = 'x' WHERE tier LIKE 'handed_on:%'", "told.outcome"),
    "a notice in no state": ("UPDATE notice SET state = 'x'", "outbox.notice-state"),
    "a notice in a mail, but pending": ("UPDATE notice SET state = 'pending'", "outbox.mailed"),
    "a mail without notices": ("DELETE FROM delivery WHERE message_id = 3", "outbox.uncarried"),
    "two mails of one Message-ID": ("UPDATE message SET header_id = '<x@duban>'", "outbox.header-twice"),
    "a notice gone under its mail": ("DELETE FROM notice WHERE tier LIKE 'urged:%'", "outbox.notice-gone"),
    "a mail gone under its notice": ("DELETE FROM message WHERE id = 3", "outbox.message-gone"),
    # ---- the log
    "a head of another hash": ("UPDATE stream SET head = 'x' WHERE name = 'item:4'", "chains.tail"),
    "an event of nonsense": ("UPDATE event SET payload = '[]' WHERE kind = 'run.started'", "replay.contradiction"),
    "a clearing of a text that stands": (
        f"INSERT INTO event (stream, seq, kind, schema, at, recorded_at, actor, payload, prev, hash)"
        f""" VALUES ('admin', 9999, 'clearing.confirmed', 1, {FAR}, {FAR}, '{{}}',"""
        """ '{"places": [["item:4", 6, "reason"]], "persons": []}', '', '')""",
        "texts.kept",
    ),
    "a clearing of a name that stands": (
        f"INSERT INTO event (stream, seq, kind, schema, at, recorded_at, actor, payload, prev, hash)"
        f""" VALUES ('admin', 9999, 'clearing.confirmed', 1, {FAR}, {FAR}, '{{}}',"""
        """ '{"places": [], "persons": [3]}', '', '')""",
        "texts.name-kept",
    ),
    "rows that nothing keeps apart": (
        "ALTER TABLE due RENAME TO before; CREATE TABLE due AS SELECT * FROM before",
        "shape.unique",
    ),
    "a stream gone whole": (
        "DELETE FROM content WHERE stream = 'item:20'; DELETE FROM event WHERE stream = 'item:20'",
        "chains.vanished",
    ),
    "a head gone": ("DELETE FROM stream WHERE name = 'item:20'", "chains.headless"),
    "a text of no event": (
        "INSERT INTO content (stream, seq, field, salt, text) VALUES ('item:4', 99, 'reason', 's', 't')",
        "texts.orphan",
    ),
    "a text that no event knows": (
        "INSERT INTO content (stream, seq, field, salt, text) VALUES ('item:4', 2, 'reason', 's', 't')",
        "texts.added",
    ),
    "an attachment of no event": (
        "INSERT INTO attachment (id, stream, seq, assignment_id, size, media_type)"
        " VALUES (9, 'item:4', 2, 26, 1, 'text/plain')",
        "files.differs",
    ),
    "a row of no event": ("DELETE FROM post WHERE id = 1", "replay.gone"),
    "a diagram gone": ("DELETE FROM plan_source", "shape.diagram-gone"),
    # ---- what was amended of a plan that runs
    "a title by nobody's word": ("UPDATE item SET title = '募集岗位' WHERE no = '13'", "replay.changed"),
    "a clause by nobody's word": ("UPDATE item SET clause = '募集岗位' WHERE no = '13'", "replay.changed"),
    "a target by nobody's word": ("UPDATE indicator SET target = 5 WHERE target = 1800", "replay.changed"),
    "a quota by nobody's word": ("UPDATE assignment SET quota = 5 WHERE quota = 300", "replay.changed"),
    "another date of an item": (f"UPDATE item SET due_at = {FAR} WHERE no = '16'", "replay.changed"),
    "how an item's date came about": ("UPDATE item SET due_steps = '[]' WHERE no = '16'", "replay.changed"),
    "a date that was never another": (
        "UPDATE assignment SET original_due = NULL WHERE quota = 300",
        "replay.changed",
    ),
    "reminders by the date of before": (
        "DELETE FROM due WHERE owner_kind = 'assignment' AND owner_id = (SELECT id FROM assignment WHERE quota = 300)",
        "due.missing",
    ),
    **{
        f"an amendment ({kind}) that says something else": (
            f"UPDATE event SET payload = replace(payload, '\"was\"', '\"w\"') WHERE kind = '{kind}'",
            "chains.hash",
        )
        for kind in (
            *("item.text_corrected", "item.target_changed", "item.due_changed"),
            *("assignment.quota_changed", "assignment.due_changed", "assignment.due_followed"),
        )
    },
    **{
        f"{tier} untold": (f"UPDATE notice SET tier = 'x' WHERE tier LIKE '{tier}%'", "told.outcome")
        for tier in ("retitled:", "target:", "quota:", "due_changed")
    },
    **{
        f"{tier} told to another post": (f"UPDATE notice SET role = 'head' WHERE tier LIKE '{tier}%'", "notices.forged")
        for tier in ("retitled:", "target:", "quota:", "due_changed")
    },
    "a place in the lists": ("UPDATE standing SET rank = 1", "lists.differs"),
}


def _is(f: Finding, rule: str, sentence: str) -> bool:
    return f"{f.check}.{f.rule}" == rule and sentence in f.message


class _Undone(Exception):
    """Ends a transaction without its traces."""


@pytest.mark.parametrize(("deed", "rule", "sentence", "where"), WAYS, ids=lambda w: getattr(w, "__name__", ""))
def test_each_way_is_found_and_named(
    once: Database, deed: Callable[[Connection], None], rule: str, sentence: str, where: dict[str, Any]
) -> None:
    with pytest.raises(_Undone), once.writer.begin() as connection:
        without_triggers(connection)
        deed(connection)
        with_triggers(connection)
        said = list(differences(Scene(connection, clock=once.clock)))
        assert any(_is(f, rule, sentence) and where.items() <= dict(f.where).items() for f in said), said
        raise _Undone


BROKEN: list[tuple[str, set[str]]] = [  # what was done, the checks that must say that they could not go on
    ("UPDATE event SET payload = '[]' WHERE kind = 'assignment.returned'", {"told"}),
    ("UPDATE event SET actor = 'null', payload = '7' WHERE stream = 'admin'", set()),
    ("ALTER TABLE notice RENAME TO elsewhere", {"outbox", "told"}),
    ("ALTER TABLE seal RENAME TO elsewhere", {"seals"}),
    ("UPDATE run SET ladder = 'x'", {"due"}),
    ("DELETE FROM clock", {"due", "lists"}),
]


@pytest.mark.parametrize(("statement", "broken"), BROKEN)
def test_a_check_that_cannot_go_on_says_so_and_the_next_ones_go_on(
    once: Database, statement: str, broken: set[str]
) -> None:
    with pytest.raises(_Undone), once.writer.begin() as connection:
        without_triggers(connection)
        connection.execute(text(statement))
        connection.execute(update(figure).values(value=999))
        said = list(differences(Scene(connection, clock=once.clock)))
        assert broken <= {f.check for f in said if f.rule == "broken"}
        assert {"value"} <= {f.where.get("column") for f in said}  # the replay, whatever came before it
        assert not any("sqlalche.me" in f.message or "SELECT" in f.message for f in said)
        raise _Undone


def test_bytes_that_are_no_text_are_a_changed_text(once: Database) -> None:
    if not once.is_sqlite:
        with once.read() as connection, pytest.raises(DBAPIError):  # it takes none
            connection.execute(text("SELECT convert_from(decode('ff41', 'hex'), 'UTF8')"))
        return
    with pytest.raises(_Undone), once.writer.begin() as connection:
        without_triggers(connection)
        connection.execute(
            text("UPDATE content SET text = CAST(x'ff41' AS TEXT) WHERE stream = 'item:4' AND field = 'reason'")
        )
        with_triggers(connection)
        assert [f.message for f in differences(Scene(connection, clock=once.clock))] == [
            "item:4 第 6 号的文字（reason）与其摘要不符（文字被改动）"
        ]
        raise _Undone


def test_a_lost_connection_is_no_finding(once: Database) -> None:
    def lose(_: Scene) -> Found:
        yield "x", "x", {}
        raise OperationalError(None, None, psycopg.OperationalError("server closed the connection unexpectedly"))

    with once.read() as connection, pytest.raises(OperationalError):
        list(Check("x", "x", lose, ("x",)).run(Scene(connection)))


ELSEWHERE = {  # rules with a test of their own below, of cases in test_intakes.py
    *("shape.trigger", "shape.intruder"),
    *("seals.head", "seals.head-gone"),
    "due.stray-intake",
    *("todos.intake-elsewhere", "todos.intake-without", "todos.intake-item", "todos.intake-step", "told.waiting"),
}


def test_every_rule_of_every_check_has_somebody_who_breaks_it() -> None:
    rules = {f"{check.key}.{rule}" for check in CHECKS for rule in check.rules}
    assert rules == {rule for _, rule, *_ in WAYS} | {rule for _, rule in DEEDS.values()} | ELSEWHERE


@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_is_found_by_its_rule(once: Database, deed: str) -> None:
    how, rule = DEEDS[deed]
    with pytest.raises(_Undone), once.writer.begin() as connection:
        without_triggers(connection)
        without_foreign_keys(connection)
        for statement in how.split(";"):
            assert connection.execute(text(statement.replace(":", r"\:"))).rowcount
        with_triggers(connection)
        said = {f"{f.check}.{f.rule}": f.message for f in differences(Scene(connection, clock=once.clock))}
        assert rule in said, said
        raise _Undone


FOREIGN = {  # what makes mails vanish as they are written
    "sqlite": ["CREATE TRIGGER evil AFTER INSERT ON message BEGIN DELETE FROM message WHERE id = NEW.id; END"],
    "postgresql": [
        "CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER evil BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION evil()",
        "CREATE RULE evil_rule AS ON INSERT TO due DO INSTEAD NOTHING",
    ],
}


def test_foreign_triggers_and_rules_are_found(once: Database) -> None:
    with pytest.raises(_Undone), once.writer.begin() as connection:
        statements = FOREIGN[connection.dialect.name]
        for statement in statements:
            connection.execute(text(statement))
        said = list(differences(Scene(connection, clock=once.clock)))
        assert {f.rule for f in said} == {"intruder"}
        assert {f.where["trigger"] for f in said} == ({"evil"} if once.is_sqlite else {"evil", "evil_rule"})
        raise _Undone


def test_dropped_and_emptied_triggers_are_found(once: Database) -> None:
    with pytest.raises(_Undone), once.writer.begin() as connection:
        without_triggers(connection)
        named = {f.where["trigger"] for f in differences(Scene(connection, clock=once.clock))}
        assert {n.partition("_")[0] for n in named} == {"event", "content", "seal"}
        raise _Undone
    if not once.is_sqlite:
        with pytest.raises(_Undone), once.writer.begin() as connection:
            connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_no_change"))
            body = "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
            connection.execute(text(f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger {body}"))
            named = {f.where["trigger"] for f in differences(Scene(connection, clock=once.clock))}
            assert named == {"event_no_change", "refuse_change"}
            raise _Undone
        with pytest.raises(_Undone), once.writer.begin() as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("ALTER TABLE sent_form DROP CONSTRAINT pk_sent_form"))
            said = list(differences(Scene(connection, clock=once.clock)))
            assert [dict(f.where) for f in said] == [{"trigger": "session_replication_role"}, {"table": "sent_form"}]
            raise _Undone


# ---------------------------------------------------------------- a rewritten history
class Postbox:
    """A real mail server that keeps what it is sent, byte for byte."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.original_content)
        return "250 OK"


def weekly_mails(db: Database, folder: Path) -> list[Path]:
    """The coordinator's weekly mails as they arrived, the oldest first."""
    postbox = Postbox()
    controller = Controller(postbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        deliver(db, Transport("127.0.0.1", controller.port, "督办台账 <duban@localhost>"), "http://127.0.0.1:8000")
    finally:
        controller.stop()
    weekly = [m for m in postbox.mails if message_from_bytes(m, policy=policy.default)[KIND_HEADER] == "weekly"]
    files = [folder / f"{n}.eml" for n, _ in enumerate(weekly)]
    for file, content_ in zip(files, weekly, strict=True):
        file.write_bytes(content_)
    return files


def rewrite(c: Connection, name: str) -> None:
    """市国资委 applied three days earlier, in other words: texts, chain, head, seals and projections all say so."""
    without_triggers(c)
    prev = GENESIS
    for r in c.execute(select(event).where(event.c.stream == name).order_by(event.c.seq)).all():
        values: dict[str, Any] = {"prev": prev}
        if r.kind == "assignment.submitted":
            values |= {"at": r.at - timedelta(days=3), "payload": _other_words(c, r)}
        values["hash"] = prev = hashed(r, **values)
        c.execute(update(event).where(event.c.id == r.id).values(**values))
    c.execute(update(stream).where(stream.c.name == name).values(head=prev))
    sealed = GENESIS
    every = select(seal, event.c.hash.label("event_hash")).join(
        event, (event.c.stream == seal.c.stream) & (event.c.seq == seal.c.seq)
    )
    for r in c.execute(every.order_by(seal.c.ordinal)).all():
        sealed = seal_hash(sealed, r.ordinal, r.stream, r.seq, r.event_hash, r.sealed_at)
        c.execute(update(seal).where(seal.c.ordinal == r.ordinal).values(hash=sealed))
    for m in c.execute(select(message.c.id, message.c.context).where(message.c.kind == "weekly")).all():
        said = json.loads(m.context)
        if said["seal"]:
            own = select(seal.c.hash).where(seal.c.ordinal == said["seal"]["ordinal"])
            said["seal"]["hash"] = c.execute(own).scalar_one()
            c.execute(update(message).where(message.c.id == m.id).values(context=json.dumps(said, ensure_ascii=False)))
    with replay._scratch() as rebuilt:
        assert list(replay._rebuild(Scene(c), rebuilt)) == []
        for table in reversed(PROJECTIONS):
            c.execute(delete(table))
        for table in PROJECTIONS:
            if rows := [r._asdict() for r in rebuilt.execute(select(table))]:
                c.execute(insert(table), rows)
    with_triggers(c)


def _other_words(c: Connection, r: Any) -> str:
    words = "招聘计划已经完成。"
    where = (content.c.stream == r.stream) & (content.c.seq == r.seq) & (content.c.field == "summary")
    salt = c.execute(select(content.c.salt).where(where)).scalar_one()
    c.execute(update(content).where(where).values(text=words))
    payload = json.loads(r.payload)
    payload["texts"]["summary"] = digest(salt, words)
    return canonical(payload)


def test_a_rewritten_history_is_found_only_against_a_head_that_was_mailed(db_url: str, tmp_path: Path) -> None:
    upgrade(db_url)
    db = Database(db_url, StoredClock())
    lived(db)
    before, after = weekly_mails(db, tmp_path)  # 05-26, and 06-03 since 06-02 is a day off
    heads = [heads_of_mail(file)[0] for file in (before, after)]
    assert found(db, heads) == []
    with db.writer.begin() as connection:
        rewrite(connection, "item:8")
    assert found(db) == []  # the database alone is in perfect order
    said = found(db, heads)
    assert [f.message for f in said] == [
        f"封存第 {heads[1][0]} 号的哈希与邮件所载不符（此号以前的记录被整体改写过）"
    ]  # what was sealed before the first mail was left as it was
    db.close()
    environment = {"DUBAN_DEMO": "true"}
    assert duban(db_url, "verify", "--mail", str(before), **environment).returncode == 0
    done = duban(db_url, "verify", "--mail", str(after), "--head", f"{heads[0][0]}:{heads[0][1]}", **environment)
    assert done.returncode == 1
    assert said[0].message in done.stdout and "发现 1 处差异" in done.stdout


def test_a_log_that_ends_before_the_mailed_head_is_found(once: Database) -> None:
    with once.read() as connection:
        beyond = connection.execute(select(func.max(seal.c.ordinal))).scalar_one() + 1
    assert [f.where for f in found(once, [(beyond, "0" * 64)])] == [{"table": "seal", "row": str(beyond)}]


def test_verify_says_calmly_that_all_is_well_and_2_when_it_cannot_run(db_url: str) -> None:
    assert duban(db_url, "verify").returncode == 2
    assert duban(db_url, "init", "--organisation", "huangshi", "--plan", "huangshi-2025-bairi").returncode == 0
    done = duban(db_url, "verify")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "核对完毕，没有发现差异。")
    assert "正在核对封存" in done.stderr and "Traceback" not in done.stderr
    document = json.loads(duban(db_url, "verify", "--json").stdout)
    assert (document["ok"], document["findings"], document["counts"]["runs"]) == (True, [], 1)
    refused = duban(db_url, "verify", "--head", "12:abc")
    assert refused.returncode == 2 and "封存凭据" in refused.stderr


def test_what_is_no_head_is_refused_in_words(tmp_path: Path) -> None:
    mail = tmp_path / "no.eml"
    mail.write_text("Subject: x\n\n12:abc")
    for refused in (lambda: parse_head("12:abc"), lambda: parse_head("a" * 64), lambda: heads_of_mail(mail)):
        with pytest.raises(HeadError, match="封存凭据"):
            refused()
    assert parse_head(f" 7:{'AB' * 32} ") == (7, "ab" * 32)
