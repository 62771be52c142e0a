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
  if (item) return `任务 ${item.no}`;
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

// All items in the order of the file, which is the order of the ledger.
export function itemsOf(registry) {
  return registry.filter(isItem);
}

export function nextNumber(registry) {
  const numbers = itemsOf(registry).map((element) => Number.parseInt(itemOf(element)?.no, 10) || 0);
  return String(Math.max(0, ...numbers) + 1);
}
