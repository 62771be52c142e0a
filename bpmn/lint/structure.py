"""What cannot run, whatever it means: elements the engine does not know, and references that lead nowhere."""

from __future__ import annotations

import math
import re
from collections import Counter

from bpmn.dialect import TOGETHER
from bpmn.lint.finding import MAX_ID, Finding, Findings, called, error, warning
from bpmn.lint.graph import FLOW_NODES
from bpmn.reading import extension, timer_date
from bpmn.xml import BPMN, DUBAN, XSI, DiagramError, Element, brief, tag

REFUSED = {
    "scriptTask": "脚本不会执行；请改为用户任务（userTask）",
    "serviceTask": "服务任务不会执行；请改为用户任务（userTask）",
    "businessRuleTask": "业务规则任务不会执行；请改为用户任务（userTask）",
    "sendTask": "发送任务不会执行；提醒由催办规则发出，请删去",
    "receiveTask": "接收任务不会执行；请改为用户任务（userTask）",
    "manualTask": "手工任务不进台账；请改为用户任务（userTask）",
    "task": "普通任务不进台账；请改为用户任务（userTask）",
    "callActivity": "不能调用其他流程；请把任务直接画进来",
    "subProcess": "普通子流程不能用；同一标题下的任务请用即席子流程（adHocSubProcess）",
    "transaction": "事务子流程不能用；请用即席子流程（adHocSubProcess）",
    "complexGateway": "复杂网关不能用；请改为并行或排他网关",
    "inclusiveGateway": "包容网关不能用；请改为并行或排他网关",
    "eventBasedGateway": "事件网关不能用；请改为带日期的定时事件",
    "boundaryEvent": "边界事件不能用；时限请写在任务的完成时限里",
    "intermediateThrowEvent": "抛出事件不能用，请删去",
    "dataObject": "数据对象不能用；指标请写在任务里",
    "dataObjectReference": "数据对象不能用；指标请写在任务里",
    "dataStoreReference": "数据存储不能用，请删去",
    "laneSet": "泳道不能用；单位请写在责任分工里",
    "collaboration": "泳池和协作不能用；单位请写在责任分工里",
    "multiInstanceLoopCharacteristics": "不能设为多实例；多个单位请写成多条责任分工，会签、或签请在办理步骤里写明",
    "standardLoopCharacteristics": "不能设为循环；每周、每月的节奏请用报送节奏（cadence）",
    "compensateEventDefinition": "补偿事件不能用，请删去",
    "linkEventDefinition": "链接事件不会跳转；请直接连线",
    "messageEventDefinition": "消息事件不能用，请删去",
    "signalEventDefinition": "信号事件不能用，请删去",
    "errorEventDefinition": "错误事件不能用，请删去",
    "escalationEventDefinition": "升级事件不能用，请删去；逾期由催办规则处理",
    "conditionalEventDefinition": "条件事件不能用；请改为带日期的定时事件",
    "cancelEventDefinition": "取消事件不能用，请删去",
    "terminateEventDefinition": "终止事件会丢下未办的任务；请改为普通结束事件",
}
_RULES = {
    "subProcess": "sub-process-refused",
    "multiInstanceLoopCharacteristics": "multi-instance-refused",
    "standardLoopCharacteristics": "loop-refused",
    "compensateEventDefinition": "compensation-refused",
    "linkEventDefinition": "link-event-refused",
    "scriptTask": "script-refused",
    "serviceTask": "service-refused",
    "callActivity": "call-activity-refused",
    "complexGateway": "complex-gateway-refused",
}
_PLAIN = frozenset({"documentation", "extensionElements"})
_NODE = _PLAIN | {"incoming", "outgoing"}
_NODES = {"startEvent", "endEvent", "intermediateCatchEvent", "exclusiveGateway", "parallelGateway"}
# What may stand in what: everything else is refused, so that no expression of BPMN but these two is ever read.
INSIDE: dict[str, frozenset[str]] = {
    "definitions": frozenset({"documentation", "process"}),
    "process": _PLAIN | _NODES | {"userTask", "adHocSubProcess", "sequenceFlow", "textAnnotation", "association"},
    "adHocSubProcess": _NODE | {"userTask", "sequenceFlow", "textAnnotation", "association"},
    "startEvent": _NODE | {"timerEventDefinition"},  # refused by a rule of its own
    "intermediateCatchEvent": _NODE | {"timerEventDefinition"},
    "timerEventDefinition": _PLAIN | {"timeDate", "timeCycle", "timeDuration"},  # likewise
    **dict.fromkeys(("endEvent", "exclusiveGateway", "parallelGateway"), _NODE),
    "userTask": _NODE | {"multiInstanceLoopCharacteristics"},  # where several sign; refused on an item
    "multiInstanceLoopCharacteristics": _PLAIN,
    "sequenceFlow": _PLAIN | {"conditionExpression"},
    "textAnnotation": _PLAIN | {"text"},
    "association": _PLAIN,
}
_EXPRESSIONS = frozenset({"conditionExpression", "timeDate"})
_ID = re.compile(r"[^\W\d][\w-]{0,39}")
_RESERVED = frozenset({"Start", "End"})  # the engine's own steps
_FARTHEST = 1_000_000  # pixels
_SEVERAL = tag("bpmn:multiInstanceLoopCharacteristics")


def check_elements(root: Element) -> Findings:
    """Elements and attributes the engine does not run; each message says what to draw instead."""
    todo = [root]
    while todo:
        element = todo.pop()
        if element.get("isForCompensation") == "true":
            yield error("compensation-refused", element, f"{called(element)}：补偿任务不会执行，请取消这一标记。")
        yield from _attributes(element)
        kept = []
        for child in element:
            if (finding := _refused(element, child)) is None:
                kept.append(child)
            else:
                yield finding
        todo += reversed(kept)


def _refused(parent: Element, child: Element) -> Finding | None:
    """Why a child may not stand where it stands."""
    where, name = _split(parent), _split(child)
    if where[0] != BPMN or where[1] in ("extensionElements", "documentation", "text"):
        known = (DUBAN,) if where[1] == "extensionElements" or where[0] == DUBAN else _DRAWING
        if name[0] in known and where[1] not in ("documentation", "text"):
            return None
        message = f"{called(parent)}里有别的软件的内容 {brief(name[1])}，这里不执行也不保存它；请删去。"
        return error("foreign-content", child, message)
    if child.tag == _SEVERAL and not _signs_together(parent):
        return _refusal(parent, child, name[1])
    if (name[0] == BPMN and name[1] in INSIDE.get(where[1], ())) or (
        where[1] == "definitions" and child.tag == tag("bpmndi:BPMNDiagram")
    ):
        return None
    return _refusal(parent, child, name[1])


def _signs_together(task: Element) -> bool:
    """Whether several posts decide at a step, which is drawn as several instances of it."""
    step = extension(task, "step")
    return step is not None and step.get("rule") in TOGETHER


def _refusal(parent: Element, child: Element, name: str) -> Finding:
    if name == "subProcess" and child.get("triggeredByEvent") == "true":
        message = f"{called(child)}：事件子流程不能用；请改为带日期的定时事件。"
        return error("event-sub-process-refused", child, message)
    if name in REFUSED:
        shown = child if child.get("name") or parent.getparent() is None else parent
        return error(_RULES.get(name, "element-refused"), child, f"{called(shown)}：{REFUSED[name]}。")
    if parent.tag == tag("bpmn:adHocSubProcess"):
        message = f"任务组{called(parent)}里只能放任务，不能放 {brief(name)}，请移出或删去。"
        return error("heading-child-refused", child, message)
    return error("element-refused", child, f"{called(parent)}里的 {brief(name)} 不能用，请删去。")


_DRAWING = tuple(f"http://www.omg.org/spec/{name}" for name in ("BPMN/20100524/DI", "DD/20100524/DC", "DD/20100524/DI"))


def _split(element: Element) -> tuple[str, str]:
    """(namespace, name) of an element."""
    namespace, _, name = str(element.tag).rpartition("}")
    return namespace.removeprefix("{"), name


def _attributes(element: Element) -> Findings:
    """Attributes of other tools inside the process, and expressions said to be in another language."""
    namespace, name = _split(element)
    if namespace != BPMN or name == "definitions":
        return
    for key in map(str, element.attrib):
        if key == f"{{{XSI}}}type" and name in _EXPRESSIONS and element.get(key, "").endswith("tFormalExpression"):
            continue
        if key.startswith("{"):
            message = f"{called(element)}有别的软件的属性 {brief(key.rpartition('}')[2])}，这里不认它；请删去。"
            yield error("foreign-content", element, message)
        elif key in ("language", "evaluatesToTypeRef"):
            message = f"{called(element)}的表达式写了 {key}；这里只有一种写法，请删去这个属性。"
            yield error("expression-language", element, message)


def check_process(process: Element) -> Findings:
    """Headings, timers and the places of boxes."""
    yield from _headings(process)
    yield from _timers(process)


def _headings(process: Element) -> Findings:
    for heading in process.iterfind(tag("bpmn:adHocSubProcess")):
        if heading.find(tag("bpmn:userTask")) is None:
            yield error(
                "heading-empty", heading, f"任务组{called(heading)}里没有任务，流程会停在这里；请放入任务或删去这个组。"
            )
        for condition in heading.iter(tag("bpmn:conditionExpression")):
            message = f"任务组{called(heading)}里的连线只表示先后，条件不起作用；请删去条件。"
            yield error("condition-on-task-flow", condition, message)


def _timers(process: Element) -> Findings:
    for event in process.iter(tag("bpmn:startEvent"), tag("bpmn:intermediateCatchEvent")):
        if event.find(f".//{tag('bpmn:timeCycle')}") is not None:
            message = f"{called(event)}：定时事件不能循环；每周、每月的节奏请用报送节奏（cadence）。"
            yield error("timer-cycle", event, message)
        elif event.tag == tag("bpmn:startEvent") and event.find(tag("bpmn:timerEventDefinition")) is not None:
            yield error("timer-start", event, f"{called(event)}：开始事件不能定时；方案由人启动，请用普通开始事件。")
        elif event.tag == tag("bpmn:intermediateCatchEvent"):
            try:
                timer_date(event)
            except DiagramError as problem:
                yield error("timer-unreadable", event, f"{called(event)}：{problem.message}")


def check_references(root: Element, process: Element) -> Findings:
    """Ids that stand twice, nowhere or cannot be used, and a picture that misses parts."""
    ids = Counter(node.get("id") for node in root.iter() if node.get("id"))
    for ident, count in ids.items():
        if count > 1:
            yield error("duplicate-id", ident, f"编号 {brief(ident)} 用了 {count} 次；请给其中一个换编号。")
        if len(str(ident)) > MAX_ID:
            yield error("id-unusable", brief(ident), f"编号 {brief(ident)} 超过 {MAX_ID} 个字符；请换一个短的。")
    for node in (process, *process.iter(*FLOW_NODES, tag("bpmn:sequenceFlow"))):
        yield from _usable_id(node)
    yield from _ends(process)
    yield from _drawing(root, process)


def _usable_id(node: Element) -> Findings:
    ident = node.get("id")
    if not ident:
        yield error("id-missing", node, f"{called(node)}没有编号（id），流程会漏掉它；请补上编号。")
    elif node.tag != tag("bpmn:sequenceFlow") and (not _ID.fullmatch(ident) or ident in _RESERVED):
        message = f"{called(node)}的编号 {brief(ident)} 不能用；请用字母开头的字母、数字、横线，不超过 40 个。"
        yield error("id-unusable", node, message)


def _ends(process: Element) -> Findings:
    """A flow joins two elements that stand side by side."""
    nodes = {node.get("id"): node for node in process.iter(*FLOW_NODES)}
    for flow in process.iter(tag("bpmn:sequenceFlow")):
        for end, words in (("sourceRef", "起点"), ("targetRef", "终点")):
            node = nodes.get(flow.get(end))
            if node is None:
                shown = f"{called(flow)}的{words}（{brief(flow.get(end))}）"
                yield error("flow-dangling", flow, f"{shown}不存在；请重新连接。")
            elif node.getparent() is not flow.getparent():
                message = f"{called(flow)}跨了任务组：{words}在另一个组里；先后只能排在同一任务组内，跨组请连接任务组。"
                yield error("flow-crossing", flow, message)


def _drawing(root: Element, process: Element) -> Findings:
    for place in root.iter(tag("dc:Bounds"), tag("di:waypoint")):
        if not all(_is_place(str(place.get(name))) for name in _SIDES if name in place.attrib):
            box = place.getparent()
            shown = brief(box.get("bpmnElement")) if box is not None else ""
            message = f"有元素（{shown or '无编号'}）画在图外（坐标不是合理的数）；请重新排版。"
            yield error("drawing-unreadable", shown or place, message)
    drawn = {shape.get("bpmnElement") for shape in root.iter(tag("bpmndi:BPMNShape"), tag("bpmndi:BPMNEdge"))}
    missing = [node for node in process.iter(*FLOW_NODES, tag("bpmn:sequenceFlow")) if node.get("id") not in drawn]
    if missing:
        message = f"有 {len(missing)} 个元素没有画在图上（如{called(missing[0])}）；重新排版即可补齐。"
        yield warning("layout-missing", missing[0], message)


_SIDES = ("x", "y", "width", "height")


def _is_place(words: str) -> bool:
    try:
        return math.isfinite(number := float(words)) and abs(number) <= _FARTHEST
    except ValueError:
        return False
