"""What holds the log up: its triggers, and the published diagrams that runs follow."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from ledger.schema import plan_source, plan_version
from ledger.triggers import missing
from ledger.verification.scene import Check, Found, Scene


def _shape(scene: Scene) -> Found:
    for name in missing(scene.connection):
        yield "trigger", f"防改动触发器 {name} 不在、被停用或被改写", {"trigger": name}
    published = (
        select(plan_version.c.id, plan_version.c.plan, plan_version.c.digest, plan_source.c.xml)
        .outerjoin(plan_source, plan_source.c.digest == plan_version.c.digest)
        .order_by(plan_version.c.id)
    )
    for r in scene.rows(published):
        where = {"table": "plan_source", "row": r.digest}
        if r.xml is None:
            yield "diagram-gone", f"方案 {r.plan}（版本 {r.id}）的流程图不见了", where
        elif hashlib.sha256(r.xml.encode()).hexdigest() != r.digest:
            yield "diagram", f"方案 {r.plan}（版本 {r.id}）的流程图与其摘要不符（流程图被改动）", where


SHAPE = Check("shape", "触发器和方案图", _shape, ("trigger", "diagram-gone", "diagram"))
