// Says beside a prefilled figure whether it is still last turn's (沿用上期) while it is being typed.
const KEPT = '沿用上期';
const CHANGED = '有变化';

document.addEventListener('input', ({ target }) => {
  if (!(target instanceof HTMLInputElement) || target.dataset.last === undefined) return;
  const mark = document.querySelector(`[data-kept="${CSS.escape(target.name)}"]`);
  if (!mark) return;
  const kept = target.value.trim() === '' || target.value.trim() === target.dataset.last;
  mark.textContent = kept ? KEPT : CHANGED;
  mark.classList.toggle('act', !kept);
});

// Columns of the ledger are put in order where the list of them is opened.
document.addEventListener(
  'toggle',
  ({ target }) => {
    if (!target.matches?.('[data-columns]')) return;
    for (const buttons of target.querySelectorAll('.mv')) buttons.hidden = false;
  },
  true,
);

document.addEventListener('click', ({ target }) => {
  const button = target.closest('[data-move]');
  const line = button?.closest('li');
  if (!line) return;
  if (button.dataset.move === 'up') line.previousElementSibling?.before(line);
  else line.nextElementSibling?.after(line);
  button.focus();
});
