// Fields made from the dialect's own description: label, kind, choices, limits. `change` gets the text to write, or
// undefined for nothing.
import { h } from './html.js';

export function field(known, name, value, change, options = {}) {
  const make = MAKERS[known.kind] || line;
  const label = options.label || known.label;
  if (known.kind === 'bool') return make(known, name, value, change, label);
  if (known.kind === 'choices') {
    return h('fieldset', { class: 'f' }, h('legend', {}, label), make(known, name, value, change));
  }
  const control = make(known, name, value, change, label);
  return h('label', { class: `f${options.class ? ` ${options.class}` : ''}` }, h('span', {}, label, known.required ? '' : h('small', { class: 'mute' }, ' 选填')), control);
}

export function area(label, name, value, longest, change, rows = 4) {
  const control = h('textarea', { class: 'ta', name, rows, maxlength: longest, onchange: ({ target }) => change(target.value.trim() || undefined) });
  control.value = value || '';
  return h('label', { class: 'f' }, h('span', {}, label), control);
}

function line(known, name, value, change, label) {
  const control = h('input', { class: 'in', name, maxlength: known.longest, autocomplete: 'off', placeholder: known.default || false });
  control.value = value ?? '';
  control.setAttribute('aria-label', label);
  control.addEventListener('change', () => change(control.value.trim() || undefined));
  return control;
}

function typed(type) {
  return (known, name, value, change, label) => {
    const control = line(known, name, value, change, label);
    control.type = type;
    if (known.kind === 'int') Object.assign(control, { min: known.least, max: known.most });
    return control;
  };
}

function choice(known, name, value, change, label) {
  const chosen = value ?? known.default ?? '';
  const blank = known.required && known.choices.some(([key]) => key === chosen) ? [] : [['', '未定']];
  const control = h('select', { class: 'se', name, 'aria-label': label }, [...blank, ...known.choices].map(([key, words]) =>
    h('option', { value: key, selected: key === chosen }, words)));
  control.addEventListener('change', () => change(control.value || undefined));
  return control;
}

function tick(known, name, value, change, label) {
  const control = h('input', { type: 'checkbox', name, checked: (value ?? known.default) === 'true' });
  control.addEventListener('change', () => change(String(control.checked)));
  return h('label', { class: 'ck' }, control, label);
}

function ticks(known, name, value, change) {
  const chosen = new Set((value || '').split(' '));
  const boxes = known.choices.map(([key, words]) => {
    const control = h('input', { type: 'checkbox', name: `${name}-${key}`, checked: chosen.has(key) });
    control.addEventListener('change', () => {
      if (control.checked) chosen.add(key);
      else chosen.delete(key);
      change(known.choices.map(([each]) => each).filter((each) => chosen.has(each)).join(' ') || undefined);
    });
    return h('label', { class: 'ck' }, control, words);
  });
  return h('div', { class: 'row' }, boxes);
}

// A rhythm in words; one that these choices do not say stays as it is written.
const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const RHYTHMS = [
  ...DAYS.map((day, n) => [`FREQ=WEEKLY;BYDAY=${day}`, `每周${'一二三四五六日'[n]}`]),
  ...Array.from({ length: 28 }, (_, n) => [`FREQ=MONTHLY;BYMONTHDAY=${n + 1}`, `每月 ${n + 1} 日`]),
  ['FREQ=MONTHLY;BYMONTHDAY=-1', '每月底'],
  ['FREQ=DAILY', '每天'],
];

function rhythm(known, name, value, change, label) {
  const choices = RHYTHMS.some(([key]) => key === value) || !value ? RHYTHMS : [[value, '照原来的规则'], ...RHYTHMS];
  return choice({ ...known, choices }, name, value, change, label);
}

const MAKERS = { choice, choices: ticks, bool: tick, date: typed('date'), int: typed('number'), rhythm };
