"""Shares as they are handed out, or down: a row and a todo for each; and as they end without a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.projections.petitions import settle
from ledger.projections.registry import Payload, insert_todo, instant, number
from ledger.projections.rounds import withdraw_reports
from ledger.schema import assignment
from ledger.writing import Writer

_insert = insert(assignment)


def insert_shares(w: Writer, e: Event, p: Payload) -> None:
    """The `assignments` of an event, due with it or each on its own day; parts of the share that it names, if any."""
    w.write(_insert, [_share(p, a) for a in p["assignments"]])
    w.write(insert_todo, [_todo(e, p, a) for a in p["assignments"]])


def _due(p: Payload, a: Payload) -> Any:
    return instant(a["due_at"] if "due_at" in a else p["due_at"])


def _share(p: Payload, a: Payload) -> dict[str, Any]:
    return {
        "id": a["id"],
        "item_id": p["item"],
        "run_id": p["run"],
        "unit": a["unit"],
        "role": a["role"],
        "ord": a["ord"],
        "quota": number(a["quota"]),
        "presumed": a["presumed"],
        "state": p["state"],
        "step": p["step"],
        "arm": 1,
        "version": 1,
        "due_at": _due(p, a),
        "returns": 0,
        "parent_id": p.get("parent"),
        "lifecycle": p.get("lifecycle"),
    }


def _todo(e: Event, p: Payload, a: Payload) -> dict[str, Any]:
    return {
        "owner_kind": "assignment",
        "owner_id": a["id"],
        "step": p["step"],
        "arm": 1,
        "run_id": p["run"],
        "item_id": p["item"],
        "unit": a["unit"],
        "role": p["role"],
        "due_at": _due(p, a),
        "opened_at": e.at,
    }


_withdraw = (
    update(assignment)
    .where(assignment.c.id == bindparam("b_id"), assignment.c.closed_at.is_(None))
    .values(
        state=bindparam("b_state"),
        step=None,
        overlay=None,
        closed_at=bindparam("b_at"),
        version=assignment.c.version + 1,
    )
)


def withdraw(w: Writer, left: Sequence[tuple[Event, Payload]], owed: Sequence[tuple[Event, int]], state: str) -> None:
    """Open shares end with what they belonged to, and with them their todos, what was applied for, reports owed."""
    closing = [
        {
            "b_kind": "assignment",
            "b_owner": p["id"],
            "b_step": p["step"],
            "b_arm": p["arm"],
            "b_at": e.at,
            "b_post": None,
        }
        for e, p in left
    ]
    withdraw_reports(w, owed, closing)
    w.guard(_withdraw, [{"b_id": p["id"], "b_state": state, "b_at": e.at} for e, p in left])
    settle(w, [(e, settled) for e, p in left if (settled := p.get("settles"))])
