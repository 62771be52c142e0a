// A search with a list to choose from: `ask(words)` answers {found: [{name, note}], more}.
import { h } from './html.js';

const REST = 150;

export function search({ key, label, placeholder, none, ask, pick }) {
  const list = h('ul', { role: 'listbox', id: `${key}-choices`, 'aria-label': label, hidden: true });
  const input = h('input', {
    class: 'in', name: `${key}-search`, autocomplete: 'off', placeholder, role: 'combobox',
    'aria-expanded': 'false', 'aria-controls': `${key}-choices`, 'aria-label': label,
  });
  let [found, at, timer, asked, note] = [[], 0, 0, 0, ''];

  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const take = (entry) => {
    input.value = '';
    close();
    pick(entry);
  };
  const draw = () => {
    list.replaceChildren(...found.map((entry, n) => {
      const option = h('li', { role: 'option', id: `${key}-choice-${n}`, 'aria-selected': String(n === at) }, h('b', {}, entry.name), h('span', {}, entry.note));
      option.addEventListener('mousedown', (event) => {
        event.preventDefault();
        take(entry);
      });
      return option;
    }));
    if (note) list.append(h('li', { class: 'none' }, note));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    if (found.length) input.setAttribute('aria-activedescendant', `${key}-choice-${at}`);
  };
  const look = async () => {
    const number = ++asked;
    const words = input.value.trim();
    if (!words) return close();
    const answer = await ask(words).catch((error) => ({ found: [], problem: error.message }));
    if (number !== asked || !input.value.trim()) return;
    [found, at] = [answer.found, 0];
    if (answer.problem) note = `没有查到：${answer.problem}`;
    else if (answer.more) note = '还有更多，请再多写几个字';
    else note = found.length ? '' : none;
    draw();
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(look, REST);
  });
  input.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') close();
    else if (list.hidden) return;
    else if (step) {
      at = (at + step + found.length) % Math.max(1, found.length);
      draw();
    } else if (event.key === 'Enter' && found[at]) take(found[at]);
    else return;
    event.preventDefault();
  });
  input.addEventListener('blur', close);
  return h('div', { class: 'ac' }, input, list);
}
