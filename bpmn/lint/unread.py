"""What of a plan cannot be read, so that everything else can be looked through all the same."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass

from bpmn.dialect import ELEMENTS, DialectError, ElementType, read_value
from bpmn.plan import Plan
from bpmn.reading import due_rule, extension, plan_of, timer_date, words
from bpmn.xml import DUBAN, DiagramError, Element, nearest_id, tag
from ledger.rules.texts import shows

_STANDING_IN = {"no": "？", "title": "（未写标题）", "issued": "2000-01-01", "start": "2000-01-01"}
_KEPT = ("plan", "item")  # what is looked through although an attribute of it cannot be read


@dataclass(frozen=True)
class Unread:
    """Places (owner's id, name of the attribute or element) that have a finding of their own. A rhythm is its own
    owner; the plan's facts have the owner None."""

    places: frozenset[tuple[str | None, str]]

    def of(self, owner: str | None, *names: str) -> bool:
        return any((owner, name) in self.places for name in names)

    def of_plan(self, *names: str) -> bool:
        return self.of(None, *names)

    def some(self, name: str) -> bool:
        """Whether anything of this name was left out."""
        return any(name == each for _, each in self.places)


NOTHING_UNREAD = Unread(frozenset())


def readable(process: Element) -> tuple[Plan, Unread] | None:
    """The plan as far as it can be read; None where it has no facts or its frame is broken."""
    if extension(process, "plan") is None:
        return None
    kept = deepcopy(process)
    places = set(_without(kept))
    try:
        return plan_of(kept), Unread(frozenset(places))
    except DiagramError:
        return None


def _without(process: Element) -> Iterator[tuple[str | None, str]]:
    """Take out what the reader would stumble over, and say what it was."""
    for element in list(process.iter(f"{{{DUBAN}}}*")):
        kind = ELEMENTS.get(str(element.tag).removeprefix(f"{{{DUBAN}}}"))
        if kind is not None:
            yield from _mended(element, kind)
    for event in process.findall(tag("bpmn:intermediateCatchEvent")):
        try:
            timer_date(event)
        except DiagramError:
            process.remove(event)
            yield event.get("id"), "timer"
    for task in list(process.iter(tag("bpmn:userTask"))):
        if extension(task, "item") is None or not task.get("id"):
            _remove(task)
            yield task.get("id"), "item"


def _mended(element: Element, kind: ElementType) -> Iterator[tuple[str | None, str]]:
    owner = _owner(element, kind)
    bad = [a.name for a in kind.attributes if not _is_read(a.name, element, kind)]
    if kind.name not in _KEPT and (bad or not _is_whole(element, kind)):
        needed = [name for name in bad if (attribute := kind.attribute(name)) and attribute.required]
        for name in bad:
            element.attrib.pop(name, "")
        if needed or not _is_whole(element, kind):
            _remove(element)
            yield owner, kind.name
        return
    for name in bad:
        yield owner, name
        attribute = kind.attribute(name)
        if attribute is not None and attribute.required:
            element.set(name, _STANDING_IN.get(name) or _chosen(element, name))
        else:
            element.attrib.pop(name, "")


def _is_read(name: str, element: Element, kind: ElementType) -> bool:
    attribute = kind.attribute(name)
    text = element.get(name)
    if attribute is None:
        return True
    if text is None or (attribute.required and not shows(text)):
        return not attribute.required
    try:
        read_value(attribute, text)
    except DialectError:
        return False
    return True


def _is_whole(element: Element, kind: ElementType) -> bool:
    """Whether the words of an element are there, and a rule's parts go together."""
    if kind.body == "required" and not shows(words(element)):
        return False
    if kind.name not in ("due", "opens"):
        return True
    try:
        due_rule(element)
    except DiagramError:
        return False
    return True


def _chosen(element: Element, name: str) -> str:
    """Who closes an item follows from whether somebody leads; any other fact is only not empty."""
    if name != "completion":
        return "？"
    leads = any(share.get("role") == "lead" for share in element.iterfind(tag("duban:assignment")))
    return "lead" if leads else "all"


def _owner(element: Element, kind: ElementType) -> str | None:
    if kind.name == "cadence":
        return element.get("id")
    return None if kind.name == "plan" else nearest_id(element)


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
