"""Handing in files: what waits in a person's form becomes part of an event, in the event's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from ledger.database import Tx
from ledger.errors import Invalid
from ledger.events import File
from ledger.schema import upload

MOST = 50  # files of one event

_waiting = (
    select(upload)
    .where(upload.c.person_id == bindparam("b_person"), upload.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(upload.c.id)
    .with_for_update()
)
_handed_in = delete(upload).where(upload.c.id == bindparam("b_id"))


def handed_in(tx: Tx, assignment_id: int, uploads: Sequence[int]) -> list[File]:
    """The actor's waiting files as files of a share's event; they wait no longer. No file costs nothing.

    Raises: Invalid for one that has not arrived whole, or was handed in or removed already.
    """
    if not uploads:
        return []
    wanted = sorted(set(uploads))
    if len(wanted) > MOST:
        raise Invalid({"files": f"一次最多附 {MOST} 个文件，请分几次填报。"})
    rows = tx.read(_waiting, {"b_person": tx.actor.person_id, "b_ids": wanted})
    if len(rows) != len(wanted):
        raise Invalid({"files": "有附件已经提交或移除，下面是现有的附件，请核对后再提交。"})
    if partial := [r.name for r in rows if not r.stored]:
        names = "、".join(f"“{name}”" for name in partial)
        raise Invalid({"files": f"{names}没有传完。请重新选择同一个文件接着传，或者移除它，再提交。"})
    tx.writes.guard(_handed_in, [{"b_id": r.id} for r in rows])
    return [File(r.id, assignment_id, r.name, r.size, r.media_type, r.sha256) for r in rows]
