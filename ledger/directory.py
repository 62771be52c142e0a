"""Registering who there is: units from an organisation file, people, the posts they take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection, bindparam, insert, or_, select

from ledger.database import Tx
from ledger.errors import Invalid
from ledger.organisation import Organisation, Unit, load
from ledger.rules.texts import as_seen, is_formula, is_overlaid, shows
from ledger.rules.verbs import OF_ONE_PLAN, RANKS, Role
from ledger.schema import AnyRow, person, plan_version, post, unit, unit_name

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


def known_units(connection: Connection, jurisdiction: str) -> Organisation:
    """The directory that a jurisdiction is shipped with, as its units have changed since. Raises: KeyError where there
    is none."""
    base = load(jurisdiction)
    shipped = {u.key for u in base.units}
    rows = connection.execute(select(unit).where(unit.c.jurisdiction == jurisdiction).order_by(unit.c.ord)).all()
    were_renamed = set(connection.execute(select(unit_name.c.unit).distinct()).scalars())
    renamed = {r.key: (r.name, r.short) for r in rows if r.key in were_renamed}
    added = [Unit(r.key, r.name, r.short, r.kind, host=r.host) for r in rows if r.key not in shipped]
    ended = {r.key: r.successor for r in rows if r.successor is not None}
    return base.as_changed(renamed, added, ended) if renamed or added or ended else base


def directory_of(connection: Connection) -> Callable[[str], Organisation]:
    """`known_units` of a jurisdiction, to be asked later."""
    return partial(known_units, connection)


def unit_faults(connection: Connection, found: AnyRow, name: str, short: str) -> dict[str, str]:
    """What is wrong with the names of a unit beside (or instead of) this one, by field."""
    faults = {}
    for field, words, most in (("name", name, 80), ("short", short, 40)):
        if not words.strip() or not _is_name(words, most):
            faults[field] = f"请填写 {most} 字以内的单位{'全称' if field == 'name' else '简称'}，不以 = + - @ 开头。"
    others = select(unit.c.key).where(
        unit.c.jurisdiction == found.jurisdiction,
        unit.c.key != found.key,
        or_(unit.c.name.in_((name, short)), unit.c.short.in_((name, short))),
    )
    if not faults and (connection.execute(others).first() or _means_another(connection, found, name, short)):
        faults["name"] = "已有别的单位叫这个名称，请核对。"
    if not faults and (name, short) == (found.name, found.short):
        faults["name"] = "新名称与现在的名称相同，请核对。"
    return faults


def _means_another(connection: Connection, found: AnyRow, *names: str) -> bool:
    """Whether plans that print one of these names mean another unit, or a group."""
    try:
        known = known_units(connection, found.jurisdiction)
    except KeyError:
        return False
    meant = [resolution for name in names if (resolution := known.resolve(name)) is not None]
    return any([u.key for u in resolution.units] != [found.key] for resolution in meant)


def _is_name(words: str, most: int) -> bool:
    readable = as_seen(words) == words and shows(words) and not is_overlaid(words) and not is_formula(words)
    return readable and not set(words) & set("\n\t") and len(words) <= most


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


@dataclass(frozen=True)
class Scope:
    """What a post is limited to: one plan (its key; none: it serves them all), the rank of a liaison (A 角, B 角), the
    field of a deputy head (分管领域)."""

    plan: str | None = None
    rank: str | None = None
    field: str | None = None

    def faults(self, connection: Connection, role: str) -> dict[str, str]:
        """What is wrong with it for a post of this role, by field."""
        found = {}
        if self.plan and role not in OF_ONE_PLAN:
            found["plan"] = f"{_LIMITED}可以限定方案；这个岗位管所有方案，请选“所有方案”。"
        elif self.plan and connection.execute(_published, {"b_plan": self.plan}).first() is None:
            found["plan"] = "没有这个方案，请从列表中选择。"
        if self.rank and (role != Role.LIAISON or self.rank not in RANKS):
            found["rank"] = "只有联络员分 A 角、B 角，其他岗位请不要选。"
        if self.field and role != Role.DEPUTY_HEAD:
            found["field"] = "只有分管负责人填写分管领域，其他岗位请留空。"
        elif self.field and not _is_name(self.field, FIELD_LENGTH):
            found["field"] = f"分管领域请写 {FIELD_LENGTH} 字以内的文字，不以 = + - @ 开头。"
        return found


EVERYTHING = Scope()
FIELD_LENGTH = 20
_LIMITED = "、".join(Role(role).label for role in OF_ONE_PLAN)
_published = select(plan_version.c.id).where(plan_version.c.plan == bindparam("b_plan")).limit(1)


def take_post(
    tx: Tx,
    person_id: int,
    unit_key: str,
    role: str,
    scope: Scope = EVERYTHING,
    *,
    deputy_for: int | None = None,
    ends: date | None = None,
) -> int:
    """Let a person take a post from now on, or hold it beside its holder (`deputy_for`, their post) until a day
    `ends`; the name of the day hangs on the record.

    Raises: Invalid for an unknown unit, role, or scope.
    """
    if role not in set(Role):
        raise Invalid({"role": f"没有“{role}”这种岗位，可用：{'、'.join(Role)}。"})
    if tx.connection.execute(select(unit.c.key).where(unit.c.key == unit_key)).first() is None:
        raise Invalid({"unit": f"单位目录中没有“{unit_key}”。"})
    if faults := scope.faults(tx.connection, role):
        raise Invalid(faults)
    if held_post(tx.connection, person_id, unit_key, role, scope.plan) is not None:
        raise Invalid({"role": "此人已经有这个岗位，不用再加。"})
    name = tx.connection.execute(select(person.c.name).where(person.c.id == person_id)).scalar_one()
    post_id = tx.allocate("post")[0]
    facts = {"post": post_id, "person": person_id, "unit": unit_key, "role": role, **asdict(scope)}
    facts |= {"deputy_for": deputy_for, "ends": ends.isoformat() if ends else None}
    tx.record(STREAM, "post.taken", facts, {"name": name})
    tx.flush()
    return post_id


def held_post(connection: Connection, person_id: int, unit_key: str, role: str, plan: str | None) -> int | None:
    """The post that a person holds there now for just this plan (none: for all), if any."""
    held = select(post.c.id).where(post.c.person_id == person_id, post.c.unit == unit_key, post.c.role == role)
    found = connection.execute(held.where(post.c.until.is_(None), post.c.plan.is_not_distinct_from(plan)))
    return found.scalars().first()


def leave_post(tx: Tx, post_id: int) -> None:
    """End a post from now on; what it had in hand stays with the unit. Raises: Conflict when it was left already."""
    tx.record(STREAM, "post.left", {"post": post_id})
    tx.flush()
