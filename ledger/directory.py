"""Registering who there is: units from an organisation file, people, the posts they take."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import insert, select

from ledger.database import Tx
from ledger.errors import Invalid
from ledger.organisation import Organisation
from ledger.rules.texts import as_seen, is_formula, is_overlaid, shows
from ledger.rules.verbs import Role
from ledger.schema import person, post, unit

STREAM = "admin"
_LOGIN = re.compile(r"[^\W_][\w.@-]{0,59}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


def account_faults(login: str, name: str, email: str) -> dict[str, str]:
    """What is wrong with an account, by field: it will stand in mails' heads, on pages and in people's sheets."""
    faults = {}
    if not _LOGIN.fullmatch(login):
        faults["login"] = f"账号“{login[:60]}”不能用，请用字母、数字和 . _ - @，不超过 60 个字符。"
    readable = as_seen(name) == name and shows(name) and not is_overlaid(name)
    if not readable or set(name) & set("\n\t") or is_formula(name) or len(name) > 40:
        faults["name"] = f"姓名“{as_seen(name)[:40]}”不能用，请写 40 字以内的姓名，不以 = + - @ 开头。"
    if not _EMAIL.fullmatch(email) or len(email) > 200:
        faults["email"] = f"“{as_seen(email)[:80]}”不是邮箱地址，应类似 name@example.gov.cn。"
    return faults


def register_units(tx: Tx, organisation: Organisation) -> int:
    """Register the units of an organisation that are not known yet, and put right where the others stand in its tree;
    returns how many were new."""
    known = {r.key: (r.jurisdiction, r.parent) for r in tx.connection.execute(_places)}
    new = [(ord_, u) for ord_, u in enumerate(organisation.units, start=1) if u.key not in known]
    for ord_, u in new:
        facts = {"key": u.key, "name": u.name, "short": u.short, "kind": u.kind, "host": u.host, "ord": ord_}
        tx.record(STREAM, "unit.registered", {"jurisdiction": organisation.place_of(u), **facts, "parent": u.parent})
    for u in organisation.units:
        place = (organisation.place_of(u), u.parent)
        if known.get(u.key, place) != place:
            tx.record(STREAM, "unit.placed", {"key": u.key, "jurisdiction": place[0], "parent": u.parent})
    tx.flush()
    return len(new)


_places = select(unit.c.key, unit.c.jurisdiction, unit.c.parent)


def register_person(tx: Tx, *, login: str, name: str, email: str, password_hash: str, must_change: bool = False) -> int:
    """Add an account and return its id; `must_change`: the password was made by somebody else.

    Raises: Invalid for a login that is taken, or what no account may be called.
    """
    if faults := account_faults(login, name, email):
        raise Invalid(faults)
    if tx.connection.execute(select(person.c.id).where(person.c.login == login)).first():
        raise Invalid({"login": f"账号“{login}”已经有人使用，请换一个。"})
    person_id = tx.allocate("person")[0]
    account = {"login": login, "name": name, "email": email, "password_hash": password_hash, "active": True}
    tx.connection.execute(insert(person), {"id": person_id, **account, "must_change": must_change})
    return person_id


def take_post(
    tx: Tx, person_id: int, unit_key: str, role: str, *, deputy_for: int | None = None, ends: date | None = None
) -> int:
    """Let a person take a post from now on, or hold it beside its holder (`deputy_for`, their post) until a day
    `ends`; the name of the day hangs on the record.

    Raises: Invalid for an unknown unit or role.
    """
    if role not in set(Role):
        raise Invalid({"role": f"没有“{role}”这种岗位，可用：{'、'.join(Role)}。"})
    if tx.connection.execute(select(unit.c.key).where(unit.c.key == unit_key)).first() is None:
        raise Invalid({"unit": f"单位目录中没有“{unit_key}”。"})
    held = select(post.c.id).where(post.c.person_id == person_id, post.c.unit == unit_key, post.c.role == role)
    if tx.connection.execute(held.where(post.c.until.is_(None))).first():
        raise Invalid({"role": "此人已经有这个岗位，不用再加。"})
    name = tx.connection.execute(select(person.c.name).where(person.c.id == person_id)).scalar_one()
    post_id = tx.allocate("post")[0]
    facts = {"post": post_id, "person": person_id, "unit": unit_key, "role": role}
    facts |= {"deputy_for": deputy_for, "ends": ends.isoformat() if ends else None}
    tx.record(STREAM, "post.taken", facts, {"name": name})
    tx.flush()
    return post_id


def leave_post(tx: Tx, post_id: int) -> None:
    """End a post from now on; what it had in hand stays with the unit. Raises: Conflict when it was left already."""
    tx.record(STREAM, "post.left", {"post": post_id})
    tx.flush()
