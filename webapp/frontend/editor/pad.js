// What can be done with the chosen shape, in words beside it.
import { is } from 'bpmn-js/lib/util/ModelUtil';

import { isFlow, isGroup, isItem } from './model.js';

export class Pad {
  constructor(contextPad, connect, drawing, modeling) {
    Object.assign(this, { connect, drawing, modeling });
    contextPad.registerProvider(this);
  }

  getContextPadEntries(element) {
    const entries = {};
    const add = (key, words, click, dragstart = click) => {
      const html = `<div class="entry pad-entry" role="button">${words}</div>`;
      entries[key] = { group: 'plan', html, title: words, action: { click, dragstart } };
    };
    if (isGroup(element)) add('item', '添加任务', () => this.drawing.addItem(element));
    if (isItem(element) && isGroup(element.parent)) add('item', '再加一项', () => this.drawing.addItem(element.parent));
    if (!isFlow(element) && !element.labelTarget && !is(element, 'bpmn:EndEvent') && !element.waypoints) {
      add('line', '连线', (event) => this.connect.start(event, element));
    }
    add('remove', '删除', () => this.modeling.removeElements([element.labelTarget || element]));
    return entries;
  }

  getMultiElementContextPadEntries(elements) {
    const click = () => this.modeling.removeElements([...elements]);
    const html = '<div class="entry pad-entry" role="button">删除</div>';
    return { remove: { group: 'plan', html, title: '删除', action: { click } } };
  }
}

Pad.$inject = ['contextPad', 'connect', 'drawing', 'modeling'];
