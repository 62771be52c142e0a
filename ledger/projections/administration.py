"""Units, posts, published plans."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.projections.registry import (
    Payload,
    on,
)
from ledger.schema import handover, plan_version, post, unit
from ledger.writing import Writer

_insert_unit = insert(unit)
_insert_post = insert(post)
_leave_post = (
    update(post).where(post.c.id == bindparam("b_post"), post.c.until.is_(None)).values(until=bindparam("b_until"))
)
_insert_handover = insert(handover)
_pass_on = (
    update(handover)
    .where(handover.c.to_post == bindparam("b_post"), handover.c.received_at.is_(None))
    .values(to_post=bindparam("b_to"))
)
_receive = (
    update(handover)
    .where(handover.c.id == bindparam("b_id"), handover.c.received_at.is_(None))
    .values(received_at=bindparam("b_at"))
)
_insert_version = insert(plan_version)

ACCOUNT_EVENTS = (
    "account.deactivated",
    "account.activated",
    "account.unlocked",
    "account.link-given",
    "account.sessions-ended",
    "account.password-given",
)


@on("unit.registered")
def _unit_registered(w: Writer, e: Event, p: Payload) -> None:
    w.write(_insert_unit, {k: p[k] for k in ("key", "jurisdiction", "name", "short", "kind", "host", "ord", "parent")})


_place_unit = (
    update(unit)
    .where(unit.c.key == bindparam("b_key"))
    .values(jurisdiction=bindparam("b_jurisdiction"), parent=bindparam("b_parent"))
)


@on("unit.placed")
def _unit_placed(w: Writer, e: Event, p: Payload) -> None:
    """Where a unit stands in the tree, which an older directory did not say."""
    w.guard(_place_unit, {"b_key": p["key"], "b_jurisdiction": p["jurisdiction"], "b_parent": p["parent"]})


@on("post.taken")
def _post_taken(w: Writer, e: Event, p: Payload) -> None:
    facts = {"id": p["post"], "person_id": p["person"], "unit": p["unit"], "role": p["role"], "since": e.at}
    limits = {key: p.get(key) for key in ("deputy_for", "plan", "rank", "field")}
    w.write(_insert_post, {**facts, **limits, "seq": e.seq})


@on("post.left")
def _post_left(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_leave_post, {"b_post": p["post"], "b_until": e.at})


@on("post.handed_over")
def _post_handed_over(w: Writer, e: Event, p: Payload) -> None:
    """What the predecessor had not received herself goes on to the successor."""
    w.write(_pass_on, {"b_post": p["post"], "b_to": p["to_post"]})
    w.write(
        _insert_handover,
        {"id": p["handover"], "post_id": p["post"], "to_post": p["to_post"], "seq": e.seq, "at": e.at},
    )


@on("post.received")
def _post_received(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_receive, {"b_id": p["handover"], "b_at": e.at})


@on(*ACCOUNT_EVENTS)
def _account_decided(w: Writer, e: Event, p: Payload) -> None:
    """Accounts are no projection: that somebody decided on one is kept in the chain, the account is not rebuilt."""


@on("plan.published")
def _plan_published(w: Writer, e: Event, p: Payload) -> None:
    w.write(
        _insert_version,
        {
            "id": p["version"],
            "published_at": e.at,
            **{k: p[k] for k in ("plan", "number", "title", "jurisdiction", "digest")},
        },
    )
