// What the editor asks of the server. Every answer is JSON; anything else (a log-in page, an error page) is a failure.
import { AWAY, Failure, OVER } from './failure.js';
import { renewToken, token } from './token.js';

const OUTDATED = [400, 401];

export class Server {
  constructor({ begin, save, check, units, figures, explain, restore }) {
    this.places = { begin, save, check, units, figures, explain, restore };
  }

  begin() {
    return this.ask(this.places.begin);
  }

  save(xml, revision, isLeaving = false) {
    return this.post(`${this.places.save}?revision=${revision}`, xml, isLeaving);
  }

  // What the linter says of a diagram, and what it changes for whom beside the draft as it is kept.
  check(xml) {
    return this.post(this.places.check, xml);
  }

  // A draft of its own from a diagram whose draft is gone.
  restore(xml) {
    return this.post(this.places.restore, xml);
  }

  // `alone`: single units only, no groups.
  units(words, alone = false) {
    return this.ask(`${this.places.units}?${new URLSearchParams({ words, ...(alone ? { alone: '1' } : {}) })}`);
  }

  figures(words) {
    return this.ask(`${this.places.figures}?${new URLSearchParams({ words })}`);
  }

  explain(asked) {
    return this.ask(`${this.places.explain}?${new URLSearchParams(asked)}`);
  }

  async post(url, body, keepalive = false) {
    const send = () => this.ask(url, { method: 'POST', body, keepalive, headers: { 'Content-Type': 'application/xml', 'X-CSRFToken': token() } });
    try {
      return await send();
    } catch (error) {
      if (!OUTDATED.includes(error.status)) throw error;
      await renewToken();
      return send();
    }
  }

  async ask(url, options = {}) {
    let answer;
    try {
      answer = await fetch(url, { credentials: 'same-origin', ...options });
    } catch {
      throw new Failure(0, AWAY);
    }
    const isJson = (answer.headers.get('Content-Type') || '').startsWith('application/json');
    if (!isJson && answer.redirected) throw new Failure(401, OVER);
    if (!isJson) throw new Failure(answer.status, OUTDATED.includes(answer.status) ? OVER : AWAY);
    const said = await answer.json();
    if (!answer.ok) throw new Failure(answer.status, said.words);
    return said;
  }
}
