"""`duban scheduler`: APScheduler beats; what is due stands in the database.

Any number of these may run. Ticking and sending are two jobs, each in a thread of its own: a mail server that stalls
holds up no round. A beat never overlaps itself, and a missed beat is made up by the next one.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event
from time import monotonic

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from engine.clearing import settle
from engine.clockwork import follow_target
from engine.delivering import deliver
from engine.mail.smtp import Transport
from engine.ticking import tick
from ledger import exports, logins, sent
from ledger.clock import ClockInDoubt, wall_now
from ledger.database import Database
from ledger.directory import adopt_directories
from ledger.exports import write_next
from ledger.files import Store
from ledger.following import follow
from ledger.trouble import trouble_of
from ledger.uploads import sweep

log = logging.getLogger(__name__)

OVER = timedelta(days=1)  # sessions, links and counted tries are kept this long after they are over
TIDY_SECONDS = 3600


class _Every(BaseTrigger):
    """Counts from when it is asked. APScheduler's own would list millions of missed runs after a leap of the clock."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return now + self.interval


def beat(db: Database) -> None:
    """Catch up with the clock, do what is due, and keep the lists up with it."""
    try:
        if not follow_target(db):
            tick(db)
    finally:
        with suppress(ClockInDoubt):  # which the tick has said
            follow(db)  # pages work out themselves what is not kept


def tidy(db: Database, store: Store, log_days: int, upload_days: int) -> None:
    """Forget lines of the log of log-ins that are older than they may be kept, what of the doors is long over, forms
    nobody sends again, and files that lay in a form for too long. Raises: ClockInDoubt, since a clock that has leapt a
    year would have everything forgotten."""
    with db.read() as connection:
        db.clock.now(connection)
    with db.write() as tx:
        sent.forget(tx.connection, tx.recorded_at - timedelta(days=sent.KEPT_DAYS))
        logins.forget(tx.connection, tx.recorded_at - timedelta(days=log_days), tx.recorded_at - OVER)
    sweep(db, store, wall_now() - timedelta(days=upload_days))
    exports.forget(db, store, wall_now() - exports.KEPT)
    settle(db, store)


def _adopt(db: Database) -> None:
    """What an early release left to the package, before anything is handed out."""
    with db.write() as tx:
        adopt_directories(tx)


def run_scheduler(
    db: Database,
    transport: Transport | None,
    base_url: str,
    store: Store,
    *,
    every_seconds: float = 5,
    log_days: int = 200,
    upload_days: int = 7,
) -> None:
    """Beat until the process is told to stop; without a mail server what is queued stays so."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    jobs: dict[str, Callable[[], object]] = {
        "tick": lambda: beat(db),
        "export": lambda: write_next(db, store),
        "tidy": _hourly(lambda: tidy(db, store, log_days, upload_days)),
    }
    if transport is not None:
        mail = transport
        jobs["mail"] = lambda: _send(db, mail, base_url, stop)
    _attempt("directories", lambda: _adopt(db))
    scheduler = BackgroundScheduler(timezone=UTC)
    for name, work in jobs.items():
        scheduler.add_job(
            _attempt,
            _Every(timedelta(seconds=every_seconds)),
            id=name,
            args=(name, work),
            next_run_time=wall_now(),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    log.info("ticking every %s s", every_seconds)
    while not stop.wait(every_seconds):
        _follow_clock(scheduler)
    scheduler.shutdown()
    log.info("stopped")


def _hourly(work: Callable[[], object]) -> Callable[[], None]:
    """Does it at the first beat and then once an hour, whatever the machine's clock is set to."""
    done_at: float | None = None

    def turn() -> None:
        nonlocal done_at
        if done_at is None or monotonic() - done_at >= TIDY_SECONDS:
            done_at = monotonic()
            work()

    return turn


def _attempt(name: str, work: Callable[[], object]) -> None:
    """Whatever goes wrong is logged, and the next turn comes."""
    own = logging.getLogger(f"{__name__}.{name}")
    try:
        work()
    except Exception as error:
        if isinstance(error, ClockInDoubt):
            own.error("not done: the clock is in doubt")
        elif trouble_of(error):  # a line each turn; a traceback would tell nobody more
            own.error("the database is in trouble", extra={"refused": trouble_of(error)})
        else:
            own.exception("failed")


def _send(db: Database, transport: Transport, base_url: str, stop: Event) -> None:
    sent = deliver(db, transport, base_url, stop.is_set)
    if sent:
        log.info("mail", extra={"sent": sent})


def _follow_clock(scheduler: BackgroundScheduler) -> None:
    """APScheduler's timetable is one of wall time: where a run lies further ahead than its interval, the machine's
    clock was set back, and nothing would happen until it has caught up."""
    now = wall_now()
    for job in scheduler.get_jobs():
        if job.next_run_time - now > 2 * job.trigger.interval:
            job.modify(next_run_time=now)
