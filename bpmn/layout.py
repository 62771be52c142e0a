"""Where everything of a plan stands: headings side by side, items downward, a dated branch near the last heading.

Measured in bpmn-js pixels (12 px text). Edges share trunks but never cross, and no edge runs through a shape.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

from bpmn import names
from bpmn.plan import Heading, Item, Plan, Timer
from bpmn.rhythm import annotation

BOX_W, BOX_H = 164, 66
GAP = 10
PAD, FOOT, LINE = 12, 28, 15
GROUP_GAP = 28
MARGIN = 30
EVENT, GATEWAY = 36, 50
STEP = 26
BAND = 44
A3 = 420 / 297

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle; the properties are the points where edges dock."""

    x: float
    y: float
    w: float
    h: float

    @property
    def left(self) -> Point:
        return self.x, self.y + self.h / 2

    @property
    def right(self) -> Point:
        return self.x + self.w, self.y + self.h / 2

    @property
    def top(self) -> Point:
        return self.x + self.w / 2, self.y

    @property
    def bottom(self) -> Point:
        return self.x + self.w / 2, self.y + self.h


@dataclass
class Layout:
    """Shapes, labels and edges by element id."""

    shapes: dict[str, Box] = field(default_factory=dict)
    labels: dict[str, Box] = field(default_factory=dict)
    edges: dict[str, tuple[Point, ...]] = field(default_factory=dict)

    def edge(self, source: str, target: str, *points: Point) -> None:
        self.edges[names.flow_id(source, target)] = points


def width(text: str) -> float:
    """Width of a text in Chinese characters: a wide character counts 1, any other about 0.55."""
    return sum(1 if unicodedata.east_asian_width(char) in "WFA" else 0.55 for char in text)


@dataclass(frozen=True)
class _Grid:
    """A heading's box: columns, rows, and the height its name needs."""

    columns: int
    rows: int
    head: float

    @property
    def size(self) -> tuple[float, float]:
        wide = 2 * PAD + self.columns * BOX_W + (self.columns - 1) * GAP
        return wide, self.head + self.rows * BOX_H + (self.rows - 1) * GAP + FOOT


def _grids(headings: tuple[Heading, ...], limit: int) -> list[_Grid]:
    """One grid a heading under a limit of rows, all with the head of the longest name."""
    columns = [max(1, -(-len(heading.items) // limit)) for heading in headings]
    lines = [
        -(-width(heading.name) * 12 // (count * (BOX_W + GAP) - 20))
        for heading, count in zip(headings, columns, strict=True)
    ]
    head = 18 + LINE * max(lines, default=1)
    rows = [max(1, -(-len(heading.items) // count)) for heading, count in zip(headings, columns, strict=True)]
    return [_Grid(count, row, head) for count, row in zip(columns, rows, strict=True)]


def _best(headings: tuple[Heading, ...]) -> list[_Grid]:
    """The row limit whose whole picture fits an A3 page at the largest scale."""

    def scale(grids: list[_Grid]) -> float:
        wide = sum(grid.size[0] + GROUP_GAP for grid in grids) + 2 * MARGIN
        high = max((grid.size[1] for grid in grids), default=0) + 260
        return min(A3 * 1000 / wide, 1000 / high)

    return max((_grids(headings, limit) for limit in range(3, 40)), key=scale)


def lay_out(plan: Plan) -> Layout:
    """The sheet of a plan. Deterministic: the same plan gives the same numbers."""
    layout = Layout()
    grids = _best(plan.headings)
    bus = _opening(layout, plan, grids)
    boxes = _headings(layout, plan, grids, bus)
    branches = list(names.branches(plan))
    floor = max((box.y + box.h for box in boxes), default=bus + 80)
    tucked = len(branches) == 1 and bool(boxes) and boxes[-1].y + boxes[-1].h + _branch_height(*branches[0]) <= floor
    if tucked:
        _tucked_branch(layout, branches.pop(0), boxes[-1], bus)
    right = max((box.x + box.w for box in boxes), default=MARGIN)
    for branch in branches:
        column = Box(right + GROUP_GAP, bus + BAND, BOX_W, _branch_height(*branch))
        _branch_column(layout, branch, column, bus)
        right, floor = column.x + column.w, max(floor, column.y + column.h)
    _closing(layout, plan, boxes, right, floor, tucked)
    return layout


def _opening(layout: Layout, plan: Plan, grids: list[_Grid]) -> float:
    """Start, split and the note of the rhythm; returns the height of the line that feeds the columns."""
    text = annotation(plan)
    total = sum(grid.size[0] + GROUP_GAP for grid in grids) - GROUP_GAP
    split_x = max(MARGIN + 100, MARGIN + (grids[0].size[0] if grids else 0) / 2)
    note_x = split_x + 60
    room = max(320.0, MARGIN + total - note_x)
    lines = -(-(width(text) * 12.4 + 16) // room) if text else 0
    note = Box(note_x, MARGIN, round(min(room, width(text) * 12.4 + 16)), 12 + LINE * lines)
    bus = MARGIN + (note.h if text else 0) + GATEWAY / 2 + 2
    layout.shapes[names.START] = start = Box(MARGIN + 10, bus - EVENT / 2, EVENT, EVENT)
    layout.shapes[names.SPLIT] = split = Box(split_x - GATEWAY / 2, bus - GATEWAY / 2, GATEWAY, GATEWAY)
    layout.labels[names.START] = Box(start.x - 10, start.y + EVENT + 3, 56, 16)
    layout.edge(names.START, names.SPLIT, start.right, split.left)
    if text:
        layout.shapes[names.RHYTHM] = note
        layout.edges[names.RHYTHM_LINE] = (split.top, (split.top[0], note.left[1]), note.left)
    return bus


def _headings(layout: Layout, plan: Plan, grids: list[_Grid], bus: float) -> list[Box]:
    """The columns, fed from one line: what stands under the split straight down, the others along the line."""
    split, boxes, x = layout.shapes[names.SPLIT], [], float(MARGIN)
    for number, (heading, grid) in enumerate(zip(plan.headings, grids, strict=True)):
        if number == 0:
            x = max(x, split.top[0] - grid.size[0] / 2)
        box = Box(x, bus + BAND, *grid.size)
        layout.shapes[heading.id] = box
        boxes.append(box)
        middle = box.top[0]
        points = (split.bottom, box.top) if number == 0 else (split.right, (middle, bus), box.top)
        layout.edge(names.SPLIT, heading.id, *points)
        _items(layout, heading, grid, box)
        x += box.w + GROUP_GAP
    return boxes


def _items(layout: Layout, heading: Heading, grid: _Grid, box: Box) -> None:
    """Row by row, left to right, then down, as the document reads."""
    for number, item in enumerate(heading.items):
        row, column = divmod(number, grid.columns)
        x, y = box.x + PAD + column * (BOX_W + GAP), box.y + grid.head + row * (BOX_H + GAP)
        layout.shapes[item.id] = Box(x, y, BOX_W, BOX_H)
    for item in heading.items:
        for earlier in item.after:
            if earlier in layout.shapes:
                layout.edge(earlier, item.id, *_between(layout.shapes[earlier], layout.shapes[item.id]))


def _between(source: Box, target: Box) -> tuple[Point, ...]:
    """An order between two items of one heading, led through the gaps of the grid."""
    if source.y == target.y and target.x - source.x == BOX_W + GAP:
        return source.right, target.left
    if source.x == target.x and target.y - source.y == BOX_H + GAP:
        return source.bottom, target.top
    below, above = source.y + BOX_H + GAP / 2, target.y - GAP / 2
    gutter = target.x - GAP / 2
    return (
        source.bottom,
        (source.bottom[0], below),
        (gutter, below),
        (gutter, above),
        (target.top[0], above),
        target.top,
    )


def _branch_height(timer: Timer | None, items: tuple[Item, ...]) -> float:
    """From the lower edge of what stands above to the lower edge of the end event's label."""
    return (EVENT + STEP if timer else 0) + len(items) * (BOX_H + STEP) + EVENT + 20 + BAND


def _stack(layout: Layout, branch: tuple[Timer | None, tuple[Item, ...]], middle: float, y: float) -> str:
    """A branch from top to bottom; returns the id of its first element."""
    timer, items = branch
    tasks = {item.id for item in items}
    previous = ""
    ids = names.branch_ids(timer, items)
    for ident in ids:
        size = (BOX_W, BOX_H) if ident in tasks else (EVENT, EVENT)
        box = Box(middle - size[0] / 2, y, *size)
        layout.shapes[ident] = box
        if previous:
            layout.edge(previous, ident, layout.shapes[previous].bottom, box.top)
        previous, y = ident, y + box.h + STEP
    if timer:
        box = layout.shapes[timer.id]
        layout.labels[timer.id] = Box(box.x + EVENT + 4, box.y + 10, max(30, round(width(timer.name) * 12)), 16)
    end = layout.shapes[ids[-1]]
    layout.labels[ids[-1]] = Box(end.x - 24, end.y + EVENT + 3, 84, 16)
    return ids[0]


def _tucked_branch(layout: Layout, branch: tuple[Timer | None, tuple[Item, ...]], above: Box, bus: float) -> None:
    """Below a short last heading: fed down the gap to its left, so that the heading leaves to its right."""
    first = _stack(layout, branch, above.top[0], above.y + above.h + BAND)
    split, target, gap = layout.shapes[names.SPLIT], layout.shapes[first], above.x - GROUP_GAP / 2
    layout.edge(names.SPLIT, first, split.right, (gap, bus), (gap, target.left[1]), target.left)


def _branch_column(layout: Layout, branch: tuple[Timer | None, tuple[Item, ...]], column: Box, bus: float) -> None:
    """A column of its own to the right of the headings."""
    first = _stack(layout, branch, column.top[0], column.y)
    split, target = layout.shapes[names.SPLIT], layout.shapes[first]
    layout.edge(names.SPLIT, first, split.right, (target.top[0], bus), target.top)


def _closing(layout: Layout, plan: Plan, boxes: list[Box], right: float, floor: float, tucked: bool) -> None:
    """The join at the lower right, under the last heading where nothing stands beyond it; a heading with a branch below
    it goes round it on the right."""
    low = floor + BAND
    if tucked:
        middle = right + 22
    elif boxes and right == boxes[-1].x + boxes[-1].w:
        middle = boxes[-1].bottom[0]
    else:
        middle = right - EVENT - 40 - GATEWAY / 2
    join = Box(middle - GATEWAY / 2, low - GATEWAY / 2, GATEWAY, GATEWAY)
    layout.shapes[names.JOIN] = join
    for heading, box in zip(plan.headings, boxes, strict=True):
        if tucked and box is boxes[-1]:
            layout.edge(heading.id, names.JOIN, box.right, (middle, box.right[1]), join.top)
        elif box.bottom[0] == middle:
            layout.edge(heading.id, names.JOIN, box.bottom, join.top)
        elif box.bottom[0] >= join.x:
            above = low - GATEWAY / 2 - 12
            layout.edge(heading.id, names.JOIN, box.bottom, (box.bottom[0], above), (middle, above), join.top)
        else:
            layout.edge(heading.id, names.JOIN, box.bottom, (box.bottom[0], low), join.left)
    if tucked:
        end = Box(middle - EVENT / 2, join.y + GATEWAY + STEP, EVENT, EVENT)
        layout.edge(names.JOIN, names.CLOSED, join.bottom, end.top)
    else:
        end = Box(join.x + GATEWAY + 40, low - EVENT / 2, EVENT, EVENT)
        layout.edge(names.JOIN, names.CLOSED, join.right, end.left)
    layout.shapes[names.CLOSED] = end
    layout.labels[names.CLOSED] = Box(end.x - 24, end.y + EVENT + 3, 84, 16)
