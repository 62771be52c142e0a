"""The two clocks, and the only place that asks the machine for the time.

`business_now` drives every rule: the machine's time, or in demo mode a database row that only moves forward.
`wall_now` is for leases, backoff, sessions and Date headers.

A machine's clock can be set, and what a wrong time has fired or stamped cannot be taken back. So business time has a
second witness: while a process lives, how much time has really passed; when it starts, the last moment of which a tick
was sure, which stands in the database. A time that its witness contradicts is refused.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, delete, insert, select, update

from ledger.calendar import SHANGHAI
from ledger.errors import DubanError
from ledger.schema import clock, heartbeat

LEAP = timedelta(hours=6)  # less than a time zone mistaken (8), more than a pause of a virtual machine for a backup
SURE, REFUSED = "clock", "refused"  # rows of `heartbeat`
DOWNTIME = timedelta(days=4)  # a long weekend without a scheduler; nothing tells a longer one from a leap


class ClockInDoubt(DubanError):
    """The machine's clock shows `shown`, its witness `sure`: nothing may be dated and nothing may fire."""

    def __init__(self, shown: datetime, sure: datetime) -> None:
        self.shown, self.sure = shown, sure
        super().__init__(
            f"服务器时钟有疑问（显示 {_printed(shown)}，应在 {_printed(sure)} 之后不久），为免记错时间，没有办理，"
            "填写的内容没有丢失。请管理员拨正时钟；若时钟是对的，请运行 duban scheduler --clock-is-right。"
        )


def _printed(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def wall_now() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Seconds that nobody can set; on Linux those count in which the machine slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class BusinessClock(Protocol):
    """Read once in every transaction; a tick begins by attesting what it has read."""

    def now(self, connection: Connection) -> datetime: ...

    def attest(self, connection: Connection, now: datetime) -> datetime:
        """The latest moment at which a tick has begun, of this one and all before."""


class MachineClock:
    """Business time is the machine's time, as long as a witness agrees."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None  # the last time that was given out, and when by `elapsed`

    def now(self, connection: Connection) -> datetime:
        """Raises: ClockInDoubt."""
        now, count = wall_now(), elapsed()
        counted = self._last and self._last[0] + timedelta(seconds=count - self._last[1])
        if counted is None or abs(now - counted) > LEAP:
            self._ask_the_database(connection, now, counted)
        self._last = now, count
        return now

    def attest(self, connection: Connection, now: datetime) -> datetime:
        """What begins now is sure. A moment before stays the latest where the clock was set back a little."""
        marks = marks_of(connection)
        if marks.refused is not None:
            _mark(connection, REFUSED, None)
        if marks.sure is not None and now <= marks.sure:
            return marks.sure
        _mark(connection, SURE, now)
        return now

    def _ask_the_database(self, connection: Connection, now: datetime, counted: datetime | None) -> None:
        """A process that has just begun believes a downtime; one that has counted otherwise, only what a scheduler has
        been told is right."""
        marks = marks_of(connection)
        if marks.sure is None:
            if counted is not None:
                raise ClockInDoubt(now, counted)
        elif not marks.believes(now, DOWNTIME if counted is None else LEAP):
            raise ClockInDoubt(now, counted or marks.sure)


@dataclass(frozen=True)
class Marks:
    """What ticks have left behind: the last moment that was sure, and a time that was refused since."""

    sure: datetime | None
    refused: datetime | None

    def believes(self, now: datetime, gap: timedelta) -> bool:
        """Whether a time may follow; what was refused stays refused when the process is started again."""
        if self.sure is None or abs(now - self.sure) <= LEAP:
            return True
        leapt = self.refused is not None and self.sure < self.refused <= now + LEAP
        return self.sure < now <= self.sure + gap and not leapt


class StoredClock:
    """Business time is a row: the page sets `target`, only the scheduler moves `now` towards it."""

    def now(self, connection: Connection) -> datetime:
        row = connection.execute(select(clock.c.now).where(clock.c.id == 1)).one_or_none()
        if row is None:
            raise RuntimeError("演示时钟尚未设定：请先运行 duban demo")
        return row.now  # type: ignore[no-any-return]

    def attest(self, connection: Connection, now: datetime) -> datetime:
        return now  # it only moves forward


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


# ---------------------------------------------------------------- what ticks leave behind
def marks_of(connection: Connection) -> Marks:
    at = {r.name: r.beat_at for r in connection.execute(select(heartbeat).where(heartbeat.c.name.in_((SURE, REFUSED))))}
    return Marks(at.get(SURE), at.get(REFUSED))


def mark_refused(connection: Connection, shown: datetime) -> None:
    """A tick has refused the time that the machine shows."""
    _mark(connection, REFUSED, shown)


def confirm_clock(connection: Connection) -> None:
    """Somebody has looked: the machine's clock is right, whatever was believed before."""
    _mark(connection, SURE, wall_now())
    _mark(connection, REFUSED, None)


def forget_clock(connection: Connection) -> None:
    """Nothing is known of the time between, as after a restore: the next tick believes the machine."""
    connection.execute(delete(heartbeat).where(heartbeat.c.name.in_((SURE, REFUSED))))


def _mark(connection: Connection, name: str, at: datetime | None) -> None:
    connection.execute(delete(heartbeat).where(heartbeat.c.name == name))
    if at is not None:
        connection.execute(insert(heartbeat).values(name=name, beat_at=at))
