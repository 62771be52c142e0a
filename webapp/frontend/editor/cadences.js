// 报送节奏: rhythms of reporting, begun from the usual ones and told back by the server.
import { field } from './fields.js';
import { h } from './html.js';
import { given, tell } from './limit.js';

const USUAL = {
  weekly: { name: '周调度', asks: 'open-shares', opens: 'FREQ=WEEKLY;BYDAY=MO', opensAt: '09:00', opensShift: 'next', due: 'FREQ=WEEKLY;BYDAY=FR', dueAt: '17:00', dueShift: 'previous', closes: 'true' },
  monthly: { name: '月报送', asks: 'open-shares', opens: 'FREQ=MONTHLY;BYMONTHDAY=20', opensAt: '09:00', opensShift: 'next', due: 'FREQ=MONTHLY;BYMONTHDAY=25', dueAt: '17:00', dueShift: 'previous', closes: 'true' },
  quarterly: { name: '季度报送', asks: 'open-shares', opens: 'FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=20', opensAt: '09:00', opensShift: 'next', due: 'FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=25', dueAt: '17:00', dueShift: 'previous', closes: 'true' },
  yearly: { name: '年度报送', asks: 'open-shares', opens: 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1', opensAt: '09:00', opensShift: 'next', due: 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=20', dueAt: '17:00', dueShift: 'previous', closes: 'true' },
  item: { name: '每月报送', asks: 'item', opens: 'FREQ=MONTHLY;BYMONTHDAY=25', opensAt: '09:00', opensShift: 'next', due: 'FREQ=MONTHLY;BYMONTHDAY=-1', dueAt: '24:00', dueShift: 'none', closes: 'false' },
};
const ADDED = [['weekly', '每周'], ['monthly', '每月'], ['quarterly', '每季度'], ['yearly', '每年']];
const ASKED = ['name', 'asks', 'opens', 'opensAt', 'opensShift', 'due', 'dueAt', 'dueShift', 'first', 'last', 'ladder', 'closes'];

export function cadences(panel) {
  const found = panel.plan.cadences || [];
  return [
    found.length ? null : h('p', { class: 'hint' }, '还没有报送节奏。周调度、月通报一类定期报送在这里添加。'),
    found.map((cadence) => one(panel, cadence, found)),
    h('div', { class: 'row' }, ADDED.map(([usual, words]) => h('button', { type: 'button', class: 'btn s', onclick: () => newCadence(panel, usual) }, `添加${words}报送`))),
  ];
}

// `own` says it differently from the usual one.
export function newCadence(panel, usual, then = () => panel.draw(), own = {}) {
  const { plan, root } = panel;
  const found = plan.cadences || [];
  const id = fresh(usual, found.map((cadence) => cadence.id), '-');
  const said = { ...USUAL[usual], first: plan.start, last: plan.end, ...own };
  const name = fresh(said.name, found.map((cadence) => cadence.name), ' ');
  const made = panel.create('duban:Cadence', { id, ...said, name }, plan);
  panel.write(root, plan, { cadences: [...found, made] });
  then(id);
}

// Itself, or with a number: two rhythms of one name cannot be told apart where one is chosen.
function fresh(wanted, taken, joint) {
  for (let n = 1; ; n += 1) {
    const made = n === 1 ? wanted : `${wanted}${joint}${n}`;
    if (!taken.includes(made)) return made;
  }
}

function one(panel, cadence, found) {
  const { root, plan, known: { cadence: known } } = panel;
  const told = h('div', { class: 'told', 'aria-live': 'polite' });
  const explain = async () => tell(told, await panel.server.explain({ element: 'cadence', ...given(known, cadence) }).catch((error) => ({ problem: error.message })));
  const write = (name) => (value) => {
    panel.write(root, cadence, { [name]: value });
    explain();
  };
  explain();
  const remove = () => panel.rebuild(root, plan, { cadences: found.filter((other) => other !== cadence) });
  return h('details', { class: 'cadence', 'data-part': `cadence-${cadence.id}` }, h('summary', {}, h('b', {}, cadence.name || known.label)), told,
    h('div', { class: 'frow two' }, ASKED.map((name) => field(known.fields[name], `${cadence.id}-${name}`, cadence.get(name), write(name)))),
    h('button', { type: 'button', class: 'btn q s', onclick: remove }, '删去这个节奏'));
}
