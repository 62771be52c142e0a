"""Runs and their items."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import String, bindparam, func, insert, update

from ledger.events import Event, canonical
from ledger.projections.assignments import inherit
from ledger.projections.registry import (
    Payload,
    day,
    instant,
    number,
    on,
)
from ledger.projections.shares import insert_shares, withdraw
from ledger.rules.verbs import State
from ledger.schema import indicator, item, run
from ledger.writing import Writer

_RUN_FACTS = (
    "plan",
    "title",
    "short",
    "jurisdiction",
    "office",
    "sign_roles",
    "mend_days",
    "mail",
    "ladder",
    "extends",
)


_insert_run = insert(run)
_end_run = (
    update(run).where(run.c.id == bindparam("b_run"), run.c.ended_at.is_(None)).values(ended_at=bindparam("b_at"))
)


@on("run.started")
def _run_started(w: Writer, e: Event, p: Payload) -> None:
    w.write(
        _insert_run,
        {
            "id": p["run"],
            "version_id": p["version"],
            "period_start": day(p["period_start"]),
            "period_end": day(p["period_end"]),
            "started_at": e.at,
            **{k: p[k] for k in _RUN_FACTS},
        },
    )


@on("run.ended")
def _run_ended(w: Writer, e: Event, p: Payload) -> None:
    w.guard(
        _end_run,
        {"b_run": p["run"], "b_at": e.at},
    )


_ITEM_FACTS = (
    "element",
    "ord",
    "no",
    "title",
    "clause",
    "heading",
    "heading_name",
    "completion",
    "gated",
    "lifecycle",
    "cadence",
    "due_text",
    "due_steps",
    "open_units",
    "needs_steps",
)


_insert_item = insert(item)
_insert_indicators = insert(indicator)


@on("item.planned")
def _item_planned(w: Writer, e: Event, p: Payload) -> None:
    w.write(
        _insert_item,
        {
            "id": p["item"],
            "run_id": p["run"],
            "state": "pending",
            "due_at": instant(p["due_at"]),
            "n_total": 0,
            "n_done": 0,
            "origin": p.get("origin"),
            "lasting": p.get("lasting", False),
            **{k: p[k] for k in _ITEM_FACTS},
        },
    )
    w.write(
        _insert_indicators,
        [
            {
                **i,
                "item_id": p["item"],
                "target": Decimal(i["target"]),
                "target_max": number(i["target_max"]),
                "by": day(i["by"]),
                "among": canonical(i["among"]) if i.get("among") is not None else None,
            }
            for i in p["indicators"]
        ],
    )


_open_item = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "pending")
    .values(
        state="open",
        opened_at=bindparam("b_at"),
        n_total=bindparam("b_n"),
        due_at=bindparam("b_due"),
        due_steps=bindparam("b_steps"),
        completion=func.coalesce(bindparam("b_completion", type_=String), item.c.completion),
        lifecycle=func.coalesce(bindparam("b_lifecycle", type_=String), item.c.lifecycle),
    )
)


@on("item.opened")
def _item_opened(w: Writer, e: Event, p: Payload) -> None:
    """It is handed out; what was registered is decided on only then, with how it is to be done."""
    w.guard(
        _open_item,
        {
            "b_item": p["item"],
            "b_at": e.at,
            "b_n": len(p["assignments"]),
            "b_due": instant(p["due_at"]),
            "b_steps": p["due_steps"],
            "b_completion": p.get("completion"),
            "b_lifecycle": p.get("item_lifecycle"),
        },
    )
    insert_shares(w, e, p)


_one_more = (
    update(item).where(item.c.id == bindparam("b_item"), item.c.state == "open").values(n_total=item.c.n_total + 1)
)


@on("item.unit_added")
def _unit_added(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_one_more, {"b_item": p["item"]})
    insert_shares(w, e, p)
    inherit(w, e, p)


_date_item = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "open", item.c.due_at.is_(None))
    .values(due_at=bindparam("b_due"), due_steps=bindparam("b_steps"))
)


@on("item.dated")
def _item_dated(w: Writer, e: Event, p: Payload) -> None:
    """核定时限 of what had none; the shares' dates come with events of their own."""
    w.guard(_date_item, {"b_item": p["item"], "b_due": instant(p["due_at"]), "b_steps": p["due_steps"]})


_amend_text = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "open")
    .values(
        title=func.coalesce(bindparam("b_title", type_=item.c.title.type), item.c.title),
        clause=func.coalesce(bindparam("b_clause", type_=item.c.clause.type), item.c.clause),
    )
)


@on("item.text_corrected")
def _text_corrected(w: Writer, e: Event, p: Payload) -> None:
    """更正文字: the words that are put right; what stood there before stays in the events."""
    w.guard(_amend_text, {"b_item": p["item"], "b_title": p.get("title"), "b_clause": p.get("clause")})


_set_target = (
    update(indicator)
    .where(indicator.c.id == bindparam("b_id"), indicator.c.item_id == bindparam("b_item"))
    .values(target=bindparam("b_target"))
)


@on("item.target_changed")
def _target_changed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_set_target, {"b_id": p["indicator"], "b_item": p["item"], "b_target": Decimal(p["target"])})


_change_due = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "open", item.c.due_at.is_not(None))
    .values(due_at=bindparam("b_due"), due_steps=bindparam("b_steps"))
)


@on("item.due_changed")
def _due_changed(w: Writer, e: Event, p: Payload) -> None:
    """调整时限 of an item; the shares that go by its date follow with events of their own."""
    w.guard(_change_due, {"b_item": p["item"], "b_due": instant(p["due_at"]), "b_steps": p["due_steps"]})


_set_lasting = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state == "open", item.c.lasting != bindparam("b_lasting"))
    .values(lasting=bindparam("b_lasting"))
)


@on("item.lasting")
def _item_lasting(w: Writer, e: Event, p: Payload) -> None:
    """转为长期坚持, or back."""
    w.guard(_set_lasting, {"b_item": p["item"], "b_lasting": p["lasting"]})


_end_item = (
    update(item)
    .where(item.c.id == bindparam("b_item"), item.c.state.in_(("pending", "open")))
    .values(
        state=bindparam("b_state"),
        closed_at=bindparam("b_at"),
        n_done=item.c.n_done + bindparam("b_done"),
        n_total=item.c.n_total - bindparam("b_out"),
    )
)


@on("item.closed")
def _item_closed(w: Writer, e: Event, p: Payload) -> None:
    """The item is done, mostly with the share that was just accepted.

    Shares that could not hold it up and are still open (配合 under rule `all`) are withdrawn with their todos, and so
    are reports of a recurring item that are still owed.
    """
    w.guard(
        _end_item, {"b_item": p["item"], "b_state": "closed", "b_at": e.at, "b_done": p.get("counts", 1), "b_out": 0}
    )
    _withdraw_all(w, e, p, State.WITHDRAWN)


@on("item.terminated")
def _item_terminated(w: Writer, e: Event, p: Payload) -> None:
    """The item is given up with all of its shares that are still open."""
    out = sum(not left.get("part") for left in p["withdrawn"])  # a part that was handed down was never counted
    w.guard(_end_item, {"b_item": p["item"], "b_state": "terminated", "b_at": e.at, "b_done": 0, "b_out": out})
    _withdraw_all(w, e, p, State.TERMINATED)


def _withdraw_all(w: Writer, e: Event, p: Payload, state: str) -> None:
    withdraw(w, [(e, left) for left in p["withdrawn"]], [(e, owed) for owed in p["owed"]], state)
