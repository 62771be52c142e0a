"""Units, posts, published plans."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from ledger.events import Event
from ledger.projections.registry import (
    Payload,
    on,
)
from ledger.schema import plan_version, post, unit


@on("unit.registered")
def _unit_registered(c: Connection, e: Event, p: Payload) -> None:
    c.execute(insert(unit), {k: p[k] for k in ("key", "jurisdiction", "name", "short", "kind", "host", "ord")})


@on("post.taken")
def _post_taken(c: Connection, e: Event, p: Payload) -> None:
    c.execute(
        insert(post), {"id": p["post"], "person_id": p["person"], "unit": p["unit"], "role": p["role"], "since": e.at}
    )


@on("plan.published")
def _plan_published(c: Connection, e: Event, p: Payload) -> None:
    c.execute(
        insert(plan_version),
        {
            "id": p["version"],
            "published_at": e.at,
            **{k: p[k] for k in ("plan", "number", "title", "jurisdiction", "digest")},
        },
    )
