"""Sheets of the ledger that people ask for: asked by a page, written by a scheduler, kept for a day.

State without events, kept by the wall clock. What a sheet holds is decided when it is written, by what its person may
see then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ledger.clock import wall_now
from ledger.database import Database, Tx, calendar_of
from ledger.errors import NotFound, Refused
from ledger.files import Store
from ledger.people import SYSTEM, actor_of
from ledger.queries import columns
from ledger.queries.columns import Column
from ledger.queries.ledger import Filters, Line, every_line
from ledger.queries.overview import overview_of
from ledger.schema import AnyRow, export
from ledger.sheets import Head, Row, write_apart, write_sheet
from ledger.visibility import sight_of

MOST = 5  # sheets of one person that wait or are kept
KEPT = timedelta(days=1)
STALLED = timedelta(minutes=2)  # whoever wrote it is gone; another begins anew
STEP = 1000  # lines between two notes of how far it is
APART = 5000  # lines from which a second process is worth its start


@dataclass(frozen=True)
class Export:
    """A sheet as its person sees it."""

    id: int
    state: str
    n_total: int | None
    n_done: int
    asked_at: datetime
    asked: Mapping[str, Any]

    @property
    def percent(self) -> int:
        return 100 * self.n_done // self.n_total if self.n_total else 0


def ask(tx: Tx, person_id: int, asked: Filters) -> int:
    """A new sheet; returns its number. Raises: Refused when too many are kept."""
    kept = tx.connection.execute(select(export.c.id).where(export.c.person_id == person_id)).all()
    if len(kept) >= MOST:
        raise Refused(f"最近一天已经导出了 {MOST} 份，请先删除不用的，再导出新的。")
    (number,) = tx.allocate("export")
    values = {"id": number, "person_id": person_id, "asked": json.dumps(vars(asked), ensure_ascii=False)}
    tx.connection.execute(insert(export).values(**values, state="queued", n_done=0, asked_at=tx.recorded_at))
    return number


def of_person(connection: Connection, person_id: int) -> list[Export]:
    """Those of one person, the latest first."""
    rows = connection.execute(select(export).where(export.c.person_id == person_id).order_by(export.c.id.desc()))
    return [_made(r) for r in rows]


def own(connection: Connection, person_id: int, number: int) -> Export:
    """One's own. Raises: NotFound."""
    found = next((e for e in of_person(connection, person_id) if e.id == number), None)
    if found is None:
        raise NotFound("没有这份导出，可能已经过了保留的一天。")
    return found


def remove(db: Database, store: Store, person_id: int, number: int) -> None:
    """Throw one's own away. Raises: NotFound."""
    with db.write() as tx:
        own(tx.connection, person_id, number)
        tx.connection.execute(delete(export).where(export.c.id == number))
    path_of(store, number).unlink(missing_ok=True)


def path_of(store: Store, number: int) -> Path:
    """Where the file of a sheet is."""
    return store.folder / "exports" / f"{number}.xlsx"


# ---------------------------------------------------------------- writing
def write_next(db: Database, store: Store) -> bool:
    """Write the sheet that has waited longest, if there is one; returns whether there was."""
    found = _claim(db)
    if found is None:
        return False
    path = path_of(store, found.id)
    unfinished = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(db, unfinished, found)
        unfinished.replace(path)
        _note(db, found.id, state="done", finished_at=wall_now())
    except BaseException:
        _note(db, found.id, state="failed", finished_at=wall_now())
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    return True


def _claim(db: Database) -> AnyRow | None:
    """Take one that nobody writes, or whose writer has fallen silent."""
    now = wall_now()
    free = (export.c.state == "queued") | ((export.c.state == "writing") & (export.c.beat_at < now - STALLED))
    with db.read() as connection:
        if connection.execute(select(export.c.id).where(free).limit(1)).first() is None:
            return None
    with db.write() as tx:
        found = tx.connection.execute(
            select(export).where(free).order_by(export.c.id).limit(1).with_for_update(skip_locked=True)
        ).one_or_none()
        if found is not None:
            tx.connection.execute(
                update(export).where(export.c.id == found.id).values(state="writing", n_done=0, beat_at=now)
            )
    return found


def _write(db: Database, path: Path, found: AnyRow) -> None:
    asked = Filters(**json.loads(found.asked))
    with db.read() as connection:
        actor = actor_of(connection, found.person_id) or SYSTEM  # who has no account any more sees nothing
        sight, now, calendar = sight_of(connection, actor), db.seen_now(connection), calendar_of(connection)
        seen = overview_of(connection, sight, now, calendar)
        total, lines = every_line(seen, sight, asked, now, calendar)
        _note(db, found.id, n_total=total)
        several = asked.run is None and len(seen.runs) > 1
        chosen = columns.of_sheet(asked.columns, several_plans=several)
        rows = _rows(chosen, lines, lambda n: _note(db, found.id, n_done=n))
        write = write_sheet if total < APART else write_apart
        write(path, "督办台账", [Head(c.words, c.width) for c in chosen], rows)


def _rows(chosen: Sequence[Column], lines: Iterable[Line], note: Callable[[int], None]) -> Iterator[Row]:
    n = 0
    for n, line in enumerate(lines, start=1):
        yield [column.value(line) for column in chosen]
        if n % STEP == 0:
            note(n)
    note(n)


def _note(db: Database, number: int, **values: Any) -> None:
    with db.write() as tx:
        tx.connection.execute(update(export).where(export.c.id == number).values(beat_at=wall_now(), **values))


def forget(db: Database, store: Store, before: datetime) -> None:
    """Sheets asked for before a moment are thrown away, with files that nobody knows of any more."""
    with db.write() as tx:
        tx.connection.execute(delete(export).where(export.c.asked_at < before))
        kept = {f"{number}.xlsx" for number in tx.connection.execute(select(export.c.id)).scalars()}
    folder = store.folder / "exports"
    for path in folder.glob("*.xlsx") if folder.is_dir() else ():
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _made(row: AnyRow) -> Export:
    return Export(row.id, row.state, row.n_total, row.n_done, row.asked_at, json.loads(row.asked))
