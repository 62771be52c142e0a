"""The ledger (台账): the items a person may see, filtered, counted by light, sorted and cut into pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select
from sqlalchemy.sql import ColumnElement

from ledger.calendar import WorkCalendar, end_of, local_day
from ledger.queries.directory import Members, UnitName, folded, groups, is_meant, matching
from ledger.queries.overview import COLOURS, ORDERS, DueSpan, Mark, Narrowed, Overview, RunFacts, ids_of
from ledger.queries.standing import Gauge, Part, Place, Standing, standings, state_word
from ledger.rules.lights import Colour
from ledger.rules.timeliness import Timeliness, of_item, timeliness
from ledger.rules.verbs import ENDED, LEFT_OUT, State
from ledger.schema import UNDATED, assignment, item, round_, run, unit
from ledger.schema import share as share_
from ledger.visibility import OWN_ITEMS, Sight, readable, visible

SIZES = (24, 50, 100)
SOON_DAYS = 3
AT_ONCE = 1000  # lines that are worked out together when all are wanted
SORTS = tuple(ORDERS)
CLOSED_IN_TIME = ("on_time", "extended", "late_closed")
TIMELINESS = {
    "not_due": Timeliness.NOT_DUE,
    "near": Timeliness.NEAR,
    "overdue": Timeliness.OVERDUE,
    "on_time": Timeliness.CLOSED_ON_TIME,
    "extended": Timeliness.CLOSED_EXTENDED,
    "late_closed": Timeliness.CLOSED_LATE,
}
SPAN = ".."  # between two days, either of which may be left out
LIT = {"warn": ("red", "yellow")}

_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)


@dataclass(frozen=True)
class Filters:
    """What a person asked for; an empty field asks for everything. `plan`: words that mean one run or several; `place`:
    the jurisdiction whose plans they are.

    A page is found by its number, or beside a line (`Mark`) of the page that was read before: `after` its last or
    `before` its first one, however far down the list that is and whatever has moved since.
    """

    run: int | None = None
    plan: str = ""
    place: str = ""
    heading: str = ""
    unit: str = ""
    role: str = ""
    light: str = ""
    state: str = ""
    timeliness: str = ""
    due: str = ""
    words: str = ""
    sort: str = "light"
    page: int = 1
    after: str = ""
    before: str = ""
    size: int = SIZES[0]
    columns: str = ""  # see `queries.columns`

    @property
    def is_empty(self) -> bool:
        return self.question == Filters(sort=self.sort, size=self.size, columns=self.columns)

    @property
    def question(self) -> Filters:
        """The same without the place in its answer."""
        return replace(self, page=1, after="", before="")


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
    groups: Sequence[Members] = ()

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
        return folded(units, self.groups)


@dataclass(frozen=True)
class LedgerPage:
    """One page; `tally` and `total` ignore the filter by light and the cut. The marks lead to the pages beside it."""

    lines: Sequence[Line]
    tally: Mapping[Colour, int]
    total: int
    found: int
    first: int
    page: int
    pages: int
    mark_before: str = ""
    mark_after: str = ""


def ledger_page(seen: Overview, sight: Sight, asked: Filters, now: datetime, calendar: WorkCalendar) -> LedgerPage:
    """The lines a person asked for. Neither the statements nor their cost depend on the number of items."""
    narrowed, colours = _narrowed(seen, asked, now, calendar)
    tally = narrowed.tally()
    found = sum(tally[colour] for colour in colours)
    pages = max(1, -(-found // asked.size))
    page = min(max(asked.page, 1), pages)
    first = (page - 1) * asked.size
    places = _cut(narrowed, asked, colours, first)
    lines = _lines(seen, sight, places, now, calendar)
    marks = (mark_of(places[0], asked.sort), mark_of(places[-1], asked.sort)) if places else ("", "")
    return LedgerPage(lines, tally, sum(tally.values()), found, first, page, pages, *marks)


def _cut(narrowed: Narrowed, asked: Filters, colours: Sequence[Colour], first: int) -> list[Place]:
    """The places of a page: beside the line that the address names, else by counting."""
    if first and (mark := marked(asked.after or asked.before, asked.sort)):
        back = not asked.after
        if beside := narrowed.beside(asked.sort, colours, mark, asked.size, back=back):
            return beside
    return narrowed.cut(asked.sort, colours, first, asked.size)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HIGHEST = 2**31 - 1


def mark_of(place: Place, sort: str) -> str:
    """What an address calls a place in an order: the values that the order goes by, the due instant in microseconds."""
    values = (getattr(place, name) for name in ORDERS[sort].fields)
    return ".".join(str((v - _EPOCH) // _INSTANT if isinstance(v, datetime) else v) for v in values)


def marked(mark: str, sort: str) -> Mark | None:
    """The place in an order that an address names; None for what is none."""
    fields = ORDERS[sort].fields
    numbers = mark.split(".")
    if len(numbers) != len(fields) or not all(re.fullmatch(r"\d{1,18}", n, re.ASCII) for n in numbers):
        return None
    found = dict(zip(fields, map(int, numbers), strict=True))
    if any(n > _HIGHEST for name, n in found.items() if name not in ("due_at", "touched")):
        return None
    try:
        return tuple(_EPOCH + n * _INSTANT if name == "due_at" else n for name, n in found.items())
    except OverflowError:
        return None


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
    conditions += _in_time(asked.timeliness, now, calendar)
    is_narrow = asked.run is not None or asked.plan or asked.place
    runs = [r.id for r in runs_meant(seen.runs, asked)] if is_narrow else None
    lit = LIT.get(asked.light, (asked.light,)) if asked.light else COLOURS
    return seen.narrowed(runs, conditions, _span(asked.due, now, calendar)), [c for c in COLOURS if c in lit]


def _lines(seen: Overview, sight: Sight, places: Sequence[Place], now: datetime, calendar: WorkCalendar) -> list[Line]:
    ids = [p.item_id for p in places]
    known = standings(seen.connection, calendar, now, ids)
    named = groups(seen.connection, (s.item.jurisdiction for s in known.values()))
    return [_line(known[i], sight, now, calendar, named.get(known[i].item.jurisdiction, ())) for i in ids]


# ---------------------------------------------------------------- filters
def runs_meant(runs: Sequence[RunFacts], asked: Filters) -> list[RunFacts]:
    """Those of the runs a person sees that are meant: by number, by name, by a part or the pinyin of it, by place."""
    if asked.run is not None:
        return [r for r in runs if r.id == asked.run]
    if asked.place:
        runs = [r for r in runs if r.place == asked.place]
    if not asked.plan:
        return list(runs)
    named = [r for r in runs if asked.plan in (r.short, r.title)]
    return named or [r for r in runs if is_meant(r.short, asked.plan) or is_meant(r.title, asked.plan)]


def _conditions(asked: Filters, units: Collection[str] | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
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


def _in_time(asked: str, now: datetime, calendar: WorkCalendar) -> list[ColumnElement[bool]]:
    """Items by 时效, as `_timeliness` says it: the worst of what is still to be done, of closed items of everything."""
    if asked in CLOSED_IN_TIME:
        return _closed_in_time(asked)
    if asked not in TIMELINESS:
        return []
    near_until = _near_until(now, calendar)
    share = select(assignment.c.id).where(
        assignment.c.item_id == item.c.id,
        assignment.c.parent_id.is_(None),
        assignment.c.state.not_in((*_OUT, State.CLOSED)),
        assignment.c.due_at.is_not(None),
    )
    ticking = share.where(assignment.c.overlay.is_distinct_from(State.SUSPENDED.value))
    overdue = ticking.where(func.coalesce(assignment.c.submitted_at, now) > assignment.c.due_at).exists()
    near = ticking.where(assignment.c.submitted_at.is_(None), assignment.c.due_at <= near_until).exists()
    recurring = and_(item.c.cadence.is_not(None), item.c.state == "open")
    by_share = {
        "overdue": overdue,
        "near": and_(~overdue, near),
        "not_due": and_(~overdue, ~near, share.exists()),
    }
    by_turn = {
        "overdue": _turn_due < now,
        "near": and_(_turn_due >= now, _turn_due <= near_until),
        "not_due": _turn_due > near_until,
    }
    return [or_(and_(~recurring, by_share[asked]), and_(recurring, by_turn[asked]))]


_turn_due = func.coalesce(  # when a recurring item falls due next: its earliest turn still owed, else its shares
    select(func.min(round_.c.due_at))
    .join(share_, and_(share_.c.round_id == round_.c.id, share_.c.state == "owed"))
    .where(round_.c.item_id == item.c.id)
    .correlate(item)
    .scalar_subquery(),
    select(func.max(assignment.c.due_at))
    .where(
        assignment.c.item_id == item.c.id,
        assignment.c.parent_id.is_(None),
        assignment.c.state.not_in(LEFT_OUT),
        assignment.c.role != "cooperating",
    )
    .correlate(item)
    .scalar_subquery(),
    item.c.due_at,
)


def _closed_in_time(asked: str) -> list[ColumnElement[bool]]:
    """Closed items by the accepted submissions against the dates in force, and those before an extension."""
    closed = select(assignment.c.id).where(
        assignment.c.item_id == item.c.id, assignment.c.parent_id.is_(None), assignment.c.state == State.CLOSED
    )
    late = closed.where(assignment.c.submitted_at > assignment.c.due_at).exists()
    extended = closed.where(assignment.c.submitted_at > assignment.c.original_due).exists()
    dated = closed.where(assignment.c.due_at.is_not(None)).exists()
    in_time = {"late_closed": late, "extended": and_(~late, extended), "on_time": and_(~late, ~extended)}
    return [item.c.state == State.CLOSED, item.c.cadence.is_(None), dated, in_time[asked]]


def _near_until(now: datetime, calendar: WorkCalendar) -> datetime:
    """The end of the last day that is at most `SOON_DAYS` working days away."""
    return end_of(calendar.after(local_day(now), SOON_DAYS + 1) - _DAY)


def _span(asked: str, now: datetime, calendar: WorkCalendar) -> DueSpan | None:
    """The due instants that a filter means. An instant at the end of a day belongs to the day."""
    today = local_day(now)
    sunday = today + timedelta(days=6 - today.weekday())
    month = today.replace(day=1)
    match asked:
        case "late":
            return DueSpan(None, now - _INSTANT, is_open=True)
        case "soon":
            return DueSpan(now - _INSTANT, _near_until(now, calendar), is_open=True)
        case "week":
            return DueSpan(end_of(sunday - timedelta(days=7)), end_of(sunday))
        case "month":
            return DueSpan(end_of(month - _DAY), end_of(_next(month) - _DAY))
        case "next_month":
            return DueSpan(end_of(_next(month) - _DAY), end_of(_next(_next(month)) - _DAY))
        case "none":
            return DueSpan(UNDATED - _INSTANT, None)
    first, last = days_of(asked)
    if first is None and last is None:
        return None
    return DueSpan(end_of(first - _DAY) if first else None, end_of(last) if last else UNDATED - _INSTANT)


def days_of(due: str) -> tuple[date | None, date | None]:
    """The first and the last day that a filter by due names (2025-06-01..2025-06-30); None for an open end."""
    first, is_span, last = due.partition(SPAN)
    return (_as_day(first), _as_day(last)) if is_span else (None, None)


def _as_day(words: str) -> date | None:
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


# ---------------------------------------------------------------- the lines of a page
def closed_book(s: Standing, sight: Sight) -> bool:
    """Whether a share's reports may not be read: the item's figures, added up, would tell them."""
    return len(readable(sight, s.item.office, s.item.jurisdiction, s.parts)) < len(s.parts)


def _line(s: Standing, sight: Sight, now: datetime, calendar: WorkCalendar, groups: Sequence[Members]) -> Line:
    is_open_book = not closed_book(s, sight)
    measured = [g for g in s.gauges if g.share is not None] if is_open_book else []
    worst = min(measured, key=lambda g: g.share or 0.0, default=None)
    touched_at = max((p.touched_at for p in s.parts if p.touched_at), default=None)
    judged = _timeliness(s, now, calendar)
    return Line(s, state_of(s), judged, touched_at, worst, len(measured) > 1, is_open_book, groups)


def _timeliness(s: Standing, now: datetime, calendar: WorkCalendar) -> Timeliness:
    if s.item.cadence and s.item.state == "open":
        return timeliness(s.due_at, None, False, now, calendar)
    shares = [
        (
            Timeliness.NOT_DUE
            if p.is_paused and p.is_open
            else timeliness(
                p.due_at, p.submitted_at, p.state == State.CLOSED, now, calendar, original_due=p.original_due
            ),
            p.state == State.CLOSED,
        )
        for p in s.parts
        if p.state not in _OUT
    ]
    return of_item(shares, is_over=s.item.state != "open")


_OUT = (State.WITHDRAWN, *LEFT_OUT)


def state_of(s: Standing) -> str:
    """The state of an item as one word: that of the deciding share furthest behind."""
    return state_word(s.item, s.parts)


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
    return replace(asked.question, **changes)
