"""What the linter says: one rule, one element, one sentence that names the way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bpmn.xml import Element, brief, nearest_id, qualified

MAX_ID = 200
MAX_LISTED = 6
Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """`rule` is stable and English, `message` Chinese; `element` is the id to mark in the editor."""

    rule: str
    severity: Severity
    element: str | None
    message: str


Findings = Iterator[Finding]


class Resolution(Protocol):
    """Whom a printed name means: units, nobody yet for an open group."""

    @property
    def units(self) -> Sequence[object]: ...


class Directory(Protocol):
    """Who is known by a printed name; `ledger.organisation.Organisation` is one."""

    def resolve(self, printed: str, /) -> Resolution | None: ...


def error(rule: str, at: Element | str | None, message: str) -> Finding:
    return Finding(rule, "error", _ident(at), message)


def warning(rule: str, at: Element | str | None, message: str) -> Finding:
    return Finding(rule, "warning", _ident(at), message)


def _ident(at: Element | str | None) -> str | None:
    ident = at if at is None or isinstance(at, str) else nearest_id(at)
    return ident and ident[:MAX_ID]


def listed(names: Sequence[str], most: int = MAX_LISTED) -> str:
    """Names in a sentence: all of a few, the first of many with their number."""
    shown = "、".join(names[:most])
    return shown if len(names) <= most else f"{shown} 等 {len(names)} 项"


def called(element: Element) -> str:
    """How a person finds the element: its name, else its kind and id."""
    name = brief(element.get("name"))
    if name:
        return f"“{name}”"
    return f"{qualified(element).removeprefix('bpmn:')} {brief(element.get('id')) or '（无编号）'}"
