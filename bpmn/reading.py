"""From a diagram to what it says: a Plan or a Lifecycle. What cannot be read is an error that names its element."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from bpmn import dialect
from bpmn.lifecycle import Lifecycle, Step
from bpmn.plan import Cadence, Facts, Heading, Indicator, Item, Plan, Share, Timer
from bpmn.xml import DiagramError, Element, nearest_id, parse, process_of, tag
from ledger.rules.due import DueRule

OPERATORS = {"ge": ">=", "le": "<=", "eq": "=", "range": "range"}


def read_plan(xml: bytes) -> Plan:
    """The plan that a diagram says. Raises: DiagramError."""
    return plan_of(process_of(parse(xml)))


def read_lifecycle(xml: bytes) -> Lifecycle:
    """The lifecycle that a diagram says. Raises: DiagramError."""
    process = process_of(parse(xml))
    steps = tuple(_step(node) for node in process.iterfind(tag("bpmn:userTask")))
    return Lifecycle(_id(process), process.get("name", ""), steps)


def jurisdiction_of(xml: bytes) -> str | None:
    """The key of the organisation whose units a plan names; None where it names none. Raises: DiagramError."""
    root = extension(process_of(parse(xml)), "plan")
    return None if root is None else root.get("jurisdiction")


def plan_of(process: Element) -> Plan:
    """`read_plan` for a parsed process. Raises: DiagramError."""
    root = extension(process, "plan")
    if root is None:
        raise DiagramError("流程缺少方案信息（duban:plan）。", process.get("id"))
    headings = tuple(_heading(node) for node in process.iterfind(tag("bpmn:adHocSubProcess")))
    timers = _timers(process)
    opened = {item: timer for timer in timers for item in timer.items}
    loose = process.iterfind(tag("bpmn:userTask"))
    branch_items = tuple(_item(node, None, (), opened.get(_id(node))) for node in loose)
    cadences = tuple(cadence_of(node) for node in root.iterfind(tag("duban:cadence")))
    return Plan(_facts(process, root), headings, branch_items, timers, cadences)


def extension(node: Element, name: str) -> Element | None:
    """The dialect element of this name on a BPMN element."""
    return node.find(f"{tag('bpmn:extensionElements')}/{tag(f'duban:{name}')}")


def words(element: Element) -> str:
    """The text an element carries, without the white space around it."""
    return (element.text or "").strip()


def _id(element: Element) -> str:
    ident = element.get("id")
    if not ident:
        raise DiagramError("元素没有编号（id）。", nearest_id(element))
    return ident


def _values(element: Element) -> dict[str, Any]:
    try:
        return dialect.values(element)
    except dialect.DialectError as error:
        raise DiagramError(f"{error}。", nearest_id(element)) from None


def _facts(process: Element, root: Element) -> Facts:
    found = _values(root)
    return Facts(
        key=_id(process),
        title=found["title"],
        short=found["short"],
        issuer=found["issuer"],
        doc_no=found["docNo"] or "",
        issued=found["issued"],
        period=(found["start"], found["end"]),
        jurisdiction=found["jurisdiction"],
        office=found["office"],
        sign_roles=found["sign"] or (),
        mend_days=found["mendDays"],
        mail=found["mail"],
        ladder=found["ladder"],
        extends=found["extends"],
        steps=found["steps"],
        intake=found["intake"],
    )


def cadence_of(element: Element) -> Cadence:
    """The rhythm of a `cadence` element. Raises: DiagramError."""
    found = _values(element)
    return Cadence(
        id=found["id"],
        name=found["name"],
        asks=found["asks"],
        opens=found["opens"],
        opens_at=found["opensAt"],
        opens_shift=found["opensShift"],
        due=found["due"],
        due_at=found["dueAt"],
        due_shift=found["dueShift"],
        first=found["first"],
        last=found["last"],
        ladder=found["ladder"],
        closes=found["closes"],
    )


def _heading(node: Element) -> Heading:
    ident = _id(node)
    after = _order(node)
    tasks = node.iterfind(tag("bpmn:userTask"))
    return Heading(ident, _name(node), tuple(_item(task, ident, after[_id(task)], None) for task in tasks))


def _name(node: Element) -> str:
    """A box's name on one line: on the drawing it may have several."""
    return " ".join(node.get("name", "").split())


def _order(heading: Element) -> defaultdict[str, tuple[str, ...]]:
    """A flow between two items of a heading orders them: the later one opens when the earlier is closed."""
    after: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for flow in heading.iterfind(tag("bpmn:sequenceFlow")):
        after[flow.get("targetRef", "")] += (flow.get("sourceRef", ""),)
    return after


def _item(node: Element, heading: str | None, after: tuple[str, ...], timer: Timer | None) -> Item:
    root = extension(node, "item")
    if root is None:
        raise DiagramError("这个框还没有填写任务内容（duban:item）。", node.get("id"))
    found = _values(root)
    clause = root.find(tag("duban:clause"))
    due, opens = _rule(root, "due"), _rule(root, "opens")
    if opens is None and timer is not None:
        opens = DueRule("by", timer.name, date=timer.date)
    return Item(
        id=_id(node),
        no=found["no"],
        title=found["title"],
        clause="" if clause is None else words(clause),
        heading=heading,
        shares=tuple(_share(element) for element in root.iterfind(tag("duban:assignment"))),
        due=due,
        opens=opens,
        after=after,
        indicators=tuple(_indicator(element) for element in root.iterfind(tag("duban:indicator"))),
        completion=found["completion"],
        gated=found["gated"],
        lifecycle=found["lifecycle"],
        cadence=found["cadence"],
        steps=found["steps"],
        notes=tuple(words(element) for element in root.iterfind(tag("duban:note"))),
    )


def _share(element: Element) -> Share:
    found = _values(element)
    return Share(found["unit"], found["role"], found["quota"], found["presumed"])


def _rule(root: Element, name: str) -> DueRule | None:
    element = root.find(tag(f"duban:{name}"))
    return None if element is None else due_rule(element)


def due_rule(element: Element) -> DueRule:
    """The rule of a `due` or `opens` element. Raises: DiagramError when its parts contradict its kind."""
    try:
        rule = DueRule(text=words(element), **_values(element))
    except ValueError as error:
        raise DiagramError(str(error), nearest_id(element)) from None
    dated = {"by": rule.date is not None, "during": rule.start is not None and rule.end is not None}
    if not dated.get(rule.kind, True):
        raise DiagramError(f"时限“{rule.text}”没有写日期。请写明到哪一天，如 8月31日前。", nearest_id(element))
    return rule


def _indicator(element: Element) -> Indicator:
    found = _values(element)
    return Indicator(
        key=found["key"],
        name=found["name"],
        op=OPERATORS[found["op"]],  # type: ignore[arg-type]
        value=found["value"],
        unit=found["unit"],
        text=words(element),
        value_max=found["max"],
        per=found["per"],
        by=found["by"],
        unit_name=found["unitName"],
        sum=found["sum"],
        definition=found["definition"],
        source=found["source"],
        as_of=found["asOf"],
        reporter=found["reporter"],
    )


def _timers(process: Element) -> tuple[Timer, ...]:
    """Dated catch events, each with the items that follow it one after another."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    for flow in process.iterfind(tag("bpmn:sequenceFlow")):
        following[flow.get("sourceRef", "")].append(flow.get("targetRef", ""))
    tasks = {node.get("id") for node in process.iterfind(tag("bpmn:userTask"))}
    timers = []
    for node in process.iterfind(tag("bpmn:intermediateCatchEvent")):
        items: list[str] = []
        reached = following[_id(node)]
        while len(reached) == 1 and reached[0] in tasks and reached[0] not in items:
            items.append(reached[0])
            reached = following[reached[0]]
        timers.append(Timer(_id(node), _name(node), timer_date(node), tuple(items)))
    return tuple(timers)


def timer_date(node: Element) -> date:
    """The date of a catch event. Raises: DiagramError for anything but one date."""
    dates = node.findall(f"{tag('bpmn:timerEventDefinition')}/{tag('bpmn:timeDate')}")
    text = words(dates[0]) if len(dates) == 1 else ""
    try:
        return dialect.read_date(text)
    except ValueError:
        raise DiagramError("定时事件要写一个日期，请写成 2025-08-25 的样子。", node.get("id")) from None


def _step(node: Element) -> Step:
    element = extension(node, "step")
    if element is None:
        raise DiagramError("这个步骤还没有填写由谁办理（duban:step）。", node.get("id"))
    found = _values(element)
    decisions = found["decisions"] or ()
    signers = tuple((s["holder"], s["role"]) for s in map(_values, element.iterfind(tag("duban:signer"))))
    own = found["holder"], found["role"], found["verb"]
    return Step(_id(node), node.get("name", ""), *own, decisions, found["rule"], signers)
