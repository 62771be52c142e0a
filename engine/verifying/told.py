"""Who had to be told: what was handed out and asked for has its notice, and each act that tells somebody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists, literal, not_, select

from engine.verifying.acts import ACTS, Told, answered_by, told_by
from engine.verifying.common import OWNERS, notified
from ledger.queries.words import OUTCOME_WORDS
from ledger.schema import assignment, event, notice, share, todo
from ledger.verification.scene import Check, Found, Scene

_PORTION = 500


def _told(scene: Scene) -> Found:
    handed = select(assignment.c.id).where(not_(notified("assignment", assignment.c.id, "handed")))
    for r in scene.rows(handed.order_by(assignment.c.id)):
        yield _untold("assignment", r.id, "handed")
    requested = select(share.c.id).where(not_(notified("share", share.c.id, "request")))
    for r in scene.rows(requested.order_by(share.c.id)):
        yield _untold("share", r.id, "request")
    yield from _intakes(scene)
    acts = select(event.c.kind, event.c.at, event.c.payload).where(event.c.kind.in_(ACTS)).order_by(event.c.id)
    portion: list[Told] = []
    for r in scene.rows(acts):
        portion += told_by(r.kind, r.at, json.loads(r.payload))
        if len(portion) >= _PORTION:
            yield from _untold_acts(scene, portion)
            portion = []
    yield from _untold_acts(scene, portion)


def _intakes(scene: Scene) -> Found:
    """Whoever a case was laid before."""
    told = exists().where(
        notice.c.owner_kind == "intake",
        notice.c.owner_id == todo.c.owner_id,
        notice.c.arm == todo.c.arm,
        notice.c.tier == literal("waiting:").concat(todo.c.step),
    )
    laid = select(todo.c.owner_id, todo.c.step).where(todo.c.owner_kind == "intake", not_(told))
    for r in scene.rows(laid.order_by(todo.c.owner_id, todo.c.step)):
        yield _untold("intake", r.owner_id, f"waiting:{r.step}")


def _untold_acts(scene: Scene, wanted: Sequence[Told]) -> Found:
    rows = select(notice).where(notice.c.owner_kind == "assignment", notice.c.owner_id.in_({w.share for w in wanted}))
    there = {answer for n in scene.connection.execute(rows) for answer in answered_by(n)}
    for told in wanted:
        if told not in there:
            yield _untold("assignment", told.share, told.tier)


def _untold(kind: str, owner: int, tier: str) -> tuple[str, str, Mapping[str, Any]]:
    sentence = f"{OWNERS[kind]}第 {owner} 号应有的提醒“{tier}”不见了（被删除）"
    what = tier.partition(":")[0]
    return (
        "outcome" if what in OUTCOME_WORDS else what,
        sentence,
        {"table": "notice", "row": f"{kind},{owner},{tier}"},
    )


TOLD = Check("told", "应发的提醒", _told, ("handed", "request", "returned", "urged", "applied", "outcome", "waiting"))
