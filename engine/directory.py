"""单位目录: what an administrator enters and puts right: units, where they stand, what else they are called, groups.

Names change by `engine.reorganising`, which keeps the old ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

from sqlalchemy import Connection, func, select

from ledger.database import Tx
from ledger.directory import (
    STREAM,
    describe_group,
    describe_unit,
    listed_units,
    name_fault,
    register_unit,
    register_units,
)
from ledger.errors import Invalid, NotAllowed, NotEvery, NotFound, Refused
from ledger.organisation import KINDS, Group, Kind, Organisation, OrganisationError, Unit, normal
from ledger.people import Actor
from ledger.places import COUNTY, subtree
from ledger.rules.texts import as_seen
from ledger.rules.verbs import Role
from ledger.schema import assignment, jurisdiction, unit

MOST_ALIASES = 30


@dataclass(frozen=True)
class UnitFacts:
    """A unit as a person enters it; `parent` and `host` by any name the directory knows them by."""

    name: str
    short: str = ""
    kind: str = "organ"
    parent: str = ""
    host: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entered:
    """What entering units did: how many are new, how many were described anew."""

    new: int
    changed: int


def place_of(connection: Connection, actor: Actor) -> str:
    """The jurisdiction whose directory an administrator keeps, or keeps a part of. Raises: NotAllowed."""
    desk = actor.first(Role.ADMINISTRATOR)
    if desk is None:
        raise NotAllowed("只有管理员可以调整单位目录。")
    own = select(unit.c.jurisdiction).where(unit.c.key == desk.unit).scalar_subquery()
    above = select(unit.c.jurisdiction).where(unit.c.key == own)
    held = select(jurisdiction.c.key).where(jurisdiction.c.key.in_([own, above.scalar_subquery()]))
    found = connection.execute(held).scalar()
    if found is None:
        raise Refused("本行政区还没有单位目录，请先在“初始设置”里建立。")
    return str(found)


def first_directory(tx: Tx, key: str, name: str, rows: Sequence[UnitFacts]) -> int:
    """The directory of a place that has none, from a table; returns how many units it has.

    Raises: NotEvery, Invalid.
    """
    empty = Organisation(key, name, (), ())
    grown, _ = _grown(tx, empty, rows, keys=_new_keys(tx, key), barred=lambda touched, _: ())
    return register_units(tx, grown)


def enter_units(tx: Tx, rows: Sequence[UnitFacts]) -> Entered:
    """Units of a table, or one: those whose full name is known are described anew, the others are new.

    Raises: NotEvery with the reason of each line (from 0); Invalid, NotAllowed.
    """
    place = _sit_down(tx)
    known = listed_units(tx.connection, place)
    before = {u.key: u for u in known.units}
    grown, touched = _grown(tx, known, rows, keys=_new_keys(tx, place), barred=partial(_barred, tx, before))
    new = [u for u in touched.values() if u.key not in before]
    first = tx.connection.execute(select(func.coalesce(func.max(unit.c.ord), 0))).scalar_one()
    for ord_, one in enumerate(new, start=first + 1):
        register_unit(tx, one, grown.place_of(one), ord_)
    changed = [u for u in touched.values() if u.key in before and _facts(u) != _facts(before[u.key])]
    for one in changed:
        describe_unit(tx, one, grown.place_of(one))
    tx.flush()
    return Entered(len(new), len(changed))


def keep_group(tx: Tx, group: Group) -> None:
    """单位组: add it, or say anew whom it means. Raises: Invalid, NotAllowed."""
    place = _sit_down(tx, whole=True)
    if fault := name_fault(group.name, 80) or _aliases_fault(group.aliases):
        raise Invalid({"name": fault})
    if not group.open and not group.members:
        raise Invalid({"members": "请写明成员单位，或勾选“随时指定”。"})
    known = listed_units(tx.connection, place)
    others = [g for g in known.groups if g.name != group.name]
    try:
        replace(known, groups=(*others, group))
    except OrganisationError as error:
        raise Invalid({"name": str(error)}) from None
    describe_group(tx, place, group)
    tx.flush()


def remove_group(tx: Tx, name: str) -> None:
    """Plans that print it are not understood any more; what has been handed out stays. Raises: NotFound, NotAllowed."""
    place = _sit_down(tx, whole=True)
    if name not in {g.name for g in listed_units(tx.connection, place).groups}:
        raise NotFound("没有这个单位组。")
    tx.record(STREAM, "group.removed", {"jurisdiction": place, "name": name})
    tx.flush()


def _facts(one: Unit) -> tuple[object, ...]:
    return one.kind, one.parent, one.host, frozenset(one.aliases)


# ---------------------------------------------------------------- what may be entered
def _sit_down(tx: Tx, *, whole: bool = False) -> str:
    """The actor sits down as administrator (`whole`: of the place itself, not of a county in it); returns the place."""
    place = place_of(tx.connection, tx.actor)
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    if whole and tx.desk and tx.desk.jurisdiction != place:
        raise NotAllowed("单位组由上级行政区的管理员设置。")
    return place


Reason = tuple[int, str]  # the row, counted from 0, and why it cannot be taken
Barred = Callable[[Mapping[int, Unit], Callable[[Unit], str]], Iterable[Reason]]


def _barred(
    tx: Tx, before: Mapping[str, Unit], touched: Mapping[int, Unit], place_of: Callable[[Unit], str]
) -> Iterator[Reason]:
    """Units that the actor has no say in, and those whom work keeps where they are: whoever works on parts that the
    unit above has handed down stays below it until they are done."""
    ours = subtree(tx.connection, {d.jurisdiction for d in tx.actor.desks if d.role == Role.ADMINISTRATOR})
    yield from ((n, "这个单位所在的行政区不归您管理。") for n, u in touched.items() if place_of(u) not in ours)
    moving = {u.key: n for n, u in touched.items() if u.key in before and u.parent != before[u.key].parent}
    parts = select(assignment.c.unit).where(
        assignment.c.unit.in_(sorted(moving)), assignment.c.parent_id.is_not(None), assignment.c.closed_at.is_(None)
    )
    busy = set(tx.connection.execute(parts).scalars()) if moving else set()
    yield from ((moving[key], "还有上级分解下达的任务在办，办结前不能改上级单位。") for key in sorted(busy))


def _grown(
    tx: Tx, known: Organisation, rows: Sequence[UnitFacts], keys: Iterator[str], barred: Barred
) -> tuple[Organisation, dict[int, Unit]]:
    """The directory with what these rows say, and the unit of each row.

    Raises: NotEvery with everything that is wrong, by row; Invalid where the whole contradicts itself nevertheless.
    """
    ended = set(tx.connection.execute(select(unit.c.key).where(unit.c.ended_at.is_not(None))).scalars())
    living = [u for u in known.units if u.key not in ended]
    named = _named(living, rows, keys)
    touched = _placed(living, rows, named)
    mine = {u.key: u for u in touched.values()}
    units = {u.key: mine.get(u.key, u) for u in (*known.units, *mine.values())}
    circles = dict(_circles(touched, units))
    reasons: dict[int, str] = {}
    for n, why in (
        *_faults(living, rows, named),
        *_clashes(known, touched, units),
        *circles.items(),
        *_homeless(touched, units.values()),
        *barred({n: u for n, u in touched.items() if n not in circles}, partial(_place, known.jurisdiction, units)),
    ):
        reasons[n] = reasons.get(n, "") + why
    if reasons:
        raise NotEvery(reasons, len(rows))
    try:
        return replace(known, units=tuple(units.values())), touched
    except OrganisationError as error:
        raise Invalid({"name": str(error)}) from None


def _new_keys(tx: Tx, place: str) -> Iterator[str]:
    """Keys that no unit goes by, whatever a directory calls its own."""
    taken = set(tx.connection.execute(select(unit.c.key)).scalars())
    while True:
        key = f"{place[:40]}-{tx.allocate('unit')[0]}"
        if key not in taken:
            yield key


def _named(living: Sequence[Unit], rows: Sequence[UnitFacts], keys: Iterator[str]) -> dict[int, Unit]:
    """The unit of each row: one that is there by its full name, or a new one; of rows that name the same, the first."""
    by_name = {normal(u.name): u for u in living}
    seen: set[str] = set()
    found = {}
    for n, row in enumerate(rows):
        name, kind = normal(row.name), _kind(row.kind)
        if name and name not in seen:
            there = by_name.get(name) or Unit(next(keys), row.name, row.short or row.name, kind)
            found[n] = replace(there, kind=kind, aliases=row.aliases)
        seen.add(name)
    return found


def _placed(living: Sequence[Unit], rows: Sequence[UnitFacts], named: Mapping[int, Unit]) -> dict[int, Unit]:
    """The same units under the parents and hosts that their rows name, as far as they are known."""
    keys = _keys_of((*living, *named.values()))
    return {
        n: replace(u, parent=keys.get(normal(rows[n].parent)), host=keys.get(normal(rows[n].host)))
        for n, u in named.items()
    }


def _keys_of(units: Iterable[Unit]) -> dict[str, str]:
    return {normal(name): u.key for u in units for name in (u.name, u.short, *u.aliases)}


def _faults(living: Sequence[Unit], rows: Sequence[UnitFacts], named: Mapping[int, Unit]) -> Iterator[Reason]:
    """What is wrong with a row by itself, or names what nobody is called."""
    keys = _keys_of((*living, *named.values()))
    for n, row in enumerate(rows):
        yield from ((n, fault) for fault in _row_faults(row) if fault)
        if n not in named and normal(row.name):
            yield n, f"“{row.name}”在表里有两行，请留一行。"
        for name in dict.fromkeys((row.parent, row.host)):
            if name and normal(name) not in keys:
                yield n, f"目录和表里都没有“{as_seen(name)[:80]}”，请先登记它，或改正名称。"


def _clashes(known: Organisation, touched: Mapping[int, Unit], units: Mapping[str, Unit]) -> Iterator[Reason]:
    """Names that mean another unit or a group already: of two rows the later one gives way."""
    rows = {u.key for u in touched.values()}
    meant = {normal(name): "" for g in known.groups for name in (g.name, *g.aliases)}
    for u in units.values():
        if u.key not in rows:
            meant |= dict.fromkeys(map(normal, (u.name, u.short, *u.aliases)), u.key)
    for n, u in touched.items():
        for name in dict.fromkeys((u.name, u.short, *u.aliases)):
            owner = meant.setdefault(normal(name), u.key)
            if owner != u.key:
                whose = f"单位“{units[owner].name}”" if owner else "一个单位组"
                yield n, f"“{as_seen(name)[:80]}”指两个单位或单位组，已是{whose}的名称，请改用不同的名称。"


def _circles(touched: Mapping[int, Unit], units: Mapping[str, Unit]) -> Iterator[Reason]:
    """Rows by which a unit comes to stand above itself, or below such a one."""
    for n, u in touched.items():
        above, seen = u.parent, {u.key}
        while above is not None and above not in seen:
            seen.add(above)
            above = units[above].parent
        if above is not None:
            yield n, f"“{u.name}”成了自己的上级，或归在这样的单位之下。"


def _homeless(touched: Mapping[int, Unit], units: Iterable[Unit]) -> Iterator[Reason]:
    if any(u.kind == COUNTY for u in units):
        homeless = (n for n, u in touched.items() if u.kind == "town" and u.parent is None)
        yield from ((n, "乡镇(街道)要写明上级县(市、区)。") for n in homeless)


def _place(place: str, units: Mapping[str, Unit], one: Unit) -> str:
    """The jurisdiction that a unit belongs to, in a tree without circles (`Organisation.place_of`)."""
    above = units.get(one.parent or "")
    if above is None:
        return place
    return above.key if above.kind == COUNTY else _place(place, units, above)


def _kind(word: str) -> Kind:
    """The kind of this word; one that is none is refused by its row's faults."""
    found: Kind = next((kind for kind in get_args(Kind) if kind == word), "organ")
    return found


def _row_faults(row: UnitFacts) -> Iterator[str]:
    if row.kind not in KINDS:
        words = f"类别“{as_seen(row.kind)[:40]}”不对，可用：{'；'.join(KINDS.values())}。"
        yield words if row.kind else "请选择单位类别。"
    yield name_fault(row.name, 80, "单位全称")
    if row.short:
        yield name_fault(row.short, 40, "单位简称")
    yield _aliases_fault(row.aliases)


def _aliases_fault(aliases: Sequence[str]) -> str:
    if len(aliases) > MOST_ALIASES:
        return f"别名太多，最多 {MOST_ALIASES} 个。"
    return next((fault for name in aliases if (fault := name_fault(name, 80))), "")
