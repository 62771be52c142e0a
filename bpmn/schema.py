"""The BPMN 2.0 schema (XSD), read from where it is installed: its files are SpiffWorkflow's, not ours to copy."""

from __future__ import annotations

import re
import threading
from functools import cache
from importlib.metadata import distribution
from itertools import islice
from typing import Any

from lxml import etree

from bpmn.xml import NAMESPACES, Element, brief, nearest_id

MOST = 50  # errors told of one file
_lock = threading.Lock()


@cache
def _schema() -> etree.XMLSchema:
    path = distribution("SpiffWorkflow").locate_file("SpiffWorkflow/bpmn/parser/schema/BPMN20.xsd")
    return etree.XMLSchema(etree.parse(str(path)))


def schema_errors(root: Element) -> list[tuple[str | None, str]]:
    """What the schema has against a diagram: (nearest element id, message), in the order of the file."""
    with _lock:  # a validator keeps its errors to itself until the next document
        schema = _schema()
        if schema.validate(root):
            return []
        log: Any = schema.error_log
        entries = list(islice(log, MOST))
    return [(_element_at(root, entry.path), _plain(entry.message)) for entry in entries]


def _element_at(root: Element, path: str | None) -> str | None:
    """The id at a place of the document; the schema's paths count elements (/*/*[2]/*[5])."""
    try:
        found: Any = root.getroottree().xpath(path or "/*", namespaces=dict(NAMESPACES))
    except etree.XPathError:  # a prefix of the file's own
        return None
    return nearest_id(found[0]) if found else None


def _plain(message: str) -> str:
    """The schema's words without namespaces."""
    return brief(re.sub(r"\{[^}]*\}", "", message), 200)
