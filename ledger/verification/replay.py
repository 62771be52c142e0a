"""The projections against a replay of the log, built in a file of its own and compared row by row in one order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, NullPool, String, Table, create_engine, select
from sqlalchemy import event as sa_event
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.events import Event
from ledger.projections import replay
from ledger.schema import PROJECTIONS, AnyRow, event, metadata
from ledger.verification.scene import Check, Found, Scene

PORTION = 500  # events that are projected together, and one by one where that fails
_LOG = select(event).order_by(event.c.id)


def _replay(scene: Scene) -> Found:
    with _scratch() as rebuilt:
        yield from _rebuild(scene, rebuilt)
        copy = Scene(rebuilt)
        for table in PROJECTIONS:
            yield from _differences(table, scene, copy)


def _connect() -> sqlite3.Connection:
    """A database of its own in a file without a name, which is gone when it is closed. SQLite's own BEGIN is out of the
    way, so that savepoints hold."""
    connection = sqlite3.connect("", isolation_level=None)
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


# One engine: what is compiled for a replay serves the next.
_REPLAYS = create_engine("sqlite://", creator=_connect, poolclass=NullPool)


@sa_event.listens_for(_REPLAYS, "begin")
def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


@cache
def _tables() -> list[str]:
    """The statements that make the tables, as SQLite takes them."""
    tables = metadata.sorted_tables
    made = [CreateTable(t) for t in tables] + [CreateIndex(i) for t in tables for i in t.indexes]
    return [str(statement.compile(_REPLAYS)) for statement in made]


@contextmanager
def _scratch() -> Iterator[Connection]:
    """An empty database on disk, in one transaction that is never committed."""
    with _REPLAYS.connect() as connection:
        for statement in _tables():
            connection.exec_driver_sql(statement)
        yield connection


def _rebuild(scene: Scene, rebuilt: Connection) -> Found:
    """Project the log; an event that cannot be projected is named, and the others go on."""
    log = scene.rows(_LOG)
    while portion := list(islice(log, PORTION)):
        try:
            with rebuilt.begin_nested():
                replay(rebuilt, map(_event, portion))
        except Exception:
            yield from _one_by_one(rebuilt, portion)


def _one_by_one(rebuilt: Connection, portion: Sequence[AnyRow]) -> Found:
    for r in portion:
        try:
            with rebuilt.begin_nested():
                replay(rebuilt, [_event(r)])
        except Exception:  # whatever a forged event makes of a handler
            where = {"stream": r.stream, "seq": r.seq}
            yield (
                "contradiction",
                f"{r.stream} 第 {r.seq} 号（{r.kind}）与前后记录矛盾，不能重演（记录被改动、删除或伪造）",
                where,
            )


def _event(r: AnyRow) -> Event:
    actor, payload = json.loads(r.actor), json.loads(r.payload)
    return Event(r.stream, r.seq, r.kind, r.schema, r.at, r.recorded_at, actor, payload, r.prev, r.hash)


# ---------------------------------------------------------------- comparing
def _differences(table: Table, live: Scene, rebuilt: Scene) -> Found:
    """Both tables in the order of their keys, walked side by side."""
    keys = [c.name for c in table.primary_key]
    for ours, theirs in _side_by_side(_keyed(table, keys, live), _keyed(table, keys, rebuilt)):
        live.counts["rows"] += ours is not None
        row = ours or theirs
        assert row is not None
        name = ",".join(str(getattr(row, k)) for k in keys)
        where = {"table": table.name, "row": name}
        if theirs is None:
            yield "added", f"表 {table.name} 第 {name} 行在记录里没有来历（行被添加，或记录被删除）", where
        elif ours is None:
            yield "gone", f"表 {table.name} 缺第 {name} 行（行被删除，或记录是伪造的）", where
        elif tuple(ours) != tuple(theirs):
            for column, ours_is, theirs_is in zip(ours._fields, ours, theirs, strict=True):
                if ours_is != theirs_is:
                    sentence = f"表 {table.name} 第 {name} 行的 {column} 现为 {ours_is!s}，按记录应为 {theirs_is!s}"
                    yield "changed", sentence, {**where, "column": column}


def _keyed(table: Table, keys: Sequence[str], scene: Scene) -> Iterator[tuple[tuple[Any, ...], AnyRow]]:
    """Rows with their keys, in one order on every database: that of code points."""
    collation = "C" if scene.connection.dialect.name == "postgresql" else "BINARY"
    columns = [table.c[k] for k in keys]
    order = [c.collate(collation) if isinstance(c.type, String) else c for c in columns]
    for r in scene.rows(select(table).order_by(*order)):
        yield tuple(r._mapping[k] for k in keys), r


Keyed = Iterable[tuple[tuple[Any, ...], AnyRow]]


def _side_by_side(ours: Keyed, theirs: Keyed) -> Iterator[tuple[AnyRow | None, AnyRow | None]]:
    """Pairs of rows of one key; None where one side has no such row."""
    mine, other = iter(ours), iter(theirs)
    a, b = next(mine, None), next(other, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a[0] < b[0]):
            assert a is not None
            yield a[1], None
            a = next(mine, None)
        elif a is None or b[0] < a[0]:
            yield None, b[1]
            b = next(other, None)
        else:
            yield a[1], b[1]
            a, b = next(mine, None), next(other, None)


REPLAY = Check("replay", "台账与记录重演", _replay, ("contradiction", "added", "gone", "changed"))
