"""The ledger (台账): the items a person may see, filtered, counted by light, sorted and cut into pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, not_, or_, select
from sqlalchemy.sql import ColumnElement

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.people import Actor
from ledger.queries.directory import UnitName, folded, matching
from ledger.queries.standing import Gauge, Part, Standing, standings
from ledger.schema import assignment, item, run, unit
from ledger.visibility import may_read_reports, visible

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
class Line:
    """An item as a line of the ledger; `gauge` is its figure furthest behind, where the person may read reports."""

    standing: Standing
    state: str
    touched_at: datetime | None
    gauge: Gauge | None
    has_more_gauges: bool
    is_open_book: bool

    @property
    def parts(self) -> list[Part]:
        return [p for p in self.standing.parts if p.state != "withdrawn"]

    @property
    def why(self) -> str:
        """The numbers behind a light that dates do not explain."""
        lit = self.standing.light
        is_late = self.standing.left.startswith("逾期") or lit.word == "临期"
        return lit.reason if lit.colour in ("red", "yellow") and self.is_open_book and not is_late else ""

    def units(self, role: str) -> list[str]:
        """Whom the document names in this role; units that make up a whole group are printed as the group."""
        units = {p.unit: p.unit_name for p in self.parts if p.role == role}
        return folded(units, self.standing.item.jurisdiction)


@dataclass(frozen=True)
class LedgerPage:
    """One page; `tally` and `total` ignore the filter by light and the cut."""

    lines: Sequence[Line]
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
    ids = connection.execute(seen_items(actor).where(*conditions)).scalars().all()
    whole = [s for s in standings(connection, calendar, now, ids).values() if _is_due(s, asked.due, now, calendar)]
    tally: Counter[str] = Counter(s.light.colour for s in whole)
    ordered = SORTS.get(asked.sort, worst_first)(s for s in whole if _is_lit(s, asked.light))
    pages = max(1, -(-len(ordered) // asked.size))
    page = min(max(asked.page, 1), pages)
    first = (page - 1) * asked.size
    lines = lines_of(connection, actor, ordered[first : first + asked.size])
    counted = {colour: tally.get(colour, 0) for colour in COLOURS}
    return LedgerPage(lines, counted, len(whole), len(ordered), first, page, pages)


def seen_items(actor: Actor) -> Select[int]:
    """The ids of the items the person may see."""
    return visible(select(item.c.id).join(run, run.c.id == item.c.run_id), actor)


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
        wanted.append(
            or_(*(c.ilike(pattern, escape="\\") for c in (item.c.title, item.c.clause)), item.c.no == asked.words)
        )
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


def _is_due(s: Standing, asked: str, now: datetime, calendar: WorkCalendar) -> bool:
    if not asked:
        return True
    if s.due_at is None:
        return asked == "none"
    today, day = local_day(now), last_day(s.due_at)
    is_open = s.item.state != "closed"
    sunday = today + timedelta(days=6 - today.weekday())
    match asked:
        case "late":
            return is_open and s.due_at < now
        case "soon":
            return is_open and s.due_at >= now and calendar.days_left(today, day) <= SOON_DAYS
        case "week":
            return sunday - timedelta(days=6) <= day <= sunday
        case "month":
            return (day.year, day.month) == (today.year, today.month)
    return False


# ---------------------------------------------------------------- orders
def _place(s: Standing) -> tuple[int, int]:
    return s.item.run_id, s.item.ord


def _nearest(s: Standing) -> tuple[bool, float, int, int]:
    """Undated items come last."""
    return s.due_at is None, s.due_at.timestamp() if s.due_at else 0.0, *_place(s)


def worst_first(found: Iterable[Standing]) -> list[Standing]:
    """By light, then by what is due first, then in the order of the plan."""
    return sorted(found, key=lambda s: (s.light.rank, _nearest(s)))


SORTS: dict[str, Callable[[Iterable[Standing]], list[Standing]]] = {
    "light": worst_first,
    "no": lambda found: sorted(found, key=_place),
    "due": lambda found: sorted(found, key=_nearest),
}


# ---------------------------------------------------------------- the lines of a page
def lines_of(connection: Connection, actor: Actor, page: Sequence[Standing]) -> list[Line]:
    """The items with when they were last touched, and their figures where the person may read the reports behind."""
    if not page:
        return []
    ids = [s.item.id for s in page]
    touched = {
        r.item_id: r.touched_at
        for r in connection.execute(
            select(assignment.c.item_id, func.max(assignment.c.touched_at).label("touched_at"))
            .where(assignment.c.item_id.in_(ids))
            .group_by(assignment.c.item_id)
        )
    }
    closed_book = closed_books(connection, actor, ids)
    return [_line(s, touched.get(s.item.id), s.item.id not in closed_book) for s in page]


def closed_books(connection: Connection, actor: Actor, item_ids: Collection[int]) -> set[int]:
    """The items with a share whose reports the person may not read: their figures added up would tell."""
    return set(
        connection.execute(
            select(assignment.c.item_id)
            .join(run, run.c.id == assignment.c.run_id)
            .where(assignment.c.item_id.in_(item_ids), not_(may_read_reports(actor)))
        ).scalars()
    )


def _line(s: Standing, touched_at: datetime | None, is_open_book: bool) -> Line:
    measured = [g for g in s.gauges if g.share is not None] if is_open_book else []
    worst = min(measured, key=lambda g: g.share or 0.0, default=None)
    return Line(s, state_of(s), touched_at, worst, len(measured) > 1, is_open_book)


# What the share that is furthest behind does is what the item does.
_BEHIND = ("returned", "acknowledging", "working", "signing", "reviewing")


def state_of(s: Standing) -> str:
    """The state of an item as one word: that of the deciding share furthest behind."""
    if s.item.state != "open":
        return str(s.item.state)
    deciding = [p.state for p in s.parts if p.role == "lead"] if s.item.completion == "lead" else []
    states = deciding or [p.state for p in s.parts if p.role != "cooperating"] or [p.state for p in s.parts]
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
    rows = connection.execute(
        select(run.c.id, run.c.short, run.c.title, run.c.period_start, run.c.period_end, func.count().label("items"))
        .join(item, item.c.run_id == run.c.id)
        .where(item.c.id.in_(seen_items(actor)))
        .group_by(run.c.id)
        .order_by(run.c.ended_at.is_not(None), run.c.id.desc())
    )
    return [RunChoice(r.id, r.short, r.title, (r.period_start, r.period_end), r.items) for r in rows]


def heading_choices(connection: Connection, actor: Actor, run_id: int | None) -> list[str]:
    """The headings of a plan, in its order."""
    chosen = select(item.c.heading_name).where(item.c.id.in_(seen_items(actor)), item.c.heading_name != "")
    if run_id is not None:
        chosen = chosen.where(item.c.run_id == run_id)
    return list(connection.execute(chosen.group_by(item.c.heading_name).order_by(func.min(item.c.ord))).scalars())


def unit_choices(connection: Connection, actor: Actor) -> list[UnitName]:
    """The units that take part in what this person may see."""
    rows = connection.execute(
        select(unit.c.key, unit.c.name, unit.c.short)
        .where(unit.c.key.in_(select(assignment.c.unit).where(assignment.c.item_id.in_(seen_items(actor)))))
        .order_by(unit.c.ord)
    )
    return [UnitName(r.key, r.name, r.short) for r in rows]


def without(asked: Filters, **changes: Any) -> Filters:
    """The same question from its first page, with some answers changed."""
    return replace(asked, **({"page": 1} | changes))
