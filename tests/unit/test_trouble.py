"""What an error of the database means, told from the driver's own errors."""

from __future__ import annotations

import errno
import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.trouble import CommitUnsure, Trouble, trouble_of


def sqlite(name: str) -> DBAPIError:
    error = sqlite3.OperationalError("said")
    error.sqlite_errorname = name
    return OperationalError(None, None, error)


def postgres(state: str) -> DBAPIError:
    return OperationalError(None, None, psycopg.errors.lookup(state)("said"))


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (sqlite("SQLITE_BUSY"), Trouble.BUSY),
        (sqlite("SQLITE_BUSY_SNAPSHOT"), Trouble.BUSY),
        (sqlite("SQLITE_FULL"), Trouble.FULL),
        (sqlite("SQLITE_IOERR_WRITE"), Trouble.FULL),
        (sqlite("SQLITE_CANTOPEN"), Trouble.AWAY),
        (sqlite("SQLITE_ERROR"), None),
        (OperationalError(None, None, sqlite3.OperationalError("Could not decode to UTF-8")), None),
        (postgres("53100"), Trouble.FULL),
        (postgres("53300"), Trouble.BUSY),
        (postgres("55P03"), Trouble.BUSY),
        (postgres("57P01"), Trouble.AWAY),
        (postgres("57P03"), Trouble.AWAY),
        (postgres("40P01"), Trouble.BUSY),
        (postgres("42P01"), None),
        (OperationalError(None, None, psycopg.OperationalError("connection refused")), Trouble.AWAY),
        (IntegrityError(None, None, psycopg.errors.UniqueViolation("twice")), None),
        (PoolTimeout("no connection left"), Trouble.BUSY),
        (CommitUnsure(), Trouble.UNSURE),
        (OSError(errno.ENOSPC, "no space left"), Trouble.FULL),
        (FileNotFoundError(errno.ENOENT, "no such file"), None),
        (ValueError("ours"), None),
    ],
    ids=repr,
)
def test_trouble_of_an_error(error: BaseException, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble
