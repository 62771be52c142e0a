"""What the screen needs of a published diagram: how large it is drawn, and only those words its reader may see."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lxml import etree

from bpmn.names import titled_box
from bpmn.xml import parse, tag

_WORDS = (tag("bpmn:extensionElements"), tag("bpmn:documentation"))


def size_of(xml: bytes) -> tuple[int, int]:
    """Width and height of everything drawn, in the diagram's own pixels; (0, 0) for a diagram without a drawing."""
    boxes = [
        [float(bounds.get(name, "0")) for name in ("x", "y", "width", "height")]
        for bounds in parse(xml).iter(tag("dc:Bounds"))
    ]
    if not boxes:
        return 0, 0
    width = max(x + w for x, _, w, _ in boxes) - min(x for x, *_ in boxes)
    height = max(y + h for _, y, _, h in boxes) - min(y for _, y, *_ in boxes)
    return round(width), round(height)


def retitled(xml: bytes, titles: Mapping[str, tuple[str, str]]) -> bytes:
    """The diagram in which these items, element id -> (number, title), read otherwise than they were published."""
    root = parse(xml)
    for element in root.iter():
        if found := titles.get(element.get("id", "")):
            element.set("name", titled_box(*found))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def veiled(xml: bytes, numbers: Mapping[str, str], shown: Collection[str]) -> bytes:
    """The diagram in which an item that is not `shown` is only its number.

    `numbers`: element id of every item -> its printed number. Clauses and shares leave the diagram: the screen
    draws names only.
    """
    root = parse(xml)
    for element in list(root.iter(*_WORDS)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for element in list(root.iter()):
        key = element.get("id", "")
        if key in numbers and key not in shown:
            element.tag = tag("bpmn:task")  # without the mark of a person, which says nothing here
            element.set("name", f"{numbers[key]} （其他单位任务）")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
