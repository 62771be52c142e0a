"""The outbox: claim one mail with a lease and a token, commit, send, finish where the token still matches.

Exactly one row a mail, at-least-once sending under one Message-ID. No SMTP inside a transaction; a crash leaves a
lease that runs out. Trouble of the mail server is not held against the mails: only a mail's own failures are counted.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case, or_, select, update

from engine.mail.contexts import is_stale, without_secret
from engine.mail.rendering import render
from engine.mail.smtp import SendError, Transport
from ledger.clock import wall_now
from ledger.database import Database
from ledger.schema import AnyRow, message

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=15)  # many times what `Transport.timeout` gives a mail: who sends still holds it
BACKOFF = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600)  # seconds; the last one again and again
ATTEMPTS = 20  # a week


def deliver(db: Database, transport: Transport, base_url: str, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is queued; returns how many mails were accepted by the server.

    It ends early when the server fails us, or breaks a session off: what is left is queued again as it was.
    """
    sent = 0
    while not is_stopping() and (row := _claim(db)) is not None:
        error = _send(db, row, transport, base_url)
        if error is None:
            sent += 1
        elif error.blame != "address":
            break
    return sent


def _claim(db: Database) -> AnyRow | None:
    """The next mail, ours for the length of a lease; more than one would wait for each other's slow server."""
    with db.write() as tx:
        now = tx.recorded_at
        # What could not have been written at this time was written before the machine's clock was set back; a lease
        # later than this, though, by another who began a moment after us.
        ready = or_(
            and_(
                message.c.state == "queued",
                or_(
                    message.c.attempts == 0,
                    message.c.try_at <= now,
                    message.c.try_at > now + timedelta(seconds=BACKOFF[-1]) + LEASE,
                ),
            ),
            and_(
                message.c.state == "sending", or_(message.c.lease_until < now, message.c.lease_until > now + 2 * LEASE)
            ),
        )
        free = select(message.c.id).where(ready).order_by(message.c.id).limit(1).with_for_update(skip_locked=True)
        # A lease that ran out is an attempt without an answer; with it no attempt is without its trouble.
        lost = case((message.c.state == "sending", "上一次发送没有下文"), else_=message.c.error)
        lease = {"token": secrets.token_hex(16), "lease_until": now + LEASE, "attempts": message.c.attempts + 1}
        claimed = update(message).where(message.c.id == free.scalar_subquery())
        claimed = claimed.values(state="sending", error=lost, **lease)
        return tx.connection.execute(claimed.returning(message)).one_or_none()


def _send(db: Database, row: AnyRow, transport: Transport, base_url: str) -> SendError | None:
    """Send one mail and write down how that ended."""
    context = json.loads(row.context)
    try:
        if is_stale(row.kind, context, wall_now()):
            raise SendError("过期未能发出", permanent=True)
        transport.send(row.address, render(row.kind, {**context, "base_url": base_url}), row.header_id, wall_now())
    except SendError as error:
        log.warning("message %s not sent: %s", row.id, error)
        _finish(db, row, _failed(row, error))
        return error
    except Exception as error:  # a mail that cannot be made will not be made by trying again
        log.exception("message %s cannot be rendered", row.id)
        _finish(db, row, {"state": "dead", "error": f"{type(error).__name__}: {error}"})
        return SendError(str(error), permanent=True)
    _finish(db, row, {"state": "sent", "sent_at": wall_now(), "error": None})
    return None


def _failed(row: AnyRow, error: SendError) -> dict[str, Any]:
    if error.blame == "server":  # no attempt of this mail's
        return {"state": "queued", "attempts": row.attempts - 1, "error": str(error)}
    if error.permanent or row.attempts >= ATTEMPTS:
        return {"state": "dead", "error": str(error)}
    wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
    return {"state": "queued", "try_at": wall_now() + timedelta(seconds=wait), "error": str(error)}


def _finish(db: Database, row: AnyRow, values: dict[str, Any]) -> None:
    """Only the holder of the token may say how it ended. What must not lie about is forgotten when it has."""
    if values["state"] != "queued":
        kept = without_secret(row.kind, json.loads(row.context))
        values = {**values, "context": json.dumps(kept, ensure_ascii=False)}
    with db.write() as tx:
        tx.connection.execute(
            update(message)
            .where(message.c.id == row.id, message.c.token == row.token)
            .values(**values, token=None, lease_until=None)
        )
