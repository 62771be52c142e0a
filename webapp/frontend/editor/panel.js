// 属性: what the chosen element says, in the dialect's own fields. Every change is a step of undo.
import { area, field } from './fields.js';
import { cadences, newCadence } from './cadences.js';
import { figures } from './figures.js';
import { h } from './html.js';
import { askedOf, boxName, disordered, groupsOf, isFlow, isGroup, isItem, isTimer, itemOf, itemsIn, itemsOf, kindOf, planOf } from './model.js';
import { given, limit } from './limit.js';
import { shares } from './shares.js';

const HEAD = ['no', 'title']; // of an item; whatever else the dialect has follows below, by itself

export class Panel {
  constructor(modeler, server, place, { dialect, lifecycles }) {
    Object.assign(this, { modeler, server, place, known: dialect.panel, lifecycles });
    this.modeling = modeler.get('modeling');
    this.registry = modeler.get('elementRegistry');
    this.drawing = modeler.get('drawing');
    modeler.on('selection.changed', () => {
      this.draw();
    });
    // A listener that answers keeps an event from those after it: none of ours does.
    modeler.on('commandStack.changed', () => {
      if (!this.typing) this.draw();
    });
    this.draw();
  }

  get root() {
    return this.modeler.get('canvas').getRootElement();
  }

  get plan() {
    return planOf(this.root);
  }

  chosen() {
    const found = this.modeler.get('selection').get();
    return found.length === 1 ? found[0].labelTarget || found[0] : this.root;
  }

  // ---- writing
  // A field that was typed into shows what it wrote already: drawing all anew would take the focus from the next one.
  write(element, owner, values) {
    this.typing = true;
    try {
      this.modeling.updateModdleProperties(element, owner, values);
    } finally {
      this.typing = false;
    }
  }

  // What changes which fields there are.
  rebuild(element, owner, values) {
    this.write(element, owner, values);
    this.draw();
  }

  // A new element of the dialect inside of `owner`.
  create(type, values, owner) {
    const made = this.modeler.get('bpmnFactory').create(type, values);
    made.$parent = owner;
    return made;
  }

  writeItem(element, values) {
    const item = itemOf(element);
    this.typing = true;
    this.drawing.steps(() => {
      this.modeling.updateModdleProperties(element, item, values);
      this.modeling.updateProperties(element, { name: boxName(item.no ?? '', item.title ?? '') });
    });
    this.typing = false;
    this.head();
  }

  fields(element, owner, known, names, write = (values) => this.write(element, owner, values)) {
    return names.map((name) => field(known.fields[name], name, owner.get(name), (value) => write({ [name]: value })));
  }

  // Another diagram takes the place of this one: nothing is drawn in between.
  async away(run) {
    this.isAway = true;
    try {
      await run();
    } finally {
      this.isAway = false;
      this.draw();
    }
  }

  // ---- drawing
  draw() {
    if (this.isAway) return;
    const element = this.chosen();
    const opened = new Map([...this.place.querySelectorAll('details[data-part]')].map((one) => [one.dataset.part, one.open]));
    const focused = this.place.contains(document.activeElement) ? document.activeElement : null;
    const same = this.shown === element;
    this.shown = element;
    this.title = h('h1');
    this.place.replaceChildren(h('header', {}, h('div', { class: 'row' }, h('small', { class: 'mute' }, kindOf(element)), element !== this.root && this.back()), this.title), ...this.body(element).filter(Boolean));
    this.head();
    if (!same) return this.place.scrollTo(0, 0);
    for (const one of this.place.querySelectorAll('details[data-part]')) one.open = opened.get(one.dataset.part) ?? one.open;
    const again = focused?.name && this.place.querySelector(`[name="${CSS.escape(focused.name)}"]`);
    if (again) this.hand.goOn(focused, again);
  }

  back() {
    return h('button', { type: 'button', class: 'btn q s end', onclick: () => this.modeler.get('selection').select([]) }, '‹ 回到目录');
  }

  head() {
    const bo = this.shown.businessObject;
    const item = isItem(this.shown) ? itemOf(this.shown) : null;
    const words = item ? `${item.no ?? ''} ${item.title ?? ''}` : this.shown === this.root ? this.plan?.title : bo.name;
    this.title.textContent = words || '未命名';
    if (this.shown === this.root) document.querySelector('[data-title]').textContent = words || '未命名';
  }

  body(element) {
    if (element === this.root) return this.planBody();
    if (isItem(element)) return this.itemBody(element);
    if (isGroup(element)) return this.groupBody(element);
    return this.otherBody(element);
  }

  part(key, title, note, children, open = true) {
    return h('details', { class: 'pg', 'data-part': key, open }, h('summary', {}, title, h('small', {}, note || '')), h('div', { class: 'pgb' }, children));
  }

  planBody() {
    const { root, plan } = this;
    if (!plan) return [h('p', { class: 'pgb' }, '这份图没有方案信息，请删除草稿后新建。')];
    const facts = this.fields(root, plan, this.known.plan, askedOf(this.known.plan), (values) => {
      this.write(root, plan, values);
      this.head();
    });
    return [
      this.part('outline', '目录', `${itemsOf(this.registry).length} 项任务`, this.outline()),
      this.part('cadences', '报送节奏', `${(plan.cadences || []).length} 个`, cadences(this)),
      this.part('facts', '封面与办理要求', plan.office, facts),
    ];
  }

  outline() {
    const groups = groupsOf(this.registry);
    const loose = itemsOf(this.registry).filter((item) => !isGroup(item.parent));
    const go = (element, words, name) => h('li', {}, h('button', { type: 'button', class: name, onclick: () => this.go(element) }, words));
    const line = (item) => go(item, item.businessObject.name?.replace('\n', ' ') || '未命名', 'toc-item');
    const start = groups.length ? '还没有任务。点左边的“任务”，就加到任务组里；每项任务在这里填单位和时限。' : '还没有任务组。点左边的“任务组”开始，再往组里加任务。';
    return [!itemsOf(this.registry).length && h('p', { class: 'hint' }, start), this.numbers(), h('ul', { class: 'outline' },
      groups.map((group) => [go(group, group.businessObject.name || '未命名的组', 'toc-group'), ...itemsIn(group).map(line)]),
      loose.length ? h('li', { class: 'toc-group' }, '单独启动') : null,
      loose.map(line))];
  }

  // 目录, 台账 and 横道图 go by the drawing; 序号 stays what was typed until a person has it counted anew.
  numbers() {
    const found = disordered(this.registry);
    if (!found) return null;
    const again = () => this.drawing.renumber(found.least);
    return h('p', { class: 'hint' }, `序号没有按先后排列：${found.first} 在 ${found.second} 前面。`, h('button', { type: 'button', class: 'btn q s', onclick: again }, '重新编号'));
  }

  go(element) {
    this.modeler.get('selection').select(element);
    this.modeler.get('canvas').scrollToElement(element, 80);
  }

  groupBody(group) {
    const bo = group.businessObject;
    const items = group.children.filter(isItem);
    const name = { kind: 'text', label: '组名', required: true, longest: 120 };
    return [
      h('div', { class: 'pgb' },
        field(name, 'name', bo.name, (value) => {
          this.typing = true;
          this.modeling.updateProperties(group, { name: value });
          this.typing = false;
          this.head();
        }),
        h('p', { class: 'hint' }, '对应文件里的一个标题。组内任务不分先后；有先后的，在组内用连线表示。'),
        h('button', { type: 'button', class: 'btn s', onclick: () => this.drawing.addItem(group) }, '添加任务')),
      this.part('items', '任务', `${items.length} 项`, items.length
        ? h('ul', { class: 'outline' }, items.map((item) => h('li', {}, h('button', { type: 'button', class: 'toc-item', onclick: () => this.go(item) }, item.businessObject.name?.replace('\n', ' ') || '未命名'))))
        : h('p', { class: 'hint' }, '组里还没有任务。')),
    ];
  }

  otherBody(element) {
    const bo = element.businessObject;
    const name = { kind: 'text', label: '名称', required: false, longest: 120 };
    const fields = [!element.waypoints && !bo.$instanceOf('bpmn:TextAnnotation') && field(name, 'name', bo.name, (value) => {
      this.typing = true;
      this.modeling.updateProperties(element, { name: value });
      this.typing = false;
      this.head();
    })];
    if (isTimer(element)) {
      const date = bo.eventDefinitions?.[0]?.timeDate;
      if (date) fields.push(field({ kind: 'date', label: '日期', required: true }, 'date', date.body, (body) => this.write(element, date, { body })));
    }
    const remove = () => this.modeling.removeElements([element]);
    return [h('div', { class: 'pgb' }, fields, h('p', { class: 'hint' }, MEANINGS.find(([type]) => bo.$instanceOf(type))?.[1]),
      h('button', { type: 'button', class: 'btn s d', onclick: remove }, '删除'))];
  }

  itemBody(element) {
    const item = itemOf(element);
    if (!item) return [h('div', { class: 'pgb' }, h('p', {}, '这个框还没有任务内容。'), h('button', { type: 'button', class: 'btn s', onclick: () => this.fill(element) }, '填写任务内容'))];
    const known = this.known.item;
    const write = (values) => this.writeItem(element, values);
    const lines = item.assignments || [];
    return [
      h('div', { class: 'pgb first' }, h('div', { class: 'frow no' }, this.fields(element, item, known, HEAD, write))),
      this.part('clause', '原文', '', [
        area('文件原话', 'clause', item.clause?.text, this.known.clause.longest, (text) => this.write(element, item, { clause: text && this.create('duban:Clause', { text }, item) })),
        area('工作要求（一行一条，选填）', 'notes', (item.notes || []).map((note) => note.text).join('\n'), this.known.note.longest, (text) =>
          this.write(element, item, { notes: (text || '').split('\n').filter((each) => each.trim()).map((each) => this.create('duban:Note', { text: each.trim() }, item)) }), 2),
      ]),
      this.part('shares', '责任分工', this.counted(lines), shares(this, element, item)),
      this.part('limits', '启动与时限', item.due?.text || '未定时限', [this.limit(element, item, 'due', '完成时限'), isGroup(element.parent) && this.limit(element, item, 'opens', '启动时间')]),
      this.part('figures', '指标', item.indicators?.length ? `${item.indicators.length} 个` : '没有', figures(this, element, item), Boolean(item.indicators?.length)),
      this.part('running', '报送与办理', '', this.running(element, item)),
    ];
  }

  counted(lines) {
    const roles = this.known.assignment.fields.role.choices;
    const counted = roles.map(([key, words]) => [words, lines.filter((line) => line.role === key).length]);
    return counted.filter(([, count]) => count).map(([words, count]) => `${count} ${words}`).join(' · ') || '没有单位';
  }

  fill(element) {
    const shape = this.drawing.itemShape();
    const [value] = shape.businessObject.extensionElements.values;
    const extensionElements = this.create('bpmn:ExtensionElements', { values: [value] }, element.businessObject);
    value.$parent = extensionElements;
    this.modeling.updateProperties(element, { extensionElements });
  }

  limit(element, item, name, label) {
    const { start, end } = this.plan || {};
    const others = itemsOf(this.registry).filter((other) => other !== element);
    return limit({
      server: this.server, known: this.known[name], name, label, rule: item.get(name),
      period: { period_start: start || '', period_end: end || '' },
      anchors: others.map((other) => ({ id: other.id, no: itemOf(other)?.no, words: (other.businessObject.name || '').replace('\n', ' ') })),
      note: this.unread?.get(item.get(name)),
      write: (attributes, text, note) => {
        const made = attributes ? this.create(`duban:${name[0].toUpperCase()}${name.slice(1)}`, { ...attributes, text }, item) : undefined;
        if (made && note) this.unread = new WeakMap([[made, note]]);
        this.rebuild(element, item, { [name]: made });
      },
    });
  }

  running(element, item) {
    const { fields } = this.known.item;
    const own = (this.plan?.cadences || []).filter((cadence) => cadence.asks === 'item').map((cadence) => [cadence.id, cadence.name]);
    const write = (name) => (value) => this.write(element, item, { [name]: value });
    const recurs = item.due?.kind === 'every';
    const add = async () => newCadence(this, 'item', (id) => this.rebuild(element, item, { cadence: id }), recurs ? await this.rhythmOf(item.due) : {});
    const others = askedOf(this.known.item).filter((name) => ![...HEAD, 'cadence', 'lifecycle'].includes(name));
    return [
      others.map((name) => field(asOfPlan(name, fields[name], this.known.plan), name, item.get(name), write(name))),
      field({ ...fields.cadence, kind: 'choice', choices: own }, 'cadence', item.cadence, write('cadence'), { label: '单独的报送节奏' }),
      h('p', { class: 'hint' }, own.length ? '每月底前一类按周期重复的任务才选；周调度等统一报送不用选。' : '每月底前一类按周期重复的任务，先建一个报送节奏。', ' ', h('button', { type: 'button', class: 'btn q s', onclick: add }, recurs ? `按“${item.due.text}”新建节奏` : '新建每月报送')),
      this.lifecycles.length > 1 && field({ ...fields.lifecycle, kind: 'choice', choices: this.lifecycles }, 'lifecycle', item.lifecycle, write('lifecycle')),
      this.lifecycles.length === 1 && h('p', { class: 'hint' }, `办理流程：${this.lifecycles[0][1]}`),
    ];
  }

  // The rhythm that asks for a recurring limit, as the server makes it.
  async rhythmOf(due) {
    const { start, end } = this.plan;
    const told = await this.server.explain({ element: 'due', text: due.text, period_start: start || '', period_end: end || '', ...given(this.known.due, due) }).catch(() => ({}));
    return told.rhythm || {};
  }

  // A finding was picked: show where to mend it.
  focusOn(element) {
    this.draw();
    const field_ = this.place.querySelector('input, select, textarea');
    if (element !== this.root) field_?.focus({ preventScroll: true });
  }
}

// What an item does not say for itself is as the plan says.
function asOfPlan(name, known, plan) {
  const isPlans = known.kind === 'choice' && !known.required && !known.default && plan.fields[name];
  return isPlans ? { ...known, required: true, choices: [['', '照方案的规定'], ...known.choices] } : known;
}

const MEANINGS = [
  ['bpmn:StartEvent', '方案启动时从这里开始，只能有一个，连出一条线。'],
  ['bpmn:EndEvent', '一条线到这里为止。'],
  ['bpmn:IntermediateCatchEvent', '到了这一天，后面的任务才启动；当天零时生效，不顺延。'],
  ['bpmn:ParallelGateway', '从这里分开同时进行；或者等连进来的都办完再继续。'],
  ['bpmn:SequenceFlow', '前面的办完，后面的才启动。'],
  ['bpmn:TextAnnotation', '图上的说明文字，双击修改，不影响办理。'],
];
