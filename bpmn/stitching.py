"""What an editor saved, written as the diagram it began from: text that says the same stays as it stood.

An editor writes a whole file anew: other prefixes, other spaces, other order. `stitch` takes from that file only what
it says differently, so that the next reader, and whoever compares two versions, sees what a person changed.

1. An element that means the same as before is its old bytes, comments and spaces included.
2. Of one that changed, the start tag keeps its old text but for the attributes that changed, and its children are
   looked at one by one. Children known by an id keep their old order, but for items and headings, whose order is the
   plan's: they take each other's places. A new child follows the one it was drawn after.
3. What is new is written in the prefixes of the old file, indented as its place asks.

The result means exactly what the editor said. That is checked; where it does not hold, the editor's own text is kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher
from xml.sax.saxutils import escape, quoteattr

from bpmn.source import ORDERED, Node, Source, plain, stated
from bpmn.xml import PREFIXES

_STEP = "  "
MOST_ALIKE = 500
"""Children without an id that are compared one with another: comparing takes the square of their number."""


def stitch(before: bytes, edited: bytes) -> bytes:
    """`edited` in the words of `before`. Both have been read by `bpmn.xml.parse`."""
    old, new = Source(before), Source(edited)
    if old.root.meaning == new.root.meaning:
        return before
    made = _Stitcher(old, new).document()
    return made if Source(made).root.meaning == new.root.meaning else edited


class _Stitcher:
    def __init__(self, old: Source, new: Source) -> None:
        self.old, self.new = old, new
        self.missing: dict[str, str] = {}

    def document(self) -> bytes:
        root = self._element(self.old.root, self.new.root, "")
        declared = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in self.missing.items())
        if declared:
            head = re.match(r"<[^\s/>]+", root)
            assert head is not None
            root = root[: head.end()] + declared + root[head.end() :]
        xml = self.old.xml
        return xml[: self.old.root.start] + root.encode() + xml[self.old.root.end :]

    # ---------------------------------------------------------------- an element that was there before
    def _element(self, old: Node, new: Node, indent: str) -> str:
        """What `new` says, in the text of `old` as far as it goes."""
        if old.meaning == new.meaning:
            return self.old.slice(old.start, old.end)
        start = self._start_tag(old, new)
        inside = self._inside(old, new, indent)
        if inside is None and not old.children and not old.words.strip():
            return start + self.old.slice(old.inner, old.end)
        if inside is None:
            return start.rstrip("/>") + "/>"
        if old.is_empty:
            return start.rstrip("/>").rstrip() + f">{inside}</{self._name(new.tag)}>"
        return f"{start}{inside}{self.old.slice(old.close, old.end)}"

    def _start_tag(self, old: Node, new: Node) -> str:
        text = self.old.slice(old.start, old.inner)
        before, after = stated(old), stated(new)
        for name in before.keys() - after.keys():
            text = self._attribute(name).sub("", text, count=1)
        for name, value in after.items():
            if name not in before:
                end = len(text) - (2 if text.endswith("/>") else 1)
                text = f"{text[:end].rstrip()} {self._name(name)}={self._quoted(value)}{text[end:]}"
            elif plain(old.tag, name, before[name]) != plain(new.tag, name, value):
                text = self._attribute(name).sub(
                    lambda found, value=value: f"{found[1]}{self._quoted(value)}",  # type: ignore[misc]
                    text,
                    count=1,
                )
        return text

    def _attribute(self, name: str) -> re.Pattern[str]:
        """The blanks, name and value of an attribute in the text of a start tag."""
        return re.compile(rf"(\s+{re.escape(self._name(name))}\s*=\s*)(?:\"[^\"]*\"|'[^']*')")

    def _inside(self, old: Node, new: Node, indent: str) -> str | None:
        """Everything between the tags, None for nothing."""
        if not new.children:
            return escape(new.words.strip()) or None
        if not old.children:
            return self._fresh_inside(new, indent)
        deeper = self._indent_of(old) or indent + _STEP
        gaps = self._gaps(old)
        parts: list[str] = []
        for before, after in _placed(old, new):
            known = before or self._elsewhere(after)
            text = self._element(known, after, deeper) if known else self._fresh(after, deeper)
            parts.append((gaps[before] if before else f"\n{deeper}") + text)
        last = self.old.slice(old.children[-1].end, old.close)
        return "".join(parts) + last

    def _elsewhere(self, node: Node) -> Node | None:
        """An element that was moved is still its old text."""
        return self.old.by_key.get(node.key) if node.key else None

    def _gaps(self, parent: Node) -> dict[Node, str]:
        """What stands before each child: spaces and comments."""
        starts = [parent.inner, *(child.end for child in parent.children)]
        return {
            child: self.old.slice(start, child.start) for start, child in zip(starts, parent.children, strict=False)
        }

    def _indent_of(self, parent: Node) -> str:
        return self.old.slice(parent.inner, parent.children[0].start).rpartition("\n")[2]

    # ---------------------------------------------------------------- what is new
    def _fresh(self, node: Node, indent: str) -> str:
        name = self._name(node.tag)
        said = "".join(f" {self._name(key)}={self._quoted(value)}" for key, value in node.attributes.items())
        inside = self._fresh_inside(node, indent)
        return f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>"

    def _fresh_inside(self, node: Node, indent: str) -> str | None:
        if not node.children:
            return escape(node.words.strip()) or None
        deeper = indent + _STEP
        lines = [f"\n{deeper}{self._moved(child, deeper)}" for child in node.children]
        return f"{''.join(lines)}\n{indent}"

    def _moved(self, node: Node, indent: str) -> str:
        known = self._elsewhere(node)
        return self._element(known, node, indent) if known else self._fresh(node, indent)

    def _name(self, clark: str) -> str:
        """A name with the prefix that the old file has for its namespace; one it lacks is declared at its root."""
        uri, closed, name = clark.removeprefix("{").partition("}")
        if not clark.startswith("{") or not closed or " " in uri:
            return clark
        prefix = self.old.prefixes.get(uri)
        if prefix is None:
            prefix = self.missing.setdefault(uri, PREFIXES.get(uri) or f"ns{len(self.missing)}")
        return f"{prefix}:{name}" if prefix else name

    def _quoted(self, value: str) -> str:
        return quoteattr(self._name(value), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _placed(old: Node, new: Node) -> Iterator[tuple[Node | None, Node]]:
    """The children of `new` in the order they are written, each with the old child that it was."""
    was = _partners(old, new)
    survivors = {id(before): after for after, before in was.items()}
    followers: defaultdict[Node | None, list[Node]] = defaultdict(list)
    ahead: Node | None = None
    for child in new.children:
        if child in was:
            ahead = child
        else:
            followers[ahead].append(child)
    for child in followers[None]:
        yield None, child
    for before in _reordered([child for child in old.children if id(child) in survivors], was):
        yield before, survivors[id(before)]
        for child in followers[survivors[id(before)]]:
            yield None, child


def _reordered(kept: list[Node], was: dict[Node, Node]) -> Iterator[Node]:
    """The old children that are left: those whose order counts in the order that was drawn, all others as they stood.

    An editor writes the other kinds in an order of its own, which says nothing.
    """
    drawn = {tag: iter([before for before in was.values() if before.tag == tag]) for tag in ORDERED}
    for child in kept:
        yield next(drawn[child.tag]) if child.tag in drawn else child


def _partners(old: Node, new: Node) -> dict[Node, Node]:
    """New child -> the old child it was: by id, else by what stands at the same place among its like."""
    keyed = {child.key: child for child in old.children if child.key}
    found = {child: keyed[child.key] for child in new.children if child.key in keyed}
    for tag in {child.tag for child in new.children if not child.key}:
        before = [child for child in old.children if child.tag == tag and not child.key]
        after = [child for child in new.children if child.tag == tag and not child.key]
        if max(len(before), len(after)) > MOST_ALIKE:
            found.update(zip(after, before, strict=False))
            continue
        match = SequenceMatcher(None, [n.meaning for n in before], [n.meaning for n in after], False)
        for _kind, i, i_end, j, j_end in match.get_opcodes():
            found.update(zip(after[j:j_end], before[i:i_end], strict=False))
    return found
