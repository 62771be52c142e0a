"""The BPMN 2.0 schema (XSD), read from where it is installed: its files are SpiffWorkflow's, not ours to copy."""

from __future__ import annotations

import re
import threading
from functools import cache
from importlib.metadata import distribution
from typing import Any

from lxml import etree

from bpmn.xml import Element, nearest_id

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
        entries = list(log)
    by_line = {node.sourceline: node for node in reversed(list(root.iter()))}
    return [(_element_at(by_line.get(entry.line)), _plain(entry.message)) for entry in entries]


def _element_at(node: Element | None) -> str | None:
    return None if node is None else nearest_id(node)


def _plain(message: str) -> str:
    """The schema's words without namespaces."""
    return re.sub(r"\{[^}]*\}", "", message)
