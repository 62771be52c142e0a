"""From a Plan to a diagram that people can read and SpiffWorkflow can run. The same plan gives the same bytes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

from lxml import etree

from bpmn import library, names
from bpmn.layout import Box, Layout, lay_out
from bpmn.plan import Cadence, Facts, Item, Plan, Timer
from bpmn.reading import OPERATORS
from bpmn.rhythm import annotation
from bpmn.xml import NAMESPACES, Element, parse, process_of, tag
from ledger.rules.due import DueRule
from ledger.rules.verbs import EXTENDS

_OPERATOR_NAMES = {symbol: name for name, symbol in OPERATORS.items()}


def write_plan(plan: Plan) -> bytes:
    """The diagram of a plan with its layout, as UTF-8 XML."""
    root = etree.Element(tag("bpmn:definitions"), nsmap=NAMESPACES)
    root.set("id", "definitions")
    root.set("targetNamespace", "urn:duban:bpmn:1:plans")
    process = _add(root, "bpmn:process", id=plan.facts.key, name=plan.facts.title, isExecutable=True)
    _facts(process, plan)
    _Process(process, plan).write()
    _picture(root, plan, lay_out(plan))
    etree.indent(root, "  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def write_register(facts: Facts) -> bytes:
    """The diagram of a register (登记簿), as UTF-8 XML: the drawn one under these facts. It draws no item: what is
    registered opens them."""
    root = parse(library.register_xml())
    process = process_of(root)
    process.set("id", facts.key)
    process.set("name", facts.title)
    plane, extensions = root.find(f".//{tag('bpmndi:BPMNPlane')}"), process.find(tag("bpmn:extensionElements"))
    assert plane is not None and extensions is not None
    plane.set("bpmnElement", facts.key)
    extensions.clear()
    _plan(extensions, facts)
    etree.indent(root, "  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dt.time():
            return value.strftime("%H:%M")
        case Decimal():
            return f"{value:f}"
        case tuple():
            return " ".join(map(str, value))
    return str(value)


def _add(parent: Element, kind: str, text: str | None = None, /, **attributes: object) -> Element:
    """A child element; attributes that are None are left out."""
    child = etree.SubElement(parent, tag(kind))
    for key, value in attributes.items():
        if value is not None:
            child.set(key, _text(value))
    child.text = text
    return child


def _facts(process: Element, plan: Plan) -> None:
    element = _plan(_add(process, "bpmn:extensionElements"), plan.facts)
    for cadence in plan.cadences:
        _cadence(element, cadence)


def _plan(parent: Element, facts: Facts) -> Element:
    return _add(
        parent,
        "duban:plan",
        title=facts.title,
        short=facts.short,
        issuer=facts.issuer,
        docNo=facts.doc_no or None,
        issued=facts.issued,
        start=facts.period[0],
        end=facts.period[1],
        jurisdiction=facts.jurisdiction,
        office=facts.office,
        sign=facts.sign_roles or None,
        mendDays=facts.mend_days,
        mail=facts.mail,
        ladder=facts.ladder,
        extends=facts.extends if facts.extends != EXTENDS else None,
        steps=facts.steps if facts.steps != "optional" else None,
        intake=facts.intake,
    )


def _cadence(parent: Element, cadence: Cadence) -> None:
    _add(
        parent,
        "duban:cadence",
        id=cadence.id,
        name=cadence.name,
        asks=cadence.asks,
        opens=cadence.opens,
        opensAt=cadence.opens_at,
        opensShift=cadence.opens_shift,
        due=cadence.due,
        dueAt="24:00" if cadence.due_at is None else cadence.due_at,
        dueShift=cadence.due_shift,
        first=cadence.first,
        last=cadence.last,
        ladder=cadence.ladder,
        closes=cadence.closes,
    )


def _rule(parent: Element, name: str, rule: DueRule | None) -> None:
    if rule is not None:
        fields: dict[str, Any] = {key: value for key, value in vars(rule).items() if key != "text"}
        fields["working"] = True if rule.working else None
        _add(parent, name, rule.text, **fields)


class _Process:
    """Writes the flow elements of a process; knows the flows of every node, which BPMN repeats inside it."""

    def __init__(self, process: Element, plan: Plan) -> None:
        self.process = process
        self.plan = plan
        self.flows = self._flows()
        self.incoming: defaultdict[str, list[str]] = defaultdict(list)
        self.outgoing: defaultdict[str, list[str]] = defaultdict(list)
        inner = [(earlier, item.id) for heading in plan.headings for item in heading.items for earlier in item.after]
        for source, target in [*self.flows, *inner]:
            self.outgoing[source].append(names.flow_id(source, target))
            self.incoming[target].append(names.flow_id(source, target))

    def _flows(self) -> list[tuple[str, str]]:
        flows = [(names.START, names.SPLIT)]
        for heading in self.plan.headings:
            flows += [(names.SPLIT, heading.id), (heading.id, names.JOIN)]
        flows.append((names.JOIN, names.CLOSED))
        for branch in names.branches(self.plan):
            ids = (names.SPLIT, *names.branch_ids(*branch))
            flows += pairwise(ids)
        return flows

    def write(self) -> None:
        self._node(self.process, "bpmn:startEvent", names.START, "方案启动")
        self._node(self.process, "bpmn:parallelGateway", names.SPLIT)
        self._headings()
        self._node(self.process, "bpmn:parallelGateway", names.JOIN)
        self._node(self.process, "bpmn:endEvent", names.CLOSED, "任务全部办结")
        for timer, items in names.branches(self.plan):
            self._branch(timer, items)
        for source, target in self.flows:
            self._flow(self.process, source, target)
        text = annotation(self.plan)
        if text:
            _add(_add(self.process, "bpmn:textAnnotation", id=names.RHYTHM), "bpmn:text", text)
            line = {"id": names.RHYTHM_LINE, "sourceRef": names.SPLIT, "targetRef": names.RHYTHM}
            _add(self.process, "bpmn:association", **line)

    def _node(
        self, parent: Element, kind: str, ident: str, name: str | None = None, item: Item | None = None
    ) -> Element:
        node = _add(parent, kind, id=ident, name=name)
        if item is not None:
            _item(_add(node, "bpmn:extensionElements"), item)
        for flow in self.incoming[ident]:
            _add(node, "bpmn:incoming", flow)
        for flow in self.outgoing[ident]:
            _add(node, "bpmn:outgoing", flow)
        return node

    def _flow(self, parent: Element, source: str, target: str) -> None:
        _add(parent, "bpmn:sequenceFlow", id=names.flow_id(source, target), sourceRef=source, targetRef=target)

    def _headings(self) -> None:
        for heading in self.plan.headings:
            node = self._node(self.process, "bpmn:adHocSubProcess", heading.id, heading.name)
            node.set("ordering", "Parallel")
            node.set("cancelRemainingInstances", "false")
            for item in heading.items:
                self._node(node, "bpmn:userTask", item.id, names.box_name(item), item)
            for item in heading.items:
                for earlier in item.after:
                    self._flow(node, earlier, item.id)

    def _branch(self, timer: Timer | None, items: tuple[Item, ...]) -> None:
        if timer is not None:
            node = self._node(self.process, "bpmn:intermediateCatchEvent", timer.id, timer.name)
            definition = _add(node, "bpmn:timerEventDefinition", id=f"{timer.id}_timer")
            date = _add(definition, "bpmn:timeDate", timer.date.isoformat())
            date.set(tag("xsi:type"), "bpmn:tFormalExpression")
        for item in items:
            dated = item.opens is not None and timer is not None and item.opens.date == timer.date
            self._node(
                self.process, "bpmn:userTask", item.id, names.box_name(item), _without_opens(item) if dated else item
            )
        self._node(self.process, "bpmn:endEvent", names.branch_ids(timer, items)[-1], "到期事项办结")


def _without_opens(item: Item) -> Item:
    """A branch's timer says when its items open; a second place could contradict it."""
    return Item(**{**vars(item), "opens": None})


def _item(parent: Element, item: Item) -> None:
    element = _add(
        parent,
        "duban:item",
        no=item.no,
        title=item.title,
        completion=item.completion,
        gated=None if item.gated else False,
        lifecycle=item.lifecycle,
        cadence=item.cadence,
        steps=item.steps,
    )
    for share in item.shares:
        presumed = True if share.presumed else None
        _add(element, "duban:assignment", unit=share.unit, role=share.role, quota=share.quota, presumed=presumed)
    _rule(element, "duban:due", item.due)
    _rule(element, "duban:opens", item.opens)
    for indicator in item.indicators:
        _add(
            element,
            "duban:indicator",
            indicator.text,
            key=indicator.key,
            name=indicator.name,
            op=_OPERATOR_NAMES[indicator.op],
            value=indicator.value,
            max=indicator.value_max,
            unit=indicator.unit,
            per=indicator.per,
            by=indicator.by,
            unitName=indicator.unit_name,
            sum=indicator.sum,
            definition=indicator.definition,
            source=indicator.source,
            reporter=indicator.reporter,
            asOf=indicator.as_of,
        )
    _add(element, "duban:clause", item.clause)
    for note in item.notes:
        _add(element, "duban:note", note)


def _bounds(parent: Element, box: Box) -> None:
    _add(parent, "dc:Bounds", x=f"{box.x:g}", y=f"{box.y:g}", width=f"{box.w:g}", height=f"{box.h:g}")


def _picture(root: Element, plan: Plan, layout: Layout) -> None:
    """The diagram interchange: headings before their items, or an editor would draw them on top."""
    diagram = _add(root, "bpmndi:BPMNDiagram", id="diagram")
    plane = _add(diagram, "bpmndi:BPMNPlane", id="plane", bpmnElement=plan.facts.key)
    headings = {heading.id for heading in plan.headings}
    for ident, box in layout.shapes.items():
        shape = _add(plane, "bpmndi:BPMNShape", id=f"{ident}_di", bpmnElement=ident)
        if ident in headings:
            shape.set("isExpanded", "true")
        _bounds(shape, box)
        if ident in layout.labels:
            _bounds(_add(shape, "bpmndi:BPMNLabel"), layout.labels[ident])
    for ident, points in layout.edges.items():
        edge = _add(plane, "bpmndi:BPMNEdge", id=f"{ident}_di", bpmnElement=ident)
        for x, y in points:
            _add(edge, "di:waypoint", x=f"{x:g}", y=f"{y:g}")
