// 待办: single keys move through the slips where no field is focused; what was ticked and where one was is kept.
const OFF = 'keys off';
const POSITION = 'inbox position';
const page = document.querySelector('[data-inbox]');
const help = document.querySelector('#keys');

const slips = () => [...document.querySelectorAll('article.slip')].filter((slip) => !slip.closest('details:not([open])'));
const link = (slip) => slip.querySelector('h3 a');
const current = () => document.activeElement?.closest?.('article.slip');
const typing = ({ target }) => target.matches?.('textarea, select, [contenteditable], input:not([type=checkbox])');

function go(by) {
  const all = slips();
  const at = all.indexOf(current());
  const next = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[at + by];
  if (next) link(next).focus();
}

const ACTS = {
  j: () => go(1),
  ArrowDown: () => go(1),
  k: () => go(-1),
  ArrowUp: () => go(-1),
  x: () => current()?.querySelector('.pick input')?.click(),
  '/': () => document.querySelector('#q')?.focus(),
  '?': () => {
    const folded = help.querySelector('details');
    folded.open = !folded.open;
    folded.querySelector('summary').focus();
  },
};

function onKey(event) {
  if (event.key === 'Escape' && event.target.id === 'q') go(1);
  const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event)) return;
  if (localStorage.getItem(OFF)) return;
  event.preventDefault();
  act();
}

function tickAll() {
  const all = document.querySelector('[data-all]');
  if (!all) return;
  all.hidden = false;
  all.querySelector('input').addEventListener('change', ({ target }) => {
    for (const box of document.querySelectorAll('.pick input')) box.checked = target.checked;
  });
}

// After 签收 the page is loaded anew: it stands where it stood.
function keepPosition() {
  const kept = JSON.parse(sessionStorage.getItem(POSITION) ?? 'null');
  sessionStorage.removeItem(POSITION);
  if (kept?.path === location.pathname && document.querySelector('.toast')) window.scrollTo(0, kept.y);
  document.addEventListener('submit', ({ target }) => {
    if (target.id === 'batch') sessionStorage.setItem(POSITION, JSON.stringify({ path: location.pathname, y: window.scrollY }));
  });
}

if (page) {
  document.addEventListener('keydown', onKey);
  document.addEventListener('htmx:afterSettle', tickAll);
  tickAll();
  keepPosition();
}
if (help) {
  const on = help.querySelector('input');
  help.hidden = false;
  on.checked = !localStorage.getItem(OFF);
  on.addEventListener('change', () => (on.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, '1')));
}
