"""Registering who there is: units from an organisation file, people, the posts they take."""

from __future__ import annotations

from sqlalchemy import insert, select

from ledger.database import Tx
from ledger.errors import Invalid
from ledger.organisation import Organisation
from ledger.rules.verbs import Role
from ledger.schema import person, unit

STREAM = "admin"


def register_units(tx: Tx, organisation: Organisation) -> int:
    """Register the units of an organisation that are not known yet; returns how many were new."""
    known = set(tx.connection.execute(select(unit.c.key)).scalars())
    new = [(ord_, u) for ord_, u in enumerate(organisation.units, start=1) if u.key not in known]
    for ord_, u in new:
        facts = {"key": u.key, "name": u.name, "short": u.short, "kind": u.kind, "host": u.host, "ord": ord_}
        tx.record(STREAM, "unit.registered", {"jurisdiction": organisation.jurisdiction, **facts})
    tx.flush()
    return len(new)


def register_person(tx: Tx, *, login: str, name: str, email: str, password_hash: str) -> int:
    """Add an account and return its id. Raises: Invalid for a login that is taken, or an address without @."""
    if "@" not in email:
        raise Invalid({"email": f"“{email}”不是邮箱地址，应类似 name@example.gov.cn。"})
    if tx.connection.execute(select(person.c.id).where(person.c.login == login)).first():
        raise Invalid({"login": f"账号“{login}”已经有人使用，请换一个。"})
    person_id = tx.allocate("person")[0]
    account = {"login": login, "name": name, "email": email, "password_hash": password_hash, "active": True}
    tx.connection.execute(insert(person), {"id": person_id, **account})
    return person_id


def take_post(tx: Tx, person_id: int, unit_key: str, role: str) -> int:
    """Let a person take a post from now on. Raises: Invalid for an unknown unit or role."""
    if role not in set(Role):
        raise Invalid({"role": f"没有“{role}”这种岗位，可用：{'、'.join(Role)}。"})
    if tx.connection.execute(select(unit.c.key).where(unit.c.key == unit_key)).first() is None:
        raise Invalid({"unit": f"单位目录中没有“{unit_key}”。"})
    post_id = tx.allocate("post")[0]
    tx.record(STREAM, "post.taken", {"post": post_id, "person": person_id, "unit": unit_key, "role": role})
    tx.flush()
    return post_id
