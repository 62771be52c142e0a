"""Links that let a person set a new password: single use, half an hour, and only their digest is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select, update

from ledger.database import Tx
from ledger.schema import password_reset, person
from ledger.sessions import digest_of

MINUTES = 30


@dataclass(frozen=True)
class Account:
    id: int
    login: str
    name: str
    email: str
    browsers: int


_account = select(person.c.id, person.c.login, person.c.name, person.c.email, person.c.browsers).where(person.c.active)


def accounts_called(connection: Connection, words: str) -> list[Account]:
    """The active accounts of this name or mail address."""
    meant = or_(person.c.login == words, person.c.email == words)
    return [Account(*r) for r in connection.execute(_account.where(meant).order_by(person.c.id))]


def offer(tx: Tx, person_id: int | None) -> str:
    """A new token for a person; without one it leads nowhere, but costs as much as one that does."""
    token = secrets.token_urlsafe(32)
    row = {"digest": digest_of(token), "person_id": person_id}
    tx.connection.execute(insert(password_reset), row | {"expires_at": tx.recorded_at + timedelta(minutes=MINUTES)})
    return token


def account_of(connection: Connection, token: str, now: datetime) -> Account | None:
    """Whose password a token may set; looking does not use it up, for mail servers follow links."""
    found = connection.execute(
        _account.join(password_reset, password_reset.c.person_id == person.c.id).where(
            password_reset.c.digest == digest_of(token),
            password_reset.c.used_at.is_(None),
            password_reset.c.expires_at > now,
        )
    ).one_or_none()
    return Account(*found) if found else None


def use(tx: Tx, token: str) -> Account | None:
    """Use a token up, and with it every other one of its person; None when somebody or time was faster."""
    account = account_of(tx.connection, token, tx.recorded_at)
    if account is None:
        return None
    used = update(password_reset).where(password_reset.c.used_at.is_(None)).values(used_at=tx.recorded_at)
    if not tx.connection.execute(used.where(password_reset.c.digest == digest_of(token))).rowcount:
        return None
    tx.connection.execute(used.where(password_reset.c.person_id == account.id))
    return account


def withdraw(tx: Tx, person_id: int) -> None:
    """No link of this person leads anywhere any more."""
    unused = password_reset.c.person_id == person_id, password_reset.c.used_at.is_(None)
    tx.connection.execute(update(password_reset).where(*unused).values(used_at=tx.recorded_at))
