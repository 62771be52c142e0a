"""How many tries there are in a stretch of time, and until when there are none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Limit:
    """So many tries in so many minutes; the last of them closes the door for as many minutes."""

    tries: int
    minutes: int

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Bucket:
    """Tries since a moment. `until` is set by the last one that there was."""

    n: int
    since: datetime
    until: datetime | None = None

    def refuses(self, limit: Limit, now: datetime) -> bool:
        """Whether there is no try left. `now` may lie before what another process has just written; a clock that was
        set back keeps nobody out for longer than two windows."""
        return self.until is not None and now < self.until <= now + 2 * limit.window


def spend(bucket: Bucket | None, limit: Limit, now: datetime) -> Bucket:
    """One try more, for a bucket that does not refuse it.

    The last try closes the door before it is known how it ends: of many at once, no more than the limit get through.
    A try that turns out well empties the bucket (or is given back, see `refund`).
    """
    is_over = bucket is None or bucket.until is not None or not abs(now - bucket.since) < limit.window
    n, since = (1, now) if bucket is None or is_over else (bucket.n + 1, bucket.since)
    return Bucket(n, since, now + limit.window if n >= limit.tries else None)


def refund(bucket: Bucket) -> Bucket:
    """The bucket without one try that turned out well."""
    return Bucket(max(0, bucket.n - 1), bucket.since)
