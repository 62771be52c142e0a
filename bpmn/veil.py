"""A diagram for the screen of somebody who takes part in a few items only: the rest of it keeps its boxes, not its words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lxml import etree

from bpmn.xml import parse, tag


_WORDS = (tag("bpmn:extensionElements"), tag("bpmn:documentation"))


def veiled(xml: bytes, numbers: Mapping[str, str], shown: Collection[str]) -> bytes:
    """The diagram in which an item that is not `shown` is only its number.

    `numbers`: element id of every item -> its printed number. Clauses and shares leave the diagram altogether: the screen
    draws names only.
    """
    root = parse(xml)
    for element in list(root.iter(*_WORDS)):
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    for element in root.iter():
        key = element.get("id")
        if key in numbers and key not in shown:
            element.set("name", f"{numbers[key]} （其他单位任务）")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
