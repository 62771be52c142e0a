"""The two clocks, and the only place that asks the machine for the time.

`business_now` drives every rule: the machine's time, or in demo mode a database row that only moves forward.
`wall_now` is for leases, backoff, sessions and Date headers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import Connection, insert, select, update

from ledger.schema import clock


def wall_now() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


class BusinessClock(Protocol):
    """Read once in every transaction."""

    def now(self, connection: Connection) -> datetime: ...


class MachineClock:
    """Business time is the machine's time."""

    def now(self, connection: Connection) -> datetime:
        return wall_now()


class StoredClock:
    """Business time is a row: the page sets `target`, only the scheduler moves `now` towards it."""

    def now(self, connection: Connection) -> datetime:
        row = connection.execute(select(clock.c.now).where(clock.c.id == 1)).one_or_none()
        if row is None:
            raise RuntimeError("演示时钟尚未设定：请先运行 duban demo")
        return row.now  # type: ignore[no-any-return]


def set_clock(connection: Connection, now: datetime) -> None:
    """Start the stored clock. Raises ValueError when it would go back."""
    row = connection.execute(select(clock.c.now).where(clock.c.id == 1)).one_or_none()
    if row is None:
        connection.execute(insert(clock).values(id=1, now=now, target=now))
    elif now < row.now:
        raise ValueError(f"the clock only moves forward: {now} < {row.now}")
    else:
        connection.execute(update(clock).where(clock.c.id == 1).values(now=now))


def set_target(connection: Connection, target: datetime) -> None:
    """Ask the scheduler to move the stored clock; an earlier target than the present one is left alone."""
    connection.execute(update(clock).where(clock.c.id == 1, clock.c.target < target).values(target=target))


def target_of(connection: Connection) -> tuple[datetime, datetime] | None:
    """(now, target) of the stored clock, or None where there is none."""
    row = connection.execute(select(clock.c.now, clock.c.target).where(clock.c.id == 1)).one_or_none()
    return None if row is None else (row.now, row.target)
