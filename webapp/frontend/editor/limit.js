// 时限: the document's words, the rule they are read as, and the rule told back by the server.
import { field } from './fields.js';
import { h } from './html.js';

const PARTS = {
  by: ['date'],
  during: ['start', 'end'],
  within: ['days', 'working', 'anchor'],
  every: ['period', 'monthday', 'days', 'working'],
};

// `rule`: the moddle element or nothing; one without a kind is words that were not understood. `write(attributes, text,
// note)` puts a rule and draws anew, saying the note where it stands; `write(null)` takes it away.
export function limit({ server, known, name, label, rule, period, anchors, write, note }) {
  const told = h('div', { class: 'told', 'aria-live': 'polite' });
  const attributes = rule ? given(known, rule) : {};
  const words = h('input', { class: 'in', name: `${name}-text`, maxlength: known.longest, autocomplete: 'off', placeholder: name === 'due' ? '照文件写，如：8月底前' : '照文件写；空着就随方案启动', 'aria-label': label });
  words.value = rule?.text || '';

  // Only the items whose number stands in the words can be meant by them.
  const ask = async (asked) => {
    const text = words.value.trim();
    const query = new URLSearchParams({ element: name, text, ...period, ...asked });
    if (asked.read) anchors.filter(({ no }) => no && text.includes(no)).forEach(({ id, no }) => query.append('item', `${id} ${no}`));
    const answer = await server.explain(query).catch((error) => ({ problem: `${error.message}，“${label}”还没有读成规则；连上以后请按“重新读一遍”。`, steps: [] }));
    tell(told, answer);
    return answer;
  };
  // New words have nothing of the old rule left: what is not understood stands without one, which is a finding.
  const read = async () => {
    const text = words.value.trim();
    if (!text) return write(null);
    const { rule: found, problem } = await ask({ read: '1' });
    write(found || {}, text, problem);
  };
  words.addEventListener('change', read);
  words.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && words.value.trim() === (rule?.text || '')) read();
  });
  if (rule && note) tell(told, { problem: note });
  else if (rule) ask(attributes);

  const set = (key) => (value) => {
    const next = { ...attributes, [key]: value };
    const kept = key === 'kind' ? { kind: value } : next;
    if (key === 'kind' && value === 'within') Object.assign(kept, { anchor: 'run' });
    write(kept, words.value.trim() || label);
  };
  const parts = (PARTS[attributes.kind] || []).map((key) =>
    key === 'anchor' ? anchor(known.fields[key], attributes[key], anchors, set(key)) : field(known.fields[key], `${name}-${key}`, attributes[key], set(key), labelled(attributes, key)));
  const details = rule && h('details', { class: 'parts', open: !attributes.date },
    h('summary', {}, '逐项设置'), h('div', { class: 'frow' }, field(known.fields.kind, `${name}-kind`, attributes.kind, set('kind')), parts));
  const again = rule && !attributes.kind && h('button', { type: 'button', class: 'btn q s', onclick: read }, '重新读一遍');
  return h('div', { class: 'limit' }, h('label', { class: 'f' }, h('span', {}, label), words), told, again, details);
}

function labelled(attributes, key) {
  if (key === 'monthday' && attributes.period === 'week') return { label: '周几（1 至 7）' };
  if (key === 'monthday') return { label: '几日（-1 为月底）' };
  if (key === 'days' && attributes.kind === 'every') return { label: '周期结束后几天' };
  return {};
}

function anchor(known, value, anchors, change) {
  const choices = [['run', '方案启动'], ['acknowledge', '各单位签收'], ...anchors.map(({ id, words }) => [`item:${id}`, `办结：${words}`])];
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
