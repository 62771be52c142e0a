"""The outbox: claim with a lease and a token, commit, send, finish where the token still matches.

Exactly one row a mail, at-least-once sending under one Message-ID. No SMTP inside a transaction; a crash leaves a
lease that runs out.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from engine.mail.rendering import render
from engine.mail.smtp import SendError, Transport
from ledger.clock import wall_now
from ledger.database import Database
from ledger.schema import AnyRow, message

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)  # longer than a batch takes against a server that times out on every mail
BATCH = 20
ATTEMPTS = 8
BACKOFF = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)


def deliver(db: Database, transport: Transport, base_url: str) -> int:
    """Send what is queued; returns how many mails were accepted by the server."""
    sent = 0
    while claimed := _claim(db):
        outcomes = [_send(db, row, transport, base_url) for row in claimed]
        sent += sum(outcomes)
        if not any(outcomes):  # the server is down: what is left has its own try_at
            break
    return sent


def _claim(db: Database) -> Sequence[AnyRow]:
    with db.write() as tx:
        now = tx.recorded_at
        ready = or_(
            and_(message.c.state == "queued", message.c.try_at <= now),
            and_(message.c.state == "sending", message.c.lease_until < now),
        )
        rows = tx.connection.execute(
            select(message).where(ready).order_by(message.c.id).limit(BATCH).with_for_update(skip_locked=True)
        ).all()
        token = secrets.token_hex(16)
        ids = [r.id for r in rows]
        if ids:
            lease = {"state": "sending", "token": token, "lease_until": now + LEASE, "attempts": message.c.attempts + 1}
            tx.connection.execute(update(message).where(message.c.id.in_(ids)).values(**lease))
            rows = tx.connection.execute(select(message).where(message.c.id.in_(ids)).order_by(message.c.id)).all()
    return rows


def _send(db: Database, row: AnyRow, transport: Transport, base_url: str) -> bool:
    try:
        transport.send(
            row.address, render(row.kind, {**json.loads(row.context), "base_url": base_url}), row.header_id, wall_now()
        )
    except SendError as error:
        log.warning("message %s not sent: %s", row.id, error)
        _finish(db, row, _failed(row, error))
        return False
    except Exception as error:  # a mail that cannot be made will not be made by trying again
        log.exception("message %s cannot be rendered", row.id)
        _finish(db, row, {"state": "dead", "error": f"{type(error).__name__}: {error}"})
        return False
    _finish(db, row, {"state": "sent", "sent_at": wall_now(), "error": None})
    return True


def _failed(row: AnyRow, error: SendError) -> dict[str, Any]:
    if error.permanent or row.attempts >= ATTEMPTS:
        return {"state": "dead", "error": str(error)}
    wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
    return {"state": "queued", "try_at": wall_now() + timedelta(seconds=wait), "error": str(error)}


def _finish(db: Database, row: AnyRow, values: dict[str, Any]) -> None:
    """Only the holder of the token may say how it ended."""
    with db.write() as tx:
        tx.connection.execute(
            update(message)
            .where(message.c.id == row.id, message.c.token == row.token)
            .values(**values, token=None, lease_until=None)
        )
