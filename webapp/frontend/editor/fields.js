// Fields made from the dialect's own description: label, kind, choices, limits. `change` gets the text to write, or
// undefined for nothing.
import { h } from './html.js';

export function field(known, name, value, change, options = {}) {
  const make = MAKERS[known.kind] || line;
  const label = options.label || known.label;
  if (known.kind === 'bool') return make(known, name, value, change, label);
  if (known.kind === 'choices' || known.kind === 'rhythm') {
    return h('fieldset', { class: 'f' }, h('legend', {}, label), make(known, name, value, change, label));
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

// A rhythm in words: how often, in which month, on which day. A rule that these do not say stays as it is written.
const DAY = '(?<day>BYMONTHDAY=(?:-1|\\d+)|BYDAY=MO,TU,WE,TH,FR;BYSETPOS=(?:-1|\\d+))';
const SAID = [
  ['day', /^FREQ=DAILY$/],
  ['week', /^FREQ=WEEKLY;(?<day>BYDAY=(?:MO|TU|WE|TH|FR|SA|SU))$/],
  ['month', new RegExp(`^FREQ=MONTHLY;${DAY}$`)],
  ['quarter', new RegExp(`^FREQ=MONTHLY;BYMONTH=(?<month>1,4,7,10|2,5,8,11|3,6,9,12);${DAY}$`)],
  ['year', new RegExp(`^FREQ=(?:YEARLY|MONTHLY);BYMONTH=(?<month>\\d+);${DAY}$`)],
];
const EVERY = [['day', '每天'], ['week', '每周'], ['month', '每月'], ['quarter', '每季度'], ['year', '每年']];
const FIRST = { day: {}, week: { day: 'BYDAY=MO' }, month: { day: 'BYMONTHDAY=25' }, quarter: { month: '3,6,9,12', day: 'BYMONTHDAY=25' }, year: { month: '12', day: 'BYMONTHDAY=25' } };
const MONTHS = {
  quarter: [['1,4,7,10', '首月'], ['2,5,8,11', '次月'], ['3,6,9,12', '末月']],
  year: Array.from({ length: 12 }, (_, n) => [`${n + 1}`, `${n + 1} 月`]),
};
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'].map((day, n) => [`BYDAY=${day}`, `周${'一二三四五六日'[n]}`]);
const longestOf = (month) => (month ? Math.min(...month.split(',').map((each) => new Date(2025, Number(each), 0).getDate())) : 28);

function daysOf({ every, month }) {
  if (every === 'week') return WEEKDAYS;
  const days = Array.from({ length: longestOf(month) }, (_, n) => [`BYMONTHDAY=${n + 1}`, `${n + 1} 日`]);
  const worked = Array.from({ length: 20 }, (_, n) => [`BYDAY=MO,TU,WE,TH,FR;BYSETPOS=${n + 1}`, `第 ${n + 1} 个工作日`]);
  return [...days, ['BYMONTHDAY=-1', '月底'], ...worked, ['BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '最后一个工作日']];
}

function saidBy(value) {
  for (const [every, pattern] of SAID) {
    const found = pattern.exec(value || '');
    if (found) return { every, ...found.groups };
  }
  return null;
}

function ruleOf({ every, month, day }) {
  if (!FIRST[every]) return every;
  if (every === 'day') return 'FREQ=DAILY';
  if (every === 'week') return `FREQ=WEEKLY;${day}`;
  const often = every === 'year' && day.startsWith('BYMONTHDAY') ? 'YEARLY' : 'MONTHLY';
  return ['FREQ=' + often, month && `BYMONTH=${month}`, day].filter(Boolean).join(';');
}

function rhythm(known, name, value, change, label) {
  const place = h('div', { class: 'rhythm' });
  const draw = (said) => {
    const pick = (part, words, choices, next) => choice({ required: true, choices: choices.some(([key]) => key === said[part]) || !said[part] ? choices : [[said[part], '照原来的规则'], ...choices] },
      `${name}-${part}`, said[part], (chosen) => {
        const made = next(chosen);
        draw(made);
        place.querySelector(`[name="${CSS.escape(`${name}-${part}`)}"]`).focus();
        change(ruleOf(made));
      }, `${label}：${words}`);
    place.replaceChildren(...[
      pick('every', '周期', EVERY, (every) => ({ every, ...FIRST[every] })),
      MONTHS[said.every] && pick('month', '月份', MONTHS[said.every], (month) => ({ ...said, month, day: daysOf({ ...said, month }).some(([key]) => key === said.day) ? said.day : 'BYMONTHDAY=-1' })),
      said.day && pick('day', '哪一天', daysOf(said), (day) => ({ ...said, day })),
    ].filter(Boolean));
  };
  draw(saidBy(value) || { every: value });
  return place;
}

const MAKERS = { choice, choices: ticks, bool: tick, date: typed('date'), int: typed('number'), rhythm };
