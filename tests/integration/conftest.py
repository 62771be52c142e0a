"""A migrated database on the stored clock; with the plan started, on request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from webapp.demo import campaign
from webapp.demo.office import Office


@pytest.fixture
def migrated(db_url: str) -> Iterator[Database]:
    """An empty, migrated database: once on SQLite, once on PostgreSQL."""
    upgrade(db_url)
    made = Database(db_url, StoredClock())
    yield made
    made.close()


@pytest.fixture
def office(migrated: Database) -> Office:
    """百日攻坚, started on 2025-05-23 at 09:00 with people for every unit."""
    return Office(migrated, campaign.begin(migrated))
