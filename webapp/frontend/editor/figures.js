// 指标: figures to reach, each with the words that print it.
import { area, field } from './fields.js';
import { h } from './html.js';

const ASKED = ['name', 'op', 'value', 'max', 'unit', 'per', 'sum', 'unitName'];

export function figures(panel, element, item) {
  const found = item.indicators || [];
  const known = panel.known.indicator;
  const put = (indicators) => panel.rebuild(element, item, { indicators });
  const one = (figure) => {
    const asked = ASKED.filter((name) => name !== 'max' || figure.op === 'range');
    const write = (name) => (value) => {
      panel.write(element, figure, { [name]: value });
      if (name === 'op') panel.draw();
    };
    return h('fieldset', { class: 'figure' }, h('legend', {}, figure.name || known.label),
      area('文件里的说法', 'figure-text', figure.text, known.longest, (text) => panel.write(element, figure, { text }), 2),
      h('div', { class: 'frow' }, asked.map((name) => field(known.fields[name], `${figure.key}-${name}`, figure.get(name), write(name)))),
      h('button', { type: 'button', class: 'btn q s', onclick: () => put(found.filter((other) => other !== figure)) }, '删去这个指标'));
  };
  const add = () => put([...found, panel.create('duban:Indicator', { key: fresh(), name: '', op: 'ge', value: '', unit: '个', sum: 'sum', text: item.clause?.text?.slice(0, 200) || '' }, item)]);
  return [found.map(one), h('button', { type: 'button', class: 'btn s', onclick: add }, '添加指标')];
}

// A key is for the ledger, which follows a figure by it through every version: made once, shown to nobody.
const fresh = () => `f-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
