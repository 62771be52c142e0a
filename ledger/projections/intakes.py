"""Cases: registered, then step by step to their end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, update

from ledger.events import Event, canonical
from ledger.projections.registry import Payload, close_todo, insert_todo, instant, on
from ledger.schema import intake
from ledger.writing import Writer

_insert = insert(intake)
_move = (
    update(intake)
    .where(
        intake.c.id == bindparam("b_id"),
        intake.c.step == bindparam("b_step"),
        intake.c.arm == bindparam("b_arm"),
    )
    .values(
        state=bindparam("b_state"),
        step=bindparam("b_to"),
        arm=bindparam("b_to_arm"),
        due_at=bindparam("b_due"),
        ended_at=bindparam("b_ended"),
    )
)
_propose = update(intake).where(intake.c.id == bindparam("b_id")).values(proposal=bindparam("b_proposal"))
_decide = update(intake).where(intake.c.id == bindparam("b_id")).values(outcome=bindparam("b_outcome"))


@on("intake.registered")
def _registered(w: Writer, e: Event, p: Payload) -> None:
    w.write(
        _insert,
        {
            "id": p["intake"],
            "item_id": p["item"],
            "run_id": p["run"],
            "register": p["register"],
            "kind": p["kind"],
            "no": p["no"],
            "linked": p["linked"],
            "facts": canonical(p["facts"]),
            "seq": e.seq,
            "state": p["state"],
            "step": p["to"],
            "arm": p["to_arm"],
            "due_at": instant(p["due_at"]),
            "outcome": p["outcome"],
            "registered_at": e.at,
        },
    )
    _open(w, e, p)


@on("intake.proposed", "intake.decided", "intake.carried", "intake.presented")
def _moved(w: Writer, e: Event, p: Payload) -> None:
    """One step done; where a post stood at it, its todo closes."""
    if p["stood"]:
        w.guard(close_todo, _closing(e, p))
    w.guard(_move, _moving(e, p))
    if "proposal" in p:
        w.write(_propose, {"b_id": p["intake"], "b_proposal": canonical(p["proposal"])})
    if "outcome" in p:
        w.write(_decide, {"b_id": p["intake"], "b_outcome": p["outcome"]})
    _open(w, e, p)


def _moving(e: Event, p: Payload) -> dict[str, Any]:
    return {
        "b_id": p["intake"],
        "b_step": p["step"],
        "b_arm": p["arm"],
        "b_state": p["state"],
        "b_to": p["to"],
        "b_to_arm": p["to_arm"],
        "b_due": instant(p["due_at"]),
        "b_ended": None if p["to"] else e.at,
    }


def _closing(e: Event, p: Payload) -> dict[str, Any]:
    return {
        "b_kind": "intake",
        "b_owner": p["intake"],
        "b_step": p["step"],
        "b_arm": p["arm"],
        "b_at": e.at,
        "b_post": e.actor.get("post"),
    }


def _open(w: Writer, e: Event, p: Payload) -> None:
    """The next todo; at a step where nobody stands (承办: the units work on the item) there is none."""
    if p["to_unit"] is None:
        return
    w.write(
        insert_todo,
        {
            "owner_kind": "intake",
            "owner_id": p["intake"],
            "step": p["to"],
            "arm": p["to_arm"],
            "run_id": p["run"],
            "item_id": p["item"],
            "unit": p["to_unit"],
            "role": p["to_role"],
            "due_at": instant(p["due_at"]),
            "opened_at": e.at,
        },
    )
