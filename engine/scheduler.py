"""`duban scheduler`: the ticker. APScheduler only beats; what is due stands in the database.

Any number of these may run. A beat never overlaps itself, and a missed beat is made up by the next one.
"""

from __future__ import annotations

import logging
from datetime import UTC

from apscheduler.schedulers.blocking import BlockingScheduler

from engine.clockwork import follow_target
from engine.delivering import deliver
from engine.mail.smtp import Transport
from engine.ticking import tick
from ledger.database import Database

log = logging.getLogger(__name__)


def beat(db: Database, transport: Transport | None, base_url: str) -> None:
    """One beat: catch up with the clock, do what is due, send what is queued (it stays so without a mail server)."""
    try:
        if not follow_target(db):
            tick(db)
    except Exception:  # what is queued goes out whatever the tick met
        log.exception("the tick failed")
    if transport is not None:
        deliver(db, transport, base_url)


def run_scheduler(db: Database, transport: Transport | None, base_url: str, *, every_seconds: float = 5) -> None:
    """Beat until the process is told to stop."""
    scheduler = BlockingScheduler(timezone=UTC)
    scheduler.add_job(
        beat,
        "interval",
        seconds=every_seconds,
        args=(db, transport, base_url),
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
    )
    log.info("ticking every %s s", every_seconds)
    try:
        scheduler.start()
    except (KeyboardInterrupt, SystemExit):
        log.info("stopped")
