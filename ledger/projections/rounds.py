"""Rounds and the units' shares of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.prepared import Row
from ledger.projections.registry import (
    Payload,
    close_todo,
    day,
    insert_todo,
    instant,
    on,
)
from ledger.schema import round_, share, todo
from ledger.writing import Writer

_insert_round = insert(round_)
_insert_shares = insert(share)


@on("round.opened")
def _round_opened(w: Writer, e: Event, p: Payload) -> None:
    due_at = instant(p["due_at"])
    w.write(
        _insert_round,
        {
            "id": p["round"],
            "run_id": p["run"],
            "item_id": p["item"],
            "cadence": p["cadence"],
            "name": p["name"],
            "n": p["n"],
            "n_last": p["n_last"],
            "day": day(p["day"]),
            "opens_at": instant(p["opens_at"]),
            "due_at": due_at,
            "steps": p["steps"],
            "n_total": len(p["shares"]),
            "n_done": 0,
        },
    )
    w.write(
        _insert_shares,
        [
            {
                "id": s["id"],
                "round_id": p["round"],
                "run_id": p["run"],
                "unit": s["unit"],
                "assignment_id": s["assignment"],
                "state": "owed",
                "nothing_new": False,
            }
            for s in p["shares"]
        ],
    )
    w.write(
        insert_todo,
        [
            {
                "owner_kind": "share",
                "owner_id": s["id"],
                "step": "report",
                "arm": 1,
                "run_id": p["run"],
                "item_id": p["item"],
                "unit": s["unit"],
                "role": "liaison",
                "due_at": due_at,
                "opened_at": e.at,
            }
            for s in p["shares"]
        ],
    )


_report_share = (
    update(share)
    .where(share.c.id == bindparam("b_id"), share.c.state == "owed")
    .values(state="reported", reported_at=bindparam("b_at"), nothing_new=bindparam("b_nothing"))
)
_count_share = update(round_).where(round_.c.id == bindparam("b_id")).values(n_done=round_.c.n_done + 1)


@on("round.reported")
def _round_reported(w: Writer, e: Event, p: Payload) -> None:
    closing = {
        "b_kind": "share",
        "b_owner": p["share"],
        "b_step": "report",
        "b_arm": 1,
        "b_at": e.at,
        "b_post": e.actor.get("post"),
    }
    w.guard(close_todo, closing)
    w.guard(_report_share, {"b_id": p["share"], "b_at": e.at, "b_nothing": p["nothing_new"]})
    w.write(_count_share, {"b_id": p["round"]})


_miss_share = update(share).where(share.c.id == bindparam("b_id"), share.c.state == "owed").values(state="missed")
_close_round = (
    update(round_)
    .where(round_.c.id == bindparam("b_id"), round_.c.closed_at.is_(None))
    .values(closed_at=bindparam("b_at"))
)


@on("round.closed")
def _round_closed(w: Writer, e: Event, p: Payload) -> None:
    """A round that takes no more reports: what is still owed was missed (逾期未报)."""
    w.guard(_close_round, {"b_id": p["round"], "b_at": e.at})
    miss_reports(w, [(e, owed) for owed in p["missed"]])


def miss_reports(w: Writer, missed: Sequence[tuple[Event, int]]) -> None:
    """Reports that nobody gives any more, of units that were to: they were missed (逾期未报)."""
    w.guard(_miss_share, [{"b_id": i} for _, i in missed])
    w.guard(close_todo, [_closing(e, i) for e, i in missed])


def _closing(e: Event, report: int) -> Row:
    return {"b_kind": "share", "b_owner": report, "b_step": "report", "b_arm": 1, "b_at": e.at, "b_post": None}


_owe_again = update(share).where(share.c.id == bindparam("b_id"), share.c.state == "withdrawn").values(state="owed")
_reopen = (
    update(todo)
    .where(todo.c.owner_kind == "share", todo.c.owner_id == bindparam("b_id"), todo.c.closed_at.is_not(None))
    .values(opened_at=bindparam("b_at"), closed_at=None, closed_post=None)
)


def ask_again(w: Writer, e: Event, report: int) -> None:
    """A report that its unit was let off is owed after all."""
    w.guard(_owe_again, {"b_id": report})
    w.guard(_reopen, {"b_id": report, "b_at": e.at})


_withdraw_share = (
    update(share).where(share.c.id == bindparam("b_id"), share.c.state == "owed").values(state="withdrawn")
)


def withdraw_reports(w: Writer, owed: Sequence[tuple[Event, int]], closing: Sequence[Row] = ()) -> None:
    """Reports that nobody can give any more are not owed any more; their todos close with others (`closing`)."""
    w.guard(close_todo, [*closing, *(_closing(e, i) for e, i in owed)])
    w.guard(_withdraw_share, [{"b_id": i} for _, i in owed])
