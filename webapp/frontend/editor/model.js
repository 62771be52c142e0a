// What a plan's elements are to the editor, and where the dialect stands on them.
import { is } from 'bpmn-js/lib/util/ModelUtil';

export const isItem = (element) => is(element, 'bpmn:UserTask') && !element.labelTarget;
export const isGroup = (element) => is(element, 'bpmn:AdHocSubProcess');
export const isFlow = (element) => is(element, 'bpmn:SequenceFlow') && !element.labelTarget;
export const isTimer = (element) => is(element, 'bpmn:IntermediateCatchEvent') && !element.labelTarget;

// The dialect's element (`duban:Item`, `duban:Plan`) of a BPMN element.
export function spec(element, type) {
  const values = element.businessObject.extensionElements?.values || [];
  return values.find((value) => value.$type === type);
}

export const itemOf = (element) => spec(element, 'duban:Item');
export const planOf = (root) => spec(root, 'duban:Plan');

export const boxName = (no, title) => `${no}\n${title}`;

export function labelOf(element) {
  const item = isItem(element) ? itemOf(element) : null;
  if (item) return item.no ? `任务 ${item.no}` : `任务“${item.title || '未命名'}”`;
  return element.businessObject.name || KINDS.find(([type]) => is(element, type))?.[1] || '方案';
}

export const KINDS = [
  ['bpmn:StartEvent', '开始'],
  ['bpmn:EndEvent', '结束'],
  ['bpmn:IntermediateCatchEvent', '日期'],
  ['bpmn:ParallelGateway', '并行'],
  ['bpmn:ExclusiveGateway', '判断'],
  ['bpmn:SequenceFlow', '连线'],
  ['bpmn:AdHocSubProcess', '任务组'],
  ['bpmn:UserTask', '任务'],
  ['bpmn:TextAnnotation', '注释'],
  ['bpmn:Association', '注释线'],
  ['bpmn:Process', '方案'],
];

export const kindOf = (element) => KINDS.find(([type]) => is(element, type))?.[1] || '';

// What the panel asks of an element of the dialect.
export const askedOf = (known) => Object.keys(known.fields).filter((name) => known.fields[name].asked);

// In the order of the file, which is the order of the ledger.
const placeOf = ({ businessObject }) => businessObject.$parent?.flowElements?.indexOf(businessObject) ?? -1;
export const inOrder = (elements) => [...elements].sort((a, b) => placeOf(a) - placeOf(b));
export const groupsOf = (registry) => inOrder(registry.filter(isGroup));
export const itemsIn = (group) => inOrder(group.children.filter(isItem));

export function itemsOf(registry) {
  const loose = registry.filter((element) => isItem(element) && !isGroup(element.parent));
  return [...groupsOf(registry).flatMap(itemsIn), ...inOrder(loose)];
}

// The numbers as they stand, where they are plain and do not ascend; nothing else is said of them.
export function disordered(registry) {
  const numbers = itemsOf(registry).map((element) => itemOf(element)?.no ?? '');
  if (!numbers.every((no) => /^\d+$/.test(no))) return null;
  const at = numbers.findIndex((no, n) => n > 0 && Number(no) <= Number(numbers[n - 1]));
  return at < 0 ? null : { first: numbers[at - 1], second: numbers[at], least: Math.min(...numbers.map(Number)) };
}

export function nextNumber(registry) {
  const numbers = itemsOf(registry).map((element) => Number.parseInt(itemOf(element)?.no, 10) || 0);
  return String(Math.max(0, ...numbers) + 1);
}
