"""Counting tries in the database, so that a limit holds across processes and restarts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address

from sqlalchemy import Connection, bindparam, delete, select, text, update

from ledger.rules import throttle as rules
from ledger.rules.throttle import Bucket, Limit
from ledger.schema import throttle

_insert = text("INSERT INTO throttle (key, n, since) VALUES (:key, 0, :now) ON CONFLICT (key) DO NOTHING").bindparams(
    bindparam("now", type_=throttle.c.since.type)
)


@dataclass(frozen=True)
class Try:
    """What became of asking for a try. `until`: refused until then, `crowded` if for all of the address. `left`: how
    many there are after this one."""

    until: datetime | None
    left: int = 0
    closes_at: datetime | None = None  # this was the last one: if it fails, the door is closed until then
    crowded: bool = False


def named(kind: str, words: str) -> str:
    """A key that names nobody: of what was typed only a digest is kept."""
    return f"{kind}:{hashlib.sha256(words.strip().lower().encode()).hexdigest()[:40]}"


def addressed(kind: str, address: str) -> str:
    """A key of a network address; of IPv6 the /64 counts, for one machine has many of those."""
    try:
        known = ip_address(address)
    except ValueError:
        return f"{kind}:unknown"
    return f"{kind}:{IPv6Address(int(known) >> 64 << 64) if known.version == 6 else known}"


def spend(connection: Connection, key: str, limit: Limit, now: datetime) -> Try:
    """Take one try; the row stays locked until the transaction ends."""
    connection.execute(_insert, {"key": key, "now": now})
    bucket = _locked(connection, key)
    if bucket is not None and bucket.refuses(limit, now):
        return Try(bucket.until)
    spent = rules.spend(bucket if bucket and bucket.n else None, limit, now)
    _keep(connection, key, spent)
    return Try(None, max(0, limit.tries - spent.n), spent.until)


def refund(connection: Connection, key: str) -> None:
    """Give a try back that turned out well."""
    if (bucket := _locked(connection, key)) is not None:
        _keep(connection, key, rules.refund(bucket))


def clear(connection: Connection, key: str) -> bool:
    """Forget every try; whether there was one."""
    return connection.execute(delete(throttle).where(throttle.c.key == key)).rowcount > 0


def closed_until(connection: Connection, keys: list[str], limit: Limit, now: datetime) -> dict[str, datetime]:
    """Which of these keys have no try left, and until when."""
    rows = connection.execute(select(throttle).where(throttle.c.key.in_(keys), throttle.c.until > now))
    return {r.key: r.until for r in rows if Bucket(r.n, r.since, r.until).refuses(limit, now)}


def _locked(connection: Connection, key: str) -> Bucket | None:
    row = connection.execute(select(throttle).where(throttle.c.key == key).with_for_update()).one_or_none()
    return Bucket(row.n, row.since, row.until) if row else None


def _keep(connection: Connection, key: str, bucket: Bucket) -> None:
    connection.execute(
        update(throttle).where(throttle.c.key == key).values(n=bucket.n, since=bucket.since, until=bucket.until)
    )
