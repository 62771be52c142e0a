// What a person draws with one press: an item into its group, a group between split and join, a dated branch. Each is
// one step of undo.
import { is } from 'bpmn-js/lib/util/ModelUtil';

import CommandInterceptor from 'diagram-js/lib/command/CommandInterceptor';

import { boxName, isGroup, isItem, itemOf, itemsIn, itemsOf, nextNumber } from './model.js';
import { grid, route, tidied } from './layout.js';

export const BOX = { width: 164, height: 66 };
export const PAD = 12;
export const GAP = 10;
export const HEAD = 34;
export const FOOT = 28;
export const BETWEEN = 28;

const FIRST = 1500;
const DRAGGED = ['create', 'shape.move'].flatMap((drag) => ['hover', 'move', 'out', 'end'].map((step) => `${drag}.${step}`));
const BY_US = { arranged: true, autoResize: false };

// Commands given inside `run` are taken back together.
class Steps {
  preExecute({ run }) {
    run();
  }
}

export class Drawing {
  constructor(bpmnFactory, canvas, commandStack, elementFactory, elementRegistry, eventBus, modeling, planOrder, selection) {
    Object.assign(this, { bpmnFactory, canvas, elementFactory, elementRegistry, modeling, planOrder, selection, commandStack });
    commandStack.registerHandler('plan.steps', Steps);
    const commands = new CommandInterceptor(eventBus);
    commands.preExecute('shape.delete', FIRST, ({ context }) => this.unjoin(context.shape));
    // A group does not widen under what is dropped at its edge: it is set in order below.
    commands.preExecute('elements.move', FIRST, ({ context }) => {
      if (context.shapes.some(isItem)) context.hints = { ...context.hints, autoResize: false };
    });
    commands.postExecuted('elements.move', ({ context }) => context.hints?.arranged || this.settle(context.shapes));
    commands.postExecuted('elements.create', ({ context }) => this.settle(context.elements));
    commands.postExecuted('elements.delete', ({ context }) => context.elements.some(isPart) && this.arrangeNew());
    // A second press on what is chosen leaves it chosen: the panel would go away under the hand.
    eventBus.on('element.click', FIRST, (event) => {
      if (selection.get().length === 1 && selection.isSelected(event.element)) event.stopPropagation();
    });
    // What is dropped on an item is dropped into its group, at that place.
    eventBus.on(DRAGGED, FIRST, (event) => {
      if (!event.hover || !isItem(event.hover) || !isGroup(event.hover.parent)) return;
      event.hover = event.hover.parent;
      event.hoverGfx = elementRegistry.getGraphics(event.hover);
    });
    // bpmn-js measures labels anew; what has only been pushed and taken back must be written as it was.
    eventBus.on('import.render.complete', () => elementRegistry.filter((element) => element.labelTarget && element.di.label?.bounds).forEach((label) => {
      const { x, y, width, height } = label.di.label.bounds;
      Object.assign(label, { x, y, width, height });
    }));
    eventBus.on('shape.added', ({ element }) => {
      if (isItem(element)) canvas.addMarker(element, 'item-box');
    });
  }

  steps(run) {
    this.commandStack.execute('plan.steps', { run });
  }

  // ---- shapes that are complete when they are drawn
  itemShape() {
    const shape = this.elementFactory.createShape({ type: 'bpmn:UserTask', ...BOX });
    const no = nextNumber(this.elementRegistry);
    const facts = { no, title: '新任务', completion: 'all', lifecycle: 'standard' };
    this.extend(shape, this.bpmnFactory.create('duban:Item', facts));
    shape.businessObject.name = boxName(no, facts.title);
    return shape;
  }

  groupShape() {
    const attrs = { type: 'bpmn:AdHocSubProcess', isExpanded: true, width: BOX.width + 2 * PAD, height: HEAD + BOX.height + FOOT };
    const shape = this.elementFactory.createShape(attrs);
    const count = this.elementRegistry.filter(isGroup).length;
    const name = `第${'一二三四五六七八九十'[count] || count + 1}组任务`;
    Object.assign(shape.businessObject, { name, ordering: 'Parallel', cancelRemainingInstances: false });
    return shape;
  }

  timerShape() {
    const attrs = { type: 'bpmn:IntermediateCatchEvent', eventDefinitionType: 'bpmn:TimerEventDefinition' };
    const shape = this.elementFactory.createShape(attrs);
    const [definition] = shape.businessObject.eventDefinitions;
    definition.timeDate = this.bpmnFactory.create('bpmn:FormalExpression', { body: '' });
    definition.timeDate.$parent = definition;
    shape.businessObject.name = '到日启动';
    return shape;
  }

  plainShape(type) {
    return this.elementFactory.createShape({ type });
  }

  extend(shape, value) {
    const bo = shape.businessObject;
    bo.extensionElements = this.bpmnFactory.create('bpmn:ExtensionElements', { values: [value] });
    bo.extensionElements.$parent = bo;
    value.$parent = bo.extensionElements;
  }

  // ---- one press
  addItem(group = this.chosenGroup()) {
    if (!group) return this.addGroup();
    let shape;
    this.steps(() => {
      shape = this.itemShape();
      const place = nextCell(group);
      const bottom = place.y + BOX.height + FOOT;
      const right = place.x + BOX.width + PAD;
      if (bottom > group.y + group.height || right > group.x + group.width) {
        this.grow(group, Math.max(group.width, right - group.x), Math.max(group.height, bottom - group.y));
      }
      const middle = { x: place.x + BOX.width / 2, y: place.y + BOX.height / 2 };
      this.modeling.createShape(shape, middle, group, { autoResize: false });
      this.arrangeNew();
    });
    this.choose(shape);
    return shape;
  }

  addGroup() {
    let shape;
    this.steps(() => {
      shape = this.groupShape();
      const root = this.canvas.getRootElement();
      const others = this.elementRegistry.filter(isGroup);
      const x = Math.max(60, ...others.map((other) => other.x + other.width + BETWEEN));
      const y = Math.min(...others.map((other) => other.y), others.length ? Infinity : 160);
      this.modeling.createShape(shape, { x: x + shape.width / 2, y: y + shape.height / 2 }, root);
      const { split, join } = this.ends();
      if (split) this.lead(split, shape);
      if (join) this.lead(shape, join);
      this.arrangeNew();
    });
    this.choose(shape);
    return shape;
  }

  // A branch of its own: from the split to a date, the item it opens, and an end.
  addDated() {
    let [item, chosen] = [];
    this.steps(() => {
      const root = this.canvas.getRootElement();
      const shapes = this.elementRegistry.filter((element) => element.parent === root && !element.waypoints);
      const x = Math.max(200, ...shapes.map((shape) => shape.x + shape.width)) + BETWEEN + BOX.width / 2;
      const y = Math.min(200, ...shapes.filter(isGroup).map((group) => group.y)) + 18;
      const timer = this.modeling.createShape(this.timerShape(), { x, y }, root);
      item = this.modeling.createShape(this.itemShape(), { x, y: y + 80 }, root);
      const end = this.modeling.createShape(this.plainShape('bpmn:EndEvent'), { x, y: y + 160 }, root);
      const { split } = this.ends();
      if (split) this.lead(split, timer);
      this.modeling.connect(timer, item);
      this.modeling.connect(item, end);
      this.arrangeNew();
      chosen = timer;
    });
    this.choose(chosen);
    return item;
  }

  addPlain(type) {
    const shape = this.plainShape(type);
    const box = this.canvas.viewbox();
    const root = this.canvas.getRootElement();
    this.modeling.createShape(shape, { x: box.x + box.width / 2, y: box.y + box.height / 2 }, root);
    this.choose(shape);
    return shape;
  }

  // Everything put in its place, as a plan made from a document is drawn; the order is the one that is seen.
  tidy() {
    this.steps(() => {
      const { split, join } = this.ends();
      const bare = (split?.outgoing || []).filter((line) => line.target === join);
      if (split && bare.length < split.outgoing.length) for (const line of bare) this.modeling.removeConnection(line);
      this.planOrder.followAll();
      this.arrange();
    });
  }

  // Where a branch between two gateways goes, its lines go too: bpmn-js would join them to one that crosses the boxes
  // of the others and says nothing.
  unjoin({ incoming, outgoing }) {
    if (incoming.length !== 1 || outgoing.length !== 1) return;
    const [before, after] = [incoming[0], outgoing[0]];
    if (is(before.source, 'bpmn:ParallelGateway') && is(after.target, 'bpmn:ParallelGateway')) this.modeling.removeConnection(before);
  }

  // What a hand has moved: the file takes the order of the picture, and nothing is left lying on something else.
  settle(shapes) {
    const moved = shapes.filter(isPart);
    if (!moved.length) return;
    this.planOrder.follow(moved);
    if (!this.wasPublished) return this.arrange();
    for (const group of new Set(moved.filter(isItem).map((item) => item.parent))) {
      const isLoose = (item, n, all) => !within(item, group) || all.slice(n + 1).some((other) => overlap(item, other));
      if (isGroup(group) && itemsIn(group).some(isLoose)) this.arrangeGroup(group);
    }
  }

  // One group alone, in the columns it has.
  arrangeGroup(group) {
    const { boxes, height } = grid(group, itemsIn(group));
    if (height > group.height) this.grow(group, group.width, height);
    for (const [item, box] of boxes) this.move(item, box);
  }

  // A group that grows pushes on what it would reach, and the lines that run there; nothing else moves.
  grow(group, width, height) {
    for (const [side, length] of [[SIDES.right, width], [SIDES.bottom, height]]) {
      const { axis, size } = side;
      const edge = group[axis] + group[size];
      const beyond = this.canvas.getRootElement().children.filter((shape) => !shape.waypoints && !shape.labelTarget && shape[axis] >= edge);
      const reached = [...beyond.filter((shape) => beside(group, shape, side)).map((shape) => shape[axis]), ...this.linesBeyond(group, edge, side)];
      const short = group[axis] + length + BETWEEN - Math.min(...reached);
      if (short > 0) this.push(beyond, axis, edge, Math.ceil(short));
    }
    const bottom = group.y + group.height;
    const down = ({ x, y }) => ({ x, y: Math.abs(y - bottom) < 1 ? group.y + height : y });
    const lines = [...group.incoming, ...group.outgoing].map((line) => [line, line.waypoints.map(down)]);
    this.modeling.resizeShape(group, { x: group.x, y: group.y, width, height }, undefined, BY_US);
    this.redraw(lines);
  }

  // These shapes, and what lines have beyond an edge, further on.
  push(shapes, axis, edge, by) {
    const further = (point) => ({ x: point.x, y: point.y, [axis]: point[axis] + (point[axis] > edge + 1 ? by : 0) });
    const lines = this.elementRegistry.filter((line) => line.waypoints).map((line) => [line, line.waypoints.map(further)]);
    for (const shape of shapes) this.move(shape, { x: shape.x, y: shape.y, [axis]: shape[axis] + by });
    this.redraw(lines);
  }

  redraw(lines) {
    const differs = (line, points) => points.length !== line.waypoints.length || points.some(({ x, y }, n) => x !== line.waypoints[n].x || y !== line.waypoints[n].y);
    for (const [line, points] of lines) if (differs(line, points)) this.modeling.updateWaypoints(line, points);
  }

  // Where lines run past a group beyond its edge.
  linesBeyond(group, edge, side) {
    const { axis, cross, span } = side;
    return this.elementRegistry.filter((line) => line.waypoints && line.parent !== group).flatMap(({ waypoints }) => waypoints.slice(1).flatMap((to, n) => {
      const from = waypoints[n];
      const part = { [cross]: Math.min(from[cross], to[cross]), [span]: Math.abs(from[cross] - to[cross]) };
      const nearest = Math.min(from[axis], to[axis]);
      return nearest > edge + 1 && beside(group, part, side) ? [nearest] : [];
    }));
  }

  // 序号 from the first, one by one, in the order of the file.
  renumber(first) {
    this.steps(() => itemsOf(this.elementRegistry).forEach((element, n) => {
      const item = itemOf(element);
      const no = String(first + n);
      if (item.no === no) return;
      this.modeling.updateModdleProperties(element, item, { no });
      this.modeling.updateProperties(element, { name: boxName(no, item.title ?? '') });
    }));
  }

  // A plan that was never published keeps itself in order; of a published one nothing moves that nobody moved.
  arrangeNew() {
    if (!this.wasPublished) this.arrange();
  }

  arrange() {
    const { boxes, lines } = tidied(this.elementRegistry, this.ends());
    for (const [shape, box] of boxes) {
      if (isGroup(shape)) {
        this.move(shape, box);
        this.modeling.resizeShape(shape, box, undefined, { autoResize: false });
      }
    }
    for (const [shape, box] of boxes) {
      if (isGroup(shape)) continue;
      this.move(shape, box);
    }
    for (const [line, points] of lines) this.modeling.updateWaypoints(line, points);
  }

  // A line where a plan has it, not where it would be shortest.
  lead(source, target) {
    const line = this.modeling.connect(source, target);
    this.modeling.updateWaypoints(line, route(source, target, line, this.ends()));
  }

  choose(shape) {
    this.selection.select(shape);
    this.canvas.scrollToElement(shape, 80);
  }

  // With its label, and what stands in it.
  move(shape, box) {
    const delta = { x: box.x - shape.x, y: box.y - shape.y };
    if (delta.x || delta.y) this.modeling.moveElements([shape], delta, undefined, BY_US);
  }

  // The gateway behind the start and the one before an end: between them stand the groups.
  ends() {
    const gateways = this.elementRegistry.filter((element) => is(element, 'bpmn:ParallelGateway'));
    const start = this.elementRegistry.find((element) => is(element, 'bpmn:StartEvent') && !element.labelTarget);
    const split = gateways.find((gateway) => gateway.incoming.some((line) => line.source === start));
    const join = gateways.find((gateway) => gateway !== split && gateway.outgoing.some((line) => is(line.target, 'bpmn:EndEvent')));
    return { start, split, join };
  }

  chosenGroup() {
    const [chosen] = this.selection.get();
    if (chosen && isGroup(chosen)) return chosen;
    if (chosen?.parent && isGroup(chosen.parent)) return chosen.parent;
    return this.elementRegistry.filter(isGroup).at(-1);
  }
}

Drawing.$inject = ['bpmnFactory', 'canvas', 'commandStack', 'elementFactory', 'elementRegistry', 'eventBus', 'modeling', 'planOrder', 'selection'];

const SIDES = {
  right: { axis: 'x', size: 'width', cross: 'y', span: 'height' },
  bottom: { axis: 'y', size: 'height', cross: 'x', span: 'width' },
};

// Whether something lies in the way in which a side of the group moves.
const beside = (group, other, { cross, span }) => other[cross] <= group[cross] + group[span] && group[cross] <= other[cross] + other[span];

const isPart = (shape) => isItem(shape) || isGroup(shape);

const within = (item, group) => item.x >= group.x && item.x + item.width <= group.x + group.width && item.y >= group.y && item.y + item.height <= group.y + group.height;

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

// The place after the last item: the rest of its row, else the row below. A group keeps its columns.
function nextCell(group) {
  const items = group.children.filter(isItem);
  if (!items.length) return { x: group.x + PAD, y: group.y + HEAD };
  const bottom = Math.max(...items.map((item) => item.y));
  const row = items.filter((item) => Math.abs(item.y - bottom) < BOX.height / 2);
  const last = Math.max(...row.map((item) => item.x + item.width));
  const first = Math.min(...items.map((item) => item.x));
  if (last + GAP + BOX.width + PAD <= group.x + group.width + 1) return { x: last + GAP, y: bottom };
  return { x: first, y: bottom + Math.max(...row.map((item) => item.height)) + GAP };
}
