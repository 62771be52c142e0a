// Where things may stand and what may be joined: what the linter would refuse cannot be drawn in the first place.
import RuleProvider from 'diagram-js/lib/features/rules/RuleProvider';
import { is } from 'bpmn-js/lib/util/ModelUtil';

import { isGroup, isItem } from './model.js';

const FIRST = 2000;

export class PlanRules extends RuleProvider {
  init() {
    this.addRule('shape.create', FIRST, ({ shape, target }) => refuse(mayStand(shape, target)));
    this.addRule('elements.create', FIRST, ({ elements, target }) =>
      refuse(elements.every((element) => mayStand(element, target))));
    this.addRule('elements.move', FIRST, ({ shapes, target }) =>
      refuse(!target || shapes.every((shape) => mayStand(shape, target))));
    this.addRule('shape.attach', FIRST, () => false);
    this.addRule('connection.create', FIRST, ({ source, target }) => refuse(mayJoin(source, target)));
    this.addRule('connection.reconnect', FIRST, ({ connection, source, target }) =>
      refuse(!is(connection, 'bpmn:SequenceFlow') || mayJoin(source, target)));
  }
}

PlanRules.$inject = ['eventBus'];

// A rule that allows leaves the decision to those of BPMN.
const refuse = (allowed) => (allowed ? undefined : false);

function mayStand(shape, target) {
  if (!target || shape.labelTarget || shape.waypoints) return true;
  if (isGroup(target)) return isItem(shape);
  return is(target, 'bpmn:Process');
}

function mayJoin(source, target) {
  if (!source || !target) return true;
  if (is(source, 'bpmn:TextAnnotation') || is(target, 'bpmn:TextAnnotation')) return true;
  return source.parent === target.parent && source !== target && !is(target, 'bpmn:StartEvent') && !is(source, 'bpmn:EndEvent');
}
