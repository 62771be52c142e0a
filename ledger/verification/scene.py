"""What a check is, what it looks at, and what it finds."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Executable, Result, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import visitors

from ledger.calendar import WorkCalendar
from ledger.clock import BusinessClock, ClockInDoubt, MachineClock
from ledger.files import Store
from ledger.queries.days import history
from ledger.schema import AnyRow
from ledger.sealing import Head
from ledger.trouble import trouble_of

AT_ONCE = 2000  # rows that are fetched together; no check holds a whole table
BROKEN = "broken"  # the rule of every check: it can be gone through to its end

# What a check yields: the name of its rule, the sentence, where it is.
Found = Iterator[tuple[str, str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Finding:
    """One difference: a sentence that says what was changed, missing, reordered or cut off, and where.

    `where` is for programs: {"stream": "item:4", "seq": 7}, {"table": "todo", "row": "..."}.
    """

    check: str
    rule: str
    message: str
    where: Mapping[str, Any]


@dataclass
class Scene:
    """One consistent view, and what the checks count in it.

    `heads` are seals that were kept outside of the database: (ordinal, hash); `store` is where the files of events
    should be (None: not looked at). `progress` is called with the number of rows a long check has gone through; `head`
    is the last seal that was seen.
    """

    connection: Connection
    heads: Iterable[tuple[int, str]] = ()
    store: Store | None = None
    progress: Callable[[int], None] = lambda _: None
    clock: BusinessClock = field(default_factory=MachineClock)
    counts: Counter[str] = field(default_factory=Counter)
    head: Head | None = None
    _reading: tuple[Executable | None, AnyRow | None] = (None, None)
    _streams: set[Result[Any]] = field(default_factory=set)  # not read to their ends

    @cached_property
    def now(self) -> datetime:
        """The time to look at things by: where the machine's clock is in doubt, what its witness says."""
        try:
            return self.clock.now(self.connection)
        except ClockInDoubt as doubt:
            return doubt.sure

    @property
    def calendar(self) -> WorkCalendar:
        """The present one, as the log has it."""
        return self.calendars[-1][1]

    @cached_property
    def calendars(self) -> Sequence[tuple[datetime, WorkCalendar]]:
        """The working calendars one after another, as the log has them, each with the instant of its decision."""
        return history(self.connection)

    def calendars_since(self, at: datetime) -> list[WorkCalendar]:
        """The calendars that were in force at an instant or have been since; the present one is the last."""
        later = [since for since, _ in self.calendars[1:]]
        return [calendar for _, calendar in self.calendars[bisect_left(later, at) :]]

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Iterator[AnyRow]:
        """The rows of a statement, a portion at a time, counted for the progress."""
        self._reading = (statement, None)
        found = self.connection.execute(statement, values or {}, execution_options={"yield_per": AT_ONCE})
        self._streams.add(found)
        for n, row in enumerate(found, start=1):
            if n % AT_ONCE == 0:
                self.progress(n)
            self._reading = (statement, row)
            yield row
        self._streams.discard(found)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A savepoint: what fails in it leaves the view as it was. Read only, so nothing in it is kept."""
        self._reading = (None, None)
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            while self._streams:
                self._streams.pop().close()
            if savepoint.is_active:
                savepoint.rollback()

    def place(self) -> str:
        """What was read last: tables, and the key of the row."""
        statement, row = self._reading
        if statement is None:
            return ""
        tables = {t.name for t in visitors.iterate(statement) if isinstance(t, Table)}  # type: ignore[arg-type]
        words = f"读到表 {'、'.join(sorted(tables))}"
        if row is None:
            return f"{words}的开头时，"
        key = [f"{name}={row._mapping[name]}" for name in row._fields if name in _KEYS]
        return f"{words}（{'，'.join(key)}）时，"


_KEYS = ("stream", "seq", "id", "name", "ordinal", "owner_kind", "owner_id", "kind")


@contextmanager
def legible(connection: Connection) -> Iterator[None]:
    """Bytes that are no UTF-8 are read with marks in their place, so that the row that holds them is found as changed;
    SQLite keeps whatever was written over a text."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    before, raw.text_factory = raw.text_factory, lambda written: written.decode(errors="replace")
    try:
        yield
    finally:
        raw.text_factory = before


@dataclass(frozen=True)
class Check:
    """A named check. `label` is what people read, `find` finds what breaks one of the `rules`."""

    key: str
    label: str
    find: Callable[[Scene], Found]
    rules: tuple[str, ...]

    def run(self, scene: Scene) -> Iterator[Finding]:
        """The findings. A row that was overwritten with anything at all ends the check with one that says so; only a
        database that is away, busy or unreadable is nothing to be found. Raises: DBAPIError."""
        try:
            with scene.apart():
                for rule, message, where in self.find(scene):
                    assert rule in self.rules, rule
                    yield Finding(self.key, rule, message, where)
        except Exception as error:
            if trouble_of(error) is not None:
                raise
            said = f"“{self.label}”没有核对到底：{scene.place()}{_reason(error)}（内容被改动，或表被删改）"
            yield Finding(self.key, BROKEN, said, {"check": self.key})


def _reason(error: Exception) -> str:
    """The first line of what went wrong, without the statement that met it."""
    words = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
    return f"{type(error).__name__} {words}"
