"""What the linter says: one rule, one element, one sentence that names the way out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from lxml import etree

from bpmn.xml import Element, brief, nearest_id, tag

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


class Unit(Protocol):
    """A unit, and from when and until when it is there, where that is not always."""

    @property
    def short(self) -> str: ...
    @property
    def valid_from(self) -> date | None: ...
    @property
    def valid_to(self) -> date | None: ...


class Ended(Protocol):
    """A unit that was given up; `words` say since when, and who may be meant."""

    @property
    def words(self) -> str: ...


class Resolution(Protocol):
    """Whom a printed name means: units, nobody yet for an open group, nobody any more for a unit that was given up."""

    @property
    def units(self) -> Sequence[Unit]: ...
    @property
    def ended(self) -> Ended | None: ...


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


_KINDS = {
    "startEvent": "开始",
    "endEvent": "结束",
    "intermediateCatchEvent": "日期",
    "parallelGateway": "并行",
    "exclusiveGateway": "判断",
    "adHocSubProcess": "任务组",
    "userTask": "任务",
    "sequenceFlow": "连线",
    "textAnnotation": "注释",
    "association": "注释线",
    "process": "方案图",
    "definitions": "方案图",
}


def called(element: Element) -> str:
    """How a person finds the element on the drawing: by its name, a line by what it joins, else by what it is."""
    name = brief(element.get("name"))
    if name:
        return f"“{name}”"
    kind = etree.QName(element).localname
    if kind == "sequenceFlow":
        return _line(element)
    item = element.find(f"{tag('bpmn:extensionElements')}/{tag('duban:item')}") if kind == "userTask" else None
    if item is not None and item.get("no"):
        return f"任务 {brief(item.get('no'))}"
    words = _KINDS.get(kind, "没有名称的元素")
    return f"“{words}{_way(element) if kind == 'parallelGateway' else ''}”"


def _way(gateway: Element) -> str:
    """Whether a parallel gateway parts ways or waits for them."""
    ends = [(flow.get("sourceRef"), flow.get("targetRef")) for flow in _beside(gateway)]
    out, into = (sum(end[at] == gateway.get("id") for end in ends) for at in (0, 1))
    if (out > 1) is (into > 1):
        return ""
    return "分开" if out > 1 else "等齐"


def _line(flow: Element) -> str:
    parent = flow.getparent()
    named = {node.get("id"): node for node in parent if node.tag != flow.tag} if parent is not None else {}
    ends = [named.get(flow.get(end)) for end in ("sourceRef", "targetRef")]
    if None in ends:
        return "一条连线"
    return "从{}到{}的连线".format(*(called(end) for end in ends if end is not None))


def _beside(element: Element) -> Iterator[Element]:
    parent = element.getparent()
    return iter(()) if parent is None else parent.iterfind(tag("bpmn:sequenceFlow"))
