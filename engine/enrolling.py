"""开通账号: people get an account and posts, one or a whole table of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ledger.database import Tx
from ledger.directory import held_post, register_person, take_post
from ledger.errors import DubanError, NotAllowed, NotEvery
from ledger.rules.verbs import Role
from ledger.schema import person, unit
from ledger.visibility import administers


@dataclass(frozen=True)
class Enrolment:
    """A person's account and one post; `password` where it was given. Who has more posts is enrolled for each."""

    login: str
    name: str
    email: str
    unit: str
    role: str
    password: str = ""
    wrong: str = ""  # what cannot be understood of the line of a table; its unit or role is empty then


@dataclass(frozen=True)
class Enrolled:
    """What was made: accounts (their logins), and posts of accounts that had been there."""

    accounts: Sequence[str]
    posts: int


def enrol(tx: Tx, people: Sequence[Enrolment], hashes: Mapping[str, str]) -> Enrolled:
    """All of them, or none; accounts and posts that are there stay as they are. `hashes`: the hashed password of each
    login, to be changed at the first log-in.

    Raises: NotEvery with the reason of each line (from 0) that cannot be taken; NotAllowed.
    """
    if tx.actor.person_id and not tx.actor.has(Role.ADMINISTRATOR):
        raise NotAllowed("只有管理员可以开通账号。")
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    known = dict(tx.connection.execute(select(person.c.login, person.c.id)).all())
    reasons: dict[int, str] = {}
    for n, why in _reasons(tx, people):
        reasons[n] = reasons.get(n, "") + why
    ids, accounts, posts = dict(known), [], 0
    for n, one in enumerate(people):
        if n in reasons:
            continue
        try:
            if one.login not in ids:
                ids[one.login] = _open_account(tx, one, hashes[one.login])
                accounts.append(one.login)
            if held_post(tx.connection, ids[one.login], one.unit, one.role, None) is None:
                take_post(tx, ids[one.login], one.unit, one.role)
                posts += one.login in known
        except DubanError as error:
            reasons[n] = str(error)
    if reasons:
        raise NotEvery(reasons, len(people))
    return Enrolled(accounts, posts)


def _open_account(tx: Tx, one: Enrolment, password_hash: str) -> int:
    return register_person(
        tx, login=one.login, name=one.name, email=one.email, password_hash=password_hash, must_change=True
    )


def _reasons(tx: Tx, people: Sequence[Enrolment]) -> Iterator[tuple[int, str]]:
    """Everything that is wrong with a line: by itself, beside the others, and beside what is there."""
    every = select(unit.c.key).where(unit.c.ended_at.is_(None))
    ours = set(tx.connection.execute(every.where(administers(tx.actor)) if tx.actor.person_id else every).scalars())
    names = dict(tx.connection.execute(select(person.c.login, person.c.name)).all())
    own = tx.connection.execute(select(person.c.login).where(person.c.id == tx.actor.person_id)).scalar()
    for n, one in enumerate(people):
        if one.wrong:
            yield n, one.wrong
        if one.unit and one.unit not in ours:
            yield n, "这个单位不归您管理。"
        if one.login and one.name and names.setdefault(one.login, one.name) != one.name:
            yield n, f"账号“{one.login}”是{names[one.login]}的，与姓名“{one.name}”不符。"
        if one.login and one.login == own:
            yield n, "不能给自己任职，请由另一位管理员办理。"
