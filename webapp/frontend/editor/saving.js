// Drafts keep themselves: what changed goes to the server a moment later, under the revision it was made from.
import { h } from './html.js';

const REST = 1000;
const AGAIN = 5000;

export class Saving {
  constructor(modeler, server, place, begun) {
    Object.assign(this, { modeler, server, place, revision: begun.revision });
    this.said = place.querySelector('[data-saved]');
    this.alarm = place.querySelector('[data-alarm]');
    this.dirty = false;
    this.running = null;
    this.stopped = false;
    modeler.on('commandStack.changed', () => this.touch());
    addEventListener('beforeunload', (event) => {
      if (this.dirty && !this.leaving) event.preventDefault();
    });
  }

  onFindings(listener) {
    this.listener = listener;
  }

  touch() {
    this.dirty = true;
    this.later(REST);
  }

  later(delay) {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.say('有改动，即将保存');
    this.timer = setTimeout(() => this.flush(), delay);
  }

  // Save now; answers whether everything is on the server.
  async flush() {
    clearTimeout(this.timer);
    while (this.running) await this.running;
    if (!this.dirty || this.stopped) return !this.dirty;
    this.running = this.send();
    try {
      await this.running;
    } finally {
      this.running = null;
    }
    return !this.dirty;
  }

  async send() {
    this.dirty = false;
    this.say('正在保存');
    try {
      const { xml } = await this.modeler.saveXML({ format: true });
      const { revision, saved, findings } = await this.server.save(xml, this.revision);
      this.revision = revision;
      this.place.querySelector('[data-discard] [name=revision]').value = revision;
      this.say(saved);
      this.warn();
      this.listener(findings);
    } catch (error) {
      this.dirty = true;
      this.failed(error);
    }
  }

  failed(error) {
    this.say('没有保存');
    if (error.status === 409 || error.status === 404) {
      this.stopped = true;
      this.warn(error.message, true);
      return;
    }
    this.warn(`没有保存：${error.message}。改动仍在本页，请不要关闭。`);
    if (error.status !== 422) this.later(AGAIN);
  }

  say(words) {
    this.said.textContent = words;
  }

  // Whatever keeps a change from the server, the person can take it home. A conflict is shown with who and when;
  // neither version is lost, and neither is written over.
  warn(words = '', isConflict = false) {
    this.alarm.hidden = !words;
    if (!words) return;
    const load = () => {
      this.leaving = true;
      location.reload();
    };
    this.alarm.replaceChildren(
      `${words} `,
      h('button', { type: 'button', class: 'btn s', onclick: () => this.download() }, '下载我的改动'),
      isConflict ? h('button', { type: 'button', class: 'btn s', onclick: load }, '载入已保存的内容') : '',
    );
  }

  async download() {
    const { xml } = await this.modeler.saveXML({ format: true });
    const href = URL.createObjectURL(new Blob([xml], { type: 'application/xml' }));
    const link = h('a', { href, download: '我的改动.bpmn' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), AGAIN);
  }
}
