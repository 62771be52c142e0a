"""Plans as the engine runs them: one wait state a heading, dates released from outside, any order of closing."""

import random
import threading
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import library
from bpmn.plan import Facts, Heading, Item, Plan, Share, Timer
from bpmn.writing import write_plan
from bpmn.xml import DiagramError
from engine import instances
from engine.errors import EngineError, StepNotOpen
from engine.instances import Awaited, Instance

BAIRI = "bairi@1"
HEADINGS = ("h1", "h2", "h3", "h4")
CONDITION = "<bpmn:conditionExpression xsi:type='bpmn:tFormalExpression'>{}</bpmn:conditionExpression>"


@pytest.fixture(autouse=True, scope="module")
def registered() -> None:
    instances.load_plan_spec(BAIRI, library.plan_xml("huangshi-2025-bairi"))


def saved(instance: Instance) -> Instance:
    return instances.restore(instance.version, instances.dump(instance))


def big_plan(headings: int, items: int) -> Plan:
    day = date(2025, 1, 1)
    facts = Facts("big", "大方案", "大", "市人社局", "1号", day, (day, date(2025, 12, 31)), "huangshi", "市人社局")
    share = (Share("市人社局", "responsible"),)

    def heading(h: int) -> Heading:
        inside = (Item(f"t{h}_{i}", f"{h}.{i}", f"任务{i}", "原文", f"h{h}", share) for i in range(items))
        return Heading(f"h{h}", f"标题{h}", tuple(inside))

    return Plan(facts, tuple(heading(h) for h in range(headings)))


def test_a_new_run_waits_at_its_headings_and_its_date() -> None:
    run = instances.start(BAIRI)
    assert instances.waits(run) == HEADINGS
    assert instances.dues(run) == (Awaited("review_date", "date", "2025-08-25"),)
    assert not instances.is_ended(run)


def test_the_date_opens_the_review_whatever_is_late() -> None:
    run = instances.start(BAIRI)
    instances.release(run, "review_date")
    run = saved(run)
    assert instances.waits(run) == (*HEADINGS, "t33")
    assert instances.dues(run) == ()
    instances.complete(run, "t33")
    assert instances.waits(run) == HEADINGS


def test_the_last_heading_does_not_wait_for_the_review() -> None:
    run = instances.start(BAIRI)
    for heading in HEADINGS:
        instances.complete(run, heading)
        run = saved(run)
    assert instances.waits(run) == () and not instances.is_ended(run)
    instances.release(run, "review_date")
    assert instances.waits(run) == ("t33",)
    instances.complete(saved(run), "t33")


@settings(max_examples=60, deadline=None)
@given(order=st.permutations([*HEADINGS, "review_date"]), keep=st.booleans())
def test_any_order_of_closing_ends_the_run(order: list[str], keep: bool) -> None:
    run = instances.start(BAIRI)
    for element in order:
        if element == "review_date":
            instances.release(run, element)
        else:
            instances.complete(run, element)
        run = run if keep else saved(run)
    assert instances.waits(run) == ("t33",)
    instances.complete(run, "t33")
    assert instances.is_ended(run)
    assert instances.is_ended(saved(run))


def test_replays_and_late_releases_are_seen() -> None:
    run = instances.start(BAIRI)
    instances.complete(run, "h1")
    for again in (run, saved(run)):
        with pytest.raises(StepNotOpen):
            instances.complete(again, "h1")
        for step in ("t33", "t01", "split", "nowhere"):
            with pytest.raises(StepNotOpen):
                instances.complete(again, step)
    instances.release(run, "review_date")
    for again in (run, saved(run)):
        with pytest.raises(StepNotOpen):
            instances.release(again, "review_date")


def test_thirty_headings_of_thirty_items_stay_small() -> None:
    instances.load_plan_spec("big@1", write_plan(big_plan(30, 30)))
    run = instances.start("big@1")
    order = list(instances.waits(run))
    assert len(order) == 30
    assert len(instances.dump(run)) < 20_000
    random.Random(7).shuffle(order)
    for heading in order:
        instances.complete(run, heading)
        run = saved(run)
    assert instances.is_ended(run)


def link(source: str, target: str, condition: str = "") -> str:
    inner = CONDITION.format(condition) if condition else ""
    ends = f"sourceRef='{source}' targetRef='{target}'"
    return f"<bpmn:sequenceFlow id='{source}_{target}' {ends}>{inner}</bpmn:sequenceFlow>"


def fan_outs(rounds: int, wide: int) -> bytes:
    """`rounds` parallel splits and joins in series, each `wide`."""
    nodes, flows, previous = ["<bpmn:startEvent id='start'/>"], [], "start"
    for turn in range(rounds):
        nodes += [f"<bpmn:parallelGateway id='{kind}{turn}'/>" for kind in ("s", "j")]
        flows.append(link(previous, f"s{turn}"))
        for n in range(wide):
            nodes.append(f"<bpmn:userTask id='t{turn}_{n}'/>")
            flows += [link(f"s{turn}", f"t{turn}_{n}"), link(f"t{turn}_{n}", f"j{turn}")]
        previous = f"j{turn}"
    nodes.append("<bpmn:endEvent id='end'/>")
    return diagram("".join([*nodes, *flows, link(previous, "end")]))


def diagram(inner: str) -> bytes:
    return (
        "<bpmn:definitions xmlns:bpmn='http://www.omg.org/spec/BPMN/20100524/MODEL' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' id='d' targetNamespace='urn:test'>"
        f"<bpmn:process id='p' isExecutable='true'>{inner}</bpmn:process></bpmn:definitions>"
    ).encode()


def test_fan_outs_in_series_do_not_multiply() -> None:
    instances.load_plan_spec("fan@1", fan_outs(3, 30))
    run = instances.start("fan@1")
    for _ in range(3):
        assert len(instances.dump(run)) < 120_000
        waiting = instances.waits(run)
        assert len(waiting) == 30
        for step in waiting:
            instances.complete(run, step)
        run = saved(run)
    assert instances.is_ended(run)


def test_countersigning_is_stored_and_folded_over_many_returns() -> None:
    nodes = """<bpmn:startEvent id='start'/><bpmn:userTask id='work'/><bpmn:parallelGateway id='both'/>
    <bpmn:userTask id='a'/><bpmn:userTask id='b'/><bpmn:parallelGateway id='met'/><bpmn:userTask id='decide'/>
    <bpmn:exclusiveGateway id='x' default='x_end'/><bpmn:endEvent id='end'/>"""
    pairs = ["start work", "work both", "both a", "both b", "a met", "b met", "met decide", "decide x", "x end"]
    flows = "".join(link(*pair.split()) for pair in pairs) + link("x", "work", "decision == 'return'")
    inner = nodes + flows
    instances.load_lifecycle_spec("both@1", diagram(inner))
    assert not instances.is_single("both@1")
    with pytest.raises(EngineError, match="并行"):
        instances.entry("both@1")
    with pytest.raises(EngineError, match="并行"):
        instances.outcome("both@1", "work", frozenset())
    case = instances.start("both@1")
    for turn in range(60):
        instances.complete(case, "work")
        for step in ("a", "b") if turn % 2 else ("b", "a"):
            instances.complete(case, step)
            case = saved(case)
        instances.complete(case, "decide", {"decision": "return" if turn < 59 else "pass"})
        assert len(instances.dump(case)) < 8_000
    assert instances.is_ended(case)


def chooser(condition: str) -> bytes:
    nodes = """<bpmn:startEvent id='start'/><bpmn:userTask id='a'/><bpmn:exclusiveGateway id='g' default='g_end'/>
    <bpmn:userTask id='b'/><bpmn:endEvent id='end'/>"""
    asked = link("g", "b", "1").replace(">1<", f">{condition}<")
    return diagram(nodes + link("start", "a") + link("a", "g") + link("g", "end") + link("b", "end") + asked)


@pytest.mark.parametrize(
    "condition", ["__import__('os').system('id')", "().__class__", "9**9**9", "open('x')", "x[0]", ""]
)
def test_unsafe_conditions_never_become_a_version(condition: str) -> None:
    with pytest.raises(DiagramError):
        instances.load_lifecycle_spec(f"bad {condition}", chooser(condition))


def test_the_safe_engine_survives_storage() -> None:
    instances.load_lifecycle_spec("choose@1", chooser("decision == 'pass'"))
    case = saved(saved(instances.start("choose@1")))
    poisoned = instances.dump(case)
    assert "script_engine" not in poisoned
    instances.complete(case, "a", {"decision": "pass"})
    assert instances.waits(case) == ("b",)


REFUSED = [
    "<bpmn:scriptTask id='x'><bpmn:script>import os</bpmn:script></bpmn:scriptTask>",
    "<bpmn:serviceTask id='x'/>",
    "<bpmn:callActivity id='x' calledElement='p'/>",
    "<bpmn:userTask id='x'><bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>9**9</bpmn:loopCardinality>"
    "</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>",
    "<bpmn:intermediateCatchEvent id='x'><bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle>"
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>",
]


@pytest.mark.parametrize("element", REFUSED)
def test_the_engine_refuses_by_itself_what_the_linter_refuses(element: str) -> None:
    ends = "<bpmn:startEvent id='start'/><bpmn:endEvent id='end'/>"
    xml = diagram(ends + element + link("start", "x") + link("x", "end"))
    with pytest.raises(DiagramError):
        instances.load_plan_spec(f"refused {element}", xml)


def test_positions_of_boxes_decide_nothing() -> None:
    xml = library.lifecycle_xml("standard")
    moved = xml.replace(b'<dc:Bounds x="900" y="327"', b'<dc:Bounds x="900" y="900"')
    assert moved != xml
    instances.load_lifecycle_spec("moved@1", moved)
    values: frozenset[tuple[str, str | bool]]
    values = frozenset({("needs_sign", False), ("role", "cooperating"), ("held_by_office", True)})
    assert instances.outcome("moved@1", "work", values) == ("accept",)


def test_threads_share_a_version() -> None:
    failures: list[BaseException] = []

    def whole_run() -> None:
        try:
            run = instances.start(BAIRI)
            for heading in HEADINGS:
                instances.complete(run, heading)
                run = saved(run)
            instances.release(run, "review_date")
            instances.complete(saved(run), "t33")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=whole_run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_plan_with_a_timer_alone_is_written_and_run() -> None:
    plan = big_plan(1, 1)
    late = Item("late", "9", "总结", "原文", None, (Share("市人社局", "responsible"),))
    plan = Plan(plan.facts, plan.headings, (late,), (Timer("day", "6月1日起", date(2025, 6, 1), ("late",)),))
    instances.load_plan_spec("dated@1", write_plan(plan))
    run = instances.start("dated@1")
    assert [(due.timer, due.text) for due in instances.dues(run)] == [("day", "2025-06-01")]
    instances.complete(run, "h0")
    instances.release(run, "day")
    instances.complete(run, "late")
    assert instances.is_ended(run)
