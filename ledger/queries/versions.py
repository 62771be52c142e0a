"""How a plan's version came about: who published it, when, and on what ground."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select

from ledger.schema import content, event, person

ADMIN = "admin"
_published = (
    select(event.c.payload, event.c.actor, event.c.at, content.c.text)
    .outerjoin(content, and_(content.c.stream == ADMIN, content.c.seq == event.c.seq, content.c.field == "ground"))
    .where(event.c.stream == ADMIN, event.c.kind == "plan.published")
)


@dataclass(frozen=True)
class Publishing:
    by: str
    at: datetime
    ground: str


def publishings(connection: Connection) -> dict[int, Publishing]:
    """Version -> how it was published. A plan put in by the installation has no person and no ground."""
    names = {r.id: r.name for r in connection.execute(select(person.c.id, person.c.name))}
    found = {}
    for r in connection.execute(_published):
        by = names.get(json.loads(r.actor)["person"], "系统（安装或命令行）")
        found[int(json.loads(r.payload)["version"])] = Publishing(by, r.at, r.text or "")
    return found
