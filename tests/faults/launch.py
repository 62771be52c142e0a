"""`duban` with leases and waits of seconds: a test cannot sit out a quarter of an hour. Everything else is as shipped.

`DUBAN_TEST_FAULTS_CLOCK` names a file with seconds by which this process's machine clock is off; it may change while
the process runs; `DUBAN_TEST_FAULTS_BUSY` is how many seconds it waits for a lock of the database.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from engine import delivering
from engine.mail.smtp import Transport
from ledger import clock, database
from webapp import cli

LEASE_SECONDS = 3
MAIL_SECONDS = 2.0
BACKOFF_SECONDS = (1, 2)


class _SetClock(datetime):
    """The machine's clock as somebody has set it."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        off = float(Path(os.environ["DUBAN_TEST_FAULTS_CLOCK"]).read_text() or 0)
        return datetime.now(tz) + timedelta(seconds=off)


def _impatient(transport: Transport | None) -> Transport | None:
    return replace(transport, timeout=MAIL_SECONDS) if transport else None


if __name__ == "__main__":
    delivering.LEASE = timedelta(seconds=LEASE_SECONDS)
    delivering.BACKOFF = BACKOFF_SECONDS  # type: ignore[assignment]
    transport_of = cli.transport_of
    cli.transport_of = lambda settings: _impatient(transport_of(settings))
    if "DUBAN_TEST_FAULTS_BUSY" in os.environ:
        database.BUSY_SECONDS = int(os.environ["DUBAN_TEST_FAULTS_BUSY"])
    if "DUBAN_TEST_FAULTS_CLOCK" in os.environ:
        clock.__dict__["datetime"] = _SetClock
    sys.argv[0] = "duban"
    cli.main()
