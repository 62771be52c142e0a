"""The flow of a process as a graph: dead ends, islands, circles of gateways, and sizes that would hang the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bpmn.expressions import ExpressionError, names
from bpmn.lint.finding import Findings, called, error
from bpmn.xml import Element, brief, tag

CHOICE, SPLIT = tag("bpmn:exclusiveGateway"), tag("bpmn:parallelGateway")
GATEWAYS = (CHOICE, SPLIT)
WAITS = tuple(tag(f"bpmn:{name}") for name in ("userTask", "adHocSubProcess", "intermediateCatchEvent"))
START, END = tag("bpmn:startEvent"), tag("bpmn:endEvent")
OTHERS = ("boundaryEvent", "intermediateThrowEvent", "complexGateway", "eventBasedGateway", "inclusiveGateway")
TASKS = ("task", "scriptTask", "serviceTask", "sendTask", "receiveTask", "manualTask", "businessRuleTask")
ACTIVITIES = ("callActivity", "subProcess", "transaction")
FLOW_NODES = (START, END, *GATEWAYS, *WAITS, *(tag(f"bpmn:{name}") for name in (*OTHERS, *TASKS, *ACTIVITIES)))

MAX_DEPTH = 150
"""Elements in one chain: the parser recurses along it, and at 500 Python gives up."""
MAX_SPREAD = 500
"""Elements that gateways can open at once, counting every path: doubled diamonds grow beyond any memory."""
MAX_ITEMS = 1000
MAX_NODES = 200
"""Elements outside of headings: each is a step of the engine, while what stands in a heading is a row of the ledger."""


class Graph:
    """The flow nodes of one process, without what stands inside headings."""

    def __init__(self, process: Element) -> None:
        self.process = process
        self.nodes = {node.get("id", ""): node for node in process if node.tag in FLOW_NODES}
        self.flows = [flow for flow in process.iterfind(tag("bpmn:sequenceFlow"))]
        self.out: defaultdict[str, list[str]] = defaultdict(list)
        self.into: defaultdict[str, list[str]] = defaultdict(list)
        for flow in self.flows:
            source, target = flow.get("sourceRef", ""), flow.get("targetRef", "")
            if source in self.nodes and target in self.nodes:
                self.out[source].append(target)
                self.into[target].append(source)
        self.starts = [ident for ident, node in self.nodes.items() if node.tag == START]

    def reachable(self) -> set[str]:
        seen: set[str] = set()
        todo = list(self.starts)
        while todo:
            ident = todo.pop()
            if ident not in seen:
                seen.add(ident)
                todo += self.out[ident]
        return seen

    def depth(self) -> int:
        """How deep the engine's parser descends: depth first, each node once, flows in drawn order."""
        deepest, seen = 0, set[str]()
        todo = [iter(self.starts[:1])]
        while todo:
            ident = next(todo[-1], None)
            if ident is None:
                todo.pop()
            elif ident not in seen:
                seen.add(ident)
                deepest = max(deepest, len(todo))
                todo.append(iter(self.out[ident]))
        return deepest


def check_sizes(process: Element) -> Findings:
    """What is too large to be looked at any further."""
    nodes = sum(1 for node in process if node.tag in FLOW_NODES)
    if nodes > MAX_NODES:
        message = f"标题之外有 {nodes} 个元素，上限 {MAX_NODES}；没有先后的任务请放进标题。"
        yield error("too-many-elements", process, message)
    items = sum(1 for _ in process.iter(tag("bpmn:userTask")))
    if items > MAX_ITEMS:
        yield error("too-many-items", process, f"任务有 {items} 个，上限 {MAX_ITEMS}；请拆成几个方案。")
    lines = sum(1 for _ in process.iter(tag("bpmn:sequenceFlow")))
    if lines > (most := 4 * (nodes + items) + 8):
        yield error("too-many-elements", process, f"连线有 {lines} 条，上限 {most}；请删去多余的连线。")


def check_graph(process: Element) -> Findings:
    """Whether a token that starts can reach an end, and nothing else is drawn."""
    graph = Graph(process)
    if len(graph.starts) != 1:
        message = f"要有一个“开始”，这里有 {len(graph.starts)} 个；请保留一个。"
        yield error("start-count", process, message)
    yield from _ends(graph)
    yield from _loose(graph)
    yield from _repeated(graph)
    yield from _sizes(graph)


def _ends(graph: Graph) -> Findings:
    reached = graph.reachable()
    for ident, node in graph.nodes.items():
        ends = node.tag == END
        if ident not in reached and graph.starts and not _is_loose(graph, ident):
            yield error("unreachable", node, f"从“开始”走不到{called(node)}，它不会启动；请连上或删去。")
        if not ends and not graph.out[ident] and not _is_loose(graph, ident):
            rule = "task-without-outgoing" if node.tag in WAITS else "dead-end"
            yield error(rule, node, f"{called(node)}没有连出的线，办完后流程停住；请连到下一步或“结束”。")
        if ends and graph.out[ident]:
            yield error("end-with-outgoing", node, f"{called(node)}是结束，不能再连出线；请删去连线。")
        if node.tag == START and graph.into[ident]:
            yield error("start-with-incoming", node, f"{called(node)}是开始，不能有连入的线；请删去连线。")
        if node.tag in WAITS and len(graph.out[ident]) > 1:
            message = f"{called(node)}连出 {len(graph.out[ident])} 条线；请只连一条，要分开走请先连到“并行”。"
            yield error("many-outgoing", node, message)
        if node.tag == START and len(graph.out[ident]) > 1:
            message = f"{called(node)}连出 {len(graph.out[ident])} 条线；请先连到“并行”。"
            yield error("many-outgoing", node, message)


def _repeated(graph: Graph) -> Findings:
    """Two lines between the same two elements would start what follows twice."""
    seen = set[tuple[str, str]]()
    for flow in graph.flows:
        ends = flow.get("sourceRef", ""), flow.get("targetRef", "")
        if ends in seen:
            message = f"{called(flow)}不止一条；请只留一条。"
            yield error("flow-repeated", flow, message)
        seen.add(ends)


def _is_loose(graph: Graph, ident: str) -> bool:
    return graph.nodes[ident].tag == tag("bpmn:userTask") and not graph.out[ident] and not graph.into[ident]


def _loose(graph: Graph) -> Findings:
    for ident, node in graph.nodes.items():
        if _is_loose(graph, ident):
            message = f"{called(node)}在任务组之外、又没有连线；请拖进所属的任务组，或连成单独的一支。"
            yield error("loose-task", node, message)


def _sizes(graph: Graph) -> Findings:
    depth = graph.depth()
    if depth > MAX_DEPTH:
        message = f"流程一条线上有 {depth} 个元素，上限 {MAX_DEPTH}；没有先后的任务请放进同一标题。"
        yield error("chain-too-long", graph.process, message)
    spread: dict[str, int] = {}
    for ident, node in graph.nodes.items():
        if node.tag in GATEWAYS and _spread(graph, ident, spread, ()) > MAX_SPREAD:
            message = (
                f"从{called(node)}起一下子展开超过 {MAX_SPREAD} 条路；没有先后的任务请放进同一标题，不要连用网关。"
            )
            yield error("fan-out", node, message)
            break
    for node in _circles(graph, spread):
        message = f"网关{called(node)}转一圈又回到自己，中间没有任务，会空转；请在圈里放一个任务。"
        yield error("gateway-loop", node, message)


def _spread(graph: Graph, ident: str, known: dict[str, int], path: tuple[str, ...]) -> int:
    """How many elements open behind a gateway until somebody has to act, every path counted; 0 marks a circle."""
    if graph.nodes[ident].tag not in GATEWAYS:
        return 1
    if ident in path or len(path) > MAX_DEPTH:
        known[ident] = 0
        return 0
    if ident not in known:
        total = 1 + sum(_spread(graph, after, known, (*path, ident)) for after in graph.out[ident])
        known.setdefault(ident, min(total, MAX_SPREAD + 1))
    return known[ident]


def _circles(graph: Graph, spread: dict[str, int]) -> Iterable[Element]:
    return (graph.nodes[ident] for ident, size in spread.items() if size == 0)


def check_plan_graph(process: Element) -> Findings:
    """A plan only goes forward, decides nothing, and starts everything exactly once.

    An item is closed once, so a wait that comes again could never end; there is no value to decide by; and what two
    tokens reach would be started twice. With these three refused, every parallel join gets all its tokens.
    """
    graph = Graph(process)
    for ident in [i for i, node in graph.nodes.items() if node.tag in WAITS and _returns(graph, i)][:1]:
        message = f"{called(graph.nodes[ident])}办完后又绕回自己，任务只办结一次，走不出来；请删去回头的连线。"
        yield error("plan-circle", graph.nodes[ident], message)
    for ident, node in graph.nodes.items():
        if node.tag == CHOICE and (len(graph.out[ident]) > 1 or _has_condition(graph, ident)):
            message = f"{called(node)}：方案图里不作判断，没选中的一路永远不会启动；请改为“并行”。"
            yield error("choice-in-plan", node, message)
        if node.tag not in (SPLIT, END) and len(graph.into[ident]) > 1:
            message = f"有 {len(graph.into[ident])} 条线连到{called(node)}，会启动多次；请先用“并行”等齐。"
            yield error("started-twice", node, message)


def _has_condition(graph: Graph, ident: str) -> bool:
    condition = tag("bpmn:conditionExpression")
    return any(flow.get("sourceRef") == ident and flow.find(condition) is not None for flow in graph.flows)


def _returns(graph: Graph, ident: str) -> bool:
    seen, todo = set[str](), list(graph.out[ident])
    while todo:
        after = todo.pop()
        if after == ident:
            return True
        if after not in seen:
            seen.add(after)
            todo += graph.out[after]
    return False


def check_conditions(process: Element, allowed: Iterable[str] | None = None) -> Findings:
    """Conditions stand on flows that leave exclusive gateways and read known values (None: whatever they like)."""
    graph, known = Graph(process), None if allowed is None else frozenset(allowed)
    yield from _defaults(graph)
    defaults = {node.get("default") for node in graph.nodes.values()}
    for flow in graph.flows:
        condition = flow.find(tag("bpmn:conditionExpression"))
        source = graph.nodes.get(flow.get("sourceRef", ""))
        if source is None:
            continue
        chooses, is_default = source.tag == CHOICE, flow.get("id") in defaults
        if condition is None:
            if chooses and len(graph.out[source.get("id", "")]) > 1 and not is_default:
                message = f"{called(flow)}没有条件；请写条件，或设为默认连线。"
                yield error("condition-missing", flow, message)
            continue
        if not chooses or is_default:
            message = f"{called(flow)}的条件不起作用：它是默认连线；请删去条件。"
            if not is_default:
                message = f"{called(flow)}的条件不起作用：只有从排他网关连出的线才看条件；请先连到排他网关。"
            yield error("condition-on-task-flow", flow, message)
        yield from _condition(flow, condition.text or "", known)


def _defaults(graph: Graph) -> Findings:
    """A default is one of the lines that leave the gateway which names it."""
    sources = {flow.get("id"): flow.get("sourceRef") for flow in graph.flows}
    for ident, node in graph.nodes.items():
        default = node.get("default")
        if default is not None and (node.tag != CHOICE or sources.get(default) != ident):
            message = f"{called(node)}的默认连线（{brief(default)}）不是从它连出的线；请重新设定或删去。"
            yield error("default-elsewhere", node, message)


def _condition(flow: Element, text: str, known: frozenset[str] | None) -> Findings:
    try:
        read = names(text)
    except ExpressionError as problem:
        yield error("condition-unsafe", flow, f"{called(flow)}：{problem}。")
        return
    if known is not None and (unknown := sorted(read - known)):
        usable = "、".join(sorted(known)) or "无（方案图里不作判断）"
        words = brief("、".join(unknown))
        message = f"{called(flow)}的条件用到 {words}，办理时没有这个值；可用的有：{usable}。"
        yield error("condition-unknown-name", flow, message)
