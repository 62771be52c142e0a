"""Units of a jurisdiction, and what a printed name means there. A file of the package fills a new ledger with one
(`load`); from then on the ledger keeps it (`ledger.directory`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

Kind = Literal["organ", "body", "county", "town", "park", "university", "enterprise", "institution", "society"]
KINDS: Mapping[str, str] = {
    "organ": "党政机关",
    "body": "议事协调机构",
    "county": "县(市、区)",
    "town": "乡镇(街道)",
    "park": "开发区、园区",
    "university": "高校",
    "enterprise": "企业",
    "institution": "事业单位",
    "society": "群团和社会组织",
}


@dataclass(frozen=True)
class Unit:
    """A node of the organisation tree.

    `host` is the organ that keeps a body's office; `parent` the unit directly above it, to which it reports: the county
    of a bureau or town. `valid_from`: the day to come from which on it is there, `valid_to`: on which it will end.
    """

    key: str
    name: str
    short: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    host: str | None = None
    parent: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class Group:
    """A printed expression for several units. An open group expands to nobody until someone names its members."""

    name: str
    aliases: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True)
class Ended:
    """A unit that was given up (撤销) and that nobody has succeeded: since when; `meant`: who may be meant instead."""

    short: str
    day: date
    meant: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"“{self.short}”已于 {self.day} 撤销{ended_hint(self.meant)}"


def ended_hint(meant: Iterable[str]) -> str:
    """Who may be meant by the name of a unit that was given up."""
    names = "、".join(meant)
    return f"，请改写现在承担这项工作的单位，可能是{names}" if names else "，请改写现在承担这项工作的单位"


@dataclass(frozen=True)
class Resolution:
    """Whom a printed name means. `open`: the name is understood, but who acts must still be said; `ended`: it is the
    name of a unit that nobody has succeeded, so nobody acts by it any more."""

    units: tuple[Unit, ...]
    open: bool = False
    ended: Ended | None = None


class OrganisationError(ValueError):
    """The directory contradicts itself; a sentence for whoever keeps it."""


_DASHES = str.maketrans(dict.fromkeys("·•・‧．.-－—", "·"))


def normal(printed: str) -> str:
    """A name without the accidents of typing: full and half width, kinds of brackets and dots, and spaces are one.

    Full-width text folds to half width (NFKC), so （市、区） and (市、区) meet; the stop of an abbreviation is dropped.
    """
    text = unicodedata.normalize("NFKC", printed)
    text = text.replace("〔", "(").replace("〕", ")").replace("[", "(").replace("]", ")").replace(",", "、")
    return re.sub(r"\s+", "", text).translate(_DASHES).strip("、;。:")


@dataclass(frozen=True)
class Organisation:
    """The units of one jurisdiction. `resolve` is the only way from a printed name to a unit."""

    jurisdiction: str
    name: str
    units: tuple[Unit, ...]
    groups: tuple[Group, ...]
    given_up: Mapping[str, Ended] = field(default_factory=dict, hash=False)  # by what they were called
    _names: Mapping[str, Resolution] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index every name and alias. Raises: OrganisationError when two units share one, or a key leads nowhere."""
        by_key = {unit.key: unit for unit in self.units}
        if len(by_key) != len(self.units):
            raise OrganisationError("有两个单位的编号相同。")
        for unit in self.units:
            for key in (unit.host, unit.parent):
                if key is not None and key not in by_key:
                    raise OrganisationError(f"“{unit.name}”的上级或挂靠单位不在目录中。")
            _require_tree(unit, by_key)
        names: dict[str, Resolution] = {}
        for unit in self.units:
            _enter(names, (unit.name, unit.short, *unit.aliases), Resolution((unit,)))
        for group in self.groups:
            missing = [key for key in group.members if key not in by_key]
            if missing:
                raise OrganisationError(f"单位组“{group.name}”的成员不在目录中：{'、'.join(missing)}。")
            members = tuple(by_key[key] for key in group.members)
            _enter(names, (group.name, *group.aliases), Resolution(members, group.open))
        for name, fate in self.given_up.items():
            names.setdefault(normal(name), Resolution((), ended=fate))
        object.__setattr__(self, "_names", names)

    def unit(self, key: str) -> Unit:
        """Raises: KeyError."""
        for unit in self.units:
            if unit.key == key:
                return unit
        raise KeyError(key)

    def place_of(self, unit: Unit) -> str:
        """The jurisdiction a unit belongs to: its county's, which goes by the county's key, or this one."""
        above = self.unit(unit.parent) if unit.parent else None
        if above is None:
            return self.jurisdiction
        return above.key if above.kind == "county" else self.place_of(above)

    def resolve(self, printed: str) -> Resolution | None:
        """The units a printed name means here, None when nobody is known by it."""
        return self._names.get(normal(printed))

    def with_history(
        self, former: Mapping[str, Iterable[str]], ended: Mapping[str, str], given_up: Mapping[str, Ended] | None = None
    ) -> Organisation:
        """The directory without the units that have ended (`ended`: a unit's successor by its key). Whatever a unit
        was called (`former`, by key) still means it, or whoever succeeded it (承接), unless another is called so.
        `given_up`, by key: those that nobody succeeded, and those that they had; their names mean nobody, but stay
        known. A group's members are those that are there."""
        units = {u.key: u for u in self.units}
        names = {key: list(called) for key, called in former.items()}
        nobody: dict[str, Ended] = {}
        for key, fate in (given_up or {}).items():
            gone = units.pop(key)
            nobody |= dict.fromkeys((gone.name, gone.short, *gone.aliases, *names.pop(key, ())), fate)
        for key, successor in ended.items():
            if key in units and successor in units:
                gone = units.pop(key)
                inherited = (gone.name, gone.short, *gone.aliases, *names.pop(key, ()))
                names.setdefault(successor, []).extend(inherited)
        taken = {normal(name) for u in units.values() for name in (u.name, u.short, *u.aliases)}
        taken |= {normal(name) for g in self.groups for name in (g.name, *g.aliases)}
        for key, called in names.items():
            free = tuple(dict.fromkeys(name for name in called if normal(name) not in taken))
            taken |= {normal(name) for name in free}
            if key in units:
                units[key] = replace(units[key], aliases=(*units[key].aliases, *free))

        def now(key: str) -> str:
            return ended.get(key, key)

        there = {u.key for u in units.values() if u.valid_from is None}
        groups = (
            replace(g, members=tuple(k for k in dict.fromkeys(map(now, g.members)) if k in there)) for g in self.groups
        )
        kept = (
            replace(u, host=now(u.host) if u.host else None, parent=now(u.parent) if u.parent else None)
            for u in units.values()
        )
        return Organisation(self.jurisdiction, self.name, tuple(kept), tuple(groups), nobody)


def _require_tree(unit: Unit, by_key: Mapping[str, Unit]) -> None:
    """Whoever stands above a unit does not stand below it as well."""
    above, seen = unit.parent, {unit.key}
    while above is not None:
        if above in seen:
            raise OrganisationError(f"“{unit.name}”成了自己的上级。")
        seen.add(above)
        above = by_key[above].parent if above in by_key else None


def _enter(names: dict[str, Resolution], printed: Iterable[str], resolution: Resolution) -> None:
    for name in printed:
        known = names.setdefault(normal(name), resolution)
        if known != resolution:
            raise OrganisationError(f"“{name}”指两个单位或单位组，请改用不同的名称。")


def _unit(row: Mapping[str, Any]) -> Unit:
    if row["kind"] not in get_args(Kind):
        raise OrganisationError(f"“{row['name']}”的类别不认识：{row['kind']}。")
    return Unit(
        key=row["key"],
        name=row["name"],
        short=row.get("short", row["name"]),
        kind=row["kind"],
        aliases=tuple(row.get("aliases", ())),
        host=row.get("host"),
        parent=row.get("parent"),
        valid_from=row.get("valid_from"),
        valid_to=row.get("valid_to"),
    )


def _group(row: Mapping[str, Any]) -> Group:
    return Group(row["name"], tuple(row.get("aliases", ())), tuple(row.get("members", ())), row.get("open", False))


@cache
def load(key: str) -> Organisation:
    """The organisation shipped under this key.

    Raises: KeyError when there is none, OrganisationError when it is broken.
    """
    file = resources.files("ledger") / "organisations" / f"{key}.toml"
    if not re.fullmatch(r"[a-z0-9-]{1,40}", key) or not file.is_file():
        raise KeyError(key)
    data = tomllib.loads(file.read_text("utf-8"))
    units, groups = (tuple(_unit(row) for row in data["unit"]), tuple(_group(row) for row in data.get("group", ())))
    return Organisation(data["jurisdiction"], data["name"], units, groups)


def shipped() -> list[str]:
    """The keys of the organisations in the package."""
    files = (resources.files("ledger") / "organisations").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
