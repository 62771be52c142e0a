"""What an editor saved is written as the diagram it began from: what was not edited stays byte for byte."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from lxml import etree

from bpmn import library
from bpmn.stitching import stitch
from bpmn.xml import NAMESPACES, parse, tag

OTHER = {uri: f"q{number}" for number, uri in enumerate(NAMESPACES.values())}
PLANS = library.plan_keys()


def rewritten(xml: bytes, edit: Callable[[Any], object] = lambda root: None) -> bytes:
    """The same file as another tool would write it: prefixes, quotes, spaces, order of attributes, no comments."""
    root = parse(xml)
    edit(root)
    heads = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for uri, prefix in OTHER.items())
    text = _written(root)
    name = text.split(" ", 1)[0]
    return f"<?xml version='1.0'?>\n{name}{heads}{text[len(name) :]}".encode()


def _written(node: Any) -> str:
    name = _short(node.tag)
    said = "".join(
        f" {_short(key)}={quoteattr(_value(key, value), {chr(10): '&#10;'})}"
        for key, value in reversed(node.attrib.items())
    )
    if not len(node):
        words = escape((node.text or "").strip())
        return f"<{name}{said}>{words}</{name}>" if words else f"<{name}{said} />"
    return f"<{name}{said}>\n" + "\n".join(map(_written, node)) + f"\n</{name}>"


def _short(name: str) -> str:
    uri, _, local = name.rpartition("}")
    return f"{OTHER[uri[1:]]}:{local}" if uri else local


def _value(key: str, value: str) -> str:
    if key == tag("xsi:type"):
        return f"{OTHER[NAMESPACES['bpmn']]}:{value.rpartition(':')[2]}"
    return f"{float(value)}" if key in ("x", "y", "width", "height") else value


def changed(before: bytes, after: bytes) -> list[str]:
    """Lines that are not the same, with their sign."""
    lines = difflib.unified_diff(before.decode().split("\n"), after.decode().split("\n"), lineterm="", n=0)
    return [line for line in lines if line[:1] in "+-" and not line.startswith(("---", "+++"))]


def by_id(root: Any, ident: Any) -> Any:
    return next(node for node in root.iter(etree.Element) if node.get("id") == ident)


@pytest.mark.parametrize("key", PLANS)
def test_a_plan_that_was_only_opened_and_saved_is_the_same_bytes(key: str) -> None:
    xml = library.plan_xml(key)
    assert rewritten(xml) != xml
    assert stitch(xml, rewritten(xml)) == xml


@pytest.mark.parametrize("key", PLANS)
def test_one_title_is_one_line(key: str) -> None:
    xml = library.plan_xml(key)
    items = [node.get("title") for node in parse(xml).iter(tag("duban:item"))]
    for number in {0, len(items) // 2, len(items) - 1}:

        def retitle(root: Any, number: int = number) -> None:
            list(root.iter(tag("duban:item")))[number].set("title", "改过的“标题” & <新>")

        made = stitch(xml, rewritten(xml, retitle))
        was, now = changed(xml, made)
        written = quoteattr("改过的“标题” & <新>")
        assert now[1:] == was[1:].replace(f'title="{items[number]}"', f"title={written}")


@pytest.mark.parametrize("key", PLANS)
def test_a_share_taken_out_and_a_share_put_in_are_a_line_each(key: str) -> None:
    xml = library.plan_xml(key)

    def edit(root: Any) -> None:
        item = next(node for node in root.iter(tag("duban:item")) if len(node.findall(tag("duban:assignment"))) > 1)
        first, *_ = item.findall(tag("duban:assignment"))
        item.remove(first)
        item.insert(0, etree.Element(tag("duban:assignment"), {"unit": "市科协", "role": "cooperating"}))

    made = stitch(xml, rewritten(xml, edit))
    lines = changed(xml, made)
    assert len(lines) == 2
    assert lines[1].strip("+ ") in (
        '<duban:assignment unit="市科协" role="cooperating"/>',
        '<duban:assignment role="cooperating" unit="市科协"/>',
    )


@pytest.mark.parametrize("key", PLANS)
def test_an_item_moved_to_another_heading_keeps_its_text(key: str) -> None:
    xml = library.plan_xml(key)
    root: Any = parse(xml)
    here, there = root.findall(f".//{tag('bpmn:adHocSubProcess')}")[:2]
    task = here.findall(tag("bpmn:userTask"))[0].get("id")

    def move(edited: Any) -> None:
        by_id(edited, there.get("id")).append(by_id(edited, task))

    made = stitch(xml, rewritten(xml, move))
    assert by_id(parse(made), task).getparent().get("id") == there.get("id")
    assert sorted(made.decode().split("\n")) == sorted(xml.decode().split("\n"))


@pytest.mark.parametrize("key", PLANS)
def test_an_order_that_says_nothing_is_not_taken_over(key: str) -> None:
    """Lines and drawings: an editor writes those that were removed and brought back last."""
    xml = library.plan_xml(key)

    def scramble(root: Any) -> None:
        for name in ("bpmn:sequenceFlow", "bpmndi:BPMNShape", "bpmndi:BPMNEdge"):
            for node in root.findall(f".//{tag(name)}")[::3]:
                node.getparent().append(node)

    assert stitch(xml, rewritten(xml, scramble)) == xml


@pytest.mark.parametrize("key", PLANS)
def test_the_order_of_items_is_the_drawn_one_and_their_text_stays(key: str) -> None:
    """It is the order of the table of contents, the ledger and the Gantt chart."""
    xml = library.plan_xml(key)
    heading = next(h for h in parse(xml).iter(tag("bpmn:adHocSubProcess")) if len(h.findall(tag("bpmn:userTask"))) > 2)
    before = [task.get("id") for task in heading.findall(tag("bpmn:userTask"))]

    def lift(root: Any) -> None:
        by_id(root, before[0]).addprevious(by_id(root, before[2]))

    made = stitch(xml, rewritten(xml, lift))
    after = [task.get("id") for task in by_id(parse(made), heading.get("id")).findall(tag("bpmn:userTask"))]
    assert after == [before[2], *before[:2], *before[3:]]
    assert sorted(made.decode().split("\n")) == sorted(xml.decode().split("\n"))
    assert stitch(xml, rewritten(made)) == made
    assert stitch(xml, rewritten(xml)) == xml


def test_headings_change_places_and_a_new_item_stands_after_the_one_it_was_drawn_after() -> None:
    xml = library.plan_xml(PLANS[0])

    def edit(root: Any) -> None:
        first, second = root.findall(f".//{tag('bpmn:adHocSubProcess')}")[:2]
        first.addprevious(second)
        tasks = first.findall(tag("bpmn:userTask"))
        new = deepcopy(tasks[0])
        new.set("id", "new")
        tasks[0].addprevious(tasks[-1])
        tasks[-1].addnext(new)

    was = [(h.get("id"), [t.get("id") for t in h.findall(tag("bpmn:userTask"))]) for h in _headings(xml)]
    now = [
        (h.get("id"), [t.get("id") for t in h.findall(tag("bpmn:userTask"))])
        for h in _headings(stitch(xml, rewritten(xml, edit)))
    ]
    (first, tasks), second, *others = was
    assert now == [second, (first, [tasks[-1], "new", *tasks[:-1]]), *others]


def _headings(xml: bytes) -> list[Any]:
    return list(parse(xml).iter(tag("bpmn:adHocSubProcess")))


def test_a_label_that_says_nothing_is_not_taken_over() -> None:
    """bpmn-js adds an empty one to the drawing of whatever is renamed."""
    xml = library.plan_xml(PLANS[0])

    def label(root: Any) -> None:
        for shape in root.iter(tag("bpmndi:BPMNShape")):
            if shape.find(tag("bpmndi:BPMNLabel")) is None:
                etree.SubElement(shape, tag("bpmndi:BPMNLabel"))

    assert stitch(xml, rewritten(xml, label)) == xml


def test_a_heading_with_an_item_is_added_with_its_drawing() -> None:
    xml = library.plan_xml(PLANS[0])

    def add(root: Any) -> None:
        process = root.find(tag("bpmn:process"))
        heading = deepcopy(process.find(tag("bpmn:adHocSubProcess")))
        for node in heading.iter(etree.Element):
            if node.get("id"):
                node.set("id", f"new_{node.get('id')}")
        process.find(tag("bpmn:sequenceFlow")).addprevious(heading)
        process.find(tag("bpmn:startEvent")).set("name", "开始")

    made = stitch(xml, rewritten(xml, add))
    assert [line for line in changed(xml, made) if line.startswith("-    <bpmn:startEvent")]
    assert re.search(r'\n    <bpmn:adHocSubProcess [^\n]*id="new_h1"[^\n]*>\n      <bpmn:incoming>', made.decode())
    assert len(parse(made).findall(f".//{tag('bpmn:adHocSubProcess')}")) == 5


def test_comments_and_odd_spaces_of_the_first_author_stay() -> None:
    xml = """<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' xmlns:d="urn:duban:bpmn:1"
      targetNamespace="x"   id='all'>
  <process  id="p" name='甲 > 乙'
            isExecutable="true"><!-- 第一稿 -->
    <userTask id="a" name="一"/>   <userTask id="b" name="二"></userTask>
    <!-- 待定 -->
    <userTask name="三" id="c" />
  </process>
</definitions>
""".encode()

    def edit(root: Any) -> None:
        by_id(root, "b").set("name", "贰")
        by_id(root, "c").set("default", "x")
        process = by_id(root, "p")
        process.append(etree.Element(tag("bpmn:userTask"), {"id": "e", "name": "五"}))

    made = stitch(xml, rewritten(xml, edit)).decode()
    assert made == xml.decode().replace('name="二"', 'name="贰"').replace('id="c" />', 'id="c" default="x"/>').replace(
        'default="x"/>\n', 'default="x"/>\n    <userTask id="e" name="五"/>\n'
    ).replace('<userTask id="e" name="五"/>', _either(made))


def _either(made: str) -> str:
    """Two attributes of a new element may stand in either order."""
    return next(line.strip() for line in made.split("\n") if 'id="e"' in line)
