"""Mutated diagrams: what a person, a tool or an attacker may make of one that is in order."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from lxml import etree

from bpmn import library
from bpmn.lint.graph import FLOW_NODES
from bpmn.xml import DUBAN, Element, parse, tag
from tests.hostile.corpus import ESCAPES, diamonds, fan_outs, flow, item, plan

ROOT = Path(__file__).parent.parent
WORDS = (
    *("", "x", "Start", "End", "1", "-1", "true", "市人社局", "有关部门", "各县(市、区)", "2025-06-01", "9999-12-31"),
    "长" * 90,
    *("lead", "all", "responsible", "cooperating", "within", "every", "during", "run", "item:t1", "weekly"),
    *("FREQ=DAILY", "FREQ=MONTHLY;BYMONTHDAY=31", "month", "24:00", "a\u202eb", "a\nb", "0 1", "%"),
    *("typename", "__class__", "a.b", "h1", "t1", *list(ESCAPES.values())[:4]),
)  # fmt: skip
CONDITIONS = ("1 == 1", "role == 'lead'", "decision == 'pass'", "decision == 'return'", "needs_sign",
              "not needs_sign", "decision < 1", "role in decision", "held_by_office and role == 'lead'", "True",
              "'a' == 'b'", "nobody")  # fmt: skip


def bases() -> list[bytes]:
    """What is mutated: the plans and lifecycles of the library, the linter's own small diagrams, and some with flow."""
    found = [library.plan_xml(key) for key in library.plan_keys()] * 10
    found += [library.lifecycle_xml(key) for key in library.lifecycle_keys()] * 30
    small = [file.read_bytes() for file in sorted((ROOT / "diagrams").glob("*.bpmn")) if file.stat().st_size < 20_000]
    found += [xml for xml in small if b"<!DOCTYPE" not in xml]
    ordered = item("t1") + item("t2") + item("t3") + flow("o1", "t1", "t2") + flow("o2", "t2", "t3")
    timer = (
        "<bpmn:parallelGateway id='s'/><bpmn:parallelGateway id='j'/><bpmn:intermediateCatchEvent id='c' name='到期'>"
        "<bpmn:timerEventDefinition><bpmn:timeDate>2025-06-20</bpmn:timeDate></bpmn:timerEventDefinition>"
        f"</bpmn:intermediateCatchEvent>{item('late')}"
        f"<bpmn:adHocSubProcess id='h2' name='标题二'>{item('t4')}{item('t5')}</bpmn:adHocSubProcess>"
    )
    ways = (("h1", "s"), ("s", "c"), ("c", "late"), ("late", "j"), ("s", "h2"), ("h2", "j"))
    timed = plan(timer, "".join(flow(f"w{n}", a, b) for n, (a, b) in enumerate(ways)), heading=ordered, last="j")
    return found + [plan(heading=ordered), timed, fan_outs(2, 4), diamonds(4, tasks=True)] * 15


def mutants(n: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """`n` numbered mutants, the same for the same seed."""
    originals = bases()
    for number in range(n):
        dice = random.Random(f"{seed} {number}")
        yield number, mutated(dice.choice(originals), dice)


def mutated(xml: bytes, dice: random.Random) -> bytes:
    """One to four changes of the tree; now and then of the bytes."""
    root = copy.deepcopy(parse(xml))
    for _ in range(dice.choice((1, 1, 1, 1, 1, 2, 2, 3, 4))):
        dice.choices(list(_CHANGES), weights=list(_CHANGES.values()))[0](root, dice)
    made: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return _bytes(made, dice) if dice.random() < 0.04 else made


def _bytes(xml: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(xml))
    match dice.randrange(4):
        case 0:
            return xml[:place]
        case 1:
            return xml[:place] + bytes([dice.randrange(256)]) + xml[place + 1 :]
        case 2:
            return xml[:place] + xml[place + dice.randrange(40) :]
    return xml[:place] + dice.randbytes(8) + xml[place:]


# ---------------------------------------------------------------- changes of the tree
def _any(root: Element, dice: random.Random) -> Element:
    return dice.choice([node for node in root.iter() if node is not root] or [root])


def _a(root: Element, dice: random.Random, *names: str) -> Element | None:
    found = list(root.iter(*(tag(f"bpmn:{name}") for name in names)))
    return dice.choice(found) if found else None


def _node(root: Element, dice: random.Random) -> Element | None:
    found = list(root.iter(*FLOW_NODES))
    return dice.choice(found) if found else None


def _delete(root: Element, dice: random.Random) -> None:
    node = _any(root, dice)
    if (parent := node.getparent()) is not None:
        parent.remove(node)


def _duplicate(root: Element, dice: random.Random) -> None:
    node = _any(root, dice)
    twin = copy.deepcopy(node)
    if dice.random() < 0.7:  # a copy as an editor makes it, with ids of its own
        for part in twin.iter():
            if part.get("id"):
                part.set("id", f"{part.get('id')}c{dice.randrange(99)}")
    if node is not root:
        node.addnext(twin)


def _move(root: Element, dice: random.Random) -> None:
    node, target = _any(root, dice), _any(root, dice)
    if target is not node and node not in target.iterancestors():
        target.insert(dice.randrange(len(target) + 1), node)


def _rename(root: Element, dice: random.Random) -> None:
    node = _any(root, dice)
    names = [n.tag for n in root.iter()] + [tag(f"bpmn:{n}") for n in ("scriptTask", "manualTask", "subProcess")]
    node.tag = str(dice.choice(names))


def _retype(root: Element, dice: random.Random) -> None:
    """A flow node becomes another kind, as an editor's wrench makes it."""
    node = _node(root, dice)
    if node is not None:
        kinds = ("exclusiveGateway", "parallelGateway", "userTask", "endEvent", "intermediateCatchEvent", "startEvent")
        node.tag = tag(f"bpmn:{dice.choice(kinds)}")


def _reconnect(root: Element, dice: random.Random) -> None:
    line, node = _a(root, dice, "sequenceFlow"), _node(root, dice)
    if line is not None and node is not None:
        line.set(dice.choice(("sourceRef", "targetRef")), node.get("id", ""))


def _turn(root: Element, dice: random.Random) -> None:
    line = _a(root, dice, "sequenceFlow")
    if line is not None:
        source, target = line.get("sourceRef", ""), line.get("targetRef", "")
        line.set("sourceRef", target)
        line.set("targetRef", source)


def _connect(root: Element, dice: random.Random) -> None:
    source, target = _node(root, dice), _node(root, dice)
    parent = None if source is None else source.getparent()
    if source is not None and target is not None and parent is not None:
        ends = {"sourceRef": source.get("id", ""), "targetRef": target.get("id", "")}
        line = etree.SubElement(parent, tag("bpmn:sequenceFlow"), {"id": f"new{dice.randrange(999)}", **ends})
        if dice.random() < 0.4:
            etree.SubElement(line, tag("bpmn:conditionExpression")).text = dice.choice(CONDITIONS)


def _split(root: Element, dice: random.Random) -> None:
    """A new element in the middle of a line."""
    line = _a(root, dice, "sequenceFlow")
    parent = None if line is None else line.getparent()
    if line is None or parent is None:
        return
    ident = f"mid{dice.randrange(999)}"
    kind = dice.choice(("exclusiveGateway", "parallelGateway", "userTask", "intermediateCatchEvent"))
    if kind == "userTask" and dice.random() < 0.8:
        made = etree.fromstring(plan(heading=item(ident)))[0].find(f".//{tag('bpmn:userTask')}")
        assert made is not None
        parent.insert(0, made)
    else:
        parent.insert(0, etree.Element(tag(f"bpmn:{kind}"), id=ident))
    etree.SubElement(
        parent, tag("bpmn:sequenceFlow"), id=f"{ident}f", sourceRef=ident, targetRef=line.get("targetRef", "")
    )
    line.set("targetRef", ident)


def _bypass(root: Element, dice: random.Random) -> None:
    """An element taken out of its line, the line closed again."""
    node = _node(root, dice)
    parent = None if node is None else node.getparent()
    if node is None or parent is None:
        return
    lines = list(parent.iterfind(tag("bpmn:sequenceFlow")))
    out = [line for line in lines if line.get("sourceRef") == node.get("id")]
    for line in lines:
        if line.get("targetRef") == node.get("id") and out:
            line.set("targetRef", out[0].get("targetRef", ""))
    for gone in (*out, node):
        parent.remove(gone)


def _condition(root: Element, dice: random.Random) -> None:
    line = _a(root, dice, "sequenceFlow")
    if line is not None:
        for old in line.findall(tag("bpmn:conditionExpression")):
            line.remove(old)
        if dice.random() < 0.8:
            etree.SubElement(line, tag("bpmn:conditionExpression")).text = dice.choice(CONDITIONS)


def _default(root: Element, dice: random.Random) -> None:
    gateway, line = _a(root, dice, "exclusiveGateway"), _a(root, dice, "sequenceFlow")
    if gateway is not None and line is not None:
        gateway.attrib.pop("default", "")
        if dice.random() < 0.7:
            gateway.set("default", line.get("id", ""))


def _attribute(root: Element, dice: random.Random) -> None:
    node = _any(root, dice)
    names = [str(name) for name in node.attrib] or ["id"]
    others = ("id", "name", "default", "isExecutable", "cadence", "completion", "lifecycle", "language", "{urn:x}y")
    name = dice.choice(names) if dice.random() < 0.8 else dice.choice(others)
    match dice.randrange(4):
        case 0:
            node.attrib.pop(name, "")
        case 1:
            other = [value for each in root.iter() for value in each.attrib.values()]
            node.set(name, str(dice.choice(other)))
        case _:
            node.set(name, _legal(dice.choice(WORDS)))


def _dialect(root: Element, dice: random.Random) -> None:
    """What Duban itself says of a plan: one attribute gets another value, mostly one that stands elsewhere."""
    found = list(root.iter(f"{{{DUBAN}}}*"))
    if not found:
        return
    node = dice.choice(found)
    if not node.attrib:
        node.text = _legal(dice.choice(WORDS))
        return
    name = str(dice.choice(list(node.attrib)))
    values = [str(other.get(name)) for other in found if other.get(name)] + list(WORDS)
    node.set(name, _legal(dice.choice(values)))


def _text(root: Element, dice: random.Random) -> None:
    _any(root, dice).text = _legal(dice.choice(WORDS))


def _insert(root: Element, dice: random.Random) -> None:
    names = ("scriptTask", "documentation", "userTask", "endEvent", "sequenceFlow", "laneSet", "extensionElements")
    node = etree.SubElement(_any(root, dice), tag(f"bpmn:{dice.choice(names)}"))
    if dice.random() < 0.7:
        node.set("id", f"new{dice.randrange(99)}")


def _shuffle(root: Element, dice: random.Random) -> None:
    node = _any(root, dice)
    children = list(node)
    dice.shuffle(children)
    node[:] = children


def _identify(root: Element, dice: random.Random) -> None:
    """One id becomes another, and with it what refers to it, or not."""
    found = [node for node in root.iter() if node.get("id")]
    if not found:
        return
    old = str(dice.choice(found).get("id"))
    new = dice.choice(("Start", "End", "Root", "a.b", f"{old}.EndJoin", f"{old} [child]", "t1", "s", f"{old}x", "_x"))
    for node in root.iter():
        for name, value in node.attrib.items():
            if value == old and (name == "id" or dice.random() < 0.95):
                node.set(str(name), new)


def _legal(words: str) -> str:
    return "".join(c for c in words if c >= " " or c in "\n\t")


_CHANGES: dict[Callable[[Element, random.Random], None], int] = {
    _delete: 3, _duplicate: 2, _move: 2, _rename: 2, _retype: 3, _reconnect: 4, _turn: 1, _connect: 4, _split: 4,
    _bypass: 3, _condition: 3, _default: 2, _attribute: 4, _dialect: 8, _text: 1, _insert: 1, _shuffle: 2, _identify: 3,
}  # fmt: skip
