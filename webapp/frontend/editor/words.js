// bpmn-js in Chinese. Only what our parts of it can say; a sentence that is missing fails the browser test.
const WORDS = {
  'Search in diagram': '在图中查找',
  'flow elements must be children of pools/participants': '任务要放在方案里',
  'no shape type specified': '没有说明要画什么',
  'no parent for {element} in {parent}': '{element} 没有所在的组',
  'unknown di {di} for element {semantic}': '图上有不认识的内容 {di}',
  'no diagram to display': '文件里没有画出的图',
  'no process or collaboration to display': '文件里没有流程',
  'element {element} referenced by {referenced}#{property} not yet drawn': '{element} 没有画在图上',
  '{semantic}#{side} Ref not specified': '{semantic} 没有连接完整',
  'already rendered {element}': '{element} 画了两次',
  'failed to import {element}': '{element} 没有读出',
  'Open {element}': '打开 {element}',
};

export function translate(template, replacements = {}) {
  const words = WORDS[template] || template;
  return words.replace(/{([^}]+)}/g, (whole, key) => replacements[key] ?? whole);
}
