"""Moving the demo's clock: due instant by due instant, so that every rule sees the time it was made for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, case, func, select, update

from engine.ticking import tick
from ledger.clock import target_of
from ledger.database import Database
from ledger.schema import clock, due


def next_due(connection: Connection, after: datetime) -> datetime | None:
    """The next moment at which anything happens by itself."""
    at: datetime | None = connection.execute(select(func.min(due.c.at)).where(due.c.at > after)).scalar_one_or_none()
    return at


def advance_to(db: Database, target: datetime) -> None:
    """Move the stored clock to `target`, stopping to tick at every due instant on the way; it never goes back."""
    tick(db)
    while True:
        with db.write() as tx:
            if tx.now >= target:
                return
            upcoming = next_due(tx.connection, tx.now)
            step = min(upcoming, target) if upcoming else target
            at_least = case((clock.c.target < step, step), else_=clock.c.target)
            # Another scheduler may have gone further since this transaction read the clock.
            forward = update(clock).where(clock.c.id == 1, clock.c.now < step)
            tx.connection.execute(forward.values(now=step, target=at_least))
        tick(db)


def follow_target(db: Database) -> bool:
    """Catch up with the target that the page has set, one due instant at a time; True while there is more to do."""
    with db.read() as connection:
        times = target_of(connection)
    if times is None or times[0] >= times[1]:
        return False
    advance_to(db, times[1])
    return True
