// 单位: a search by name, alias or pinyin initials in the directory of the plan's jurisdiction.
import { h } from './html.js';

const REST = 150;

export function unitSearch(server, pick) {
  const list = h('ul', { role: 'listbox', id: 'unit-choices', 'aria-label': '单位名录', hidden: true });
  const input = h('input', {
    class: 'in', name: 'unit-search', autocomplete: 'off', placeholder: '名称、简称或拼音首字母', role: 'combobox',
    'aria-expanded': 'false', 'aria-controls': 'unit-choices', 'aria-label': '添加单位',
  });
  let [found, at, timer, asked] = [[], 0, 0, 0];

  const close = () => {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const take = (entry) => {
    input.value = '';
    close();
    pick(entry.name);
  };
  const draw = () => {
    list.replaceChildren(...found.map((entry, n) => {
      const option = h('li', { role: 'option', id: `unit-choice-${n}`, 'aria-selected': String(n === at) }, h('b', {}, entry.name), h('span', {}, entry.note));
      option.addEventListener('mousedown', (event) => {
        event.preventDefault();
        take(entry);
      });
      return option;
    }));
    if (!found.length) list.append(h('li', { class: 'none' }, '名录里没有这个单位；请换个说法，或请管理员登记'));
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    if (found.length) input.setAttribute('aria-activedescendant', `unit-choice-${at}`);
  };
  const search = async () => {
    const number = ++asked;
    const words = input.value.trim();
    if (!words) return close();
    const answer = await server.units(words).catch(() => []);
    if (number !== asked || !input.value.trim()) return;
    [found, at] = [answer, 0];
    draw();
  };
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(search, REST);
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
