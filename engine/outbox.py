"""Putting mails into the outbox, each with the notices it carries: one row a key, whatever happens afterwards."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from engine.mail.contexts import LINKS
from engine.notices import settle
from ledger.database import Tx
from ledger.errors import NotFound, Refused
from ledger.people import Holder
from ledger.queries.accounts import seen_by
from ledger.schema import delivery, message, person


@dataclass(frozen=True)
class Outgoing:
    """A mail before it has its row. `key` is unique for all time; `notices` are the ids of what it tells."""

    key: str
    kind: str
    holder: Holder
    context: Mapping[str, Any]
    notices: Collection[int]


def put(tx: Tx, mails: Sequence[Outgoing]) -> None:
    """Queue mails; their notices are sent with them."""
    if not mails:
        return
    ids = tx.allocate("message", len(mails))
    tx.connection.execute(insert(message), [_row(tx, i, mail) for i, mail in zip(ids, mails, strict=True)])
    links = {(n, message_id) for message_id, mail in zip(ids, mails, strict=True) for n in mail.notices}
    tx.connection.execute(insert(delivery), [{"notice_id": n, "message_id": m} for n, m in sorted(links)])
    settle(tx, {n for n, _ in links}, "sent")


def _row(tx: Tx, message_id: int, mail: Outgoing) -> dict[str, Any]:
    return {
        "id": message_id,
        "key": mail.key,
        "kind": mail.kind,
        "person_id": mail.holder.person_id,
        "address": mail.holder.email,
        "context": json.dumps(mail.context, ensure_ascii=False),
        "at": tx.now,
        "header_id": header_id(mail.key),
        "state": "queued",
        "attempts": 0,
        "try_at": tx.recorded_at,
    }


def send_again(tx: Tx, message_id: int) -> None:
    """Queue a mail that was given up, to where its person's mails go today, under the Message-ID it had.

    Raises: NotFound for what is no such mail, or is for somebody whom the actor does not administer; Refused where
    nothing is left to send.
    """
    row = tx.connection.execute(
        select(message.c.kind, person.c.email)
        .join(person, person.c.id == message.c.person_id)
        .where(message.c.id == message_id, message.c.state == "dead", seen_by(tx.actor))
    ).one_or_none()
    if row is None:
        raise NotFound("没有这封未送达的邮件，或者它已经重新排队。")
    if row.kind in LINKS:
        raise Refused("这封邮件里的链接已经作废，请本人在登录页上重新申请。")
    anew = {"state": "queued", "attempts": 0, "try_at": tx.recorded_at, "error": None, "address": row.email}
    tx.connection.execute(update(message).where(message.c.id == message_id).values(**anew))


def header_id(key: str) -> str:
    """A Message-ID that names the mail's key and that nobody can guess."""
    return f"<{key.replace(':', '.')}.{secrets.token_hex(6)}@duban>"
