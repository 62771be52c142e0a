"""The ledger (台账): the items a person may see, filtered, counted by light, sorted and cut into pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.sql import ColumnElement

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.people import Actor
from ledger.queries.directory import UnitName, matching
from ledger.queries.standings import Standing, standings, worst_first
from ledger.schema import assignment, item, run, unit
from ledger.visibility import visible

COLOURS = ("red", "yellow", "green", "grey", "blue")
SIZES = (24, 50, 100)
SOON_DAYS = 3


@dataclass(frozen=True)
class Filters:
    """What a person asked for; an empty field asks for everything."""

    run: int | None = None
    heading: str = ""
    unit: str = ""
    role: str = ""
    light: str = ""
    state: str = ""
    due: str = ""
    words: str = ""
    sort: str = "light"
    page: int = 1
    size: int = SIZES[0]

    @property
    def is_empty(self) -> bool:
        return self == Filters(sort=self.sort, page=self.page, size=self.size)


@dataclass(frozen=True)
class Mark:
    """A unit's share as the little box of n/m: d done, w waiting for a signature or a review, empty."""

    unit: str
    role: str
    state: str

    @property
    def box(self) -> str:
        return {"closed": "d", "signing": "w", "reviewing": "w"}.get(self.state, "")


@dataclass(frozen=True)
class Line:
    """An item as a line of the ledger."""

    standing: Standing
    marks: tuple[Mark, ...]
    state: str
    touched_at: datetime | None

    def units(self, role: str) -> list[str]:
        return [m.unit for m in self.marks if m.role == role]


@dataclass(frozen=True)
class LedgerPage:
    """One page; `tally` and `total` ignore the filter by light and the cut."""

    lines: tuple[Line, ...]
    tally: dict[str, int]
    total: int
    found: int
    first: int
    page: int
    pages: int


def ledger_page(
    connection: Connection, actor: Actor, asked: Filters, now: datetime, calendar: WorkCalendar
) -> LedgerPage:
    """The lines a person asked for. The number of statements does not depend on the number of items."""
    conditions = _conditions(asked, matching(connection, asked.unit) if asked.unit else None)
    whole = standings(connection, actor, now, calendar, *conditions)
    whole = [s for s in whole if _is_due(s, asked.due, local_day(now), calendar)]
    tally = Counter(s.light.colour for s in whole)
    kept = [s for s in whole if _is_lit(s, asked.light)]
    ordered = SORTS.get(asked.sort, worst_first)(kept)
    pages = max(1, -(-len(ordered) // asked.size))
    page = min(max(asked.page, 1), pages)
    first = (page - 1) * asked.size
    lines = lines_of(connection, ordered[first : first + asked.size])
    counted = {colour: tally.get(colour, 0) for colour in COLOURS}
    return LedgerPage(tuple(lines), counted, len(whole), len(ordered), first, page, pages)


# ---------------------------------------------------------------- filters
def _conditions(asked: Filters, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked.run is not None:
        wanted.append(item.c.run_id == asked.run)
    if asked.heading:
        wanted.append(item.c.heading_name == asked.heading)
    if units is not None or asked.role or asked.state:
        wanted += _shares(asked, units)
    if asked.words:
        pattern = "%" + asked.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        wanted.append(or_(*(c.ilike(pattern, escape="\\") for c in (item.c.title, item.c.clause)), item.c.no == asked.words))
    return wanted


def _shares(asked: Filters, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    """Conditions on one and the same share: this unit, in this role, in this state."""
    if asked.state in ("pending", "closed") and units is None and not asked.role:
        return [item.c.state == asked.state]
    share = select(assignment.c.id).where(assignment.c.item_id == item.c.id, assignment.c.state != "withdrawn")
    if units is not None:
        share = share.where(assignment.c.unit.in_(units))
    if asked.role:
        share = share.where(assignment.c.role == asked.role)
    if asked.state:
        share = share.where(assignment.c.state == asked.state)
    return [share.exists()]


def _is_lit(s: Standing, asked: str) -> bool:
    """`asked` is a colour, or warn for red and yellow together."""
    return not asked or s.light.colour == asked or (asked == "warn" and s.light.colour in ("red", "yellow"))


def _is_due(s: Standing, asked: str, today: date, calendar: WorkCalendar) -> bool:
    if not asked:
        return True
    if s.due_at is None:
        return asked == "none"
    day = last_day(s.due_at)
    is_open = s.state != "closed"
    sunday = today + timedelta(days=6 - today.weekday())
    match asked:
        case "late":
            return is_open and day < today
        case "soon":
            return is_open and day >= today and calendar.days_left(today, day) <= SOON_DAYS
        case "week":
            return sunday - timedelta(days=6) <= day <= sunday
        case "month":
            return (day.year, day.month) == (today.year, today.month)
    return False


def _by_due(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda s: (s.due_at is None, s.due_at.timestamp() if s.due_at else 0, s.run_id, s.ord))


def _by_number(found: Iterable[Standing]) -> list[Standing]:
    return sorted(found, key=lambda s: (s.run_id, s.ord))


SORTS: dict[str, Callable[[Iterable[Standing]], list[Standing]]] = {
    "light": worst_first,
    "no": _by_number,
    "due": _by_due,
}


# ---------------------------------------------------------------- the lines of a page
def lines_of(connection: Connection, page: Sequence[Standing]) -> list[Line]:
    """The items with their units, in one statement."""
    if not page:
        return []
    rows = connection.execute(
        select(assignment.c.item_id, assignment.c.role, assignment.c.state, assignment.c.touched_at, unit.c.short)
        .join(unit, unit.c.key == assignment.c.unit)
        .where(assignment.c.item_id.in_([s.id for s in page]), assignment.c.state != "withdrawn")
        .order_by(assignment.c.item_id, assignment.c.ord)
    )
    shares: dict[int, list[Any]] = defaultdict(list)
    for r in rows:
        shares[r.item_id].append(r)
    return [_line(s, shares[s.id]) for s in page]


def _line(s: Standing, shares: Sequence[Any]) -> Line:
    marks = tuple(Mark(r.short, r.role, r.state) for r in shares)
    touched = max((r.touched_at for r in shares if r.touched_at is not None), default=None)
    return Line(s, marks, state_of(s, marks), touched)


# What the share that is furthest behind does is what the item does.
_BEHIND = ("returned", "acknowledging", "working", "signing", "reviewing")


def state_of(s: Standing, marks: Sequence[Mark]) -> str:
    """The state of an item as one word: that of the deciding share furthest behind."""
    if s.state != "open":
        return s.state
    deciding = [m.state for m in marks if m.role == "lead"] if s.completion == "lead" else []
    states = deciding or [m.state for m in marks if m.role != "cooperating"] or [m.state for m in marks]
    return next((state for state in _BEHIND if state in states), "open")


# ---------------------------------------------------------------- what can be chosen
@dataclass(frozen=True)
class RunChoice:
    id: int
    short: str
    title: str
    period: tuple[date, date]
    items: int


def run_choices(connection: Connection, actor: Actor) -> list[RunChoice]:
    """The plans of which this person may see at least one item, running ones first."""
    seen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id), actor)
    rows = connection.execute(
        select(run.c.id, run.c.short, run.c.title, run.c.period_start, run.c.period_end, func.count().label("items"))
        .join(item, item.c.run_id == run.c.id)
        .where(item.c.id.in_(seen))
        .group_by(run.c.id)
        .order_by(run.c.ended_at.is_not(None), run.c.id.desc())
    )
    return [RunChoice(r.id, r.short, r.title, (r.period_start, r.period_end), r.items) for r in rows]


def heading_choices(connection: Connection, actor: Actor, run_id: int | None) -> list[str]:
    """The headings of a plan, in its order."""
    seen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id), actor)
    chosen = select(item.c.heading_name).where(item.c.id.in_(seen), item.c.heading_name != "")
    if run_id is not None:
        chosen = chosen.where(item.c.run_id == run_id)
    return list(connection.execute(chosen.group_by(item.c.heading_name).order_by(func.min(item.c.ord))).scalars())


def unit_choices(connection: Connection, actor: Actor) -> list[UnitName]:
    """The units that take part in what this person may see."""
    seen = visible(select(item.c.id).join(run, run.c.id == item.c.run_id), actor)
    rows = connection.execute(
        select(unit.c.key, unit.c.name, unit.c.short)
        .where(unit.c.key.in_(select(assignment.c.unit).where(assignment.c.item_id.in_(seen))))
        .order_by(unit.c.ord)
    )
    return [UnitName(r.key, r.name, r.short) for r in rows]


def without(asked: Filters, **changes: Any) -> Filters:
    """The same question from its first page, with some answers changed."""
    return replace(asked, **({"page": 1} | changes))
