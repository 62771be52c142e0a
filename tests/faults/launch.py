"""`duban` with leases and waits of seconds: a test cannot sit out a quarter of an hour. Everything else is as shipped.

`DUBAN_TEST_FAULTS_CLOCK` names a file with seconds by which this process's machine clock is off, and after them those
that have passed unseen; it may change while the process runs.
`DUBAN_TEST_FAULTS_BUSY` is how many seconds it waits for a lock of the database.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path

from engine import delivering
from engine.mail.smtp import Transport
from ledger import clock, database
from webapp import cli, settings

LEASE_SECONDS = 3
MAIL_SECONDS = 2.0
BACKOFF_SECONDS = (1, 2)


class _SetClock(datetime):
    """The machine's clock as somebody has set it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(seconds=sum(_seconds()))


def _seconds() -> tuple[float, float]:
    off, passed = [*map(float, Path(os.environ["DUBAN_TEST_FAULTS_CLOCK"]).read_text().split()), 0.0, 0.0][:2]
    return off, passed


def shift_clock() -> None:
    """From now on this process lives by the file."""
    count = clock.elapsed
    clock.__dict__["datetime"] = _SetClock
    clock.__dict__["elapsed"] = lambda: count() + _seconds()[1]


if __name__ == "__main__":
    delivering.LEASE = timedelta(seconds=LEASE_SECONDS)
    delivering.BACKOFF = BACKOFF_SECONDS  # type: ignore[assignment]
    settings.__dict__["Transport"] = partial(Transport, timeout=MAIL_SECONDS)
    if "DUBAN_TEST_FAULTS_BUSY" in os.environ:
        database.BUSY_SECONDS = int(os.environ["DUBAN_TEST_FAULTS_BUSY"])
    if "DUBAN_TEST_FAULTS_CLOCK" in os.environ:
        shift_clock()
    sys.argv[0] = "duban"
    cli.main()
