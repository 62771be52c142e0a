// 单位: a search by name, alias or pinyin initials in the directory of the plan's jurisdiction.
import { search } from './search.js';

export function unitSearch(server, pick, { key = 'unit', label = '添加单位', alone = false } = {}) {
  return search({
    key, label, placeholder: '名称、简称或拼音首字母', none: '名录里没有这个单位；请换个说法，或请管理员登记',
    ask: (words) => server.units(words, alone), pick: ({ name }) => pick(name),
  });
}
