"""What units apply for, and the posts that decide on it in turn."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.projections.registry import Payload, close_todo, insert_todo, instant, on
from ledger.schema import assignment, petition
from ledger.writing import Writer

_insert = insert(petition)
_lay_over = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"), assignment.c.overlay.is_(None), assignment.c.closed_at.is_(None))
    .values(overlay=bindparam("b_overlay"), touched_at=bindparam("b_at"))
)
_lift = (
    update(assignment).where(assignment.c.id == bindparam("b_id")).values(overlay=None, touched_at=bindparam("b_at"))
)
_settle = (
    update(petition)
    .where(petition.c.id == bindparam("b_id"), petition.c.state == "open")
    .values(state=bindparam("b_state"), settled_at=bindparam("b_at"))
)
_pass_on = (
    update(petition)
    .where(petition.c.id == bindparam("b_id"), petition.c.state == "open", petition.c.turn == bindparam("b_turn") - 1)
    .values(turn=bindparam("b_turn"), due_at=bindparam("b_due"))
)


@on("petition.made")
def _made(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_lay_over, {"b_id": p["assignment"], "b_overlay": p["overlay"], "b_at": e.at})
    w.write(
        _insert,
        {
            "id": p["petition"],
            "assignment_id": p["assignment"],
            "kind": p["petition_kind"],
            "state": "open",
            "chain": p["chain"],
            "turn": p["turn"],
            "applied_at": e.at,
            "due_at": instant(p["due_at"]),
            "asked_due": instant(p["asked_due"]),
            "asked_unit": p["asked_unit"],
        },
    )
    w.write(insert_todo, _todo(e, p))


@on("petition.passed")
def _passed(w: Writer, e: Event, p: Payload) -> None:
    """One has agreed, the next one decides."""
    w.guard(close_todo, _closing(e, p, p["turn"] - 1))
    w.guard(_pass_on, {"b_id": p["petition"], "b_turn": p["turn"], "b_due": instant(p["due_at"])})
    w.write(insert_todo, _todo(e, p))


@on("petition.settled")
def _settled(w: Writer, e: Event, p: Payload) -> None:
    """Declined or taken back: what lay over the share is lifted."""
    settle(w, [(e, p["settles"])])
    w.guard(_lift, {"b_id": p["assignment"], "b_at": e.at})


def settle(w: Writer, settled: Sequence[tuple[Event, Payload]]) -> None:
    """What became of petitions, as the `settles` of events say."""
    w.guard(close_todo, [_closing(e, s, s["turn"]) for e, s in settled])
    w.guard(_settle, [{"b_id": s["petition"], "b_state": s["outcome"], "b_at": e.at} for e, s in settled])


def _closing(e: Event, p: Payload, turn: int) -> dict[str, object]:
    return {
        "b_kind": "petition",
        "b_owner": p["petition"],
        "b_step": p["petition_kind"],
        "b_arm": turn,
        "b_at": e.at,
        "b_post": e.actor.get("post"),
    }


def _todo(e: Event, p: Payload) -> dict[str, object]:
    return {
        "owner_kind": "petition",
        "owner_id": p["petition"],
        "step": p["petition_kind"],
        "arm": p["turn"],
        "run_id": p["run"],
        "item_id": p["item"],
        "unit": p["to_unit"],
        "role": p["to_role"],
        "due_at": instant(p["due_at"]),
        "opened_at": e.at,
    }
