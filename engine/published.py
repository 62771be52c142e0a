"""Published plans and lifecycles as the commands need them: read once a process, never changed."""

from __future__ import annotations

from functools import cache
from threading import Lock

from sqlalchemy import Connection, select

from bpmn.library import lifecycle_xml
from bpmn.lifecycle import Lifecycle
from bpmn.plan import Plan
from bpmn.reading import read_lifecycle, read_plan
from engine import instances
from ledger.errors import NotFound
from ledger.schema import plan_source, plan_version

_plans: dict[int, Plan] = {}
_lock = Lock()


def version_key(version_id: int) -> str:
    """The key of a plan version among the engine's registered diagrams."""
    return f"plan:{version_id}"


def plan_of(connection: Connection, version_id: int) -> Plan:
    """What a published version says; its diagram is registered with the engine. Raises: NotFound."""
    plan = _plans.get(version_id)
    if plan is None:
        xml = connection.execute(
            select(plan_source.c.xml)
            .join(plan_version, plan_version.c.digest == plan_source.c.digest)
            .where(plan_version.c.id == version_id)
        ).scalar_one_or_none()
        if xml is None:
            raise NotFound(f"没有编号为 {version_id} 的方案版本。")
        plan = register(version_id, xml.encode())
    return plan


def register(version_id: int, xml: bytes) -> Plan:
    """Read a published diagram and hand it to the engine (idempotent)."""
    with _lock:
        instances.load_plan_spec(version_key(version_id), xml)
        return _plans.setdefault(version_id, read_plan(xml))


@cache
def lifecycle(key: str) -> Lifecycle:
    """A lifecycle of the library, registered with the engine under its own key. Raises: KeyError."""
    xml = lifecycle_xml(key)
    instances.load_lifecycle_spec(lifecycle_version(key), xml)
    return read_lifecycle(xml)


def lifecycle_version(key: str) -> str:
    return f"lifecycle:{key}"
