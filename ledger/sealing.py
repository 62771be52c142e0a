"""Seals: one chain over every committed event, so that nothing can be taken out of the log as a whole.

Streams are chained on their own inside a command; a chain over all of them there would make commands queue. So the
tick seals what has been committed: each event gets the next ordinal and a hash over the seal before it. Whoever keeps
a seal's hash outside of the database (it goes out by mail) can tell whether the log up to it was rewritten.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from ledger.database import Tx
from ledger.events import GENESIS, canonical
from ledger.schema import event, seal, stream

BATCH = 1000  # events of one transaction: their streams are locked for some hundredths of a second

_UNSEALED = stream.c.seq > stream.c.sealed
# What a command holds just now is left for the next tick: the sealer waits for nobody and can be part of no deadlock.
_streams = select(stream.c.name).where(_UNSEALED).order_by(stream.c.name).with_for_update(skip_locked=True)
_events = (
    select(event.c.stream, event.c.seq, event.c.hash)
    .join(stream, and_(stream.c.name == event.c.stream, event.c.seq > stream.c.sealed))
    .where(stream.c.name.in_(bindparam("names", expanding=True)))
    .order_by(event.c.id)
)
_move = update(stream).where(stream.c.name == bindparam("b_name")).values(sealed=bindparam("b_seq"))


class Head(NamedTuple):
    """The last seal."""

    ordinal: int
    hash: str
    sealed_at: datetime


def seal_hash(prev: str, ordinal: int, name: str, seq: int, event_hash: str, sealed_at: datetime) -> str:
    """The hash of a seal; `event_hash` is that of the event it seals."""
    return hashlib.sha256(canonical([prev, ordinal, name, seq, event_hash, sealed_at]).encode()).hexdigest()


def head(connection: Connection) -> Head | None:
    """The last seal, None as long as nothing was sealed."""
    last = select(seal.c.ordinal, seal.c.hash, seal.c.sealed_at).order_by(seal.c.ordinal.desc()).limit(1)
    found = connection.execute(last).one_or_none()
    return Head(*found) if found else None


def is_complete(connection: Connection) -> bool:
    """Whether every committed event has its seal."""
    return connection.execute(select(stream.c.name).where(_UNSEALED).limit(1)).first() is None


def seal_events(tx: Tx, batch: int = BATCH) -> int:
    """Seal up to `batch` committed events in the order of their ids; returns how many.

    The caller makes sealing single-file (the tick's heartbeat does); a second sealer would fail on the ordinal.
    """
    names = tx.connection.execute(_streams.limit(batch)).scalars().all()
    found = tx.connection.execute(_events.limit(batch), {"names": names}).all() if names else ()
    if not found:
        return 0
    last = head(tx.connection)
    ordinal, hashed = (last.ordinal, last.hash) if last else (0, GENESIS)
    # An instant of its own: what one transaction sealed stands in the order of its ids, and `verify` can tell.
    at = max(tx.now, last.sealed_at + timedelta(microseconds=1)) if last else tx.now
    rows = []
    for e in found:
        ordinal += 1
        hashed = seal_hash(hashed, ordinal, e.stream, e.seq, e.hash, at)
        rows.append({"ordinal": ordinal, "stream": e.stream, "seq": e.seq, "hash": hashed, "sealed_at": at})
    tx.connection.execute(insert(seal), rows)
    reached = {r["stream"]: r["seq"] for r in rows}
    tx.connection.execute(_move, [{"b_name": name, "b_seq": seq} for name, seq in sorted(reached.items())])
    return len(rows)
