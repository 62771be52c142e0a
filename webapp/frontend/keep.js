// What is typed and not yet kept by the server stays on this device until it is (as a draft, or handed in), so that a
// connection that breaks, a page that is closed or an answer that never came loses nothing.
const UNSAVED = '还没有存到服务器，内容已存在这台设备上，连上后自动补存';
const RESTORED = '已恢复这台设备上没有存上的内容';
const OFFLINE = '现在连不上网络，没有提交。内容已存在这台设备上，连上后请再按一次。';
const FIELDS = 'textarea[name], input.in[name]';
const KEPT_DAYS = 7;
const RETRY = 10_000;

// Of each person apart: whoever logs in next on this device is not given another's words.
const person = document.querySelector('meta[name="person"]')?.content ?? '';
const PREFIX = `typed ${person} `;
const tab = (sessionStorage.tab ??= String(Math.random()).slice(2));
const keyOf = (form) => PREFIX + new URL(form.action, location.href).pathname;
const draftOf = (form) => form.querySelector('[id^="draft-"]');
const onceOf = (form) => form.querySelector('input[name="once"]');
const typed = (form) => Object.fromEntries([...form.querySelectorAll(FIELDS)].map(({ name, value }) => [name, value]));
// What the server gave to begin with, or took last: what it says later beside that was written elsewhere.
const given = (form) => Object.fromEntries([...form.querySelectorAll(FIELDS)].map(({ name, defaultValue }) => [name, defaultValue]));
const baseOf = (form) => (form.dataset.base ? JSON.parse(form.dataset.base) : given(form));
const isKept = (form) => form instanceof HTMLFormElement && form.closest('main') && draftOf(form);
const all = () => Object.keys(localStorage).filter((key) => key.startsWith('typed '));

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(form, more) {
  try {
    localStorage.setItem(keyOf(form), JSON.stringify({ fields: typed(form), base: baseOf(form), at: Date.now(), tab, ...more }));
  } catch {
    // a browser that keeps nothing, or is full: the page itself still holds what was typed
  }
}

// What nobody came back for, and what a person leaves behind who logs out.
for (const key of all()) if (!(read(key)?.at > Date.now() - KEPT_DAYS * 86_400_000)) localStorage.removeItem(key);
document.addEventListener('submit', ({ target, defaultPrevented }) => {
  if (defaultPrevented || !new URL(target.action).pathname.endsWith('/logout')) return;
  for (const key of all()) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
});

// Without a network nothing is sent: the browser would put a page of its own in the place of what was typed.
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    if (navigator.onLine || form.method !== 'post') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (isKept(form)) write(form);
    const said = draftOf(form) ?? document.querySelector('[data-offline]') ?? noteIn(document.querySelector('main'));
    said.textContent = OFFLINE;
    said.dataset.unsaved = '';
    said.scrollIntoView({ block: 'nearest' });
  },
  true,
);

function noteIn(main) {
  const note = document.createElement('p');
  note.className = 'note warn';
  note.dataset.offline = '';
  note.setAttribute('role', 'alert');
  main.prepend(note);
  return note;
}

document.addEventListener('input', ({ target }) => {
  if (isKept(target.form)) write(target.form);
});

document.addEventListener('submit', ({ target }) => {
  if (isKept(target)) write(target, { sent: true, once: onceOf(target)?.value });
});

document.addEventListener('htmx:beforeRequest', ({ target }) => {
  if (target.id?.startsWith('draft-')) target.dataset.sending = JSON.stringify(typed(target.closest('form')));
});

document.addEventListener('htmx:afterRequest', ({ target, detail }) => {
  if (!target.id?.startsWith('draft-')) return;
  const form = target.closest('form');
  const kept = read(keyOf(form));
  if (detail.xhr.status === 401) return; // the answer says that the session is over, and stands there already
  if (!(detail.xhr.status < 400 && detail.xhr.status)) {
    target.textContent = UNSAVED;
    target.dataset.unsaved = '';
    setTimeout(saveAgain, RETRY);
    return;
  }
  delete target.dataset.unsaved;
  form.dataset.base = target.dataset.sending;
  if (kept && !kept.sent && JSON.stringify(kept.fields) === target.dataset.sending) localStorage.removeItem(keyOf(form));
});

function saveAgain() {
  for (const draft of document.querySelectorAll('[data-unsaved]')) if (navigator.onLine) draft.dispatchEvent(new Event('again'));
}
addEventListener('online', saveAgain);

// A page that says what was done: what was handed in by this tab needs no keeping any more.
if (document.querySelector('.toast'))
  for (const key of all()) if (read(key)?.sent && read(key).tab === tab) localStorage.removeItem(key);

for (const form of document.querySelectorAll('main form')) {
  const kept = isKept(form) && read(keyOf(form));
  if (!kept) continue;
  const changed = [...form.querySelectorAll(FIELDS)].filter(({ name, value }) => kept.fields[name] && kept.fields[name] !== value);
  for (const field of changed) {
    const [mine, theirs] = [kept.fields[field.name], field.value];
    if (theirs === '' || theirs === kept.base?.[field.name]) field.value = mine;
    else if (field.matches('textarea')) field.value = `${theirs}\n${mine}`; // written on another device meanwhile: both stand there
    const folded = field.closest('details');
    if (folded) folded.open = true;
  }
  if (!changed.length) continue;
  // Sent, and never answered: the server may have it, and knows it again by this.
  if (kept.once && onceOf(form)) onceOf(form).value = kept.once;
  draftOf(form).textContent = RESTORED;
}

// What was restored above, and what was typed before this script was there: nobody listened, so it is said again.
document.addEventListener('DOMContentLoaded', () => {
  for (const form of document.querySelectorAll('main form')) {
    const changed = isKept(form) && [...form.querySelectorAll(FIELDS)].find(({ value, defaultValue }) => value !== defaultValue);
    if (changed) changed.dispatchEvent(new Event('input', { bubbles: true }));
  }
});
