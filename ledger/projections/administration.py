"""Posts, published plans, days."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, update

from ledger.events import Event
from ledger.projections.registry import Payload, day, on
from ledger.schema import day_override, handover, plan_version, post
from ledger.writing import Writer

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
    "account.address-offered",
)
CORRECTED = "account.corrected"
DAYS_DECIDED = "calendar.days_decided"


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


_name_anew = (
    update(post).where(post.c.person_id == bindparam("b_person"), post.c.until.is_(None)).values(seq=bindparam("b_seq"))
)


@on(CORRECTED)
def _account_corrected(w: Writer, e: Event, p: Payload) -> None:
    """The account itself is not rebuilt; under a name put right the person holds the posts of today."""
    if "name" in p["fields"]:
        w.write(_name_anew, {"b_person": p["person"], "b_seq": e.seq})


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


_forget_day = delete(day_override).where(day_override.c.day == bindparam("b_day"))
_keep_day = insert(day_override)


@on(DAYS_DECIDED)
def _days_decided(w: Writer, e: Event, p: Payload) -> None:
    """What was decided before about these days no longer counts; None leaves a day as the state has published it."""
    days = [(day(said), working) for said, working in p["days"]]
    w.write(_forget_day, [{"b_day": one} for one, _ in days])
    w.write(_keep_day, [{"day": one, "working": working} for one, working in days if working is not None])
