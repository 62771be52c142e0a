"""The ledger (台账): the items a person may see, filtered, counted by light, sorted and cut into pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select
from sqlalchemy.sql import ColumnElement

from ledger.calendar import WorkCalendar, end_of, local_day
from ledger.queries.directory import UnitName, folded, matching
from ledger.queries.overview import COLOURS, ORDERS, DueSpan, Narrowed, Overview, RunFacts, ids_of
from ledger.queries.standing import Gauge, Part, Place, Standing, standings
from ledger.rules.lights import Colour
from ledger.rules.timeliness import Timeliness, of_item, timeliness
from ledger.rules.verbs import ENDED, LEFT_OUT, State
from ledger.schema import UNDATED, assignment, item, run, unit
from ledger.visibility import OWN_ITEMS, Sight, readable, visible

SIZES = (24, 50, 100)
SOON_DAYS = 3
AT_ONCE = 1000  # lines that are worked out together when all are wanted
SORTS = tuple(ORDERS)
CLOSED_IN_TIME = ("on_time", "extended", "late_closed")
LIT = {"warn": ("red", "yellow")}

_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)


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
    columns: str = ""  # see `queries.columns`

    @property
    def is_empty(self) -> bool:
        return self == Filters(sort=self.sort, page=self.page, size=self.size, columns=self.columns)


@dataclass(frozen=True)
class Line:
    """An item as a line of the ledger; `gauge` is its figure furthest behind, where the person may read reports."""

    standing: Standing
    state: str
    timeliness: Timeliness
    touched_at: datetime | None
    gauge: Gauge | None
    has_more_gauges: bool
    is_open_book: bool

    @property
    def parts(self) -> list[Part]:
        return [p for p in self.standing.parts if p.state not in _OUT]

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
    tally: Mapping[Colour, int]
    total: int
    found: int
    first: int
    page: int
    pages: int


def ledger_page(seen: Overview, sight: Sight, asked: Filters, now: datetime, calendar: WorkCalendar) -> LedgerPage:
    """The lines a person asked for. Neither the statements nor their cost depend on the number of items."""
    narrowed, colours = _narrowed(seen, asked, now, calendar)
    tally = narrowed.tally()
    found = sum(tally[colour] for colour in colours)
    pages = max(1, -(-found // asked.size))
    page = min(max(asked.page, 1), pages)
    first = (page - 1) * asked.size
    lines = _lines(seen, sight, narrowed.cut(asked.sort, colours, first, asked.size), now, calendar)
    return LedgerPage(lines, tally, sum(tally.values()), found, first, page, pages)


def every_line(
    seen: Overview, sight: Sight, asked: Filters, now: datetime, calendar: WorkCalendar
) -> tuple[int, Iterator[Line]]:
    """(how many, the lines of all pages one after another); only some of them are in memory at once."""
    narrowed, colours = _narrowed(seen, asked, now, calendar)
    tally = narrowed.tally()
    found = sum(tally[colour] for colour in colours)
    places = narrowed.cut(asked.sort, colours, 0, found)
    parts = (places[n : n + AT_ONCE] for n in range(0, len(places), AT_ONCE))
    return len(places), (line for part in parts for line in _lines(seen, sight, part, now, calendar))


def _narrowed(
    seen: Overview, asked: Filters, now: datetime, calendar: WorkCalendar
) -> tuple[Narrowed, Sequence[Colour]]:
    conditions = _conditions(asked, matching(seen.connection, asked.unit) if asked.unit else None)
    lit = LIT.get(asked.light, (asked.light,)) if asked.light else COLOURS
    return seen.narrowed(asked.run, conditions, _span(asked.due, now, calendar)), [c for c in COLOURS if c in lit]


def _lines(seen: Overview, sight: Sight, places: Sequence[Place], now: datetime, calendar: WorkCalendar) -> list[Line]:
    ids = [p.item_id for p in places]
    known = standings(seen.connection, calendar, now, ids)
    return [_line(known[i], sight, now, calendar) for i in ids]


# ---------------------------------------------------------------- filters
def _conditions(asked: Filters, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked.run is not None:
        wanted.append(item.c.run_id == asked.run)
    if asked.heading:
        wanted.append(item.c.heading_name == asked.heading)
    if units is not None or asked.role or asked.state:
        wanted += _shares(asked, units)
    wanted += _closed_in_time(asked.due)
    if asked.words:
        pattern = "%" + asked.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        wanted.append(
            or_(*(c.ilike(pattern, escape="\\") for c in (item.c.title, item.c.clause)), item.c.no == asked.words)
        )
    return wanted


def _shares(asked: Filters, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    """Conditions on one and the same share: this unit, in this role, in this state."""
    if asked.state in (State.PENDING, *ENDED) and units is None and not asked.role:
        return [item.c.state == asked.state]
    share = select(assignment.c.id).where(
        assignment.c.item_id == item.c.id, assignment.c.parent_id.is_(None), assignment.c.state.not_in(_OUT)
    )
    if units is not None:
        share = share.where(assignment.c.unit.in_(units))
    if asked.role:
        share = share.where(assignment.c.role == asked.role)
    if asked.state:
        share = share.where(func.coalesce(assignment.c.overlay, assignment.c.state) == asked.state)
    return [share.exists()]


def _closed_in_time(asked: str) -> list[ColumnElement[bool]]:
    """Closed items by 时效: the accepted submissions against the dates in force, and those before an extension."""
    if asked not in CLOSED_IN_TIME:
        return []
    closed = select(assignment.c.id).where(assignment.c.item_id == item.c.id, assignment.c.state == State.CLOSED)
    late = closed.where(assignment.c.submitted_at > assignment.c.due_at).exists()
    extended = closed.where(assignment.c.submitted_at > assignment.c.original_due).exists()
    dated = closed.where(assignment.c.due_at.is_not(None)).exists()
    in_time = {"late_closed": late, "extended": and_(~late, extended), "on_time": and_(~late, ~extended)}
    return [item.c.state == State.CLOSED, item.c.cadence.is_(None), dated, in_time[asked]]


def _span(asked: str, now: datetime, calendar: WorkCalendar) -> DueSpan | None:
    """The due instants that a filter means. An instant at the end of a day belongs to the day."""
    today = local_day(now)
    sunday = today + timedelta(days=6 - today.weekday())
    month = today.replace(day=1)
    match asked:
        case "late":
            return DueSpan(None, now - _INSTANT, is_open=True)
        case "soon":
            return DueSpan(now - _INSTANT, end_of(calendar.after(today, SOON_DAYS + 1) - _DAY), is_open=True)
        case "week":
            return DueSpan(end_of(sunday - timedelta(days=7)), end_of(sunday))
        case "month":
            return DueSpan(end_of(month - _DAY), end_of((month + timedelta(days=31)).replace(day=1) - _DAY))
        case "none":
            return DueSpan(UNDATED - _INSTANT, None)
    return None


# ---------------------------------------------------------------- the lines of a page
def closed_book(s: Standing, sight: Sight) -> bool:
    """Whether a share's reports may not be read: the item's figures, added up, would tell them."""
    return len(readable(sight, s.item.office, s.item.jurisdiction, s.parts)) < len(s.parts)


def _line(s: Standing, sight: Sight, now: datetime, calendar: WorkCalendar) -> Line:
    is_open_book = not closed_book(s, sight)
    measured = [g for g in s.gauges if g.share is not None] if is_open_book else []
    worst = min(measured, key=lambda g: g.share or 0.0, default=None)
    touched_at = max((p.touched_at for p in s.parts if p.touched_at), default=None)
    return Line(s, state_of(s), _timeliness(s, now, calendar), touched_at, worst, len(measured) > 1, is_open_book)


def _timeliness(s: Standing, now: datetime, calendar: WorkCalendar) -> Timeliness:
    if s.item.cadence and s.item.state == "open":
        return timeliness(s.due_at, None, False, now, calendar)
    shares = [
        (
            timeliness(p.due_at, p.submitted_at, p.state == State.CLOSED, now, calendar, original_due=p.original_due),
            p.state == State.CLOSED,
        )
        for p in s.parts
        if p.state not in _OUT
    ]
    return of_item(shares, is_over=s.item.state != "open")


# What the share that is furthest behind does is what the item does.
_BEHIND = ("disputed", "extending", "returned", "acknowledging", "working", "signing", "reviewing", "suspended")
_OUT = (State.WITHDRAWN, *LEFT_OUT)


def state_of(s: Standing) -> str:
    """The state of an item as one word: that of the deciding share furthest behind."""
    if s.item.state != "open":
        return str(s.item.state)
    if s.item.lasting:
        return "lasting"
    parts = [p for p in s.parts if p.state not in LEFT_OUT]
    deciding = [p for p in parts if p.role == "lead"] if s.item.completion == "lead" else []
    states = [p.shown for p in deciding or [p for p in parts if p.role != "cooperating"] or parts]
    return next((state for state in _BEHIND if state in states), "open")


# ---------------------------------------------------------------- what can be chosen
_headings = (
    select(item.c.heading_name)
    .join(run, run.c.id == item.c.run_id)
    .where(item.c.run_id == bindparam("run_id"), item.c.heading_name != "")
    .group_by(item.c.heading_name)
    .order_by(func.min(item.c.ord))
)
_seen_headings = visible(_headings)


def heading_choices(connection: Connection, sight: Sight, run: RunFacts) -> list[str]:
    """The headings of a plan under which the person sees something, in its order."""
    chosen = _headings if run.is_whole else _seen_headings
    return list(connection.execute(chosen, {**sight.binds, "run_id": run.id}).scalars())


_taking_part = select(assignment.c.unit).where(
    assignment.c.parent_id.is_(None),  # whom a unit hands its share down to is not for everybody to know
    or_(assignment.c.run_id.in_(ids_of("runs")), assignment.c.item_id.in_(OWN_ITEMS)),
)
_units = select(unit.c.key, unit.c.name, unit.c.short).where(unit.c.key.in_(_taking_part)).order_by(unit.c.ord)


def unit_choices(seen: Overview, sight: Sight) -> list[UnitName]:
    """The units that take part in what this person may see."""
    rows = seen.connection.execute(_units, {**sight.binds, "runs": [r.id for r in seen.runs if r.is_whole]})
    return [UnitName(r.key, r.name, r.short) for r in rows]


def without(asked: Filters, **changes: Any) -> Filters:
    """The same question from its first page, with some answers changed."""
    return replace(asked, **({"page": 1} | changes))
