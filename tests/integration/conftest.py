"""A migrated database on the stored clock; with the plan started, on request.

Both are made once and copied for each test, which takes a tenth of the time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL, make_url

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from tests.conftest import libpq
from webapp.demo import campaign
from webapp.demo.office import Office


def _migrated(url: str) -> int:
    upgrade(url)
    return 0


def _started(url: str) -> int:
    upgrade(url)
    db = Database(url, StoredClock())
    run_id = campaign.begin(db)
    db.close()
    return run_id


class Moulds:
    """Databases to copy, by the function that made them; what it returned goes with each copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, str], tuple[URL, int]] = {}

    def pour(self, make: Callable[[str], int], into: str) -> int:
        """Put a copy in the place of the database at a URL."""
        target = make_url(into)
        mould, result = self._mould(make, target)
        if target.get_backend_name() == "sqlite":
            shutil.copy(str(mould.database), str(target.database))
        else:
            _execute(target, f"DROP DATABASE IF EXISTS {target.database} WITH (FORCE)")
            _execute(target, f"CREATE DATABASE {target.database} TEMPLATE {mould.database}")
        return result

    def _mould(self, make: Callable[[str], int], target: URL) -> tuple[URL, int]:
        key = (target.get_backend_name(), make.__name__)
        if key not in self._made:
            url = target.set(database=str(self._folder / f"{make.__name__}.sqlite3"))
            if key[0] == "postgresql":
                url = target.set(database=f"{target.database}{make.__name__}")
                _execute(url, f"CREATE DATABASE {url.database} TEMPLATE template0 ENCODING 'UTF8'")
            self._made[key] = url, make(url.render_as_string(hide_password=False))
        return self._made[key]

    def close(self) -> None:
        for url, _ in self._made.values():
            if url.get_backend_name() == "postgresql":
                _execute(url, f"DROP DATABASE {url.database} WITH (FORCE)")


def _execute(url: URL, sql: str) -> None:
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as session:
        session.execute(sql)


@pytest.fixture(scope="session")
def moulds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moulds]:
    made = Moulds(tmp_path_factory.mktemp("moulds"))
    yield made
    made.close()


@pytest.fixture
def migrated(db_url: str, moulds: Moulds) -> Iterator[Database]:
    """An empty, migrated database: once on SQLite, once on PostgreSQL."""
    moulds.pour(_migrated, db_url)
    made = Database(db_url, StoredClock())
    yield made
    made.close()


@pytest.fixture
def office(db_url: str, moulds: Moulds) -> Iterator[Office]:
    """百日攻坚, started on 2025-05-23 at 09:00 with people for every unit."""
    run_id = moulds.pour(_started, db_url)
    db = Database(db_url, StoredClock())
    yield Office(db, run_id)
    db.close()
