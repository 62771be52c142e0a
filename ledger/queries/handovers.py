"""交接: what waits to be received, and the posts of the units that somebody heads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select

from ledger.clearing import CLEARED, CLEARED_NAME
from ledger.directory import STREAM
from ledger.people import Actor
from ledger.queries.accounts import PostLine, plan_short
from ledger.queries.words import post_words
from ledger.schema import content, event, handover, person, post, unit


@dataclass(frozen=True)
class Handed:
    """A post that was handed over: by whom, what went with it, and 交接说明."""

    id: int
    post: str
    by: str
    at: datetime
    note: str
    todos: int
    drafts: int
    files: int


_name, _note = content.alias("name"), content.alias("note")
_waiting = (
    select(
        *(handover.c.id, handover.c.at, unit.c.short, post.c.role, post.c.rank, post.c.field),
        plan_short.label("plan"),
        _name.c.text.label("name"),
        _note.c.text.label("note"),
        event.c.payload,
    )
    .join(post, post.c.id == handover.c.post_id)
    .join(unit, unit.c.key == post.c.unit)
    .join(event, and_(event.c.stream == STREAM, event.c.seq == handover.c.seq))
    .outerjoin(_name, and_(_name.c.stream == STREAM, _name.c.seq == post.c.seq, _name.c.field == "name"))
    .outerjoin(_note, and_(_note.c.stream == STREAM, _note.c.seq == handover.c.seq, _note.c.field == "note"))
    .where(handover.c.to_post.in_(bindparam("posts", expanding=True)), handover.c.received_at.is_(None))
    .order_by(handover.c.id)
)


def waiting(connection: Connection, actor: Actor) -> list[Handed]:
    """What was handed over to the actor and is not received yet, the oldest first."""
    rows = connection.execute(_waiting, {"posts": sorted({d.post_id for d in actor.desks})})
    return [
        Handed(
            r.id,
            f"{r.short} {post_words(r.role, r.plan, r.rank, r.field)}",
            r.name or CLEARED_NAME,
            r.at,
            r.note or CLEARED,
            *(said[key] for key in ("todos", "drafts", "files")),
        )
        for r in rows
        if (said := json.loads(r.payload))
    ]


@dataclass(frozen=True)
class Seat:
    """A post of a unit with its holder of today."""

    line: PostLine
    holder: str
    is_active: bool


def seats(connection: Connection, actor: Actor) -> Sequence[Seat]:
    """Every post of the units whose head the actor is."""
    headed = sorted({d.unit for d in actor.desks if d.role == "head"})
    rows = connection.execute(
        select(
            *(post.c.id, unit.c.short, post.c.role, post.c.since, post.c.until),
            *(plan_short.label("plan"), post.c.rank, post.c.field, post.c.deputy_for),
            *(person.c.name, person.c.active),
        )
        .join(unit, unit.c.key == post.c.unit)
        .join(person, person.c.id == post.c.person_id)
        .where(post.c.unit.in_(headed), post.c.until.is_(None))
        .order_by(unit.c.ord, post.c.role, post.c.id)
    )
    return [Seat(PostLine(*r[:9]), r.name, r.active) for r in rows]
