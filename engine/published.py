"""Published plans and lifecycles as the commands need them: read once a process, never changed.

A plan is known by the digest of its diagram, which says what it is in any database.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from threading import Lock

from sqlalchemy import Connection, select

from bpmn.drawing import size_of
from bpmn.library import intake_xml, lifecycle_xml
from bpmn.lifecycle import Lifecycle
from bpmn.plan import Plan
from bpmn.reading import read_lifecycle, read_plan
from engine import instances
from ledger.errors import NotFound
from ledger.schema import plan_source, plan_version, run


@dataclass(frozen=True)
class Published:
    """A published diagram: its digest, its key among the engine's diagrams, what it says, how large it is drawn."""

    digest: str
    version: str
    plan: Plan
    size: tuple[int, int]


_published: dict[str, Published] = {}
_lock = Lock()


def of_version(connection: Connection, version_id: int) -> Published:
    """A plan version, its diagram registered with the engine. Raises: NotFound."""
    digest = connection.execute(select(plan_version.c.digest).where(plan_version.c.id == version_id)).scalar()
    return of_digest(connection, digest)


def of_run(connection: Connection, run_id: int) -> Published:
    """The plan version that a run executes. Raises: NotFound."""
    found = select(plan_version.c.digest).join(run, run.c.version_id == plan_version.c.id).where(run.c.id == run_id)
    return of_digest(connection, connection.execute(found).scalar())


def of_digest(connection: Connection, digest: str | None) -> Published:
    """The plan version of this digest; the database is asked once a process. Raises: NotFound."""
    if digest in _published:
        return _published[digest]
    xml = connection.execute(select(plan_source.c.xml).where(plan_source.c.digest == digest)).scalar_one_or_none()
    if xml is None:
        raise NotFound("没有这个方案版本。")
    return register(xml.encode())


def register(xml: bytes) -> Published:
    """Read a diagram and hand it to the engine (idempotent). Raises: DiagramError."""
    digest = hashlib.sha256(xml).hexdigest()
    with _lock:
        if digest not in _published:
            version = f"plan:{digest}"
            instances.load_plan_spec(version, xml)
            _published[digest] = Published(digest, version, read_plan(xml), size_of(xml))
        return _published[digest]


@cache
def lifecycle(key: str) -> Lifecycle:
    """A lifecycle of the library, registered with the engine under its own key. Raises: KeyError."""
    xml = lifecycle_xml(key)
    instances.load_lifecycle_spec(lifecycle_version(key), xml)
    return read_lifecycle(xml)


@cache
def intake_cycle(key: str) -> Lifecycle:
    """The lifecycle of a kind of case, registered with the engine. Raises: KeyError."""
    xml = intake_xml(key)
    instances.load_lifecycle_spec(intake_version(key), xml)
    return read_lifecycle(xml)


def intake_version(key: str) -> str:
    return f"intake:{key}"


def lifecycle_version(key: str) -> str:
    return f"lifecycle:{key}"
