// What the editor asks of the server. Every answer is JSON; anything else (a log-in page, an error page) is a failure.
export class Failure extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

const AWAY = '没有连上服务器';
const OVER = '登录已过期，请在新窗口重新登录，再回到本页';

export class Server {
  constructor({ begin, save, units, explain }) {
    this.places = { begin, save, units, explain };
  }

  begin() {
    return this.ask(this.places.begin);
  }

  save(xml, revision) {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    return this.ask(`${this.places.save}?revision=${revision}`, {
      method: 'POST',
      body: xml,
      headers: { 'Content-Type': 'application/xml', 'X-CSRFToken': token },
    });
  }

  units(words) {
    return this.ask(`${this.places.units}?${new URLSearchParams({ words })}`);
  }

  explain(asked) {
    return this.ask(`${this.places.explain}?${new URLSearchParams(asked)}`);
  }

  async ask(url, options = {}) {
    let answer;
    try {
      answer = await fetch(url, { credentials: 'same-origin', ...options });
    } catch {
      throw new Failure(0, AWAY);
    }
    const isJson = (answer.headers.get('Content-Type') || '').startsWith('application/json');
    if (!isJson) throw new Failure(answer.status, answer.redirected || [400, 401].includes(answer.status) ? OVER : AWAY);
    const said = await answer.json();
    if (!answer.ok) throw new Failure(answer.status, said.words);
    return said;
  }
}
