"""导出 of everything at 100,000 items, beside the bare sheet.

The bare sheet, which no export can go below: the same number of rows, read a thousand at a time by primary key and
written with the same writer as many cells wide. It judges no light and asks nobody who they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import openpyxl
from sqlalchemy import bindparam, func, select

from ledger import exports
from ledger.database import Database, calendar_of
from ledger.directory import register_person, take_post
from ledger.files import Store
from ledger.people import actor_of
from ledger.queries.columns import of_sheet
from ledger.queries.ledger import Filters, ledger_page
from ledger.queries.overview import overview_of
from ledger.schema import item, unit
from ledger.sheets import Head, Row, Value, write_sheet
from ledger.visibility import sight_of
from tests.bench.measuring import percentile, seconds_of

AT_ONCE = 1000
PAGE = 100  # lines of the page that is compared with the sheet
LIMIT = 20  # seconds, on a quiet machine of two cores
_NAMES = ("no", "title", "heading_name", "state", "due_at", "due_text", "n_done", "n_total", "opened_at", "closed_at")
_rows = select(*(item.c[name] for name in _NAMES)).where(item.c.id.in_(bindparam("ids", expanding=True)))


def measure_export(db: Database, suffix: str, n: int) -> str:
    """The line of an export of every item there is, with its seconds. Raises: RuntimeError when the sheet does not hold
    them all, or nobody could see how far it was."""
    person_id = _who_sees_everything(db)
    taken, floor = [], []
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for _ in range(n):
            floor.append(seconds_of(lambda: _bare_sheet(db, Path(folder) / "bare.xlsx")))
            with db.write() as tx:
                number = exports.ask(tx, person_id, Filters())
            with _Watch(db, person_id) as watch:
                taken.append(seconds_of(lambda: exports.write_next(db, store)))
            rows = _checked(db, exports.path_of(store, number), person_id, watch)
            exports.remove(db, store, person_id, number)
    p50, floor_p50 = percentile(taken, 50), percentile(floor, 50)
    return json.dumps(
        {
            "bench": f"export.{rows}.{suffix}",
            "n": n,
            "p50_ms": round(p50, 2),
            "p95_ms": round(percentile(taken, 95), 2),
            "floor_p50_ms": round(floor_p50, 2),
            "ratio": round(p50 / floor_p50, 2),
            "seconds": round(p50 / 1000, 1),
            "limit_seconds": LIMIT,
        }
    )


def _who_sees_everything(db: Database) -> int:
    """An account that inspects every jurisdiction."""
    with db.read() as connection:
        first = select(func.min(unit.c.key)).where(unit.c.kind == "organ").group_by(unit.c.jurisdiction)
        units = connection.execute(first).scalars().all()
    with db.write() as tx:
        person_id = register_person(tx, login="all", name="某某", email="all@huangshi.example", password_hash="-")
        for key in units:
            take_post(tx, person_id, key, "inspector")
    with db.read() as connection:
        assert actor_of(connection, person_id) is not None
    return person_id


def _checked(db: Database, path: Path, person_id: int, watch: _Watch) -> int:
    with db.read() as connection:
        items = connection.execute(select(func.count()).select_from(item)).scalar_one()
    book = openpyxl.load_workbook(path, read_only=True)
    found = book["台账"].iter_rows(min_row=2, values_only=True)
    first = list(islice(found, PAGE))
    rows = len(first) + sum(1 for _ in found)
    book.close()
    if rows != items:
        raise RuntimeError(f"{rows} rows of {items} items")
    if (page := _shown(db, person_id)) != first:
        raise RuntimeError(f"the page shows {page[0]}, the sheet {first[0]}")
    if len(watch.met) < 5:
        raise RuntimeError(f"progress was seen at {sorted(watch.met)} percent only")
    return rows


def _shown(db: Database, person_id: int) -> list[tuple[Any, ...]]:
    """The first page of the ledger, as a sheet holds its values."""
    with db.read() as connection:
        actor = actor_of(connection, person_id)
        assert actor is not None
        sight, now, calendar = sight_of(connection, actor), db.seen_now(connection), calendar_of(connection)
        seen = overview_of(connection, sight, now, calendar)
        lines = ledger_page(seen, sight, Filters(size=PAGE), now, calendar).lines
        chosen = of_sheet("", several_plans=len(seen.runs) > 1)
        return [tuple(_read_again(column.value(line)) for column in chosen) for line in lines]


def _read_again(value: Value) -> Any:
    return datetime.combine(value, time()) if isinstance(value, date) else value or None


def _bare_sheet(db: Database, path: Path) -> None:
    with db.read() as connection:
        write_sheet(path, "台账", [Head(name, 12) for name in _NAMES], _all_rows(connection))


def _all_rows(connection: Any) -> Iterator[Row]:
    ids = list(connection.execute(select(item.c.id)).scalars())
    for n in range(0, len(ids), AT_ONCE):
        for row in connection.execute(_rows, {"ids": ids[n : n + AT_ONCE]}):
            yield [str(value) for value in row]


class _Watch:
    """Somebody who looks at the page while the sheet is written: how far it was said to be."""

    def __init__(self, db: Database, person_id: int) -> None:
        self.db, self.person_id = db, person_id
        self.met: set[int] = set()
        self._over = Event()
        self._thread = Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(0.5):
            with self.db.read() as connection:
                self.met |= {e.percent for e in exports.of_person(connection, self.person_id)}

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        self._thread.join()
