// 时限: the document's words, the rule they are read as, and the rule told back by the server.
import { field } from './fields.js';
import { h } from './html.js';

const PARTS = {
  by: ['date'],
  during: ['start', 'end'],
  within: ['days', 'working', 'anchor'],
  every: ['period', 'monthday', 'days', 'working'],
};

// `rule`: the moddle element or nothing. `write(attributes, text)` puts a rule, `write(null)` takes it away.
export function limit({ server, known, name, label, rule, period, anchors, write, redraw }) {
  const told = h('div', { class: 'told', 'aria-live': 'polite' });
  const attributes = rule ? given(known, rule) : {};
  const words = h('input', { class: 'in', name: `${name}-text`, maxlength: known.longest, autocomplete: 'off', placeholder: name === 'due' ? '照文件写，如：8月底前' : '照文件写；空着就随方案启动', 'aria-label': label });
  words.value = rule?.text || '';

  const explain = async (asked) => {
    const answer = await server.explain({ element: name, text: words.value.trim(), ...period, ...asked }).catch((error) => ({ problem: error.message, steps: [] }));
    tell(told, answer);
    return answer;
  };
  words.addEventListener('change', async () => {
    const text = words.value.trim();
    if (!text) return write(null);
    const { rule: read } = await explain({ read: '1', ...attributes });
    if (read) write(read, text);
    else if (rule) write(attributes, text);
    else write({ kind: 'by' }, text);
    redraw();
  });
  if (rule) explain(attributes);

  const set = (key) => (value) => {
    const next = { ...attributes, [key]: value };
    const kept = key === 'kind' ? { kind: value } : next;
    if (key === 'kind' && value === 'within') Object.assign(kept, { anchor: 'run' });
    write(kept, words.value.trim() || label);
    redraw();
  };
  const parts = (PARTS[attributes.kind] || []).map((key) =>
    key === 'anchor' ? anchor(known.fields[key], attributes[key], anchors, set(key)) : field(known.fields[key], `${name}-${key}`, attributes[key], set(key), labelled(attributes, key)));
  const details = rule && h('details', { class: 'parts', open: !parts.length || !attributes.date ? true : false },
    h('summary', {}, '逐项设置'), h('div', { class: 'frow' }, field(known.fields.kind, `${name}-kind`, attributes.kind, set('kind')), parts));
  return h('div', { class: 'limit' }, h('label', { class: 'f' }, h('span', {}, label), words), told, details);
}

function labelled(attributes, key) {
  if (key === 'monthday' && attributes.period === 'week') return { label: '周几（1 至 7）' };
  if (key === 'monthday') return { label: '几日（-1 为月底）' };
  if (key === 'days' && attributes.kind === 'every') return { label: '周期结束后几天' };
  return {};
}

function anchor(known, value, anchors, change) {
  const choices = [['run', '方案启动'], ['acknowledge', '各单位签收'], ...anchors.map(([id, words]) => [`item:${id}`, `办结：${words}`])];
  return field({ ...known, kind: 'choice', required: true, choices }, 'anchor', value, change);
}

export function given(known, element) {
  const names = Object.keys(known.fields).filter((key) => element.get(key) != null);
  return Object.fromEntries(names.map((key) => [key, element.get(key)]));
}

export function tell(place, { says, steps, problem }) {
  if (problem) place.replaceChildren(h('p', { class: 'err' }, problem));
  else place.replaceChildren(h('p', {}, h('b', {}, says)), h('dl', {}, (steps || []).map(([term, words]) => [h('dt', {}, term), h('dd', {}, words)])));
}
