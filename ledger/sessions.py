"""Sessions of people who are logged in. The browser holds a random token, the database its digest."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from ledger import prepared
from ledger.database import Tx
from ledger.people import Actor, actor_from, predecessor
from ledger.places import seat
from ledger.schema import login_session, person, post, unit

TOUCH_AFTER = timedelta(minutes=3)  # a session that is in use is written no more often than this


@dataclass(frozen=True)
class Lifetime:
    """How long a session lasts: from log-in, and without being used."""

    hours: int
    idle_minutes: int

    def is_over(self, expires_at: datetime, seen_at: datetime, now: datetime) -> bool:
        return now >= expires_at or now >= seen_at + timedelta(minutes=self.idle_minutes)


@dataclass(frozen=True)
class Origin:
    """Where a request comes from, as far as a log keeps it."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Live:
    """A session that holds, with its person and today's posts."""

    id: int
    actor: Actor
    must_change: bool
    seen_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether its use should be written down again."""
        return abs(now - self.seen_at) >= TOUCH_AFTER


@dataclass(frozen=True)
class Line:
    """A session as its person sees it."""

    id: int
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str


# Everything a request needs to know about who sends it, in one statement.
_load = (
    select(
        login_session.c.id.label("session_id"),
        login_session.c.seen_at,
        login_session.c.expires_at,
        person.c.id.label("person_id"),
        person.c.must_change,
        person.c.name,
        post.c.id,
        post.c.unit,
        post.c.role,
        post.c.plan,
        seat().label("jurisdiction"),
        predecessor.c.key.label("predecessor"),
    )
    .select_from(
        login_session.join(person, person.c.id == login_session.c.person_id)
        .outerjoin(post, and_(post.c.person_id == person.c.id, post.c.until.is_(None)))
        .outerjoin(unit, unit.c.key == post.c.unit)
        .outerjoin(predecessor, predecessor.c.successor == post.c.unit)
    )
    .where(login_session.c.digest == bindparam("b_digest"), login_session.c.ended_at.is_(None), person.c.active)
    .order_by(post.c.id)
)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin(tx: Tx, person_id: int, lifetime: Lifetime, origin: Origin) -> str:
    """A new session; returns the token that the browser keeps."""
    token, now = secrets.token_urlsafe(32), tx.recorded_at
    times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(hours=lifetime.hours)}
    row = {"digest": digest_of(token), "person_id": person_id, "address": origin.address, "agent": origin.agent}
    tx.connection.execute(insert(login_session), row | times)
    return token


def load(connection: Connection, token: str, lifetime: Lifetime, now: datetime) -> Live | None:
    """The session of a token, if it still holds."""
    rows = prepared.rows(connection, _load, {"b_digest": digest_of(token)})
    if not rows or lifetime.is_over(rows[0].expires_at, rows[0].seen_at, now):
        return None
    first = rows[0]
    return Live(first.session_id, actor_from(connection, first.person_id, rows), first.must_change, first.seen_at)


def holder_of(connection: Connection, token: str) -> int | None:
    """Whose session this is or was."""
    found = select(login_session.c.person_id).where(login_session.c.digest == digest_of(token))
    return connection.execute(found).scalar_one_or_none()


def touch(tx: Tx, session_id: int) -> None:
    """The session is in use."""
    tx.connection.execute(update(login_session).where(login_session.c.id == session_id).values(seen_at=tx.recorded_at))


def end(tx: Tx, person_id: int, *, only: int | None = None, but: int | None = None) -> int:
    """End sessions of a person: all, only one, or all but one. Returns how many were ended."""
    chosen = [login_session.c.person_id == person_id, login_session.c.ended_at.is_(None)]
    if only is not None:
        chosen.append(login_session.c.id == only)
    if but is not None:
        chosen.append(login_session.c.id != but)
    return tx.connection.execute(update(login_session).where(*chosen).values(ended_at=tx.recorded_at)).rowcount


def lines(connection: Connection, person_id: int, lifetime: Lifetime, now: datetime) -> Sequence[Line]:
    """The sessions of a person that hold, the one used last first."""
    rows = connection.execute(
        select(login_session)
        .where(login_session.c.person_id == person_id, login_session.c.ended_at.is_(None))
        .order_by(login_session.c.seen_at.desc(), login_session.c.id.desc())
    )
    return [
        Line(r.id, r.created_at, r.seen_at, r.address, r.agent)
        for r in rows
        if not lifetime.is_over(r.expires_at, r.seen_at, now)
    ]
