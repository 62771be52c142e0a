"""A diagram with the place of each element in its text: what lxml forgets, and what keeps unchanged text unchanged.

Read only after `bpmn.xml.parse` took the same bytes: here nothing is guarded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from xml.parsers import expat

_BETWEEN = "}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@dataclass(eq=False)
class Node:
    """An element: `{uri}name`, its attributes, its own words, and where it begins and ends in the bytes.

    `inner` is where its start tag ends, `close` where its end tag begins (both `end` for `<a/>`).
    """

    tag: str
    attributes: Mapping[str, str]
    start: int
    inner: int = 0
    close: int = 0
    end: int = 0
    words: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Written as `<a/>`."""
        return self.inner == self.end

    @cached_property
    def meaning(self) -> Any:
        """What the element says, whatever way it is written: equal for two that say the same."""
        return (
            self.tag,
            self.words.strip(),
            tuple(sorted((name, plain(self.tag, name, value)) for name, value in stated(self).items())),
            tuple(child.meaning for child in sorted(self.children, key=_kind)),
        )

    @property
    def key(self) -> tuple[str, str] | None:
        """What identifies the element wherever it stands: its id, or that of the element it draws."""
        if self.tag.startswith(_OWN):
            return None
        for name in ("bpmnElement", "id"):
            if name in self.attributes:
                return self.tag, self.attributes[name]
        return None


def _kind(child: Node) -> tuple[str, str]:
    """By what children are compared: named ones wherever they stand, others in their order among their like.

    The order of items and of headings is the plan's, though they have names.
    """
    return (child.tag, "") if child.key is None or child.tag in ORDERED else child.key


_OWN = "{urn:duban:bpmn:1}"
_LABEL = "{http://www.omg.org/spec/BPMN/20100524/DI}BPMNLabel"
_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ORDERED = (f"{_BPMN}userTask", f"{_BPMN}adHocSubProcess")
"""What a plan lists in the order of its file."""
# What BPMN means where nothing is written: an editor leaves these out.
_DEFAULTS = {
    "cancelRemainingInstances": "true",
    "isForCompensation": "false",
    "startQuantity": "1",
    "completionQuantity": "1",
    "triggeredByEvent": "false",
    "isInterrupting": "true",
    "parallelMultiple": "false",
    "gatewayDirection": "Unspecified",
    "associationDirection": "None",
    "isClosed": "false",
    "processType": "None",
    "implementation": "##unspecified",
    "expressionLanguage": "http://www.w3.org/1999/XPath",
    "typeLanguage": "http://www.w3.org/2001/XMLSchema",
}
_PLACES = frozenset({"x", "y", "width", "height"})


def stated(node: Node) -> dict[str, str]:
    """The attributes without those that say what holds anyway."""
    if not node.tag.startswith(_BPMN):
        return dict(node.attributes)
    return {name: value for name, value in node.attributes.items() if _DEFAULTS.get(name) != value}


def plain(tag: str, name: str, value: str) -> str:
    """A value as it is compared: 40 and 40.0 are one place."""
    if name in _PLACES and not tag.startswith((_OWN, _BPMN)):
        try:
            return repr(float(value))
        except ValueError:
            return value
    return value


class Source:
    """The bytes of a diagram and its elements with their places."""

    def __init__(self, xml: bytes) -> None:
        self.xml = xml
        self.prefixes: dict[str, str] = {}
        self.by_key: dict[tuple[str, str], Node] = {}
        self._open: list[Node] = []
        self._pending: Node | None = None
        self._parser = expat.ParserCreate(namespace_separator=_BETWEEN)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartNamespaceDeclHandler = self._namespace
        for other in ("CommentHandler", "ProcessingInstructionHandler", "StartCdataSectionHandler"):
            setattr(self._parser, other, self._pass)
        self._parser.Parse(xml, True)

    root: Node

    def slice(self, start: int, end: int) -> str:
        return self.xml[start:end].decode()

    def _namespace(self, prefix: str | None, uri: str) -> None:
        if not self._open:
            self.prefixes.setdefault(uri, prefix or "")

    def _qualified(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        uri = next((uri for uri, known in self.prefixes.items() if known == prefix), None)
        return f"{{{uri}}}{local}" if uri else name

    def _settle(self) -> None:
        """The first thing after a start tag tells where the tag ended."""
        if self._pending is not None:
            self._pending.inner = self._parser.CurrentByteIndex
            self._pending = None

    def _pass(self, *_words: str) -> None:
        self._settle()

    def _text(self, words: str) -> None:
        self._settle()
        self._open[-1].words += words

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._settle()
        named = {_clark(key): value for key, value in attributes.items()}
        if _TYPE in named:  # a name in a value: its prefix means what the file says
            named[_TYPE] = self._qualified(named[_TYPE])
        node = Node(_clark(name), named, self._parser.CurrentByteIndex)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        if (key := node.key) is not None:
            self.by_key.setdefault(key, node)
        self._open.append(node)
        self._pending = node

    def _end(self, _name: str) -> None:
        node, at = self._open.pop(), self._parser.CurrentByteIndex
        if node.tag == _LABEL and not node.children:  # bpmn-js leaves one wherever a name was changed
            self._open[-1].children.remove(node)
        if self._pending is node:  # nothing stood between the tags; `<a/>` ends where expat says it begins to end
            self._pending = None
            end = self._tag_end(node.start)
            node.inner = end
            if self.xml[end - 2 : end] == b"/>":
                node.close = node.end = end
                return
        node.close = at
        node.end = self.xml.index(b">", at) + 1

    def _tag_end(self, at: int) -> int:
        """Past the `>` of the start tag at `at`; in an attribute's value a `>` may stand as it is."""
        quote = 0
        for place in range(at, len(self.xml)):
            byte = self.xml[place]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == ord(">"):
                return place + 1
        return len(self.xml)


def _clark(name: str) -> str:
    """expat's `uri}name` as `{uri}name`; an attribute without a prefix has no namespace."""
    return f"{{{name}" if _BETWEEN in name else name
