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

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    bindparam,
    create_engine,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy import event as sa_event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ledger import prepared
from ledger.calendar import WorkCalendar
from ledger.clock import BusinessClock, ClockInDoubt, MachineClock, wall_now
from ledger.errors import Invalid
from ledger.events import GENESIS, SCHEMAS, Draft, Event, File, canonical, chain_hash, salted
from ledger.people import SYSTEM, Actor, Desk
from ledger.projections import project
from ledger.rules.fields import personal_faults
from ledger.rules.texts import as_seen
from ledger.schema import AnyRow, attachment, content, day_override, event, stream
from ledger.trouble import CommitUnsure
from ledger.writing import Writer

BUSY_SECONDS = 10  # for a lock, and for a connection of the pool
CONNECT_SECONDS = 5
CONNECTIONS = 5  # kept open by a process; as many more may be opened for a moment

_new_heads = insert(stream)
_move_heads = (
    update(stream).where(stream.c.name == bindparam("b_name")).values(seq=bindparam("b_seq"), head=bindparam("b_head"))
)
_insert_events = insert(event)
_insert_contents = insert(content)
_insert_attachments = insert(attachment)
_hold_days = text("LOCK TABLE day_override IN SHARE MODE")
_next_id = text(
    "INSERT INTO counter (name, value) VALUES (:name, :n)"
    " ON CONFLICT (name) DO UPDATE SET value = counter.value + :n RETURNING value"
)


# What a statement for `Tx.read_locked` selects beside its own columns. `_seen` is the head as the statement's snapshot
# knew it: where it lags behind the locked one, another writer was waited for.
_seen = select(func.max(event.c.seq)).where(event.c.stream == stream.c.name).correlate(stream).scalar_subquery()
head_columns = (
    stream.c.name.label("stream_name"),
    stream.c.seq.label("stream_seq"),
    stream.c.head.label("stream_head"),
    _seen.label("stream_seen"),
)
_heads_by_name = (
    select(*head_columns)
    .where(stream.c.name.in_(bindparam("names", expanding=True)))
    .order_by(stream.c.name)
    .with_for_update()
)


@dataclass
class Tx:
    """A write transaction. What is recorded is chained and projected at `flush`, at the latest when the transaction
    ends.

    A stream's lock guards everything that its events project. A command takes it with what it decides on
    (`read_locked`); no row of a projection is ever locked by itself.
    """

    connection: Connection
    clock: BusinessClock
    recorded_at: datetime
    actor: Actor = SYSTEM
    desk: Desk | None = None
    closed_runs: set[int] = field(default_factory=set)  # runs in which this transaction closed an item
    overseers: dict[str, dict[str, str]] = field(default_factory=dict)  # unit by role, of the places asked for
    _drafts: list[tuple[Draft, Desk | None]] = field(default_factory=list)
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)  # of the streams this transaction has locked

    @cached_property
    def now(self) -> datetime:
        """Business time, read once. Raises: ClockInDoubt, for whoever would date anything by it."""
        return self.clock.now(self.connection)

    @cached_property
    def writes(self) -> Writer:
        """What this transaction will write, in order; it goes out at the next `flush`."""
        return Writer(self.connection)

    @cached_property
    def calendar(self) -> WorkCalendar:
        """Working days, about which nobody decides otherwise until this transaction ends; read only by the few commands
        that count in them."""
        if self.connection.dialect.name == "postgresql":  # SQLite has one writer at a time
            self.connection.execute(_hold_days)
        return calendar_of(self.connection)

    def record(
        self,
        stream_name: str,
        kind: str,
        payload: Mapping[str, Any],
        texts: Mapping[str, str] | None = None,
        files: Sequence[File] = (),
    ) -> None:
        """Add an event; `texts` (free text by field) and files are kept apart and only their digests enter the chain.

        Words are kept as they can be seen (`rules.texts.as_seen`). Raises: Invalid for those that hold a number of a
        person (`rules.personal`), by the fields they were typed in.
        """
        named = {**(texts or {}), **{f.field: f.name for f in files}}
        seen = {k: as_seen(v) for k, v in named.items() if v}
        if faults := personal_faults(seen):
            raise Invalid(faults)
        draft = Draft(stream_name, kind, payload, seen, files)
        self._drafts.append((draft, self.desk))

    def read_locked(self, query: Select[Any], values: Mapping[str, Any]) -> Sequence[AnyRow]:
        """Lock streams and read what they guard in one statement: it selects `head_columns` FOR UPDATE OF stream,
        ordered by the streams' names.

        PostgreSQL reads the other tables as they were before it waited for the lock; then they are read again.
        """
        rows = prepared.rows(self.connection, query, values)
        if any(r.stream_seen != r.stream_seq for r in rows):
            rows = prepared.rows(self.connection, query, values)
        self._heads |= {r.stream_name: (r.stream_seq, r.stream_head) for r in rows}
        return rows

    def read(self, query: Select[Any], values: Mapping[str, Any]) -> Sequence[AnyRow]:
        """`prepared.rows` of this transaction, for what stands in the way of an act."""
        return prepared.rows(self.connection, query, values)

    def allocate(self, name: str, n: int = 1) -> range:
        """`n` identifiers of a projection, never given twice; what is rolled back was never given."""
        last = int(self.connection.execute(_next_id, {"name": name, "n": n}).scalar_one())
        return range(last - n + 1, last + 1)

    def flush(self) -> Sequence[Event]:
        """Chain what was recorded and send it with its projections and all that `writes` holds. Raises: Stale.

        Streams are locked in order of their names.
        """
        drafts, self._drafts = self._drafts, []
        events = self._chain(drafts) if drafts else []
        self.writes.send()
        return events

    def _chain(self, drafts: Sequence[tuple[Draft, Desk | None]]) -> Sequence[Event]:
        names, heads = sorted({d.stream for d, _ in drafts}), self._heads
        if unlocked := [n for n in names if n not in heads]:
            self.read_locked(_heads_by_name, {"names": unlocked})
        known = {n for n in names if n in heads}
        events, rows, contents, attachments = self._chained(drafts)
        self.writes.write(_insert_events, rows)
        self.writes.write(_insert_contents, contents)
        self.writes.write(_insert_attachments, attachments)
        self.writes.write(_new_heads, [_head(n, heads) for n in names if n not in known])
        self.writes.write(_move_heads, [_moved(n, heads) for n in names if n in known])
        project(self.writes, events)
        return events

    def _chained(
        self, drafts: Sequence[tuple[Draft, Desk | None]]
    ) -> tuple[list[Event], list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        """Events in their places, with the rows of `event`, `content` and `attachment` that keep them; heads move
        on."""
        events, rows, contents, attachments = [], [], [], []
        for d, desk in drafts:
            seq, prev = self._heads.get(d.stream, (0, GENESIS))
            seq += 1
            actor: dict[str, Any] = {"person": self.actor.person_id}
            if desk is not None:
                actor |= {"post": desk.post_id, "unit": desk.unit, "role": desk.role}
            digests = {}
            for name, words in d.texts.items():
                salt, digests[name] = salted(words)
                contents.append({"stream": d.stream, "seq": seq, "field": name, "salt": salt, "text": words})
            payload = {**d.payload, "texts": digests}
            if d.files:
                kept = [_kept(f, d.stream, seq) for f in d.files]
                payload["files"] = [said for said, _ in kept]
                attachments += [row for _, row in kept]
            stored = canonical(actor), canonical(payload)
            schema = SCHEMAS.get(d.kind, 1)
            hashed = chain_hash(prev, d.stream, seq, d.kind, schema, self.now, self.recorded_at, *stored)
            e = Event(d.stream, seq, d.kind, schema, self.now, self.recorded_at, actor, payload, prev, hashed)
            events.append(e)
            rows.append({**vars(e), "actor": stored[0], "payload": stored[1]})
            self._heads[d.stream] = (seq, hashed)
        return events, rows, contents, attachments


def _kept(file: File, stream_name: str, seq: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an event says of a file, and the row that keeps it."""
    salt, digest = salted(file.sha256)
    said = {"id": file.id, "size": file.size, "type": file.media_type, "digest": digest}
    row = {
        "id": file.id,
        "stream": stream_name,
        "seq": seq,
        "assignment_id": file.assignment_id,
        "size": file.size,
        "media_type": file.media_type,
        "salt": salt,
        "sha256": file.sha256,
    }
    return said, row


def _head(name: str, heads: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    return dict(zip(("name", "seq", "head"), (name, *heads[name]), strict=True))


def _moved(name: str, heads: Mapping[str, tuple[int, str]]) -> dict[str, Any]:
    return {f"b_{key}": value for key, value in _head(name, heads).items()}


class Database:
    """A database by its SQLAlchemy URL (`sqlite:///...` or `postgresql+psycopg://...`) and the clock that business
    follows. `connections`: how many threads will use it at once."""

    def __init__(self, url: str, clock: BusinessClock | None = None, *, connections: int = CONNECTIONS) -> None:
        self.url = url
        self.clock: BusinessClock = clock or MachineClock()
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.writer = _engine(url, "BEGIN IMMEDIATE", connections)
        self.reader = _engine(url, "BEGIN", connections) if self.is_sqlite else _snapshots(self.writer)

    @contextmanager
    def write(self, actor: Actor = SYSTEM) -> Iterator[Tx]:
        """One transaction; committed at the end, rolled back by any exception.

        Raises: CommitUnsure when the connection broke during the commit itself.
        """
        committing = False
        try:
            with self.writer.begin() as connection:
                tx = Tx(connection, self.clock, wall_now(), actor)
                yield tx
                tx.flush()
                committing = True
        except DBAPIError as error:
            if committing and error.connection_invalidated:
                raise CommitUnsure from error
            raise

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view that is never written to."""
        with self.reader.connect() as connection, connection.begin():
            yield connection

    def seen_now(self, connection: Connection) -> datetime:
        """The time to look at things by: where the machine's clock is in doubt, what its witness says."""
        try:
            return self.clock.now(connection)
        except ClockInDoubt as doubt:
            return doubt.sure

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


_overrides = select(day_override.c.day, day_override.c.working).order_by(day_override.c.day)
_calendars: dict[tuple[Any, ...], WorkCalendar] = {}


def calendar_of(connection: Connection) -> WorkCalendar:
    """The working calendar with the administrator's overrides."""
    rows = tuple(tuple(r) for r in prepared.rows(connection, _overrides, {}))
    if rows not in _calendars:
        _calendars[rows] = WorkCalendar(dict(rows))
    return _calendars[rows]


def _libpq(url: str) -> dict[str, Any]:
    """What the URL does not say itself: nobody waits for ever, neither for the server nor for a lock."""
    said = make_url(url).query
    patience = {"connect_timeout": CONNECT_SECONDS, "options": f"-c lock_timeout={BUSY_SECONDS}s"}
    return {name: value for name, value in patience.items() if name not in said}


def _snapshots(engine: Engine) -> Engine:
    """The same connections for reading: every statement of a transaction sees one state, as SQLite's readers do."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _engine(url: str, begin: str, connections: int) -> Engine:
    sqlite = url.startswith("sqlite")
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=connections,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=not sqlite,  # a connection from before a restart is replaced, not handed out
        connect_args={} if sqlite else _libpq(url),
    )
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
