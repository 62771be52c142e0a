"""指标: figures held against their targets and against time: of one plan, of every plan at once, and over the days.

A figure that several plans use stands here once, with each of them (一数一源).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select

from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.queries.directory import matching
from ledger.queries.ledger import Filters, closed_book, runs_meant
from ledger.queries.overview import COLOURS, RunFacts, ids_of, overview_of
from ledger.queries.standing import Gauge, Standing, as_sum_rule, standings
from ledger.rules.figures import Reading, course
from ledger.rules.lights import Colour, LightRules
from ledger.rules.verbs import LEFT_OUT
from ledger.schema import AnyRow, assignment, indicator, item, reading, run, unit
from ledger.visibility import Sight, visible

MOST = 600  # items whose figures are worked out at once, worst first; beyond them one plan or unit is asked for
AT_ONCE = 40


@dataclass(frozen=True)
class Figure:
    """An indicator coloured as its own pace is, with the item it belongs to."""

    gauge: Gauge
    item: AnyRow
    colour: Colour

    @property
    def word(self) -> str:
        """What its colour says of it."""
        if self.colour != "grey":
            return {"red": "严重滞后", "yellow": "滞后", "green": "按序时推进", "blue": "已达到"}[self.colour]
        if self.item.opened_at is None:
            return "未启动"
        if self.gauge.op == "<=":
            return "上限，不比序时"
        return "未定时限" if self.gauge.value is not None else "尚未填报"


@dataclass(frozen=True)
class Number:
    """A figure wherever it is used, its worst use first; `units` fill it, `at`: when it was last filled."""

    uses: Sequence[Figure]
    units: Sequence[str]
    at: datetime | None

    @property
    def worst(self) -> Figure:
        return self.uses[0]


@dataclass(frozen=True)
class Asked:
    """What a person asked the board for; an empty field asks for everything. `plan`: words that mean one run or
    several, those that are over included."""

    run: int | None = None
    plan: str = ""
    unit: str = ""
    light: str = ""
    page: int = 1

    @property
    def is_empty(self) -> bool:
        return self.run is None and not (self.plan or self.unit or self.light)


@dataclass(frozen=True)
class Board:
    """One page; `tally` ignores the light that was asked for. `is_cut`: there are more than were worked out."""

    numbers: Sequence[Number]
    tally: Mapping[Colour, int]
    found: int
    page: int
    pages: int
    runs: Sequence[RunFacts]  # those that were meant
    is_cut: bool

    @property
    def total(self) -> int:
        return sum(self.tally.values())


def figures_of(stands: Iterable[Standing], sight: Sight) -> list[Figure]:
    """The figures of items, for those whose reports the person may read."""
    return [
        Figure(g, s.item, gauge_colour(g, s))
        for s in stands
        if s.gauges and s.item.state not in LEFT_OUT and not closed_book(s, sight)
        for g in s.gauges
    ]


def gauge_colour(gauge: Gauge, s: Standing) -> Colour:
    """By the same thresholds as a light, for this figure alone; what has no date is not judged by the plan's."""
    rules = LightRules()
    if gauge.share is None or s.item.opened_at is None:
        return "grey"
    if gauge.share >= 100:
        return "blue"
    if not gauge.pace or s.due_at is None:
        return "grey"
    ratio = gauge.share / gauge.pace
    if gauge.pace <= float(rules.quiet_share) * 100 or ratio >= float(rules.yellow_below):
        return "green"
    return "yellow" if ratio >= float(rules.red_below) else "red"


# ---------------------------------------------------------------- every plan at once
_IS_MEASURED = select(indicator.c.id).where(indicator.c.item_id == item.c.id).exists()
_takes_part = select(assignment.c.id).where(assignment.c.item_id == item.c.id)
_sources = (
    select(func.coalesce(indicator.c.same_as, indicator.c.id))
    .where(indicator.c.item_id.in_(ids_of("ids")))
    .scalar_subquery()
)
_using = visible(
    select(item.c.id)
    .join(run, run.c.id == item.c.run_id)
    .join(indicator, indicator.c.item_id == item.c.id)
    .where(run.c.ended_at.is_(None), or_(indicator.c.id.in_(_sources), indicator.c.same_as.in_(_sources)))
)
_names = select(unit.c.key, unit.c.short, unit.c.ended_at).where(unit.c.key.in_(ids_of("keys")))


def figure_board(connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight, asked: Asked) -> Board:
    """The figures of the plans under way, or of those that are asked for, worst first. The number of statements is
    fixed."""
    seen = overview_of(connection, sight, now, calendar)
    is_named = asked.run is not None or bool(asked.plan)
    runs = runs_meant(seen.runs, Filters(run=asked.run, plan=asked.plan))
    runs = [r for r in runs if is_named or r.ended_at is None]
    keys = matching(connection, asked.unit) if asked.unit else None
    where = [_IS_MEASURED]
    if keys is not None:
        where.append(_takes_part.where(assignment.c.unit.in_(keys)).exists())
    narrowed = seen.narrowed([r.id for r in runs], where, None)
    ids = [p.item_id for p in narrowed.cut("light", COLOURS, 0, MOST)]
    also = set(connection.execute(_using, {**sight.binds, "ids": ids}).scalars()) if ids else set()
    stands = standings(connection, calendar, now, {*ids, *also})
    every = _numbers(connection, stands, sight, set(ids), keys)
    tally = {colour: sum(n.worst.colour == colour for n in every) for colour in COLOURS}
    lit = [n for n in every if asked.light in ("", n.worst.colour)]
    pages = max(1, -(-len(lit) // AT_ONCE))
    page = min(max(asked.page, 1), pages)
    shown = lit[(page - 1) * AT_ONCE : page * AT_ONCE]
    return Board(shown, tally, len(lit), page, pages, runs, sum(narrowed.tally().values()) > MOST)


def _numbers(
    connection: Connection,
    stands: Mapping[int, Standing],
    sight: Sight,
    asked: Collection[int],
    keys: Collection[str] | None,
) -> list[Number]:
    """What these items use, each number once; only those that an item asked for uses, and one of these units fills."""
    uses: dict[int, list[Figure]] = defaultdict(list)
    for f in figures_of(stands.values(), sight):
        uses[f.gauge.source_id].append(f)
    kept = [sorted(of, key=urgency) for of in uses.values() if any(f.item.id in asked for f in of)]
    reporters = {key for of in kept for f in of for key in f.gauge.reporters}
    known = _unit_names(connection, reporters)
    found = [
        Number(of, list(filled.values()), _filled_at(of, stands))
        for of in kept
        if (filled := _filling(of, stands, known)) and (keys is None or not filled.keys().isdisjoint(keys))
    ]
    return sorted(found, key=lambda n: urgency(n.worst))


def urgency(f: Figure) -> tuple[int, float, int, int]:
    """By this figures are sorted, worst first: by light, then the further behind."""
    gap = f.gauge.gap if f.gauge.gap is not None else 0.0
    return COLOURS.index(f.colour), gap, f.item.run_id, f.item.ord


def _unit_names(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Short names of those of these units that have not ended."""
    rows = prepared.rows(connection, _names, {"keys": sorted(keys)}) if keys else ()
    return {r.key: r.short for r in rows if r.ended_at is None}


def _filling(uses: Sequence[Figure], stands: Mapping[int, Standing], known: Mapping[str, str]) -> dict[str, str]:
    """Who fills a figure: the one unit named for it, else each that does not only cooperate, or has filled it once."""
    named = {key: known[key] for f in uses for key in f.gauge.reporters if key in known}
    if named:
        return named
    parts = [(p, f.gauge.id) for f in uses for p in stands[f.item.id].parts if p.state not in LEFT_OUT]
    filling = [p for p, gauge in parts if p.role != "cooperating" or gauge in p.figures]
    return {p.unit: p.unit_name for p in filling or [p for p, _ in parts]}


def _filled_at(uses: Sequence[Figure], stands: Mapping[int, Standing]) -> datetime | None:
    own = [p.figures[f.gauge.id].at for f in uses for p in stands[f.item.id].parts if f.gauge.id in p.figures]
    elsewhere = [f.gauge.elsewhere.reading.at for f in uses if f.gauge.elsewhere and f.gauge.elsewhere.reading]
    return max([*own, *elsewhere], default=None)


# ---------------------------------------------------------------- over the days
_readings = (
    select(
        reading.c.indicator_id,
        reading.c.assignment_id,
        func.coalesce(reading.c.settled, reading.c.checked, reading.c.value).label("value"),
        reading.c.reported_at,
    )
    .join(assignment, assignment.c.id == reading.c.assignment_id)
    .where(
        reading.c.indicator_id.in_(bindparam("ids", expanding=True)),
        assignment.c.parent_id.is_(None),
        assignment.c.state.not_in(LEFT_OUT),
    )
    .order_by(reading.c.reported_at, reading.c.seq)
)


def courses(connection: Connection, gauges: Sequence[Gauge]) -> dict[int, list[Reading]]:
    """How each of these figures has grown, reading by reading, up to what it is now."""
    if not gauges:
        return {}
    said: dict[int, list[tuple[int, Reading]]] = defaultdict(list)
    for r in prepared.rows(connection, _readings, {"ids": sorted({g.source_id for g in gauges})}):
        said[r.indicator_id].append((r.assignment_id, Reading(r.value, r.reported_at)))
    return {g.id: course(as_sum_rule(g.sum_rule), said[g.source_id]) for g in gauges}
