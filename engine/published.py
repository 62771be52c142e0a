"""Published plans and lifecycles as the commands need them: read once a process, never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from threading import Lock

from sqlalchemy import Connection, bindparam, select

from bpmn.library import lifecycle_xml
from bpmn.lifecycle import Lifecycle
from bpmn.plan import Plan
from bpmn.reading import read_lifecycle, read_plan
from engine import instances
from ledger.errors import NotFound
from ledger.schema import plan_source, plan_version

_digest = select(plan_version.c.digest).where(plan_version.c.id == bindparam("b_version"))


@dataclass(frozen=True)
class Published:
    """A published version: the key of its diagram among the engine's, and what it says."""

    key: str
    plan: Plan


# By the digest of their bytes: a version's number may be given again when a publication is rolled back.
_versions: dict[str, Published] = {}
_lock = Lock()


def version_of(connection: Connection, version_id: int) -> Published:
    """A published version; its diagram is registered with the engine. Raises: NotFound."""
    digest = connection.execute(_digest, {"b_version": version_id}).scalar_one_or_none()
    if digest is None:
        raise NotFound(f"没有编号为 {version_id} 的方案版本。")
    return _versions.get(digest) or register(
        connection.execute(select(plan_source.c.xml).where(plan_source.c.digest == digest)).scalar_one().encode()
    )


def plan_of(connection: Connection, version_id: int) -> Plan:
    """What a published version says. Raises: NotFound."""
    return version_of(connection, version_id).plan


def register(xml: bytes) -> Published:
    """Read a published diagram and hand it to the engine (idempotent)."""
    digest = hashlib.sha256(xml).hexdigest()
    with _lock:
        if digest not in _versions:
            key = f"plan:{digest}"
            instances.load_plan_spec(key, xml)
            _versions[digest] = Published(key, read_plan(xml))
        return _versions[digest]


@cache
def lifecycle(key: str) -> Lifecycle:
    """A lifecycle of the library, registered with the engine under its own key. Raises: KeyError."""
    xml = lifecycle_xml(key)
    instances.load_lifecycle_spec(lifecycle_version(key), xml)
    return read_lifecycle(xml)


def lifecycle_version(key: str) -> str:
    return f"lifecycle:{key}"
