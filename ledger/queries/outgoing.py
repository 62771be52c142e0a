"""发信: how the outbox stands, and the mails that could not be delivered, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger.people import Actor
from ledger.queries.accounts import PAGE, Page, seen_by
from ledger.schema import message, person


@dataclass(frozen=True)
class Undelivered:
    """A mail that was given up; `email` is where the person's mails go to today."""

    id: int
    at: datetime
    kind: str
    person_id: int
    login: str
    address: str
    email: str
    error: str


_undelivered = select(
    message.c.id,
    message.c.at,
    message.c.kind,
    message.c.person_id,
    person.c.login,
    message.c.address,
    person.c.email,
    message.c.error,
).join(person, person.c.id == message.c.person_id)


def undelivered(connection: Connection, actor: Actor, page: int = 1) -> Page:
    """The mails given up to people whom the actor administers, the newest first."""
    chosen = (message.c.state == "dead", seen_by(actor))
    counted = select(func.count()).select_from(message.join(person, person.c.id == message.c.person_id)).where(*chosen)
    found = int(connection.execute(counted).scalar_one())
    page = max(1, min(page, -(-found // PAGE)))
    rows = connection.execute(
        _undelivered.where(*chosen).order_by(message.c.id.desc()).limit(PAGE).offset((page - 1) * PAGE)
    )
    return Page([Undelivered(*r) for r in rows], found, page)


def own_address(connection: Connection, actor: Actor) -> str:
    """Where the actor's own mails go to."""
    return str(connection.execute(select(person.c.email).where(person.c.id == actor.person_id)).scalar_one())
