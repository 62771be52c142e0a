"""What cannot run, whatever it means: elements the engine does not know, and references that lead nowhere."""

from __future__ import annotations

from collections import Counter

from bpmn.lint.finding import Findings, called, error, warning
from bpmn.lint.graph import FLOW_NODES
from bpmn.reading import timer_date
from bpmn.xml import DiagramError, Element, qualified, tag

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
    "eventBasedGateway": "事件网关不能用；请改为带日期的定时事件",
    "boundaryEvent": "边界事件不能用；时限请写在任务的完成时限里",
    "intermediateThrowEvent": "抛出事件不能用，请删去",
    "dataObject": "数据对象不能用；指标请写在任务里",
    "dataObjectReference": "数据对象不能用；指标请写在任务里",
    "dataStoreReference": "数据存储不能用，请删去",
    "laneSet": "泳道不能用；单位请写在责任分工里",
    "multiInstanceLoopCharacteristics": "不能设为多实例；多个单位请写成多条责任分工",
    "standardLoopCharacteristics": "不能设为循环；每周、每月的节奏请用报送节奏（cadence）",
    "compensateEventDefinition": "补偿事件不能用，请删去",
    "linkEventDefinition": "链接事件不会跳转；请直接连线",
    "messageEventDefinition": "消息事件不能用，请删去",
    "signalEventDefinition": "信号事件不能用，请删去",
    "errorEventDefinition": "错误事件不能用，请删去",
    "escalationEventDefinition": "升级事件不能用；逾期由催办规则处理",
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
IN_HEADING = {"userTask", "sequenceFlow", "extensionElements", "incoming", "outgoing", "completionCondition"}
IN_HEADING |= {"documentation", "textAnnotation", "association"}


def check_elements(process: Element) -> Findings:
    """Elements the engine does not run; each message says what to draw instead."""
    for element in process.iter("{http://www.omg.org/spec/BPMN/20100524/MODEL}*"):
        name = qualified(element).removeprefix("bpmn:")
        if name == "subProcess" and element.get("triggeredByEvent") == "true":
            yield error(
                "event-sub-process-refused", element, f"{called(element)}：事件子流程不能用；请改为带日期的定时事件。"
            )
        elif name in REFUSED:
            parent = element.getparent()
            shown = element if element.get("name") or parent is None else parent
            yield error(_RULES.get(name, "element-refused"), element, f"{called(shown)}：{REFUSED[name]}。")
        if element.get("isForCompensation") == "true":
            yield error("compensation-refused", element, f"{called(element)}：补偿任务不会执行，请取消这一标记。")
    yield from _headings(process)
    yield from _timers(process)


def _headings(process: Element) -> Findings:
    for heading in process.iterfind(tag("bpmn:adHocSubProcess")):
        for child in heading:
            name = qualified(child).removeprefix("bpmn:")
            if name not in IN_HEADING and name not in REFUSED:
                yield error(
                    "heading-child-refused", child, f"标题{called(heading)}里只能放任务，不能放 {name}，请移出或删去。"
                )
        if heading.find(tag("bpmn:userTask")) is None:
            yield error(
                "heading-empty", heading, f"标题{called(heading)}里没有任务，流程会停在这里；请放入任务或删去标题。"
            )


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
    """Ids that stand twice or nowhere, and a picture that misses parts."""
    ids = Counter(node.get("id") for node in root.iter() if node.get("id"))
    for ident, count in ids.items():
        if count > 1:
            yield error("duplicate-id", ident, f"编号 {ident} 用了 {count} 次；请给其中一个换编号。")
    nodes = {node.get("id") for node in process.iter(*FLOW_NODES)}
    for flow in process.iter(tag("bpmn:sequenceFlow")):
        for end, words in (("sourceRef", "起点"), ("targetRef", "终点")):
            if flow.get(end) not in nodes:
                yield error(
                    "flow-dangling", flow, f"连线 {flow.get('id')} 的{words} {flow.get(end)} 不存在；请重新连接。"
                )
    drawn = {shape.get("bpmnElement") for shape in root.iter(tag("bpmndi:BPMNShape"), tag("bpmndi:BPMNEdge"))}
    missing = [node for node in process.iter(*FLOW_NODES, tag("bpmn:sequenceFlow")) if node.get("id") not in drawn]
    if missing:
        message = f"有 {len(missing)} 个元素没有画在图上（如{called(missing[0])}）；重新排版即可补齐。"
        yield warning("layout-missing", missing[0], message)
