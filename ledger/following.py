"""Keeping `standing` up with the ledger, so that a list of 100,000 items can be counted, sorted and cut by an index.

`standing` is a cache. The scheduler takes in what happened (streams that have moved on since) and what time changed
(`changes_at`). A page takes the order and the counts from it, works out the rest itself (`unfollowed`), and writes the
words of its lines from the ledger alone. So a page is right whether the scheduler follows or not; it is only slower.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from ledger import calendar as calendar_rule
from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.database import Database, Tx, calendar_of
from ledger.queries import standing as standing_query
from ledger.queries.standing import Place, places
from ledger.rules import lights
from ledger.schema import basis, indicator, item, standing, stream, tally

BATCH = 500
MOST = 5000  # items that a page works out beside `standing`; where there are more it does without

_PREFIX = "item:"
_BASIS = 1
_ALL = 0  # stands for every item where `standing` was judged by another rule or calendar


# ---------------------------------------------------------------- what `standing` does not hold
_item_id = cast(func.substr(stream.c.name, len(_PREFIX) + 1), Integer)
_of_items = stream.c.name.like(f"{_PREFIX}%")
_behind = stream.c.followed < stream.c.seq
_outlived = standing.c.changes_at <= bindparam("now", type_=standing.c.changes_at.type)
_other_basis = select(literal(_ALL)).where(~select(basis.c.id).where(basis.c.digest == bindparam("digest")).exists())
# Items whose figures are filled in on another one (一数一源) move with it.
_kept_as = indicator.alias("kept_as")
_using = (  # outer, and asked in a way that no plan sees through: SQLite would begin with all indicators
    select(indicator.c.item_id)
    .select_from(stream)
    .outerjoin(_kept_as, _kept_as.c.item_id == _item_id)
    .outerjoin(indicator, indicator.c.same_as == _kept_as.c.id)
    .where(_of_items, func.coalesce(indicator.c.item_id, 0) > 0)
)
_unfollowed = union_all(
    select(_item_id).where(_behind, _of_items),
    _using.where(_behind),
    select(standing.c.item_id).where(_outlived),
    _other_basis,
).limit(MOST + 1)


def unfollowed(connection: Connection, now: datetime, calendar: WorkCalendar) -> set[int] | None:
    """The items that `standing` does not hold as they are; None where it is no help at all."""
    found = {r[0] for r in prepared.rows(connection, _unfollowed, {"now": now, "digest": digest_of(calendar)})}
    return None if _ALL in found or len(found) > MOST else found


def digest_of(calendar: WorkCalendar) -> str:
    """A digest of what judges: the rule as it is written, the holidays as they are published, what was decided."""
    return hashlib.sha256(f"{_RULE} {sorted(calendar.overrides.items())}".encode()).hexdigest()


def _source(module: Any) -> str:
    with open(module.__file__, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


_RULE = " ".join(map(_source, (lights, calendar_rule, standing_query, sys.modules[__name__]))) + version("holidays")


# ---------------------------------------------------------------- taking it in
_streams_behind = select(stream.c.name, stream.c.seq).where(_behind).order_by(stream.c.name).limit(BATCH)
_items_outlived = select(standing.c.item_id).where(_outlived).limit(BATCH)
_seqs = select(_item_id.label("item_id"), stream.c.seq).where(stream.c.name.in_(bindparam("names", expanding=True)))
_using_these = _using.where(stream.c.name.in_(bindparam("names", expanding=True)))
_PLACE = (*Place._fields, "seq")


def _keep(dialect: Any) -> Any:
    """Insert or replace a place. Of two schedulers the one that has read less does not overwrite the other."""
    made = dialect.insert(standing)
    given = {name: made.excluded[name] for name in _PLACE[1:]}
    return made.on_conflict_do_update(index_elements=["item_id"], set_=given, where=standing.c.seq <= made.excluded.seq)


def _judge_by(dialect: Any) -> Any:
    made = dialect.insert(basis).values(id=_BASIS)
    return made.on_conflict_do_update(index_elements=["id"], set_={"digest": made.excluded.digest})


_keep_place = {"sqlite": _keep(sqlite), "postgresql": _keep(postgresql)}
_set_basis = {"sqlite": _judge_by(sqlite), "postgresql": _judge_by(postgresql)}
_one_at_a_time = select(basis.c.id).with_for_update()
_follow_stream = (
    update(stream)
    .where(stream.c.name == bindparam("b_name"), stream.c.followed < bindparam("b_seq"))
    .values(followed=bindparam("b_seq"))
)


def colour_counts(rank: ColumnElement[int] = standing.c.rank) -> list[ColumnElement[int]]:
    """How many rows stand in each colour, in the order of `tally`."""
    return [
        func.coalesce(func.sum(case((rank.between(ranks.start, ranks.stop - 1), 1), else_=0)), 0).label(colour)
        for colour, ranks in lights.RANKS.items()
    ]


_runs: BindParameter[Any] = bindparam("runs", expanding=True)
_count = (
    select(standing.c.run_id, *colour_counts())
    .where(standing.c.run_id.in_(_runs))
    .group_by(standing.c.run_id)
    .order_by(standing.c.run_id)
)
_forget_tallies = delete(tally).where(tally.c.run_id.in_(_runs))


def follow(db: Database) -> int:
    """Take in whatever `standing` does not hold yet, in short transactions; returns how many places were worked out."""
    _judge_anew_if_needed(db)
    done = 0
    while True:
        with db.read() as connection:
            now, calendar = db.clock.now(connection), calendar_of(connection)
            streams = {r.name: r.seq for r in connection.execute(_streams_behind)}
            outlived = connection.execute(_items_outlived, {"now": now}).scalars().all()
            using = connection.execute(_using_these, {"names": list(streams)}).scalars().all() if streams else ()
            seqs = _item_seqs(connection, [*streams, *(f"{_PREFIX}{i}" for i in (*outlived, *using))])
            found = places(connection, calendar, now, seqs)
        if not streams and not found:
            return done
        with db.write() as tx:
            tx.connection.execute(_one_at_a_time)
            _store(tx, found, seqs)
            followed = [{"b_name": name, "b_seq": seq} for name, seq in streams.items()]
            if followed:
                tx.connection.execute(_follow_stream, followed)
        done += len(found)


def _item_seqs(connection: Connection, names: Iterable[str]) -> dict[int, int]:
    """The heads of the streams of items among these, by the item's id."""
    wanted = [name for name in names if name.startswith(_PREFIX)]
    if not wanted:
        return {}
    return {r.item_id: r.seq for r in connection.execute(_seqs, {"names": wanted})}


def _store(tx: Tx, found: Mapping[int, Place], seqs: Mapping[int, int]) -> None:
    """Keep places and count their runs anew."""
    if not found:
        return
    rows = [{**place._asdict(), "seq": seqs[place.item_id]} for place in found.values()]
    tx.connection.execute(_keep_place[tx.connection.dialect.name], rows)
    runs = {"runs": sorted({place.run_id for place in found.values()})}
    tx.connection.execute(_forget_tallies, runs)
    tx.connection.execute(insert(tally), [r._asdict() for r in tx.connection.execute(_count, runs)])


def _judge_anew_if_needed(db: Database) -> None:
    """After a change of the rule or the calendar every place is worked out again."""
    with db.read() as connection:
        digest = digest_of(calendar_of(connection))
        if connection.execute(select(basis.c.digest)).scalar_one_or_none() == digest:
            return
    with db.write() as tx:
        tx.connection.execute(_set_basis[tx.connection.dialect.name], {"digest": digest})
        tx.connection.execute(update(standing).values(changes_at=tx.now))


# ---------------------------------------------------------------- for `duban verify`
def differences(connection: Connection, now: datetime, calendar: WorkCalendar) -> list[str]:
    """What `standing` and its tallies claim to hold and is not so, a sentence each."""
    behind = unfollowed(connection, now, calendar)
    if behind is None:
        return []  # they claim nothing
    found = _wrong_places(connection, now, calendar, behind)
    counted = {r.run_id: tuple(r)[1:] for r in connection.execute(select(tally))}
    rows = connection.execute(select(standing.c.run_id, *colour_counts()).group_by(standing.c.run_id))
    really = {r.run_id: tuple(r)[1:] for r in rows}
    runs = sorted(run for run in counted.keys() | really.keys() if counted.get(run) != really.get(run))
    return found + [f"方案实施 {run} 的各灯计数与其任务不符" for run in runs]


def _wrong_places(connection: Connection, now: datetime, calendar: WorkCalendar, behind: Collection[int]) -> list[str]:
    wrong = []
    ids: Sequence[int] = connection.execute(select(item.c.id).order_by(item.c.id)).scalars().all()
    for start in range(0, len(ids), BATCH):
        part = ids[start : start + BATCH]
        kept = {r.item_id: Place(*r) for r in connection.execute(_kept, {"ids": part})}
        for place in places(connection, calendar, now, part).values():
            if place.item_id not in behind and kept.get(place.item_id) != place:
                wrong.append(f"任务 {place.item_id} 的排序与台账不符")
    return wrong + [f"任务 {i} 不在台账中" for i in connection.execute(_of_no_item).scalars()]


_kept = select(*(standing.c[name] for name in Place._fields)).where(
    standing.c.item_id.in_(bindparam("ids", expanding=True))
)
_of_no_item = select(standing.c.item_id).where(~select(item.c.id).where(item.c.id == standing.c.item_id).exists())
