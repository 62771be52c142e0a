// What is typed and not yet kept by the server stays in this tab until it is (as a draft, or handed in), so that an
// answer that never came loses nothing. It is gone with the tab.
const FAILED = '草稿暂时没有存上，请不要关闭本页';
const RESTORED = '已恢复没有存上的内容';
const FIELDS = 'textarea[name], input.in[name]';

// Of each person apart: whoever logs in next in this tab is not given another's words.
const person = document.querySelector('meta[name="person"]')?.content ?? '';
const keyOf = (form) => `typed ${person} ${new URL(form.action, location.href).pathname}`;
const draftOf = (form) => form.querySelector('[id^="draft-"]');
const read = (key) => JSON.parse(sessionStorage.getItem(key) ?? 'null');
const write = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));
const onceOf = (form) => form.querySelector('input[name="once"]');
const typed = (form) => Object.fromEntries([...form.querySelectorAll(FIELDS)].map(({ name, value }) => [name, value]));
const isKept = (form) => form instanceof HTMLFormElement && form.closest('main') && draftOf(form);

document.addEventListener('input', ({ target }) => {
  if (isKept(target.form)) write(keyOf(target.form), { fields: typed(target.form) });
});

document.addEventListener('submit', ({ target }) => {
  if (isKept(target)) write(keyOf(target), { fields: typed(target), sent: true, once: onceOf(target)?.value });
});

document.addEventListener('htmx:beforeRequest', ({ target }) => {
  if (target.id?.startsWith('draft-')) target.dataset.sending = JSON.stringify(typed(target.closest('form')));
});

document.addEventListener('htmx:afterRequest', ({ target, detail }) => {
  if (!target.id?.startsWith('draft-')) return;
  const form = target.closest('form');
  const kept = read(keyOf(form));
  if (detail.xhr.status === 401) return; // the answer says that the session is over, and stands there already
  if (!(detail.xhr.status < 400 && detail.xhr.status)) target.textContent = FAILED;
  else if (kept && !kept.sent && JSON.stringify(kept.fields) === target.dataset.sending) sessionStorage.removeItem(keyOf(form));
});

// A page that says what was done: what was handed in needs no keeping any more.
if (document.querySelector('.toast'))
  for (const key of Object.keys(sessionStorage)) if (key.startsWith('typed ') && read(key)?.sent) sessionStorage.removeItem(key);

for (const form of document.querySelectorAll('main form')) {
  const kept = isKept(form) && read(keyOf(form));
  if (!kept) continue;
  const changed = [...form.querySelectorAll(FIELDS)].filter(({ name, value }) => kept.fields[name] && kept.fields[name] !== value);
  for (const field of changed) {
    field.value = kept.fields[field.name];
    const folded = field.closest('details');
    if (folded) folded.open = true;
  }
  if (!changed.length) continue;
  // Sent, and never answered: the server may have it, and knows it again by this.
  if (kept.once && onceOf(form)) onceOf(form).value = kept.once;
  draftOf(form).textContent = RESTORED;
  // The page is not ready before htmx listens: only then is it saved as a draft again.
  document.addEventListener('DOMContentLoaded', () => changed[0].dispatchEvent(new Event('input', { bubbles: true })), { once: true });
}
