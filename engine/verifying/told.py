"""Who had to be told: what was handed out, asked for, returned and urged has its notice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import not_, select

from engine.verifying.common import OWNERS, notified
from ledger.schema import assignment, event, notice, share
from ledger.verification.scene import Check, Found, Scene

_TOLD_AT_ONCE = (
    *("assignment.returned", "assignment.sent_back", "assignment.urged", "petition.made", "petition.passed"),
    *("assignment.extended", "assignment.suspended", "assignment.resumed", "assignment.terminated"),
)
_OUTCOMES = {"assignment.suspended": "suspended", "assignment.resumed": "resumed"}


def _told(scene: Scene) -> Found:
    """What was handed out, asked for, returned and urged: each has its notice."""
    handed = select(assignment.c.id).where(not_(notified("assignment", assignment.c.id, "handed")))
    for r in scene.rows(handed.order_by(assignment.c.id)):
        yield _untold("assignment", r.id, "handed")
    requested = select(share.c.id).where(not_(notified("share", share.c.id, "request")))
    for r in scene.rows(requested.order_by(share.c.id)):
        yield _untold("share", r.id, "request")
    acts = select(event.c.kind, event.c.payload).where(event.c.kind.in_(_TOLD_AT_ONCE)).order_by(event.c.id)
    portion: list[tuple[int, str, int | None]] = []
    for r in scene.rows(acts):
        if (payload := json.loads(r.payload)).get("by") == "phone":
            continue  # was told by the call itself
        portion.append(_notice_of(r.kind, payload))
        if len(portion) == 500:
            yield from _untold_acts(scene, portion)
            portion = []
    yield from _untold_acts(scene, portion)


def _notice_of(kind: str, payload: Mapping[str, Any]) -> tuple[int, str, int | None]:
    """(share, tier, arm) of the notice that an act leaves; an urging is known by its number alone."""
    match kind:
        case "assignment.urged":
            return payload["assignment"], f"urged:{payload['urging']}", None
        case "petition.made" | "petition.passed":
            return payload["assignment"], f"applied:{payload['petition']}.{payload['turn']}", None
        case "assignment.extended":
            return payload["assignment"], f"granted:{payload['settles']['petition']}", None
        case "assignment.terminated":
            return payload["assignment"], "moved" if payload["successor"] else "terminated", payload["arm"]
        case "assignment.suspended" | "assignment.resumed":
            return payload["assignment"], _OUTCOMES[kind], payload["arm"]
    return payload["assignment"], "returned", payload["to_arm"]


def _untold_acts(scene: Scene, wanted: Sequence[tuple[int, str, int | None]]) -> Found:
    rows = select(notice.c.owner_id, notice.c.tier, notice.c.arm).where(
        notice.c.owner_kind == "assignment", notice.c.owner_id.in_({w[0] for w in wanted})
    )
    there = {found for r in scene.connection.execute(rows) for found in (tuple(r), (r.owner_id, r.tier, None))}
    for owner, tier, arm in wanted:
        if (owner, tier, arm) not in there:
            yield _untold("assignment", owner, tier)


def _untold(kind: str, owner: int, tier: str) -> tuple[str, str, Mapping[str, Any]]:
    sentence = f"{OWNERS[kind]}第 {owner} 号应有的提醒“{tier}”不见了（被删除）"
    return tier.partition(":")[0], sentence, {"table": "notice", "row": f"{kind},{owner},{tier}"}


TOLD = Check("told", "应发的提醒", _told, ("handed", "request", "returned", "urged"))
