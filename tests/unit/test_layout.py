"""The picture of a diagram, measured: nothing crosses, overlaps or runs through what it does not belong to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations, pairwise

import pytest

from bpmn import library
from bpmn.layout import Box, Point, width
from bpmn.lint.graph import FLOW_NODES
from bpmn.plan import Facts, Heading, Item, Plan, Share, Timer
from bpmn.reading import read_plan
from bpmn.schema import schema_errors
from bpmn.writing import write_plan
from bpmn.xml import Element, parse, process_of, tag

BAIRI = read_plan(library.plan_xml("huangshi-2025-bairi"))
DAY = date(2025, 5, 1)


@dataclass
class Picture:
    """The diagram interchange of a file."""

    shapes: dict[str, Box]
    labels: dict[str, Box]
    edges: dict[str, list[Point]]
    ends: dict[str, tuple[str, str]]
    inside: set[tuple[str, str]]


def box(element: Element) -> Box:
    bounds = element.find(tag("dc:Bounds"))
    assert bounds is not None
    return Box(*(float(bounds.get(name, "")) for name in ("x", "y", "width", "height")))


def picture(xml: bytes) -> Picture:
    root = parse(xml)
    assert schema_errors(root) == []
    process = process_of(root)
    shapes, labels, edges = {}, {}, {}
    for shape in root.iter(tag("bpmndi:BPMNShape"), tag("bpmndi:BPMNEdge")):
        ident = shape.get("bpmnElement", "")
        label = shape.find(tag("bpmndi:BPMNLabel"))
        if label is not None:
            labels[ident] = box(label)
        if shape.tag == tag("bpmndi:BPMNShape"):
            shapes[ident] = box(shape)
        else:
            points = shape.iterfind(tag("di:waypoint"))
            edges[ident] = [(float(point.get("x", "")), float(point.get("y", ""))) for point in points]
    lines = process.iter(tag("bpmn:sequenceFlow"), tag("bpmn:association"))
    ends = {line.get("id", ""): (line.get("sourceRef", ""), line.get("targetRef", "")) for line in lines}
    groups = process.iterfind(tag("bpmn:adHocSubProcess"))
    inside = {(group.get("id", ""), task.get("id", "")) for group in groups for task in group if task.tag in FLOW_NODES}
    return Picture(shapes, labels, edges, ends, inside)


def plan(*sizes: int, branches: int = 0, undated: int = 0, name: str = "标题") -> Plan:
    """A plan with headings of these sizes and dated (or plain) branches."""
    facts = Facts("p", "方案", "方案", "市人社局", "1号", DAY, (DAY, DAY + timedelta(99)), "huangshi", "市人社局")

    def item(ident: str, heading: str | None) -> Item:
        return Item(ident, ident, "开展政策宣传和服务", "原文", heading, (Share("市人社局", "responsible"),))

    headings = [
        Heading(f"h{n}", f"{name}{n}", tuple(item(f"t{n}_{k}", f"h{n}") for k in range(size)))
        for n, size in enumerate(sizes)
    ]
    late = tuple(item(f"late{n}", None) for n in range(branches + undated))
    timers = tuple(Timer(f"day{n}", f"{n + 1}月1日起", DAY + timedelta(n), (late[n].id,)) for n in range(branches))
    return Plan(facts, tuple(headings), late, timers, BAIRI.cadences)


def ordered() -> Plan:
    """Items of one heading that follow each other: beside, below, and across the grid."""
    made = plan(9, 4)
    items = list(made.headings[0].items)
    items[1] = replace(items[1], after=(items[0].id,))
    items[5] = replace(items[5], after=(items[4].id,))
    return replace(made, headings=(replace(made.headings[0], items=tuple(items)), made.headings[1]))


DRAWN = {
    **{key.removeprefix("huangshi-2025-"): library.plan_xml(key).rstrip() for key in library.plan_keys()},
    "standard": library.lifecycle_xml("standard"),
    "one heading": write_plan(plan(5)),
    "one item": write_plan(plan(1)),
    "a date and no room under the last heading": write_plan(plan(3, 20, branches=1)),
    "many dates": write_plan(plan(16, 3, 1, branches=4)),
    "a branch that opens at once": write_plan(plan(12, 1, undated=1)),
    "fifty items": write_plan(plan(9, 8, 8, 9, 8, 8, branches=1)),
    "a hundred items": write_plan(plan(30, 40, 2, 30, 5, branches=2)),
    "long headings": write_plan(plan(1, 2, 12, 1, branches=1, name="强化组织领导和统筹协调推动各项任务落实到位")),
    "dates alone beside one item": write_plan(plan(1, branches=2)),
    "items in order": write_plan(ordered()),
}
PICTURES = {name: picture(xml) for name, xml in DRAWN.items()}


@pytest.fixture(params=PICTURES)
def drawn(request: pytest.FixtureRequest) -> Picture:
    return PICTURES[request.param]


def segments(points: list[Point]) -> Iterator[tuple[Point, Point]]:
    yield from pairwise(points)


def cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    """A proper crossing: each line passes through the inside of the other. Shared trunks and T joints are none."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(*a, b[0]) * side(*a, b[1]) < 0 and side(*b, a[0]) * side(*b, a[1]) < 0


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def through(segment: tuple[Point, Point], shape: Box) -> bool:
    """Whether a straight line passes through the inside of a box; all lines are horizontal or vertical."""
    (x1, y1), (x2, y2) = segment
    return (
        min(x1, x2) < shape.x + shape.w
        and max(x1, x2) > shape.x
        and min(y1, y2) < shape.y + shape.h
        and max(y1, y2) > shape.y
    )


def test_everything_is_drawn(drawn: Picture) -> None:
    nodes = {end for ends in drawn.ends.values() for end in ends} | {child for _, child in drawn.inside}
    assert nodes <= set(drawn.shapes)
    assert set(drawn.ends) == set(drawn.edges)


def test_no_two_edges_cross(drawn: Picture) -> None:
    crossings = [
        (one, other)
        for (one, a), (other, b) in combinations(drawn.edges.items(), 2)
        for s in segments(a)
        for t in segments(b)
        if cross(s, t)
    ]
    assert crossings == []


def test_no_two_shapes_overlap(drawn: Picture) -> None:
    overlaps = [
        (one, other)
        for (one, a), (other, b) in combinations(drawn.shapes.items(), 2)
        if (one, other) not in drawn.inside and (other, one) not in drawn.inside and overlap(a, b)
    ]
    assert overlaps == []


def test_items_stand_inside_their_heading(drawn: Picture) -> None:
    for group, child in drawn.inside:
        a, b = drawn.shapes[group], drawn.shapes[child]
        assert a.x < b.x and a.y < b.y and b.x + b.w < a.x + a.w and b.y + b.h < a.y + a.h


def test_no_edge_runs_through_a_shape(drawn: Picture) -> None:
    """Not through its own ends either: it begins and stops at their border."""
    parents = {child: group for group, child in drawn.inside}
    hits = [
        (flow, ident)
        for flow, points in drawn.edges.items()
        for ident, shape in drawn.shapes.items()
        if ident != parents.get(drawn.ends[flow][0])
        for segment in segments(points)
        if through(segment, shape)
    ]
    assert hits == []


def test_edges_dock_on_the_border_of_their_ends(drawn: Picture) -> None:
    for flow, points in drawn.edges.items():
        for ident, (x, y) in zip(drawn.ends[flow], (points[0], points[-1]), strict=True):
            shape = drawn.shapes[ident]
            docks = (shape.left, shape.right, shape.top, shape.bottom)
            assert any(abs(x - dx) < 0.01 and abs(y - dy) < 0.01 for dx, dy in docks), (flow, ident)


def test_edges_are_horizontal_or_vertical(drawn: Picture) -> None:
    for points in drawn.edges.values():
        for (x1, y1), (x2, y2) in segments(points):
            assert abs(x1 - x2) < 0.01 or abs(y1 - y2) < 0.01


def test_labels_stand_clear(drawn: Picture) -> None:
    parents = {group for group, _ in drawn.inside}
    for ident, label in drawn.labels.items():
        for other, shape in drawn.shapes.items():
            assert other in parents or not overlap(label, shape), (ident, other)
        for flow, points in drawn.edges.items():
            assert not any(through(segment, label) for segment in segments(points)), (ident, flow)
        for other, box_of_other in drawn.labels.items():
            assert other == ident or not overlap(label, box_of_other)


@pytest.mark.parametrize("key", library.plan_keys())
def test_titles_of_the_plans_fit_their_boxes_on_one_line(key: str) -> None:
    drawn = PICTURES[key.removeprefix("huangshi-2025-")]
    for item in read_plan(library.plan_xml(key)).items:
        assert width(item.title) * 12 <= drawn.shapes[item.id].w - 14, item.title


def test_bairi_reads_in_order_and_fits_a_screen() -> None:
    drawn = PICTURES["bairi"]
    for heading in BAIRI.headings:
        places = [(drawn.shapes[item.id].y, drawn.shapes[item.id].x) for item in heading.items]
        assert places == sorted(places)
    columns = [drawn.shapes[heading.id] for heading in BAIRI.headings]
    assert [column.x for column in columns] == sorted(column.x for column in columns)
    assert len({column.y for column in columns}) == 1
    assert max(shape.x + shape.w for shape in drawn.shapes.values()) <= 1300
    assert drawn.shapes["t33"].y > columns[-1].y + columns[-1].h


def test_the_rhythm_is_one_annotation() -> None:
    root = parse(DRAWN["bairi"])
    (note,) = root.iter(tag("bpmn:textAnnotation"))
    assert note.findtext(tag("bpmn:text")) == (
        "调度节奏：周调度（每周一9时发起，周五17时截止）；月通报（每月25日9时发起，月底截止）；"
        "岗位征集月报（每月25日9时发起，月底截止）"
    )


@pytest.mark.parametrize("name", [name for name in DRAWN if name != "standard"])
def test_a_drawn_plan_reads_as_it_was_written(name: str) -> None:
    again = read_plan(DRAWN[name])
    assert write_plan(again) == DRAWN[name]
