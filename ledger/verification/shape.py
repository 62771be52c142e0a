"""What holds the log up: its triggers, and the published diagrams that runs follow."""

from __future__ import annotations

import hashlib
import re

from sqlalchemy import UniqueConstraint, inspect, select

from ledger.schema import metadata, plan_source, plan_version
from ledger.triggers import missing, unexpected
from ledger.verification.scene import Check, Found, Scene


def _shape(scene: Scene) -> Found:
    for name in missing(scene.connection):
        yield "trigger", f"防改动触发器 {name} 不在、被停用或被改写", {"trigger": name}
    for name in unexpected(scene.connection):
        yield "intruder", f"数据库里有不属于本系统的触发器或规则 {name}（被添加，会改变写入的内容）", {"trigger": name}
    yield from _indexes(scene)
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


def _indexes(scene: Scene) -> Found:
    """Every index and constraint that keeps rows apart: its columns, whether it does so, and for which rows."""
    inspector, where = inspect(scene.connection), f"{scene.connection.dialect.name}_where"
    for table in metadata.sorted_tables:
        standing = {
            i["name"]: (tuple(i["column_names"]), bool(i["unique"]), _meant(i.get("dialect_options", {}).get(where)))
            for i in inspector.get_indexes(table.name)
        }
        apart = {tuple(u["column_names"]) for u in inspector.get_unique_constraints(table.name)}
        key = tuple(inspector.get_pk_constraint(table.name)["constrained_columns"])
        if set(key) != {c.name for c in table.primary_key}:
            yield "unique", f"表 {table.name} 的主键不见了或被改写", {"table": table.name}
        for index in table.indexes:
            wanted = tuple(c.name for c in index.columns), bool(index.unique), _meant(index.dialect_kwargs.get(where))
            if standing.get(index.name) != wanted:
                yield "index", f"表 {table.name} 的索引 {index.name} 不在或被改写", {"table": table.name}
        for unique in (c for c in table.constraints if isinstance(c, UniqueConstraint)):
            if tuple(c.name for c in unique.columns) not in apart:
                yield "unique", f"表 {table.name} 的唯一约束 {unique.name} 不见了（被删除）", {"table": table.name}


def _meant(condition: object) -> tuple[frozenset[str], bool, bool] | None:
    """A partial index's condition, however its database prints it: the values it names, whether it leaves them out,
    whether it asks for what is empty."""
    if condition is None:
        return None
    said = str(condition).upper()
    values = frozenset(re.findall(r"'([^']*)'", said))
    return values, "NOT IN" in said or "<>" in said, "IS NULL" in said


SHAPE = Check("shape", "触发器和方案图", _shape, ("trigger", "intruder", "index", "unique", "diagram-gone", "diagram"))
