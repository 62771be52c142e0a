"""What a person sees of the ledger: which runs, how many items in each colour, and which of them stand on a page.

Counts and order come from `standing`, by index. Loose items are put between them: those that `standing` does not hold
yet as they are, and a participant's own. Lists are right with any mixture of the two, down to none from `standing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, select, tuple_

from ledger import prepared
from ledger.calendar import WorkCalendar, local_day
from ledger.following import colour_counts, unfollowed
from ledger.queries.standing import Place, places
from ledger.rules.lights import RANKS, Colour, colour_of, share_of_time
from ledger.schema import AnyRow, item, plan_version, run, standing, tally, unit
from ledger.visibility import OWN_ITEMS, WHOLE_RUN, Sight, visible

COLOURS: tuple[Colour, ...] = tuple(RANKS)
_NONE = (0,) * len(COLOURS)
FEW = 2000  # as many places are sorted; of more the page is read off an index

Mark = tuple[Any, ...]  # the values by which a place stands in an order


@dataclass(frozen=True)
class Order:
    """`fields`: what it goes by, one after another, the last two tell any item from any other; `down`: backwards."""

    fields: tuple[str, ...]
    down: bool = False

    def key(self, p: Place) -> Mark:
        return tuple(getattr(p, name) for name in self.fields)


_UPWARDS = {
    "light": Order(("rank", "due_at", "run_id", "ord")),  # the worst first
    "no": Order(("run_id", "ord")),
    "due": Order(("due_at", "run_id", "ord")),
    "unit": Order(("unit_ord", "run_id", "ord")),
    "state": Order(("state_rank", "run_id", "ord")),
    "done": Order(("done", "run_id", "ord")),
    "touched": Order(("touched", "run_id", "ord")),
}
DOWN = "-"  # before the name of an order: the same backwards
ORDERS = _UPWARDS | {f"{DOWN}{name}": Order(order.fields, True) for name, order in _UPWARDS.items()}


class RunFacts(NamedTuple):
    """A run's cover. `is_whole`: the person sees all of it, not only the items their unit takes part in."""

    id: int
    version_id: int
    digest: str
    number: int
    title: str
    short: str
    office: str
    period: tuple[date, date | None]
    started_at: datetime
    ended_at: datetime | None
    is_whole: bool
    place: str  # the jurisdiction whose plan it is


def pace_of(facts: RunFacts, now: datetime) -> tuple[float, int, int] | None:
    """(share of the plan's time in percent, days gone, all days); None for a plan without an end."""
    first, last = facts.period
    if last is None:
        return None
    share = share_of_time(first, last, local_day(now))
    days = (last - first).days + 1
    return round(float(share) * 100, 1), int(share * days), days


def ids_of(name: str) -> BindParameter[Any]:
    """A list of identifiers that stands in the statement itself: there may be more than a database takes parameters."""
    return bindparam(name, expanding=True, literal_execute=True)


run_covers = (
    select(
        run.c.id,
        run.c.version_id,
        plan_version.c.digest,
        plan_version.c.number,
        run.c.title,
        run.c.short,
        unit.c.name.label("office"),
        run.c.period_start,
        run.c.period_end,
        run.c.started_at,
        run.c.ended_at,
        run.c.jurisdiction,
    )
    .join(plan_version, plan_version.c.id == run.c.version_id)
    .outerjoin(unit, unit.c.key == run.c.office)
)
_tallies = tuple(tally.c[colour] for colour in COLOURS)
_place_columns = tuple(standing.c[name] for name in Place._fields)

_whole_runs = run_covers.add_columns(*_tallies).outerjoin(tally, tally.c.run_id == run.c.id).where(WHOLE_RUN)
_runs_named = run_covers.where(run.c.id.in_(ids_of("ids")))
_own_places = select(*_place_columns).where(standing.c.item_id.in_(OWN_ITEMS))
_kept_among = select(standing.c.run_id, standing.c.rank).where(standing.c.item_id.in_(ids_of("ids")))
_every_item = visible(select(item.c.id).join(run, run.c.id == item.c.run_id))
_seen_among = _every_item.where(item.c.id.in_(ids_of("ids")))
_matching = select(item.c.id).where(item.c.id.in_(ids_of("ids")))


def facts_of(row: AnyRow, *, is_whole: bool) -> RunFacts:
    """A row of `run_covers`."""
    run_id, version_id, digest, number, title, short, office, *when, place = row[:12]
    start, end, started_at, ended_at = when
    period = start, end
    return RunFacts(
        run_id, version_id, digest, number, title, short, office or "", period, started_at, ended_at, is_whole, place
    )


@dataclass(frozen=True)
class DueSpan:
    """Due after `after`, at or before `until`; `is_open`: and not closed yet."""

    after: datetime | None
    until: datetime | None
    is_open: bool = False

    def holds(self, p: Place) -> bool:
        return (
            (self.after is None or p.due_at > self.after)
            and (self.until is None or p.due_at <= self.until)
            and not (self.is_open and colour_of(p.rank) == "blue")
        )

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        found = [standing.c.rank < RANKS["blue"].start] if self.is_open else []
        found += [standing.c.due_at > self.after] if self.after is not None else []
        return found + ([standing.c.due_at <= self.until] if self.until is not None else [])


@dataclass(frozen=True)
class Overview:
    """`runs`: what the person sees something of. `whole`: by run of which items are taken from `standing`, how many of
    them have each colour. `loose`: the places of all other items seen. `behind`: not to be taken from it."""

    connection: Connection
    runs: Sequence[RunFacts]
    whole: Mapping[int, Sequence[int]]
    loose: Sequence[Place]
    behind: Collection[int]

    def tallies(self) -> dict[int, dict[Colour, int]]:
        """How many items in each colour are seen of each run."""
        found = {r.id: dict(zip(COLOURS, self.whole.get(r.id, _NONE), strict=True)) for r in self.runs}
        for p in self.loose:
            found[p.run_id][colour_of(p.rank)] += 1
        return found

    def narrowed(
        self, run_ids: Collection[int] | None, conditions: Sequence[ColumnElement[bool]], span: DueSpan | None
    ) -> Narrowed:
        """The items of some runs (None: of every run) that meet conditions on `item`, and are due in a span."""
        meant = None if run_ids is None else frozenset(run_ids)
        runs = [r for r in self.whole if meant is None or r in meant]
        loose = [p for p in self.loose if (meant is None or p.run_id in meant) and (span is None or span.holds(p))]
        if conditions and loose:
            meeting = self.connection.execute(_matching.where(*conditions), {"ids": [p.item_id for p in loose]})
            met = set(meeting.scalars())
            loose = [p for p in loose if p.item_id in met]
        if not conditions and span is None:
            counted = [sum(of_colour) for of_colour in zip(_NONE, *(self.whole[r] for r in runs), strict=True)]
            return Narrowed(self, runs, (), counted, loose)
        where = [*conditions, *(span.conditions if span else ())]
        return Narrowed(self, runs, where, self._counted(runs, where), loose)

    def _counted(self, runs: Sequence[int], where: Sequence[ColumnElement[bool]]) -> Sequence[int]:
        if not runs:
            return _NONE
        counting = select(*colour_counts()).join(item, item.c.id == standing.c.item_id)
        counting = counting.where(standing.c.run_id.in_(ids_of("runs")), ~standing.c.item_id.in_(ids_of("behind")))
        return tuple(
            self.connection.execute(counting.where(*where), {"runs": runs, "behind": sorted(self.behind)}).one()
        )


@dataclass(frozen=True)
class Narrowed:
    """Items that a page is made of: `counted` those of the whole `runs` by colour, and loose ones."""

    overview: Overview
    runs: Sequence[int]
    where: Sequence[ColumnElement[bool]]
    counted: Sequence[int]
    loose: Sequence[Place]

    def tally(self) -> dict[Colour, int]:
        found = dict(zip(COLOURS, self.counted, strict=True))
        for p in self.loose:
            found[colour_of(p.rank)] += 1
        return found

    def cut(self, sort: str, colours: Collection[Colour], first: int, size: int) -> list[Place]:
        """`size` places from the `first` on of the items in these colours."""
        key, down = ORDERS[sort].key, ORDERS[sort].down
        loose = sorted((p for p in self.loose if colour_of(p.rank) in colours), key=key, reverse=down)
        # However the loose ones fall, what is wanted of `standing` begins here.
        start = max(0, first - len(loose))
        kept = self._kept(sort, colours, start, first + size)
        before = sum(_precedes(key(p), key(kept[0]), down) for p in loose) if kept and start else 0
        skipped = start + before
        return list(merge(kept, loose[before:], key=key, reverse=down))[first - skipped : first - skipped + size]

    def beside(
        self, sort: str, colours: Collection[Colour], mark: Mark, size: int, *, back: bool = False
    ) -> list[Place]:
        """The `size` places after a place, or before it, of the items in these colours. What comes before is not
        read, so that the last page costs what the first one does."""
        key, down = ORDERS[sort].key, ORDERS[sort].down != back
        lit = (p for p in self.loose if colour_of(p.rank) in colours)
        loose = [p for p in lit if _precedes(mark, key(p), down)]
        counts = self._counts(colours)
        kept = self._read(sort, list(counts), counts, {"size": size, **_bounds(mark)}, back) if counts else []
        found = list(islice(merge(kept, sorted(loose, key=key, reverse=down), key=key, reverse=down), size))
        return found[::-1] if back else found

    def _counts(self, colours: Collection[Colour]) -> dict[Colour, int]:
        """How many there are in `standing` of those of these colours that there are any of."""
        return {c: n for c, n in zip(COLOURS, self.counted, strict=True) if c in colours and n}

    def _kept(self, sort: str, colours: Collection[Colour], start: int, stop: int) -> list[Place]:
        """The places from `start` to `stop` in `standing`."""
        counts = self._counts(colours)
        stop = min(stop, sum(counts.values()))
        if start >= stop:
            return []
        by_light = ORDERS[sort].fields[0] == "rank"
        touched, offset = _touched(counts, start, stop, ORDERS[sort].down) if by_light else (list(counts), start)
        return self._read(sort, touched, counts, {"size": stop - start, "first": offset})

    def _read(
        self,
        sort: str,
        touched: Sequence[Colour],
        counts: Mapping[Colour, int],
        where: Mapping[str, Any],
        back: bool | None = None,
    ) -> list[Place]:
        """A stretch of `standing` in these colours: from a number on, or (`back` is given) beside a place."""
        some = len(self.runs) == 1 or len(self.runs) < len(self.overview.whole)
        is_few = bool(self.where) or (some and _is_by_run(sort)) or sum(counts[c] for c in touched) <= FEW
        values = {
            "runs": self.runs,
            "behind": sorted(self.overview.behind),
            "lowest": RANKS[touched[0]].start,
            "highest": RANKS[touched[-1]].stop - 1,
            **where,
        }
        chosen = _page_of(sort, is_few, back)
        connection = self.overview.connection
        if not self.where:
            return [Place(*r) for r in prepared.rows(connection, chosen, values)]
        met = chosen.join(item, item.c.id == standing.c.item_id).where(*self.where)
        return [Place(*r) for r in connection.execute(met, values)]


def _is_by_run(sort: str) -> bool:
    """Whether places of some runs are quicker read by their runs and sorted than picked out of the order's index."""
    return ORDERS[sort].fields[0] in ("rank", "run_id")


def _bounds(mark: Mark) -> dict[str, Any]:
    return {f"at_{n}": value for n, value in enumerate(mark)}


def _precedes(one: Mark, other: Mark, down: bool) -> bool:
    return one > other if down else one < other


def _touched(counts: Mapping[Colour, int], start: int, stop: int, down: bool) -> tuple[list[Colour], int]:
    """The colours that a stretch of the order by light (`down`: backwards) lies in, in their order, and where in them
    it begins."""
    touched: list[Colour] = []
    passed = offset = 0
    for colour in reversed(list(counts)) if down else counts:
        if passed + counts[colour] > start and passed < stop:
            if not touched:
                offset = start - passed
            touched.append(colour)
        passed += counts[colour]
    return touched[::-1] if down else touched, offset


@lru_cache(maxsize=6 * len(ORDERS))
def _page_of(sort: str, is_few: bool, back: bool | None = None) -> Select[Any]:
    """A stretch of the places of some runs in an order: from a number on, or after a place, or `back` from it.

    Few are read by their runs and sorted. Many are read off the index of the order, passing over what belongs to other
    runs. `+ 0` keeps each database from the other way, whatever it believes about the sizes.
    """
    c, order = standing.c, ORDERS[sort]
    run_id = c.run_id if is_few else c.run_id + 0
    rank = c.rank if is_few or c[order.fields[0]] is c.rank else c.rank + 0
    lead = c[order.fields[0]]
    kept_off = is_few and lead is not c.run_id and lead is not c.due_at
    by = (lead + 0 if kept_off else lead, *(c[name] for name in order.fields[1:]))
    lowest: BindParameter[Any] = bindparam("lowest")
    highest: BindParameter[Any] = bindparam("highest")
    found = (
        select(*_place_columns)
        .where(run_id.in_(ids_of("runs")), ~c.item_id.in_(ids_of("behind")))
        .limit(bindparam("size"))
    )
    down = order.down != bool(back)
    found = found.order_by(*(column.desc() if down else column for column in by))
    if back is None:
        return found.where(rank.between(lowest, highest)).offset(bindparam("first"))
    # The side on which the place stands is bounded by the place alone: SQLite takes one bound of each side.
    place = tuple_(*by)
    bound = tuple_(*(bindparam(f"at_{n}", type_=c[name].type) for n, name in enumerate(order.fields)))
    if down:
        return found.where(place < bound, rank >= lowest, c.rank + 0 <= highest)
    return found.where(place > bound, rank <= highest, c.rank + 0 >= lowest)


def overview_of(connection: Connection, sight: Sight, now: datetime, calendar: WorkCalendar) -> Overview:
    """What this person sees, in at most six statements, however much there is."""
    behind = unfollowed(connection, now, calendar)
    covers = prepared.rows(connection, _whole_runs, sight.binds) if sight.sees_runs else ()
    runs = [facts_of(r, is_whole=True) for r in covers]
    if behind is None:
        ids = connection.execute(_every_item, sight.binds).scalars().all()
        return _completed(connection, runs, {}, _places(connection, calendar, now, ids), ())
    whole = {r.id: [n or 0 for n in r[-len(COLOURS) :]] for r in covers}
    loose = [
        Place(*r)
        for r in (prepared.rows(connection, _own_places, sight.binds) if sight.units else ())
        if r.run_id not in whole and r.item_id not in behind
    ]
    if behind:
        seen = connection.execute(_seen_among, {**sight.binds, "ids": sorted(behind)}).scalars().all()
        loose += _places(connection, calendar, now, seen)
        for r in connection.execute(_kept_among, {"ids": sorted(behind)}):
            if r.run_id in whole:
                whole[r.run_id][COLOURS.index(colour_of(r.rank))] -= 1
    return _completed(connection, runs, whole, loose, behind)


_ranks = select(standing.c.item_id, standing.c.rank).where(standing.c.item_id.in_(ids_of("ids")))


def ranks_of(
    connection: Connection, calendar: WorkCalendar, now: datetime, item_ids: Collection[int]
) -> dict[int, int]:
    """The rank of each item's light by its id."""
    behind = unfollowed(connection, now, calendar)
    loose = item_ids if behind is None else set(item_ids) & behind
    kept = sorted(set(item_ids) - set(loose))
    found = {r.item_id: r.rank for r in prepared.rows(connection, _ranks, {"ids": kept})}
    return found | {p.item_id: p.rank for p in _places(connection, calendar, now, sorted(loose))}


def _completed(
    connection: Connection,
    runs: list[RunFacts],
    whole: Mapping[int, Sequence[int]],
    loose: Sequence[Place],
    behind: Collection[int],
) -> Overview:
    """With the runs of loose items; running ones first, the latest before."""
    if others := {p.run_id for p in loose} - {r.id for r in runs}:
        runs += [facts_of(r, is_whole=False) for r in prepared.rows(connection, _runs_named, {"ids": sorted(others)})]
    return Overview(connection, sorted(runs, key=lambda r: (r.ended_at is not None, -r.id)), whole, loose, behind)


AT_ONCE = 1000


def _places(connection: Connection, calendar: WorkCalendar, now: datetime, ids: Sequence[int]) -> list[Place]:
    parts = [ids[n : n + AT_ONCE] for n in range(0, len(ids), AT_ONCE)]
    return [p for part in parts for p in places(connection, calendar, now, part).values()]
