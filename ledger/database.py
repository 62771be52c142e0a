"""The database, and the transaction that everything is written in.

One command is one transaction: its events, what they project, due rows, notices and the engine's state, or nothing.
SQLite runs in WAL mode with `BEGIN IMMEDIATE` for writers and a connection pool of its own for readers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Engine, Select, SelectBase, bindparam, create_engine, insert, select, text, update
from sqlalchemy import event as sa_event
from sqlalchemy.engine import make_url

from ledger.calendar import WorkCalendar
from ledger.clock import BusinessClock, MachineClock, wall_now
from ledger.events import GENESIS, SCHEMA, Draft, Event, canonical, chain_hash, salted
from ledger.people import SYSTEM, Actor, Desk
from ledger.projections import project
from ledger.schema import content, day_override, event, stream

BUSY_SECONDS = 10

_heads = select(stream.c.name, stream.c.seq, stream.c.head).order_by(stream.c.name).with_for_update()
_heads_by_name = _heads.where(stream.c.name.in_(bindparam("names", expanding=True)))
_new_heads = insert(stream)
_move_heads = (
    update(stream).where(stream.c.name == bindparam("b_name")).values(seq=bindparam("b_seq"), head=bindparam("b_head"))
)
_insert_events = insert(event)
_insert_contents = insert(content)
_next_id = text(
    "INSERT INTO counter (name, value) VALUES (:name, :n)"
    " ON CONFLICT (name) DO UPDATE SET value = counter.value + :n RETURNING value"
)


def heads_of(names: SelectBase) -> Select[Any]:
    """The statement with which `Tx.lock` locks the streams of these names, in the order every transaction keeps."""
    return _heads.where(stream.c.name.in_(names))


@dataclass
class Tx:
    """A write transaction. What is recorded is chained and projected at `flush`, at the latest when the transaction
    ends.

    A stream's lock guards everything that its events project. A command takes it before it reads what it decides on;
    no row of a projection is ever locked by itself.
    """

    connection: Connection
    now: datetime
    recorded_at: datetime
    actor: Actor = SYSTEM
    desk: Desk | None = None
    closed_runs: set[int] = field(default_factory=set)  # runs in which this transaction closed an item
    _drafts: list[tuple[Draft, Desk | None]] = field(default_factory=list)
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)  # of the streams this transaction has locked

    @cached_property
    def calendar(self) -> WorkCalendar:
        """Working days; read only by the few commands that count in them."""
        return calendar_of(self.connection)

    def record(
        self, stream_name: str, kind: str, payload: Mapping[str, Any], texts: Mapping[str, str] | None = None
    ) -> None:
        """Add an event; `texts` (free text by field) are kept apart and only their digests enter the chain."""
        draft = Draft(stream_name, kind, payload, {k: v for k, v in (texts or {}).items() if v})
        self._drafts.append((draft, self.desk))

    def lock(self, heads: Select[Any], values: Mapping[str, Any]) -> None:
        """Wait until this transaction alone may write these streams (a statement made by `heads_of`)."""
        self._heads |= {r.name: (r.seq, r.head) for r in self.connection.execute(heads, values)}

    def allocate(self, name: str, n: int = 1) -> range:
        """`n` identifiers of a projection, never given twice; what is rolled back was never given."""
        last = int(self.connection.execute(_next_id, {"name": name, "n": n}).scalar_one())
        return range(last - n + 1, last + 1)

    def flush(self) -> Sequence[Event]:
        """Chain what was recorded and write its projections. Streams are locked in order of their names."""
        drafts, self._drafts = self._drafts, []
        if not drafts:
            return ()
        names, heads = sorted({d.stream for d, _ in drafts}), self._heads
        if unlocked := [n for n in names if n not in heads]:
            self.lock(_heads_by_name, {"names": unlocked})
        known = {n for n in names if n in heads}
        events, rows, contents = self._chained(drafts)
        self.connection.execute(_insert_events, rows)
        self.connection.execute(_insert_contents, contents)
        if fresh := [{"name": n, "seq": heads[n][0], "head": heads[n][1]} for n in names if n not in known]:
            self.connection.execute(_new_heads, fresh)
        if moved := [{"b_name": n, "b_seq": heads[n][0], "b_head": heads[n][1]} for n in names if n in known]:
            self.connection.execute(_move_heads, moved)
        project(self.connection, events)
        return events

    def _chained(
        self, drafts: Sequence[tuple[Draft, Desk | None]]
    ) -> tuple[list[Event], list[dict[str, Any]], list[dict[str, Any]]]:
        """Events in their places, with the rows of `event` and `content` that keep them; heads move on."""
        events, rows, contents = [], [], []
        for d, desk in drafts:
            seq, prev = self._heads.get(d.stream, (0, GENESIS))
            seq += 1
            actor: dict[str, Any] = {"person": self.actor.person_id}
            if desk is not None:
                actor |= {"post": desk.post_id, "unit": desk.unit, "role": desk.role}
            digests = {}
            for name, words in {"actor": self.actor.name, **d.texts}.items():
                salt, digests[name] = salted(words)
                contents.append({"stream": d.stream, "seq": seq, "field": name, "salt": salt, "text": words})
            payload = {**d.payload, "texts": digests}
            stored = canonical(actor), canonical(payload)
            hashed = chain_hash(prev, d.stream, seq, d.kind, SCHEMA, self.now, self.recorded_at, *stored)
            e = Event(d.stream, seq, d.kind, SCHEMA, self.now, self.recorded_at, actor, payload, prev, hashed)
            events.append(e)
            rows.append({**vars(e), "actor": stored[0], "payload": stored[1]})
            self._heads[d.stream] = (seq, hashed)
        return events, rows, contents


class Database:
    """A database by its SQLAlchemy URL (`sqlite:///...` or `postgresql+psycopg://...`) and the clock that business
    follows."""

    def __init__(self, url: str, clock: BusinessClock | None = None) -> None:
        self.url = url
        self.clock: BusinessClock = clock or MachineClock()
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.writer = _engine(url, "BEGIN IMMEDIATE")
        self.reader = _engine(url, "BEGIN") if self.is_sqlite else _snapshots(self.writer)

    @contextmanager
    def write(self, actor: Actor = SYSTEM) -> Iterator[Tx]:
        """One transaction; committed at the end, rolled back by any exception."""
        with self.writer.begin() as connection:
            tx = Tx(connection, self.clock.now(connection), wall_now(), actor)
            yield tx
            tx.flush()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view that is never written to."""
        with self.reader.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


_calendars: dict[tuple[Any, ...], WorkCalendar] = {}


def calendar_of(connection: Connection) -> WorkCalendar:
    """The working calendar with the administrator's overrides."""
    rows = tuple(
        sorted((r.day, r.working) for r in connection.execute(select(day_override.c.day, day_override.c.working)))
    )
    if rows not in _calendars:
        _calendars[rows] = WorkCalendar(dict(rows))
    return _calendars[rows]


def _snapshots(engine: Engine) -> Engine:
    """The same connections for reading: every statement of a transaction sees one state, as SQLite's readers do."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _engine(url: str, begin: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @sa_event.listens_for(engine, "connect")
        def _connect(connection: Any, _record: Any) -> None:
            connection.isolation_level = None  # pysqlite's own transactions would begin too late
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                f"busy_timeout={BUSY_SECONDS * 1000}",
                "foreign_keys=ON",
                "recursive_triggers=ON",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @sa_event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

    return engine
