"""What kind of trouble the database is in, for those who have to tell a person or wait for it to pass.

An error that is none of these is a mistake of ours and stays what it is.
"""

from __future__ import annotations

import errno
import sqlite3
from enum import StrEnum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class Trouble(StrEnum):
    """AWAY: it does not answer. BUSY: it did not get round to it in time. FULL: it cannot write. In all three nothing
    was written. UNSURE: the connection broke while the commit was on its way."""

    AWAY = "away"
    BUSY = "busy"
    FULL = "full"
    UNSURE = "unsure"


class CommitUnsure(Exception):
    """The connection broke during the commit: everything was written, or nothing."""


# SQLSTATE classes and codes of PostgreSQL.
_STATES = {
    "53100": Trouble.FULL,  # disk full
    "58": Trouble.FULL,  # the system's own errors, of reading and writing above all
    "53": Trouble.BUSY,  # too many connections, out of memory
    "55P03": Trouble.BUSY,  # lock timeout
    "57014": Trouble.BUSY,  # statement timeout
    "40": Trouble.BUSY,  # a deadlock that several tries did not get past
    "08": Trouble.AWAY,
    "57P": Trouble.AWAY,  # shutting down, starting up
}
_SQLITE = {
    "SQLITE_BUSY": Trouble.BUSY,
    "SQLITE_LOCKED": Trouble.BUSY,
    "SQLITE_FULL": Trouble.FULL,
    "SQLITE_IOERR": Trouble.FULL,
    "SQLITE_READONLY": Trouble.FULL,
    "SQLITE_CANTOPEN": Trouble.AWAY,
}


def trouble_of(error: BaseException) -> Trouble | None:
    """The kind of trouble an exception tells of, or None where the database is not to blame."""
    match error:
        case CommitUnsure():
            return Trouble.UNSURE
        case PoolTimeout():
            return Trouble.BUSY
        case DBAPIError():
            return _of_driver(error)
        case OSError() if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return Trouble.FULL
    return None


def _of_driver(error: DBAPIError) -> Trouble | None:
    if isinstance(error.orig, sqlite3.Error):  # no name: Python itself cannot read a row, as one that is no UTF-8
        name = getattr(error.orig, "sqlite_errorname", "")
        return next((kind for start, kind in _SQLITE.items() if name.startswith(start)), None)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return next((kind for start, kind in _STATES.items() if state.startswith(start)), None)
    # psycopg has no state for a connection that was refused or broke off.
    return Trouble.AWAY if error.connection_invalidated or type(error.orig).__name__ == "OperationalError" else None
