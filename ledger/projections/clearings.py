"""Applications for 依规清除 and what became of them. The words themselves are no projection: `ledger.clearing`."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, update

from ledger.events import Event, canonical
from ledger.projections.registry import Payload, on
from ledger.schema import clearing
from ledger.writing import Writer

_insert = insert(clearing)


@on("clearing.applied")
def _applied(w: Writer, e: Event, p: Payload) -> None:
    w.write(
        _insert,
        {
            "id": p["clearing"],
            "kind": p["kind"],
            "stream": p["stream"],
            "seq": p["seq"],
            "fields": canonical(p["fields"]),
            "subject": p["subject"],
            "jurisdiction": p["jurisdiction"],
            "state": "waiting",
            "applied_at": e.at,
            "applied_by": e.actor["person"],
            "applied_post": e.actor["post"],
            "applied_seq": e.seq,
            "places": 0,
        },
    )


_decide = (
    update(clearing)
    .where(clearing.c.id == bindparam("b_id"), clearing.c.state == "waiting")
    .values(
        state=bindparam("b_state"),
        decided_at=bindparam("b_at"),
        decided_by=bindparam("b_person"),
        decided_post=bindparam("b_post"),
        decided_seq=bindparam("b_seq"),
        places=bindparam("b_places"),
    )
)


@on("clearing.confirmed", "clearing.declined")
def _decided(w: Writer, e: Event, p: Payload) -> None:
    values = {
        "b_id": p["clearing"],
        "b_state": "done" if e.kind == "clearing.confirmed" else "declined",
        "b_at": e.at,
        "b_person": e.actor["person"],
        "b_post": e.actor["post"],
        "b_seq": e.seq,
        "b_places": len(p.get("places", ())),
    }
    w.guard(_decide, values)


@on("clearing.reapplied")
def _reapplied(w: Writer, e: Event, p: Payload) -> None:
    """Words that a restore had brought back were taken out again; the application is not of this log."""
