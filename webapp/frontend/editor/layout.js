// 整理图面: groups side by side under one line, items in rows, dated branches at the right, the end at the lower right.
// The same picture as bpmn/layout.py draws for a plan that is made from a document.
import { is } from 'bpmn-js/lib/util/ModelUtil';

import { BETWEEN, BOX, FOOT, GAP, HEAD, PAD } from './drawing.js';
import { groupsOf, isFlow, isGroup, isItem, itemsIn } from './model.js';

const LEFT = 30;
const BAND = 44;
const STEP = 26;
const LINE = 15;

const middle = (box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

// Map of shape -> box, and of line -> points.
export function tidied(registry, { start, split, join }) {
  const boxes = new Map();
  const lines = new Map();
  const at = (shape) => boxes.get(shape) || shape;
  const groups = groupsOf(registry);
  const bus = split ? Math.max(95, middle(split).y) : 95;
  const head = Math.max(HEAD, ...groups.map((group) => 19 + LINE * Math.ceil((width(group) + 1) / 11)));
  let x = LEFT;
  let gateX = LEFT + 100;
  for (const group of groups) {
    const items = itemsIn(group);
    const columns = Math.max(1, Math.ceil(items.length / rows(groups)));
    const box = { x, y: bus + BAND, width: 2 * PAD + columns * (BOX.width + GAP) - GAP, height: 0 };
    if (group === groups[0]) {
      // The first group stands straight under the split, which leaves room for the start.
      gateX = Math.max(gateX, LEFT + box.width / 2);
      box.x = gateX - box.width / 2;
    }
    const deep = Math.max(1, Math.ceil(items.length / columns));
    box.height = head + deep * (BOX.height + GAP) - GAP + FOOT;
    items.forEach((item, number) => {
      const left = box.x + PAD + (number % columns) * (BOX.width + GAP);
      const top = box.y + head + Math.floor(number / columns) * (BOX.height + GAP);
      boxes.set(item, { x: left, y: top, width: item.width, height: item.height });
    });
    boxes.set(group, box);
    x = box.x + box.width + BETWEEN;
  }
  let low = Math.max(bus + BAND, ...groups.map((group) => at(group).y + at(group).height));
  if (start && split) {
    const gate = { x: gateX - split.width / 2, y: bus - split.height / 2 };
    boxes.set(start, { x: LEFT + 10, y: bus - start.height / 2, width: start.width, height: start.height });
    boxes.set(split, { ...gate, width: split.width, height: split.height });
  }
  for (const chain of branches(split)) {
    let y = bus + BAND;
    for (const shape of chain) {
      boxes.set(shape, { x: x + (BOX.width - shape.width) / 2, y, width: shape.width, height: shape.height });
      y += shape.height + STEP;
    }
    x += BOX.width + BETWEEN;
    low = Math.max(low, y);
  }
  // Straight under the last group, or left of the last branch's end.
  const last = groups.at(-1);
  const ending = last && !branches(split).length ? middle(at(last)).x : Math.max(x - BETWEEN, LEFT + 200) - 105;
  const end = join?.outgoing[0]?.target;
  if (join) boxes.set(join, { x: ending - join.width / 2, y: low + BAND - join.height / 2, width: join.width, height: join.height });
  if (join && end) boxes.set(end, { x: ending + 69, y: low + BAND - end.height / 2, width: end.width, height: end.height });
  for (const line of registry.filter(isFlow)) {
    lines.set(line, route(at(line.source), at(line.target), line, { split, join }));
  }
  return { boxes, lines };
}

// Items in rows, in the columns that a group is wide enough for: item -> box, and the height they need.
export function grid(group, items) {
  const columns = Math.max(1, Math.floor((group.width - 2 * PAD + GAP) / (BOX.width + GAP)));
  const top = Math.max(HEAD, Math.min(...items.map((item) => item.y - group.y)));
  const boxes = new Map(items.map((item, n) => [item, {
    x: group.x + PAD + (n % columns) * (BOX.width + GAP),
    y: group.y + top + Math.floor(n / columns) * (BOX.height + GAP),
  }]));
  return { boxes, height: top + Math.ceil(items.length / columns) * (BOX.height + GAP) - GAP + FOOT };
}

const width = (group) => [...(group.businessObject.name || '')].length;

// How deep a column may be: few items stand in one column, many make a picture of about the shape of a page.
function rows(groups) {
  const all = groups.reduce((sum, group) => sum + group.children.filter(isItem).length, 0);
  return Math.max(4, Math.ceil(Math.sqrt(all * 1.6)));
}

// What leaves the split and is no group: each a chain down to its end.
function branches(split) {
  if (!split) return [];
  return split.outgoing
    .filter(isFlow)
    .map((line) => line.target)
    .filter((target) => !isGroup(target) && !is(target, 'bpmn:Gateway'))
    .map((first) => {
      const chain = [first];
      while (chain.at(-1).outgoing.length === 1) {
        const { target } = chain.at(-1).outgoing[0];
        if (isGroup(target) || is(target, 'bpmn:Gateway') || chain.includes(target)) break;
        chain.push(target);
      }
      return chain;
    });
}

// Along the line that feeds the groups, and along the one that gathers them; else straight or with two bends.
export function route(source, target, line, { split, join }) {
  const [a, b] = [middle(source), middle(target)];
  if (line.source === split && b.y > a.y) {
    const down = Math.abs(a.x - b.x) < 2;
    const from = down ? { x: a.x, y: source.y + source.height } : { x: source.x + source.width, y: a.y };
    return down ? [from, { x: b.x, y: target.y }] : [from, { x: b.x, y: a.y }, { x: b.x, y: target.y }];
  }
  if (line.target === join && b.y > source.y + source.height) {
    const down = { x: a.x, y: source.y + source.height };
    if (Math.abs(a.x - b.x) < 2) return [down, { x: b.x, y: target.y }];
    if (a.x < target.x) return [down, { x: a.x, y: b.y }, { x: target.x, y: b.y }];
    const above = target.y - 8;
    return [down, { x: a.x, y: above }, { x: b.x, y: above }, { x: b.x, y: target.y }];
  }
  if (Math.abs(a.x - b.x) < 2) return [{ x: a.x, y: source.y + source.height }, { x: b.x, y: target.y }];
  if (Math.abs(a.y - b.y) < 2) {
    const forth = a.x < b.x;
    return [{ x: forth ? source.x + source.width : source.x, y: a.y }, { x: forth ? target.x : target.x + target.width, y: b.y }];
  }
  const level = source.y + source.height + GAP / 2;
  return [{ x: a.x, y: source.y + source.height }, { x: a.x, y: level }, { x: b.x, y: level }, { x: b.x, y: target.y }];
}
