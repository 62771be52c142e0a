"""What a check is, what it looks at, and what it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable

from ledger.files import Store
from ledger.schema import AnyRow

AT_ONCE = 2000  # rows that are fetched together; no check holds a whole table


@dataclass(frozen=True)
class Finding:
    """One difference: a sentence that says what was changed, missing, reordered or cut off, and where.

    `where` is for programs: {"stream": "item:4", "seq": 7}, {"table": "todo", "row": "..."}.
    """

    check: str
    message: str
    where: Mapping[str, Any]


@dataclass
class Scene:
    """One consistent view, and what the checks count in it.

    `heads` are seals that were kept outside of the database: (ordinal, hash); `store` is where the files of events
    should be (None: not looked at). `progress` is called with the number of
    rows a long check has gone through.
    """

    connection: Connection
    heads: Iterable[tuple[int, str]] = ()
    store: Store | None = None
    progress: Callable[[int], None] = lambda _: None
    counts: Counter[str] = field(default_factory=Counter)

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Iterator[AnyRow]:
        """The rows of a statement, a portion at a time, counted for the progress."""
        found = self.connection.execute(statement, values or {}, execution_options={"yield_per": AT_ONCE})
        for n, row in enumerate(found, start=1):
            if n % AT_ONCE == 0:
                self.progress(n)
            yield row


@dataclass(frozen=True)
class Check:
    """A named check. `label` is what people read, `run` finds the differences."""

    key: str
    label: str
    find: Callable[[Scene], Iterator[tuple[str, Mapping[str, Any]]]]

    def run(self, scene: Scene) -> Iterator[Finding]:
        try:
            for message, where in self.find(scene):
                yield Finding(self.key, message, where)
        except (ValueError, KeyError, TypeError) as error:  # what was written over a row may be anything
            yield Finding(self.key, f"“{self.label}”不能核对到底：{type(error).__name__} {error}", {"check": self.key})
