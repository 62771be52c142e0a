"""The dialect for the editor: how bpmn-js reads and writes it, and what the properties panel asks.

Both are made from `bpmn.dialect.ELEMENTS`, so nothing can be drawn that the reader does not know.
"""

from __future__ import annotations

from typing import Any

from bpmn.dialect import ELEMENTS, Attribute, ElementType
from bpmn.xml import DUBAN

UNASKED: dict[tuple[str, str], str] = {
    ("plan", "jurisdiction"): "says whose the draft is, which no draft changes",
    ("plan", "office"): "says whose the draft is, which no draft changes",
    ("plan", "intake"): "of registers, which nobody draws",
    ("cadence", "id"): "made by the editor, chosen by the rhythm's name",
    ("indicator", "key"): "made by the editor, or taken over with a figure that is shared",
}
"""Attributes that the panel does not ask for, each with its reason; it asks for every other."""

TEXT = "text"
"""The property of a moddle type that holds the words an element carries."""


def descriptor() -> dict[str, Any]:
    """The dialect as a moddle package. Every value is a string there: what was not edited keeps its spelling."""
    return {
        "name": "Duban",
        "uri": DUBAN,
        "prefix": "duban",
        "xml": {"tagAlias": "lowerCase"},
        "types": [_type(element) for element in ELEMENTS.values()],
    }


def panel() -> dict[str, Any]:
    """What the properties panel knows of each element: its label and its fields, by name."""
    return {
        element.name: {
            "label": element.label,
            "body": element.body == "required",
            "many": element.many,
            "longest": element.longest,
            "fields": {attribute.name: _field(element, attribute) for attribute in element.attributes},
        }
        for element in ELEMENTS.values()
    }


def _type(element: ElementType) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [
        {"name": attribute.name, "type": "String", "isAttr": True} for attribute in element.attributes
    ]
    properties += [_child(inner) for inner in ELEMENTS.values() if f"duban:{element.name}" in inner.allowed_in]
    if element.body == "required":
        properties.append({"name": TEXT, "type": "String", "isBody": True})
    return {"name": _type_name(element), "superClass": ["Element"], "properties": properties}


def _child(element: ElementType) -> dict[str, Any]:
    """A property whose name no attribute has: an item's `due` is an element, a cadence's an attribute."""
    name = f"{element.name}s" if element.many else element.name
    return {"name": name, "type": _type_name(element), **({"isMany": True} if element.many else {})}


def _type_name(element: ElementType) -> str:
    return element.name[0].upper() + element.name[1:]


def _field(element: ElementType, attribute: Attribute) -> dict[str, Any]:
    return {
        "asked": (element.name, attribute.name) not in UNASKED,
        "label": attribute.label,
        "kind": attribute.kind,
        "required": attribute.required,
        "default": attribute.default,
        "longest": attribute.longest,
        "least": attribute.least,
        "most": attribute.most,
        "choices": list(zip(attribute.values, attribute.words, strict=True)),
    }
