"""Units by what people type: a name, its short form, or pinyin (shirensheju, srsj)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection, bindparam, select

from ledger import prepared
from ledger.organisation import Organisation
from ledger.pinyin import initials, spelt
from ledger.schema import unit, unit_group


@dataclass(frozen=True)
class UnitName:
    key: str
    name: str
    short: str


def matching(connection: Connection, typed: str) -> list[str]:
    """The keys of the units that a person may mean by what was typed; an exact name means that unit alone."""
    wanted = typed.strip().lower()
    rows = connection.execute(select(unit.c.key, unit.c.name, unit.c.short).order_by(unit.c.ord)).all()
    exact = [r.key for r in rows if wanted in (r.short, r.name)]
    return exact or [r.key for r in rows if wanted in r.name or wanted in r.short or _sounds(r.short, wanted)]


@dataclass(frozen=True)
class Entry:
    """A name of the directory that a plan may print: a unit, or a group with how many members it has."""

    name: str
    note: str


def entries(known: Organisation, typed: str, most: int) -> list[Entry]:
    """Units and groups by any of their names or by pinyin; those that begin with what was typed come first."""
    wanted = typed.strip().lower()
    if not wanted:
        return []
    found: list[tuple[int, Entry]] = []
    for unit_ in known.units:
        if unit_.valid_from is not None:  # offered from that day on
            continue
        names = (unit_.short, unit_.name, *unit_.aliases)
        if (rank := _rank(names, wanted)) is not None:
            other = next((n for n in names if wanted in n.lower()), unit_.name)
            found.append((rank, Entry(unit_.short, other if other != unit_.short else unit_.name)))
    for group in known.groups:
        if (rank := _rank((group.name, *group.aliases), wanted)) is not None:
            note = "未列明单位，启动后由专班办指定" if group.open else f"单位组，{len(group.members)} 家"
            found.append((rank, Entry(group.name, note)))
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])[:most]]


def _rank(names: Sequence[str], wanted: str) -> int | None:
    """0 where a name begins with what was typed, 1 where it holds it, 2 and 3 likewise by sound; None for neither."""
    spelt = [sound for name in names for sound in _pinyin(name)] if wanted.isascii() else []
    tests = [
        any(name.lower().startswith(wanted) for name in names),
        any(wanted in name.lower() for name in names),
        any(sound.startswith(wanted) for sound in spelt),
        any(wanted in sound for sound in spelt),
    ]
    return tests.index(True) if any(tests) else None


def is_meant(name: str, typed: str) -> bool:
    """Whether a name may be meant by what was typed: a part of it, or of its pinyin."""
    wanted = typed.strip().lower()
    return wanted in name.lower() or _sounds(name, wanted)


def _sounds(short: str, typed: str) -> bool:
    return typed.isascii() and any(typed in spelt for spelt in _pinyin(short))


@lru_cache(maxsize=2000)
def _pinyin(words: str) -> tuple[str, str]:
    return spelt(words), initials(words)


Members = tuple[str, Sequence[str]]  # the name of a group, the keys of its units


def folded(units: Mapping[str, str], groups: Sequence[Members]) -> list[str]:
    """Short names of units (key -> name) in order; all members of a group together are its name (各县(市、区))."""
    left = dict(units)
    for name, members in groups:
        if len(members) <= len(left) and all(key in left for key in members):
            place = list(left).index(members[0])
            kept = [(k, n) for k, n in left.items() if k not in members]
            before = sum(k not in members for k in list(left)[:place])
            left = dict([*kept[:before], (f"group {name}", name), *kept[before:]])
    return list(left.values())


_groups = (
    select(unit_group.c.jurisdiction, unit_group.c.name, unit_group.c.members)
    .where(unit_group.c.jurisdiction.in_(bindparam("places", expanding=True)))
    .order_by(unit_group.c.name)
)


def groups(connection: Connection, places: Iterable[str]) -> Mapping[str, Sequence[Members]]:
    """The groups of each of these jurisdictions that are worth a name of their own, the largest first."""
    found: dict[str, list[Members]] = {}
    for r in prepared.rows(connection, _groups, {"places": sorted(set(places))}):
        members = json.loads(r.members)
        if len(members) > 1:
            found.setdefault(r.jurisdiction, []).append((r.name, members))
    return {place: sorted(each, key=lambda one: -len(one[1])) for place, each in found.items()}
