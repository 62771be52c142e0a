// The order of items and groups, which is that of the table of contents, the ledger and the Gantt chart: the file's.
// bpmn-js leaves it as it is when something is moved, and puts last what it brings back; here the file follows the picture.
import CommandInterceptor from 'diagram-js/lib/command/CommandInterceptor';

import { groupsOf, inOrder, isGroup, isItem, itemsIn } from './model.js';

const PLACED = ['shape.move', 'shape.create', 'shape.delete', 'connection.create', 'connection.move', 'connection.delete'];
const FIRST = 5000;
const LAST = 100;

const middle = (box) => ({ x: box.x + box.width / 2, y: box.y + box.height / 2 });

class Reorder {
  execute(context) {
    context.before = [...context.elements];
    put(context.elements, context.after);
    return [];
  }

  revert(context) {
    put(context.elements, context.before);
    return [];
  }
}

const put = (elements, order) => elements.splice(0, elements.length, ...order);
const elementsOf = (shape) => shape.parent?.businessObject.flowElements;

export class Order extends CommandInterceptor {
  constructor(eventBus, commandStack, elementRegistry) {
    super(eventBus);
    Object.assign(this, { commandStack, elementRegistry });
    commandStack.registerHandler('plan.order', Reorder);
    this.execute(PLACED, FIRST, ({ context }) => {
      const elements = (context.shape || context.connection).businessObject?.$parent?.flowElements;
      context.stood = elements && { elements, order: [...elements] };
    });
    this.reverted(PLACED, LAST, ({ context: { stood } }) => {
      if (stood && stood.order.every((one) => stood.elements.includes(one))) put(stood.elements, stood.order);
    });
  }

  // Shapes that were moved by hand come where they stand in the picture; the others keep their order.
  follow(moved) {
    const kinds = [isGroup, (shape) => isItem(shape) && !isGroup(shape.parent)];
    for (const kind of kinds) this.among(moved.filter(kind), this.elementRegistry.filter(kind), acrossFirst);
    for (const group of new Set(moved.filter((shape) => isItem(shape) && isGroup(shape.parent)).map((item) => item.parent))) {
      this.among(moved.filter((item) => item.parent === group), itemsIn(group), byRows);
    }
  }

  // Everything as the picture has it.
  followAll() {
    for (const group of groupsOf(this.elementRegistry)) this.write(byRows(itemsIn(group)));
    this.write(acrossFirst(groupsOf(this.elementRegistry)));
  }

  among(moved, all, read) {
    const order = inOrder(all.filter((shape) => !moved.includes(shape)));
    for (const shape of read(moved)) order.splice(indexFor(shape, order, read), 0, shape);
    this.write(order);
  }

  // `shapes` take each other's places in the file; what stands between them stays.
  write(shapes) {
    if (!shapes.length) return;
    const elements = elementsOf(shapes[0]);
    const wanted = shapes.map((shape) => shape.businessObject);
    const left = [...wanted];
    const after = elements.map((one) => (wanted.includes(one) ? left.shift() : one));
    if (after.some((one, n) => one !== elements[n])) this.commandStack.execute('plan.order', { elements, after });
  }
}

Order.$inject = ['eventBus', 'commandStack', 'elementRegistry'];

// Dropped on another: before or after it, by the side it was dropped on. Else after the one that is read before it.
function indexFor(shape, others, read) {
  const at = middle(shape);
  const under = others.findIndex((other) => Math.abs(middle(other).x - at.x) < other.width / 2 && Math.abs(middle(other).y - at.y) < other.height / 2);
  if (under >= 0) {
    const isBeside = read === acrossFirst || others.some((other) => Math.abs(other.x - others[under].x) > other.width / 2);
    const [here, there] = isBeside ? [at.x, middle(others[under]).x] : [at.y, middle(others[under]).y];
    return here < there ? under : under + 1;
  }
  const picture = read([...others, shape]);
  return others.indexOf(picture[picture.indexOf(shape) - 1]) + 1;
}

function acrossFirst(shapes) {
  return [...shapes].sort((a, b) => middle(a).x - middle(b).x || a.y - b.y);
}

// Row by row; what overlaps sideways stands one above the other.
export function byRows(shapes) {
  const rows = [];
  for (const shape of [...shapes].sort((a, b) => middle(a).y - middle(b).y || a.x - b.x)) {
    const row = rows.at(-1);
    const isSame = row && middle(shape).y - middle(row[0]).y < row[0].height / 2 && row.every((other) => Math.abs(other.x - shape.x) > shape.width / 2);
    if (isSame) row.push(shape);
    else rows.push([shape]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.x - b.x));
}
