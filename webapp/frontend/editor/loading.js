// 载入文件: a diagram that was taken home comes back into the draft, looked at by the linter first. What it replaces can
// be had back as long as the page is open.
import { forgetHere, keptHere } from './device.js';
import { h } from './html.js';

const SHOWN = 12;

export class Loading {
  constructor(modeler, server, place, { saving, panel }) {
    Object.assign(this, { modeler, server, saving, panel });
    this.place = place.querySelector('[data-offer]');
    const chooser = place.querySelector('[data-load]');
    chooser.addEventListener('change', async () => {
      const [file] = chooser.files;
      if (file) await this.offer(await file.text(), `“${file.name.replace(/\.[^.]*$/, '')}”`);
      chooser.value = '';
    });
    place.querySelector('[data-do=load]').addEventListener('click', () => chooser.click());
  }

  // What an earlier visit of this device left unsaved.
  remember(begun) {
    const kept = keptHere();
    if (!kept || kept.xml === begun.xml) return;
    this.show(`这台设备上有 ${clock(kept.at)} 没有存到服务器的改动。`,
      button('检查并载入', () => this.offer(kept.xml, '这台设备上的改动')),
      button('下载', () => this.saving.download(kept.xml)),
      button('不要了', () => {
        forgetHere();
        this.close();
      }));
  }

  async offer(xml, name) {
    await this.saving.flush();
    let checked;
    try {
      checked = await this.server.check(xml);
    } catch (error) {
      return this.show(`没有载入${name}：${error.message}`, button('知道了', () => this.close()));
    }
    const [errors, warnings] = ['error', 'warning'].map((kind) => checked.findings.filter(({ severity }) => severity === kind).length);
    const found = errors + warnings ? `检查出 ${errors} 处错误、${warnings} 处提醒，载入后可以改正` : '检查没有发现问题';
    this.show(`${name}：${found}。${checked.changes.length ? '与现在的草稿相比：' : checked.compared}`,
      checked.changes.length ? list(checked.changes) : '',
      button('用它替换现在的内容', () => this.put(xml, name), 'p'),
      button('不载入', () => this.close()));
  }

  async put(xml, name) {
    const before = await this.saving.xml();
    try {
      await this.open(xml);
    } catch {
      await this.open(before);
      return this.show(`没有载入${name}：图画得不完整，编辑器打不开。`, button('知道了', () => this.close()));
    }
    this.show(`已载入${name}。`,
      button('恢复载入前的内容', async () => {
        await this.open(before);
        this.close();
      }),
      button('下载载入前的内容', () => this.saving.download(before, '载入前的草稿.bpmn')),
      button('知道了', () => this.close()));
  }

  async open(xml) {
    await this.panel.away(() => this.modeler.importXML(xml));
    this.modeler.get('canvas').zoom('fit-viewport', 'auto');
    this.saving.touch();
  }

  show(words, ...more) {
    this.place.hidden = false;
    this.place.replaceChildren(`${words} `, ...more);
  }

  close() {
    this.place.hidden = true;
  }
}

const button = (words, onclick, look = '') => h('button', { type: 'button', class: `btn s ${look}`, onclick }, words);

function list(changes) {
  const more = changes.length - SHOWN;
  return h('ul', {}, changes.slice(0, SHOWN).map((words) => h('li', {}, words)), more > 0 && h('li', {}, `另有 ${more} 处`));
}

function clock(at) {
  const [month, day, hour, minute] = ((d) => [d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes()])(new Date(at)).map((n) => String(n).padStart(2, '0'));
  return `${month}-${day} ${hour}:${minute}`;
}
