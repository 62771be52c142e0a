"""What stands beside the log: accounts, counters, the heartbeat. Each only as far as the log says something of it."""

from __future__ import annotations

import json

from sqlalchemy import func, select

from ledger.clearing import NAMING, known
from ledger.schema import (
    AnyRow,
    assignment,
    clearing,
    content,
    counter,
    event,
    handover,
    heartbeat,
    indicator,
    item,
    message,
    person,
    plan_version,
    post,
    round_,
    run,
    seal,
    share,
)
from ledger.verification.scene import Check, Found, Scene

COUNTED = {t.name: t for t in (plan_version, run, item, indicator, assignment, round_, share, message, person, post)}
COUNTED["clearing"] = clearing
COUNTED["handover"] = handover
_DECIDED = {"account.deactivated": False, "account.activated": True, "account.password-given": True}


def _people(scene: Scene) -> Found:
    accounts = {r.id: r for r in scene.connection.execute(select(person.c.id, person.c.name, person.c.active))}
    yield from _names(scene, accounts)
    yield from _active(scene, accounts)
    yield from _counters(scene)
    sealed = scene.connection.execute(select(seal.c.ordinal).limit(1)).first()
    if sealed is not None and scene.connection.execute(select(heartbeat.c.name)).first() is None:
        yield "heartbeat", "定时服务封存过记录，它的心跳却不见了（被删除）", {"table": "heartbeat"}


def _names(scene: Scene, accounts: dict[int, AnyRow]) -> Found:
    """An account has the name under which it took its posts, or that was put right since; a cleared name is looked at
    with the texts."""
    cleared = known(scene.connection).persons
    taken = (
        select(event.c.kind, event.c.payload, content.c.text)
        .outerjoin(
            content,
            (content.c.stream == event.c.stream) & (content.c.seq == event.c.seq) & (content.c.field == "name"),
        )
        .where(event.c.stream == "admin", event.c.kind.in_(NAMING))
        .order_by(event.c.seq)
    )
    said = ((json.loads(r.payload), r.text) for r in scene.rows(taken))
    names = {p["person"]: text for p, text in said if "name" in p.get("fields", ("name",))}
    for person_id, name in names.items():
        where = {"table": "person", "row": str(person_id)}
        if person_id not in accounts:
            yield "gone", f"账号第 {person_id} 号任过职，账号却不见了（被删除）", where
        elif name is not None and person_id not in cleared and accounts[person_id].name != name:
            yield (
                "name",
                f"账号第 {person_id} 号的姓名现为 {accounts[person_id].name}，任职时为 {name}（被改动）",
                where,
            )


def _active(scene: Scene, accounts: dict[int, AnyRow]) -> Found:
    """Whether an account is open is what was decided on it last."""
    log = select(event.c.kind, event.c.payload).where(event.c.stream == "admin", event.c.kind.in_(_DECIDED))
    decided = {json.loads(r.payload)["person"]: _DECIDED[r.kind] for r in scene.rows(log.order_by(event.c.seq))}
    for person_id, account in accounts.items():
        if account.active != decided.get(person_id, True):
            words = "启用，按记录应为停用" if account.active else "停用，记录里没有停用"
            yield "active", f"账号第 {person_id} 号现为{words}（被改动）", {"table": "person", "row": str(person_id)}


def _counters(scene: Scene) -> Found:
    """A number is never given twice: each counter has reached what was given."""
    for name, table in COUNTED.items():
        given = select(func.max(table.c.id)).scalar_subquery()
        reached = select(func.coalesce(func.max(counter.c.value), 0)).where(counter.c.name == name).scalar_subquery()
        last, value = scene.connection.execute(select(given, reached)).one()
        if last is not None and value < last:
            yield (
                "counter",
                f"编号 {name} 数到 {value}，库里已有第 {last} 号（计数被改动）",
                {
                    "table": "counter",
                    "row": name,
                },
            )


PEOPLE = Check("people", "账号、编号和心跳", _people, ("gone", "name", "active", "counter", "heartbeat"))
