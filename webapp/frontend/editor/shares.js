// 责任分工: who does the item, in which role, with which part of its figure. The order is the printed one.
import { field } from './fields.js';
import { h } from './html.js';
import { askedOf } from './model.js';
import { unitSearch } from './units.js';

export function shares(panel, element, item) {
  const lines = item.assignments || [];
  const { role, quota, unit } = panel.known.assignment.fields;
  const others = askedOf(panel.known.assignment).filter((name) => !['unit', 'role', 'quota'].includes(name));
  const put = (next) => panel.rebuild(element, item, { assignments: next });
  const next = lines.some((line) => line.role === 'lead') ? 'cooperating' : 'responsible';
  const select = (value, change, label, name) => h('select', { class: 'se s', 'aria-label': label, onchange: ({ target }) => change(target.value), name },
    role.choices.map(([key, words]) => h('option', { value: key, selected: key === value }, words)));

  const row = (line, n) => h('tr', {},
    h('td', { class: 'ro' }, select(line.role, (value) => {
      panel.write(element, line, { role: value });
      completion(panel, element, item);
      panel.draw();
    }, `${line.unit}的${role.label}`, `role-${n}`)),
    h('td', {}, line.unit || unit.label, others.map((name) => {
      const known = panel.known.assignment.fields[name];
      return field(known, `${name}-${n}`, line.get(name), (value) => panel.write(element, line, { [name]: value === known.default ? undefined : value }));
    })),
    h('td', { class: 'qu' }, amount(panel, element, line, quota, `quota-${n}`)),
    h('td', { class: 'act' },
      h('button', { type: 'button', class: 'mini', disabled: n === 0, title: '上移', 'aria-label': `上移${line.unit}`, onclick: () => put(swapped(lines, n)) }, '↑'),
      h('button', { type: 'button', class: 'mini', title: '删去', 'aria-label': `删去${line.unit}`, onclick: () => put(lines.filter((other) => other !== line)) }, '×')));
  const chosen = select(panel.role || next, (value) => { panel.role = value; }, '新增单位的角色', 'role-new');
  const add = (name) => {
    const made = panel.create('duban:Assignment', { unit: name, role: chosen.value }, item);
    panel.drawing.steps(() => {
      panel.write(element, item, { assignments: [...lines, made] });
      completion(panel, element, item);
    });
    panel.draw();
    panel.place.querySelector('[name=unit-search]')?.focus();
  };
  return [
    lines.length ? h('table', { class: 'us' }, h('thead', { class: 'vh' }, h('tr', {}, ['角色', '单位', '份额', '操作'].map((words) => h('th', { scope: 'col' }, words)))), h('tbody', {}, lines.map(row)))
      : h('p', { class: 'hint' }, '还没有单位。先选角色，再找单位。'),
    h('div', { class: 'adder' }, chosen, unitSearch(panel.server, add)),
    sum(lines, item),
  ];
}

function amount(panel, element, line, known, name) {
  const control = h('input', { name, class: 'in s num', 'aria-label': `${line.unit}的${known.label}`, placeholder: known.label, inputmode: 'decimal', autocomplete: 'off' });
  control.value = line.quota ?? '';
  control.addEventListener('change', () => panel.write(element, line, { quota: control.value.trim() || undefined }));
  return control;
}

function swapped(lines, n) {
  const next = [...lines];
  [next[n - 1], next[n]] = [next[n], next[n - 1]];
  return next;
}

// Where somebody leads, the lead closes the item; where nobody does, every share for itself.
function completion(panel, element, item) {
  const wanted = (item.assignments || []).some((line) => line.role === 'lead') ? 'lead' : 'all';
  if (item.completion !== wanted) panel.write(element, item, { completion: wanted });
}

function sum(lines, item) {
  const quotas = lines.map((line) => Number(line.quota)).filter((quota) => quota > 0);
  const [figure, ...others] = item.indicators || [];
  if (!quotas.length || !figure || others.length) return null;
  const total = quotas.reduce((a, b) => a + b, 0);
  const same = total === Number(figure.value);
  return h('p', { class: same ? 'ok' : 'hint' }, `份额合计 ${total}，${same ? '等于' : '目标为'} ${figure.value}${same ? '（目标）' : ''}`);
}
