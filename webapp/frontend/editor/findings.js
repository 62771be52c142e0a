// 检查: what the server's linter says of the draft, in a list and beside the element.
import { h } from './html.js';
import { isGroup, isItem, labelOf } from './model.js';

export class Findings {
  constructor(modeler, place) {
    Object.assign(this, { modeler, place, marked: [] });
  }

  onPick(listener) {
    this.listener = listener;
  }

  show(findings) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const warnings = findings.length - errors;
    this.mark(findings);
    const sum = findings.length
      ? [errors ? h('b', { class: 'sev is-error' }, `错误 ${errors}，改正后才能发布`) : '', warnings ? h('b', { class: 'sev is-warning' }, `提醒 ${warnings}`) : '']
      : [h('span', { class: 'fine' }, '没有发现问题，可以发布')];
    this.place.replaceChildren(
      h('header', {}, h('h2', {}, '检查'), h('small', { class: 'mute' }, '边改边查'), ...sum),
      h('ul', {}, findings.map((finding) => this.line(finding))),
    );
  }

  line(finding) {
    const element = this.element(finding);
    const isError = finding.severity === 'error';
    return h('li', {},
      h('button', { type: 'button', onclick: () => this.pick(element) },
        h('b', { class: `sev is-${finding.severity}` }, isError ? '错误' : '提醒'),
        h('span', { class: 'where' }, element ? labelOf(element) : '方案'),
        h('span', {}, finding.message)));
  }

  element({ element }) {
    return element ? this.modeler.get('elementRegistry').get(element) : null;
  }

  pick(element) {
    const root = this.modeler.get('canvas').getRootElement();
    this.modeler.get('selection').select(element && element !== root ? element : []);
    if (element && element !== root) this.modeler.get('canvas').scrollToElement(element, 80);
    this.listener(element || root);
  }

  mark(findings) {
    const overlays = this.modeler.get('overlays');
    overlays.remove({ type: 'finding' });
    const seen = new Map();
    for (const finding of findings) {
      const element = this.element(finding);
      if (!element || element.waypoints || !element.parent) continue;
      seen.set(element, [...(seen.get(element) || []), finding]);
    }
    for (const [element, found] of seen) {
      const severity = found.some((finding) => finding.severity === 'error') ? 'error' : 'warning';
      const words = found.map((finding) => finding.message).join('\n');
      const html = h('div', { class: `find is-${severity}`, title: words }, String(found.length));
      const position = isItem(element) || isGroup(element) ? { top: 4, right: 24 } : { top: -10, right: 8 };
      overlays.add(element, 'finding', { position, html });
    }
  }
}
