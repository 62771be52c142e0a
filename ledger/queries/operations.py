"""How the machinery stands: what has passed and was not done, what waits to be sent, when a scheduler last ticked.

One statement, counting only rows that are few where all is well: every page asks, and so does whoever watches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, ScalarSelect, bindparam, func, select

from ledger import prepared
from ledger.clock import REFUSED
from ledger.schema import advance, due, heartbeat, message


@dataclass(frozen=True)
class Standing:
    """At `now` of the business clock. Nothing of it names a person."""

    now: datetime
    ticked_at: datetime | None  # by the machine's clock
    refused_at: datetime | None  # what the machine's clock shows, while schedulers do not believe it
    due_first: datetime | None  # the oldest due row that has passed
    due_passed: int
    advances: int  # closed items whose run has not been advanced yet
    queued: int
    sending: int
    dead: int
    mail_first: datetime | None  # when the oldest mail that has not gone out was written

    @property
    def lag(self) -> timedelta:
        """How late the oldest due row is."""
        return max(self.now - self.due_first, timedelta()) if self.due_first else timedelta()

    @property
    def mail_age(self) -> timedelta:
        """How long the oldest mail has been waiting."""
        return max(self.now - self.mail_first, timedelta()) if self.mail_first else timedelta()


def _beat(name: str) -> ScalarSelect[datetime]:
    return select(heartbeat.c.beat_at).where(heartbeat.c.name == name).scalar_subquery()


def _mails(which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(message).where(which).scalar_subquery()


_passed = due.c.at <= bindparam("now", type_=due.c.at.type)
_standing = select(
    _beat("tick").label("ticked_at"),
    _beat(REFUSED).label("refused_at"),
    select(func.min(due.c.at)).where(_passed).scalar_subquery().label("due_first"),
    select(func.count()).select_from(due).where(_passed).scalar_subquery().label("due_passed"),
    select(func.count()).select_from(advance).scalar_subquery().label("advances"),
    _mails(message.c.state == "queued").label("queued"),
    _mails(message.c.state == "sending").label("sending"),
    _mails(message.c.state == "dead").label("dead"),
    select(func.min(message.c.at))
    .where(message.c.state.in_(("queued", "sending")))
    .scalar_subquery()
    .label("mail_first"),
)


def standing(connection: Connection, now: datetime) -> Standing:
    (found,) = prepared.rows(connection, _standing, {"now": now})
    return Standing(now=now, **found._asdict())
