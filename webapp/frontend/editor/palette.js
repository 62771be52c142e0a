// 图元: buttons beside the canvas. A press puts the thing where it belongs, a drag where the person wants it.
import { h } from './html.js';

const ICONS = {
  item: 'M3 7h22v14H3z',
  group: 'M3 3h22v22H3z M7 8h14v5H7z M7 16h14v5H7z',
  dated: 'M14 3a11 11 0 1 0 .01 0 M14 8v6h5',
  start: 'M14 4a10 10 0 1 0 .01 0',
  end: 'M14 4a10 10 0 1 0 .01 0 M14 6a8 8 0 1 0 .01 0',
  gate: 'M14 2 26 14 14 26 2 14Z M14 8v12 M8 14h12',
  line: 'M3 14H23 M17 8l6 6-6 6',
};

export class Palette {
  constructor(create, drawing, globalConnect) {
    const entries = [
      ['group', '任务组', () => drawing.addGroup(), () => drawing.groupShape()],
      ['item', '任务', () => drawing.addItem(), () => drawing.itemShape()],
      ['dated', '日期', () => drawing.addDated(), () => drawing.timerShape()],
      ['line', '连线', (event) => globalConnect.start(event)],
      ['gate', '并行', () => drawing.addPlain('bpmn:ParallelGateway'), () => drawing.plainShape('bpmn:ParallelGateway')],
      ['start', '开始', () => drawing.addPlain('bpmn:StartEvent'), () => drawing.plainShape('bpmn:StartEvent')],
      ['end', '结束', () => drawing.addPlain('bpmn:EndEvent'), () => drawing.plainShape('bpmn:EndEvent')],
    ];
    const buttons = entries.map(([key, words, press, shape]) => {
      const button = h('button', { type: 'button', draggable: shape ? 'true' : 'false', title: TITLES[key], onclick: press }, icon(ICONS[key]), words);
      if (shape) {
        button.addEventListener('dragstart', (event) => {
          event.preventDefault();
          create.start(event, shape());
        });
      }
      return button;
    });
    this.element = h('div', { class: 'pal', role: 'toolbar', 'aria-label': '图元' }, buttons);
  }
}

Palette.$inject = ['create', 'drawing', 'globalConnect'];

const TITLES = {
  item: '在选中的任务组里加一项任务；也可以拖到图上',
  group: '加一个任务组，组内任务不分先后；也可以拖到图上',
  dated: '到某一天才启动的任务',
  line: '先点起点，再点终点，表示先后',
  gate: '分开同时进行，或等齐再继续',
  start: '方案从这里开始，只能有一个',
  end: '一条线到这里结束',
};

function icon(path) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 28 28');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(space, 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
