"""Registering who there is: units from an organisation file, people, the posts they take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection, bindparam, func, insert, or_, select

from ledger.calendar import local_day
from ledger.database import Tx
from ledger.errors import Invalid
from ledger.organisation import Ended, Group, Organisation, Unit, ended_hint, load
from ledger.places import within
from ledger.rules.texts import as_seen, is_formula, is_overlaid, shows
from ledger.rules.verbs import OF_ONE_PLAN, RANKS, Role
from ledger.schema import (
    AnyRow,
    jurisdiction,
    person,
    plan_version,
    post,
    unit,
    unit_alias,
    unit_change,
    unit_group,
    unit_name,
)

STREAM = "admin"
_LOGIN = re.compile(r"[^\W_][\w.@-]{0,59}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


def account_faults(login: str, name: str, email: str) -> dict[str, str]:
    """What is wrong with an account, by field: it will stand in mails' heads, on pages and in people's sheets."""
    faults = {}
    if not _LOGIN.fullmatch(login):
        faults["login"] = f"账号“{login[:60]}”不能用，请用汉字、字母、数字和 . _ - @，不超过 60 个字符。"
    readable = as_seen(name) == name and shows(name) and not is_overlaid(name)
    if not readable or set(name) & set("\n\t") or is_formula(name) or len(name) > 40:
        faults["name"] = f"姓名“{as_seen(name)[:40]}”不能用，请写 40 字以内的姓名，不以 = + - @ 开头。"
    if not _EMAIL.fullmatch(email) or len(email) > 200:
        faults["email"] = f"“{as_seen(email)[:80]}”不是邮箱地址，应类似 name@example.gov.cn。"
    return faults


def register_units(tx: Tx, organisation: Organisation) -> int:
    """Fill the ledger with the directory of a jurisdiction that has none; returns how many units were new. One that is
    kept already is changed by people alone."""
    if place_name(tx.connection, organisation.jurisdiction):
        return 0
    facts = {"jurisdiction": organisation.jurisdiction, "name": organisation.name}
    tx.record(STREAM, "jurisdiction.registered", facts)
    known = set(tx.connection.execute(select(unit.c.key)).scalars())  # of a release that kept no directory
    new = [(ord_, u) for ord_, u in enumerate(organisation.units, start=1) if u.key not in known]
    for ord_, u in new:
        register_unit(tx, u, organisation.place_of(u), ord_)
    for u in organisation.units:
        if u.key in known:
            describe_unit(tx, u, organisation.place_of(u))
    for group in organisation.groups:
        describe_group(tx, organisation.jurisdiction, group)
    tx.flush()
    return len(new)


def adopt_directories(tx: Tx) -> list[Organisation]:
    """Keep the directories of places whose units an early release took from the package; returns those."""
    places = tx.connection.execute(select(unit.c.jurisdiction).where(unit.c.parent.is_(None)).distinct()).scalars()
    missing = [load(key) for key in places.all() if not place_name(tx.connection, key)]
    for organisation in missing:
        register_units(tx, organisation)
    return missing


def register_unit(tx: Tx, new: Unit, place: str, ord_: int) -> None:
    """Add a unit to the directory. The caller flushes, and has seen that the directory does not contradict itself."""
    facts = {"key": new.key, "name": new.name, "short": new.short, "kind": new.kind, "host": new.host, "ord": ord_}
    above = {"jurisdiction": place, "parent": new.parent, "aliases": list(new.aliases)}
    tx.record(STREAM, "unit.registered", facts | above)


def describe_unit(tx: Tx, known: Unit, place: str) -> None:
    """Say anew what a unit is, where it stands and what else it is called."""
    facts = {"key": known.key, "jurisdiction": place, "parent": known.parent, "kind": known.kind, "host": known.host}
    tx.record(STREAM, "unit.described", facts | {"aliases": list(known.aliases)})


def describe_group(tx: Tx, place: str, group: Group) -> None:
    """Add a group, or say anew whom it means."""
    facts = {"jurisdiction": place, "name": group.name, "aliases": list(group.aliases)}
    tx.record(STREAM, "group.described", facts | {"members": list(group.members), "open": group.open})


_place_name = select(jurisdiction.c.name).where(jurisdiction.c.key == bindparam("b_key"))


def place_name(connection: Connection, key: str) -> str:
    """What a jurisdiction with a directory is called; empty for one without."""
    return str(connection.execute(_place_name, {"b_key": key}).scalar() or "")


def place_names(connection: Connection) -> dict[str, str]:
    """Every jurisdiction with a directory, and what it is called."""
    return {r.key: r.name for r in connection.execute(select(jurisdiction))}


def installed_place(connection: Connection) -> str:
    """What the one place is called whose directory is kept here; empty for none, or several."""
    names = list(place_names(connection).values())
    return names[0] if len(names) == 1 else ""


def known_units(connection: Connection, place: str) -> Organisation:
    """The directory of a jurisdiction as it stands; old names lead to whoever bears a new one, or has succeeded, and
    those of a unit that was given up to the day and to who may be meant.

    Raises: KeyError where there is none.
    """
    listed, former, ended, given_up = _listed(connection, place)
    return listed.with_history(former, ended, given_up)


def listed_units(connection: Connection, place: str) -> Organisation:
    """The directory without its history, the units that have ended among the others. Raises: KeyError."""
    return _listed(connection, place)[0]


_History = tuple[Organisation, dict[str, list[str]], dict[str, str], dict[str, Ended]]


def _listed(connection: Connection, place: str) -> _History:
    name = place_name(connection, place)
    if not name:
        raise KeyError(place)
    binds = {"b_place": place}
    rows = connection.execute(_units, binds).all()
    aliases: dict[str, list[str]] = {}
    for r in connection.execute(_aliases, binds):
        aliases.setdefault(r.unit, []).append(r.name)
    former: dict[str, list[str]] = {}
    for r in connection.execute(_former, binds):
        former.setdefault(r.unit, []).extend((r.name, r.short))
    groups = connection.execute(_groups, binds)
    return (
        Organisation(
            place,
            name,
            tuple(
                Unit(
                    *(r.key, r.name, r.short, r.kind, tuple(aliases.get(r.key, ())), r.host, r.parent),
                    valid_from=r.begins_at and local_day(r.begins_at),
                    valid_to=r.ends_at and local_day(r.ends_at),
                )
                for r in rows
            ),
            tuple(Group(r.name, tuple(json.loads(r.aliases)), tuple(json.loads(r.members)), r.open) for r in groups),
        ),
        former,
        {r.key: r.successor for r in rows if r.successor is not None},
        _given_up(connection, rows),
    )


def _given_up(connection: Connection, rows: Sequence[AnyRow]) -> dict[str, Ended]:
    """Units that nobody has succeeded, and those that they had succeeded."""
    gone = {r.key: r for r in rows if r.ended_at is not None and r.successor is None}
    if not gone:
        return {}
    meant = who_may_be_meant(connection, gone)
    ended = {key: Ended(r.short, local_day(r.ended_at), tuple(meant.get(key, ()))) for key, r in gone.items()}
    return ended | {r.key: ended[r.successor] for r in rows if r.successor in ended}


_taking = unit.alias("taking")
_duties_went_to = (
    select(unit_change.c.unit, _taking.c.short)
    .join(unit, unit.c.key == unit_change.c.to_unit)
    .join(_taking, _taking.c.key == func.coalesce(unit.c.successor, unit.c.key))
    .where(
        unit_change.c.kind == "transfer",
        unit_change.c.state == "done",
        _taking.c.ended_at.is_(None),
        unit_change.c.unit.in_(bindparam("keys", expanding=True)),
    )
    .order_by(unit_change.c.id.desc())
)
_near = (
    select(unit.c.key.label("unit"), _taking.c.short)
    .join(_taking, or_(_taking.c.key == unit.c.host, _taking.c.key == unit.c.parent))
    .where(_taking.c.ended_at.is_(None), unit.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(_taking.c.ord)
)


def who_may_be_meant(connection: Connection, keys: Iterable[str]) -> dict[str, list[str]]:
    """Short names of who may be meant by units that were given up: who took duties of theirs, their host, who stands
    above them."""
    found: dict[str, list[str]] = {}
    for statement in (_duties_went_to, _near):
        for r in connection.execute(statement, {"keys": sorted(keys)}):
            if r.short not in found.setdefault(r.unit, []):
                found[r.unit].append(r.short)
    return found


_here = within(unit.c.jurisdiction, [bindparam("b_place")])
_ending = (unit_change.c.unit == unit.c.key) & (unit_change.c.kind == "end") & (unit_change.c.state == "planned")
_units = (
    select(unit, unit_change.c.at.label("ends_at"))
    .outerjoin(unit_change, _ending)
    .where(_here)
    .order_by(unit.c.ord, unit.c.key)
)
_aliases = select(unit_alias).join(unit, unit.c.key == unit_alias.c.unit).where(_here).order_by(unit_alias.c.name)
_former = select(unit_name).join(unit, unit.c.key == unit_name.c.unit).where(_here).order_by(unit_name.c.until)
_groups = select(unit_group).where(unit_group.c.jurisdiction == bindparam("b_place")).order_by(unit_group.c.name)


def directory_of(connection: Connection) -> Callable[[str], Organisation]:
    """`known_units` of a jurisdiction, to be asked later."""
    return partial(known_units, connection)


def unit_faults(connection: Connection, found: AnyRow, name: str, short: str) -> dict[str, str]:
    """What is wrong with the names of a unit beside (or instead of) this one, by field."""
    faults = {}
    for field, words, most in (("name", name, 80), ("short", short, 40)):
        if fault := name_fault(words, most, "单位全称" if field == "name" else "单位简称"):
            faults[field] = fault
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


_successor = unit.alias("successor")
_unit_with_successor = (
    select(unit.c.short, unit.c.ended_at, unit.c.begins_at, _successor.c.short.label("successor_short"))
    .outerjoin(_successor, _successor.c.key == unit.c.successor)
    .where(unit.c.key == bindparam("b_key"))
)


def unit_fault(connection: Connection, key: str) -> str:
    """Why nothing new can be given to a unit: there is none of this key, it has ended, or is not there yet; empty where
    it can."""
    found = connection.execute(_unit_with_successor, {"b_key": key}).one_or_none()
    if found is not None and found.begins_at is not None:
        return f"{found.short}自 {local_day(found.begins_at)} 起启用，请届时再选，或改选别的单位。"
    return _over(connection, key, found)


def post_fault(connection: Connection, key: str) -> str:
    """Why nobody can take a post in a unit; in one that begins later its people may be at their posts before."""
    return _over(connection, key, connection.execute(_unit_with_successor, {"b_key": key}).one_or_none())


def _over(connection: Connection, key: str, found: AnyRow | None) -> str:
    if found is None:
        return "单位目录中没有这个单位，请从列表中选择。"
    if not found.ended_at:
        return ""
    if found.successor_short is None:
        meant = who_may_be_meant(connection, [key]).get(key, ())
        return f"{found.short}已于 {local_day(found.ended_at)} 撤销{ended_hint(meant).replace('改写', '改选')}。"
    return f"{found.short}已撤并，由{found.successor_short}承接，请改选{found.successor_short}。"


_successors = select(unit.c.key, func.coalesce(unit.c.successor, unit.c.key).label("to")).where(
    unit.c.key.in_(bindparam("keys", expanding=True))
)


def answering(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Who answers for units that were named some time ago: each itself, or whoever has succeeded it."""
    return {r.key: r.to for r in connection.execute(_successors, {"keys": sorted(keys)})}


def name_fault(words: str, most: int, what: str = "单位名称") -> str:
    """What is wrong with a name of a unit or a group; empty where nothing is."""
    return "" if words.strip() and _is_name(words, most) else f"请填写 {most} 字以内的{what}，不以 = + - @ 开头。"


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
    if fault := post_fault(tx.connection, unit_key):
        raise Invalid({"unit": fault})
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
