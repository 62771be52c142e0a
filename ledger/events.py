"""Events: drafts, their canonical form, the chain's hash, upcasters.

An event's hash covers the hash before it in its stream, so nothing can be changed, left out or moved without breaking
the chain. Free text, names and files hang on an event by a salted digest and are stored apart (`content`,
`attachment`), where they can be cleared (依规清除) while the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from ledger.rules.verbs import EXTENDS

GENESIS = "0" * 64
# Of the kinds whose payload has changed its shape; all others are of schema 1.
SCHEMAS = {"run.started": 2, "item.planned": 3, "item.opened": 2, "unit.registered": 2, "round.opened": 2}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return format(value.normalize(), "f")
        case frozenset() | set():
            return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot stand in an event")


def canonical(value: Any) -> str:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8; instants in UTC, decimals without exponent."""
    return json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class File:
    """A file that hangs on an event about a share; the store holds its content under `sha256`."""

    id: int
    assignment_id: int
    name: str
    size: int
    media_type: str
    sha256: str

    @property
    def field(self) -> str:
        """Under which its name stands among the texts of the event."""
        return file_field(self.id)


def file_field(file_id: int) -> str:
    return f"file-{file_id}"


@dataclass(frozen=True)
class Draft:
    """An event before it has its place in a chain. `texts` are free text by field name."""

    stream: str
    kind: str
    payload: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[File] = ()


@dataclass(frozen=True)
class Event:
    """One entry of the ledger (办理记录)."""

    stream: str
    seq: int
    kind: str
    schema: int
    at: datetime
    recorded_at: datetime
    actor: Mapping[str, Any]
    payload: Mapping[str, Any]
    prev: str
    hash: str


def digest(salt: str, text: str) -> str:
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()


def salted(text: str) -> tuple[str, str]:
    """(salt, digest) of a free text."""
    salt = secrets.token_hex(16)
    return salt, digest(salt, text)


def chain_hash(
    prev: str,
    stream: str,
    seq: int,
    kind: str,
    schema: int,
    at: datetime,
    recorded_at: datetime,
    actor: str,
    payload: str,
) -> str:
    """The hash of an event; `actor` and `payload` are the stored texts."""
    head = canonical([prev, stream, seq, kind, schema, at, recorded_at])
    return hashlib.sha256(f"{head}\n{actor}\n{payload}".encode()).hexdigest()


def _each(name: str, **added: Any) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """An upcaster that adds fields to each entry of a list of the payload."""
    return lambda payload: {**payload, name: [{**added, **entry} for entry in payload[name]]}


# (kind, schema) -> the payload of the next schema.
UPCASTERS: dict[tuple[str, int], Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
    ("item.planned", 1): _each("indicators", by=None),
    ("item.planned", 2): lambda p: {
        **_each("indicators", definition=None, source=None, as_of=None, reporter=None, same_as=None)(p),
        "needs_steps": False,
    },
    ("item.opened", 1): _each("assignments", presumed=False),
    ("run.started", 1): lambda p: {**p, "extends": " ".join(EXTENDS)},
    ("unit.registered", 1): lambda p: {**p, "parent": None},
    ("round.opened", 1): lambda p: {**p, "day": None},
}


def upcast(kind: str, schema: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload in today's shape, step by step."""
    while (step := UPCASTERS.get((kind, schema))) is not None:
        payload, schema = step(payload), schema + 1
    return payload
