"""Forms that were handed in: the same form a second time is a lost answer, not a second act.

State without events, kept by the wall clock. A todo needs none of this, since it can be done once; 填报 and 催办 can
be repeated, and the ledger cannot tell a repetition from a second click.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select, text

from ledger.database import Tx
from ledger.errors import AlreadySent
from ledger.schema import Instant, sent_form

KEPT_DAYS = 7

_insert = text(
    "INSERT INTO sent_form (person_id, mark, sent_at) VALUES (:person, :mark, :at) ON CONFLICT DO NOTHING"
).bindparams(bindparam("at", type_=Instant))


def once(tx: Tx, mark: str) -> None:
    """Take note that this person hands in the form of this mark. Raises: AlreadySent; who comes while the first is
    still under way waits for it."""
    values = {"person": tx.actor.person_id, "mark": mark, "at": tx.recorded_at}
    if not tx.connection.execute(_insert, values).rowcount:
        raise AlreadySent


def was_sent(connection: Connection, person_id: int, mark: str) -> bool:
    """Whether this person has handed in the form of this mark."""
    found = select(sent_form.c.sent_at).where(sent_form.c.person_id == person_id, sent_form.c.mark == mark)
    return connection.execute(found).first() is not None


def forget(connection: Connection, before: datetime) -> None:
    """Nobody sends a form again after so long."""
    connection.execute(delete(sent_form).where(sent_form.c.sent_at < before))
