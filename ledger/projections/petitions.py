"""What units apply for, and the posts that decide on it in turn."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.projections.registry import Payload, close_todo, insert_todo, instant, on
from ledger.schema import assignment, petition, step
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
    w.write(_insert_steps, [_step(e, p, n, s) for n, s in enumerate(p.get("steps", ()), start=1)])
    w.write(insert_todo, _todo(e, p))


_insert_steps = insert(step)


def _step(e: Event, p: Payload, n: int, s: Payload) -> dict[str, object]:
    """A step of a 节点计划; one that is done already keeps its words where they hang, and its report."""
    return {
        "id": s["id"],
        "petition_id": p["petition"],
        "assignment_id": p["assignment"],
        "n": n,
        "due_at": instant(s["due_at"]),
        "share": None if s["share"] is None else Decimal(s["share"]),
        "seq": s["seq"] or e.seq,
        "field": s["field"],
        "done_at": instant(s["done_at"]),
        "done_seq": s["done_seq"],
    }


def take_over_steps(w: Writer, e: Event, p: Payload) -> None:
    """A plan of steps that was confirmed for whom the share succeeds holds for it."""
    made = {"id": p["petition"], "assignment_id": p["assignment"], "kind": "steps", "state": "granted"}
    unasked = {"chain": "[]", "turn": 1, "due_at": None, "asked_due": None, "asked_unit": None}
    w.write(_insert, {**made, **unasked, "applied_at": e.at, "settled_at": e.at})
    w.write(_insert_steps, [_step(e, p, n, s) for n, s in enumerate(p["steps"], start=1)])
    w.guard(_steps_hold, {"b_id": p["assignment"], "b_petition": p["petition"]})


_steps_hold = (
    update(assignment).where(assignment.c.id == bindparam("b_id")).values(steps_in_force=bindparam("b_petition"))
)
_put_in_force = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"))
    .values(overlay=None, steps_in_force=bindparam("b_petition"), touched_at=bindparam("b_at"))
)


@on("assignment.steps_confirmed")
def _steps_confirmed(w: Writer, e: Event, p: Payload) -> None:
    settle(w, [(e, p["settles"])])
    w.guard(_put_in_force, {"b_id": p["assignment"], "b_petition": p["petition"], "b_at": e.at})


_move_step = update(step).where(step.c.id == bindparam("b_step")).values(due_at=bindparam("b_due"))


def move_steps(w: Writer, moved: Sequence[Sequence[Any]]) -> None:
    """Steps (id, due instant) get other dates with their share."""
    w.guard(_move_step, [{"b_step": i, "b_due": instant(due_at)} for i, due_at in moved])


_do_step = (
    update(step)
    .where(step.c.id == bindparam("b_step"), step.c.done_at.is_(None))
    .values(done_at=bindparam("b_at"), done_seq=bindparam("b_seq"))
)
_touch = update(assignment).where(assignment.c.id == bindparam("b_id")).values(touched_at=bindparam("b_at"))


@on("assignment.step_done")
def _step_done(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_do_step, {"b_step": p["step"], "b_at": e.at, "b_seq": e.seq})
    w.write(_touch, {"b_id": p["assignment"], "b_at": e.at})


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
