// 指标: figures to reach, each with the words that print it. Every field of the dialect is asked for.
import { area, field } from './fields.js';
import { h } from './html.js';
import { askedOf } from './model.js';
import { search } from './search.js';
import { unitSearch } from './units.js';

const FIRST = ['name', 'op', 'value', 'max', 'unit', 'per', 'by', 'sum', 'unitName'];
const SHARED = ['key', 'name', 'unit', 'per', 'sum', 'definition', 'source', 'asOf', 'reporter'];
const LONG = 200;

export function figures(panel, element, item) {
  const found = item.indicators || [];
  const known = panel.known.indicator;
  const put = (indicators) => panel.rebuild(element, item, { indicators });
  const one = (figure, n) => {
    const id = (name) => `figure-${n}-${name}`;
    const ask = (name) => {
      const write = (value) => panel.write(element, figure, { [name]: value });
      if (name === 'reporter') return reporter(panel, element, figure, id(name));
      if (known.fields[name].longest > LONG) return area(known.fields[name].label, id(name), figure.get(name), known.fields[name].longest, write, 2);
      return field(known.fields[name], id(name), figure.get(name), (value) => {
        write(value);
        if (name === 'op') panel.draw();
      });
    };
    const first = FIRST.filter((name) => name !== 'max' || figure.op === 'range');
    const others = askedOf(known).filter((name) => !FIRST.includes(name));
    const said = others.filter((name) => figure.get(name)).length;
    return h('fieldset', { class: 'figure' }, h('legend', {}, figure.name || known.label),
      area('文件里的说法', id('text'), figure.text, known.longest, (text) => panel.write(element, figure, { text }), 2),
      h('div', { class: 'frow' }, first.map(ask)),
      h('details', { class: 'parts', 'data-part': id('source'), open: said > 0 }, h('summary', {}, '口径与来源（一数一源）'), others.map(ask), shared(panel, element, figure, id('shared'))),
      h('button', { type: 'button', class: 'btn q s', onclick: () => put(found.filter((other) => other !== figure)) }, '删去这个指标'));
  };
  const add = () => put([...found, panel.create('duban:Indicator', { key: fresh(), name: '', op: 'ge', value: '', unit: '个', sum: 'sum', text: item.clause?.text?.slice(0, 200) || '' }, item)]);
  return [found.map(one), h('button', { type: 'button', class: 'btn s', onclick: add }, '添加指标')];
}

// One unit of the directory, or none.
function reporter(panel, element, figure, name) {
  const { label } = panel.known.indicator.fields.reporter;
  const write = (value) => {
    panel.write(element, figure, { reporter: value });
    panel.draw();
  };
  if (!figure.reporter) return h('div', { class: 'f' }, h('span', {}, label, h('small', { class: 'mute' }, ' 选填；写上就由它一家填，不写就由各责任单位填')), unitSearch(panel.server, write, { key: name, label, alone: true }));
  return h('div', { class: 'f', 'data-field': name }, h('span', {}, label), h('p', { class: 'row' }, h('b', {}, figure.reporter),
    h('button', { type: 'button', class: 'mini', 'aria-label': `删去${label}`, title: '删去', onclick: () => write(undefined) }, '×')));
}

// 一数一源: a figure with the key and the reporter of another plan's is filled once for both.
function shared(panel, element, figure, key) {
  const said = panel.shared?.get(figure);
  const take = (chosen) => {
    panel.write(element, figure, Object.fromEntries(SHARED.filter((name) => chosen[name]).map((name) => [name, chosen[name]])));
    const words = chosen.reporter ? `与“${chosen.note}”共用，由${chosen.reporter}填一次。` : `“${chosen.note}”还没有写填报单位：两处写上同一个填报单位，才只填一次。`;
    panel.shared = (panel.shared || new WeakMap()).set(figure, h('p', { class: chosen.reporter ? 'ok' : 'hint' }, words));
    panel.draw();
  };
  return h('div', { class: 'f' }, h('span', {}, '与别的方案共用', h('small', { class: 'mute' }, ' 同一个数只填一次')), search({
    key, label: '查找别的方案里的指标', placeholder: '指标名称或拼音首字母', none: '别的方案里没有这个指标',
    ask: (words) => panel.server.figures(words), pick: take,
  }), said);
}

// A key is for the ledger, which follows a figure by it through every version: made once, shown to nobody.
const fresh = () => `f-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
