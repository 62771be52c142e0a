// Drafts keep themselves: what changed goes to the server a moment later, under the revision it was made from.
import { forgetHere, keepHere } from './device.js';
import { h } from './html.js';

const REST = 1000;
const AGAIN = 5000;
const PARTING = 60_000; // a browser sends no more than this for a page that is gone

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
      if (this.leaving) return;
      this.flush();
      if (this.dirty || this.running) event.preventDefault();
    });
    addEventListener('pagehide', () => this.part());
    document.addEventListener('visibilitychange', () => document.hidden && this.flush());
  }

  onFindings(listener) {
    this.listener = listener;
  }

  // `settle` writes into the drawing what is being typed.
  onFlush(settle) {
    this.settle = settle;
  }

  touch() {
    this.dirty = true;
    this.later(REST);
  }

  typed() {
    this.dirty = true;
    if (!this.stopped) this.say('有改动，即将保存');
  }

  later(delay) {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.say('有改动，即将保存');
    this.timer = setTimeout(() => this.flush(), delay);
  }

  // Save now; answers whether everything is on the server.
  async flush() {
    this.settle?.();
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
      const { revision, saved, findings } = await this.server.save(await this.xml(), this.revision);
      this.revision = revision;
      this.place.querySelector('[data-discard] [name=revision]').value = revision;
      if (!this.dirty) forgetHere();
      this.say(saved);
      this.warn();
      this.listener(findings);
    } catch (error) {
      this.dirty = true;
      await this.failed(error);
    }
  }

  async xml() {
    return (await this.modeler.saveXML({ format: true })).xml;
  }

  // The page goes: the device keeps what is not saved, and the server is sent it where the browser still does that.
  async part() {
    if (this.leaving || (!this.dirty && !this.running)) return;
    this.settle?.();
    const xml = await this.xml();
    keepHere(xml);
    if (!this.stopped && !this.running && new Blob([xml]).size < PARTING) this.server.save(xml, this.revision, true).catch(() => {});
  }

  async failed(error) {
    this.say('没有保存');
    keepHere(await this.xml());
    if (error.status === 409 || error.status === 404) {
      this.stopped = true;
      this.warn(error.message, error.status === 409 ? this.reloading() : this.restoring());
      return;
    }
    this.warn(`没有保存：${error.message}。改动仍在本页，也存在这台设备上。`);
    if (error.status !== 422) this.later(AGAIN);
  }

  say(words) {
    this.said.textContent = words;
  }

  // Whatever keeps a change from the server, the person can take it home. A conflict is shown with who and when;
  // neither version is lost, and neither is written over.
  warn(words = '', ...more) {
    this.alarm.hidden = !words;
    if (!words) return;
    this.alarm.replaceChildren(`${words} `, button('下载我的改动', () => this.download()), ...more);
  }

  reloading() {
    return button('载入已保存的内容', () => {
      this.leaving = true;
      location.reload();
    });
  }

  // Somebody published or threw the draft away meanwhile: what lies in this page can be a draft again.
  restoring() {
    return button('另存为新草稿', async () => {
      try {
        const { place } = await this.server.restore(await this.xml());
        this.leaving = true;
        forgetHere();
        location.assign(place);
      } catch (error) {
        this.warn(error.message, this.restoring());
      }
    });
  }

  async download(xml = null, name = '我的改动.bpmn') {
    const href = URL.createObjectURL(new Blob([xml ?? (await this.xml())], { type: 'application/xml' }));
    const link = h('a', { href, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), AGAIN);
  }
}

const button = (words, onclick) => h('button', { type: 'button', class: 'btn s', onclick }, words);
