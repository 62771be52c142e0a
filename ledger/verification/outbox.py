"""Notices against the mails that carry them. What a mail server did with a mail is not known here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, String, and_, cast, exists, func, literal, not_, or_, select

from ledger.schema import content, counter, delivery, event, message, notice, person
from ledger.verification.scene import Check, Found, Scene

NOTICE_STATES = ("pending", "sent", "superseded", "moot")
MESSAGE_STATES = ("queued", "sending", "sent", "dead")
# Kinds of mails that carry notices; what is about an account (a new password, a lock-out) carries none.
CARRYING = ("digest", "handed", "request", "returned", "urged", "applied", "told", "vacant", "weekly")

_carried = exists().where(delivery.c.notice_id == notice.c.id)
_carries = exists().where(delivery.c.message_id == message.c.id)
_unsent = message.c.sent_at.is_(None)
# Of a mail that is sent, the instant and at least one attempt; one that is under way has its lease, others have none.
_HELD = and_(message.c.token.is_not(None), message.c.lease_until.is_not(None))
_FREE = and_(message.c.token.is_(None), message.c.lease_until.is_(None))
_LEGAL = or_(
    and_(message.c.state == "queued", _unsent, _FREE, or_(message.c.attempts == 0, message.c.error.is_not(None))),
    and_(message.c.state == "sending", _unsent, _HELD, message.c.attempts > 0),
    and_(message.c.state == "sent", not_(_unsent), _FREE, message.c.attempts > 0),
    and_(message.c.state == "dead", _unsent, _FREE, message.c.attempts > 0, message.c.error.is_not(None)),
)


_key = message.c.kind.concat(":%:").concat(cast(message.c.person_id, String))
_id = literal("<").concat(func.replace(message.c.key, ":", ".")).concat(".%@duban>")
_number = literal("<").concat(message.c.kind).concat(".").concat(cast(message.c.id, String)).concat(".%@duban>")
_is_account = and_(message.c.kind.not_in(CARRYING), message.c.header_id.like(_number))
_before = message.alias("before")
_last = select(func.coalesce(func.max(message.c.id), 0)).scalar_subquery()


def _twice(column: Any) -> Select[Any]:
    return select(column, func.min(message.c.id)).group_by(column).having(func.count() > 1)


# rule: table, the rows that are wrong (id, what is said of them), the sentence
_RULES: Mapping[str, tuple[str, Select[Any], str]] = {
    "notice-state": (
        "notice",
        select(notice.c.id, notice.c.state).where(notice.c.state.not_in(NOTICE_STATES)),
        "提醒第 {0} 号的状态“{1}”不合规则",
    ),
    "unmailed": (
        "notice",
        select(notice.c.id, notice.c.tier).where(notice.c.state == "sent", not_(_carried)),
        "提醒第 {0} 号（{1}）记为已发，却没有邮件（邮件被删除，或状态被改动）",
    ),
    "mailed": (
        "notice",
        select(notice.c.id, notice.c.state).where(notice.c.state != "sent", _carried),
        "提醒第 {0} 号的状态为“{1}”，却有邮件（状态被改动）",
    ),
    "uncarried": (
        "message",
        select(message.c.id, message.c.kind).where(message.c.kind.in_(CARRYING), not_(_carries)),
        "邮件第 {0} 号（{1}）没有对应的提醒（提醒被删除，或邮件是伪造的）",
    ),
    "message-state": (
        "message",
        select(message.c.id, message.c.state).where(not_(_LEGAL)),
        "邮件第 {0} 号的状态“{1}”与发送时间、次数、占用不符（状态被改动）",
    ),
    "header-twice": ("message", _twice(message.c.header_id), "邮件第 {1} 号的 Message-ID {0} 不止一封"),
    "key": (
        "message",
        select(message.c.id, message.c.kind).where(
            or_(message.c.key.not_like(_key), not_(or_(message.c.header_id.like(_id), _is_account)))
        ),
        "邮件第 {0} 号（{1}）的种类、收件人或 Message-ID 与其键不符（邮件被改动）",
    ),
    "gap": (
        "message",
        select(message.c.id - 1).where(message.c.id > 1, not_(exists().where(_before.c.id == message.c.id - 1))),
        "邮件第 {0} 号不见了（编号不会空缺，邮件被删除）",
    ),
    "cut": (
        "message",
        select(counter.c.value, _last).where(counter.c.name == "message", counter.c.value != _last),
        "邮件编到第 {0} 号，库里最后一封是第 {1} 号（末尾的邮件被删除，或计数被改动）",
    ),
    "notice-gone": (
        "delivery",
        select(delivery.c.notice_id, delivery.c.message_id).where(
            not_(exists().where(notice.c.id == delivery.c.notice_id))
        ),
        "邮件第 {1} 号所载的提醒第 {0} 号不见了",
    ),
    "message-gone": (
        "delivery",
        select(delivery.c.notice_id, delivery.c.message_id).where(
            not_(exists().where(message.c.id == delivery.c.message_id))
        ),
        "提醒第 {0} 号的邮件第 {1} 号不见了",
    ),
}


def _outbox(scene: Scene) -> Found:
    for rule, (table, wrong, sentence) in _RULES.items():
        for r in scene.rows(wrong):
            yield rule, sentence.format(*r), {"table": table, "row": str(r[0])}
    yield from _addresses(scene)
    for name, rows in (("notices", notice), ("messages", message)):
        scene.counts[name] = int(scene.connection.execute(select(func.count()).select_from(rows)).scalar_one())


_strays = (
    select(message.c.id, message.c.person_id, message.c.address, person.c.id.label("known"))
    .outerjoin(person, person.c.id == message.c.person_id)
    .where(or_(person.c.id.is_(None), person.c.email != message.c.address))
)
_said = (
    select(event.c.payload, content.c.text)
    .join(event, and_(event.c.stream == content.c.stream, event.c.seq == content.c.seq))
    .where(event.c.stream == "admin", event.c.kind.in_(("account.corrected", "account.address-offered")))
    .where(content.c.field.in_(("email", "old_email")))
)
_without_former = (  # a former address that was not kept, or has been cleared: what went there cannot be judged
    select(event.c.payload)
    .outerjoin(
        content,
        and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq, content.c.field == "old_email"),
    )
    .where(event.c.stream == "admin", event.c.kind == "account.corrected", content.c.text.is_(None))
)


def _addresses(scene: Scene) -> Found:
    """A mail goes to the address of its account, or to one that the account had, or was asked for."""
    strays = list(scene.rows(_strays))
    if not strays:
        return
    had = {(json.loads(r.payload)["person"], r.text) for r in scene.rows(_said)}
    bare = (json.loads(r.payload) for r in scene.rows(_without_former))
    unknown = {p["person"] for p in bare if "email" in p["fields"]}
    for r in strays:
        if r.known is None or ((r.person_id, r.address) not in had and r.person_id not in unknown):
            words = f"邮件第 {r.id} 号的地址 {r.address} 不是账号第 {r.person_id} 号的邮箱（地址或账号被改动）"
            yield "address", words, {"table": "message", "row": str(r.id)}


OUTBOX = Check("outbox", "提醒与邮件", _outbox, (*_RULES, "address"))
