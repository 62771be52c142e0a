"""The ways of a lifecycle: from every step, whatever is decided there, exactly one step or the end follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from bpmn.expressions import ExpressionError, evaluate
from bpmn.lifecycle import STEP_VALUES, Value
from bpmn.lint.finding import Findings, called, error
from bpmn.lint.graph import CHOICE, END, START, Graph
from bpmn.reading import extension
from bpmn.xml import Element, tag

_STEP = tag("bpmn:userTask")
_ALWAYS = ("role", "held_by_office")
_GIVEN: dict[str, tuple[str, ...]] = {
    "acknowledge": (),
    "submit": ("needs_sign",),
    "propose": (),
    "decide": ("outcome",),
    "carry": ("outcome",),
    "present": (),
}  # by the step's verb; any other step decides


class _NoWay(Exception):
    """A gateway that cannot decide; the message says with which values."""

    def __init__(self, gateway: Element, words: str) -> None:
        super().__init__(words)
        self.gateway = gateway


def check_routes(process: Element) -> Findings:
    """One token, an answer to every decision, and an end within reach of every step."""
    graph = Graph(process)
    several = [node for node in graph.nodes.values() if node.tag not in (START, END, CHOICE, _STEP)]
    for node in several:
        message = f"{called(node)}：办理流程一步接一步，不能分开走，也不等日期；会签、或签请画成一个多实例步骤。"
        yield error("lifecycle-parallel", node, message)
    if several or len(graph.starts) != 1:
        return
    try:
        ways = [_ways(graph, dict(zip(_ALWAYS, share, strict=True))) for share in _shares()]
    except _NoWay as problem:
        message = f"{called(problem.gateway)}：{problem}；请补一条条件相符的连线，或设默认连线。"
        yield error("route-missing", problem.gateway, message)
        return
    yield from _first(graph, set[str]().union(*(after[graph.starts[0]] for after in ways)))
    for after in ways:
        yield from _endless(graph, after)
    yield from _returns(graph)


def _shares() -> Iterator[tuple[Value, ...]]:
    """What a share is never changes on its way, so each kind must come to an end by itself."""
    return product(*(STEP_VALUES[name] for name in _ALWAYS))


def _ways(graph: Graph, share: Mapping[str, Value]) -> dict[str, set[str]]:
    """Every step that a share of one kind reaches, with the steps that may follow. Raises: _NoWay."""
    after: dict[str, set[str]] = {}
    todo = [graph.starts[0]]
    while todo:
        ident = todo.pop()
        if ident not in after:
            after[ident] = {_follow(graph, ident, values) for values in _values(graph.nodes[ident], share)}
            todo += after[ident]
    return after


def _values(node: Element, share: Mapping[str, Value]) -> Iterator[Mapping[str, Value]]:
    """Every set of values that may be known when a node is left."""
    step = extension(node, "step")
    if node.tag != _STEP or step is None:
        yield {}
        return
    names = _GIVEN.get(step.get("verb", ""), ("decision",))
    for values in product(*(STEP_VALUES[name] for name in names)):
        yield {**share, **dict(zip(names, values, strict=True))}


def _follow(graph: Graph, ident: str, values: Mapping[str, Value]) -> str:
    """The step or end that a token reaches from a node. Circles of gateways have been refused before."""
    for _ in range(len(graph.nodes)):
        node = graph.nodes[ident]
        if node.tag == END:
            return ident
        ident = _chosen(graph, node, values) if node.tag == CHOICE else graph.out[ident][0]
        if graph.nodes[ident].tag in (_STEP, END):
            return ident
    raise _NoWay(graph.nodes[ident], "转一圈又回到自己")


def _chosen(graph: Graph, gateway: Element, values: Mapping[str, Value]) -> str:
    flows = [flow for flow in graph.flows if flow.get("sourceRef") == gateway.get("id")]
    known = "、".join(f"{name} = {value}" for name, value in values.items()) or "没有任何值"
    for flow in flows:
        condition = flow.find(tag("bpmn:conditionExpression"))
        try:
            if condition is not None and evaluate(condition.text or "", values):
                return flow.get("targetRef", "")
        except ExpressionError as problem:
            raise _NoWay(gateway, f"{problem}（{known}）") from None
    plain = [f for f in flows if f.get("id") == gateway.get("default")] or (flows if len(flows) == 1 else [])
    if not plain or plain[0].find(tag("bpmn:conditionExpression")) is not None:
        raise _NoWay(gateway, f"{known} 时没有一条线可走")
    return plain[0].get("targetRef", "")


def _first(graph: Graph, reached: set[str]) -> Findings:
    for ident in reached:
        step = extension(graph.nodes[ident], "step")
        if graph.nodes[ident].tag == END or step is None or step.get("verb") not in ("acknowledge", "propose"):
            named = called(graph.nodes[ident])
            message = f"{named}：办理流程的第一步应是签收（verb=acknowledge），来件的应是拟办（verb=propose）；请改正。"
            yield error("first-step", graph.nodes[ident], message)


def _returns(graph: Graph) -> Findings:
    """What is returned goes back to where it is worked on, and what is passed goes on: no step is met twice on the way
    from one application to its decision."""
    for share in (dict(zip(_ALWAYS, values, strict=True)) for values in _shares()):
        passed: dict[str, set[str]] = {}
        for ident in _ways(graph, share):
            if (step := extension(graph.nodes[ident], "step")) is None or _verb(step) in _GIVEN:
                continue
            back = extension(graph.nodes[_follow(graph, ident, {**share, "decision": "return"})], "step")
            if back is None or _verb(back) != "submit":
                message = f"{called(graph.nodes[ident])}：退回应回到办理（申请办结）那一步；请改正退回的连线。"
                yield error("return-elsewhere", graph.nodes[ident], message)
                return
            passed[ident] = {_follow(graph, ident, {**share, "decision": "pass"})}
        if circling := [ident for ident in passed if _meets_again(passed, ident)]:
            message = f"{called(graph.nodes[circling[0]])}：同意以后又绕回这一步，审不完；请连到下一级或结束。"
            yield error("pass-circle", graph.nodes[circling[0]], message)
            return


def _verb(step: Element) -> str:
    return step.get("verb", "")


def _meets_again(passed: Mapping[str, set[str]], ident: str) -> bool:
    seen, todo = set[str](), [ident]
    while todo:
        for after in passed.get(todo.pop(), ()):
            if after == ident:
                return True
            if after not in seen:
                seen.add(after)
                todo.append(after)
    return False


def _endless(graph: Graph, after: Mapping[str, set[str]]) -> Findings:
    ending = {ident for ident in after if graph.nodes[ident].tag == END}
    while more := {ident for ident, following in after.items() if ident not in ending and following & ending}:
        ending |= more
    for ident in sorted(after.keys() - ending)[:1]:
        node = graph.nodes[ident]
        yield error("never-ends", node, f"从{called(node)}怎样决定都到不了结束；请连到结束事件。")
