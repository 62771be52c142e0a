"""A migrated database on the stored clock; with the plan started, on request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from tests.conftest import Moulds
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
