// Sends files while the rest of a form is being filled in: one after the other, in chunks that go on where they stopped.
// The server shows each file; here only its progress moves. Without this script files come with the form itself.
const CHUNK = 512 * 1024;
const PAUSES = [500, 1000, 2000, 4000, 8000, 16000]; // between tries of one request, in milliseconds

class Refused extends Error {}
class Interrupted extends Error {}

const token = () => document.querySelector('meta[name="csrf-token"]').content;
const pause = (ms) =>
  new Promise((done) => {
    setTimeout(done, ms);
    window.addEventListener('online', done, { once: true });
  });

// One request, tried again while the network or the server has trouble.
async function ask(url, options) {
  let answer;
  for (const ms of [...PAUSES, null]) {
    answer = null;
    try {
      answer = await fetch(url, {
        ...options,
        headers: { ...options.headers, Accept: 'application/json', 'X-CSRFToken': token() },
      });
    } catch {
      // the network is away
    }
    if (answer && answer.status < 500 && answer.status !== 429) return read(answer);
    if (ms === null) break;
    await pause(ms);
  }
  throw new Interrupted(answer ? '服务器暂时收不下，请稍后再试' : '网络不通，请稍后再试');
}

async function read(answer) {
  if (answer.status === 204) return {};
  const isOurs = answer.headers.get('Content-Type')?.startsWith('application/json');
  if (!isOurs) throw new Interrupted('可能要重新登录，请另开一页登录后再试');
  const said = await answer.json();
  if (said.error) throw new Refused(said.error);
  return said;
}

// By what the server knows the same file again: its digest, where the browser may work it out.
async function markOf(file, most) {
  if (!crypto.subtle || file.size > most) return `${file.size}-${file.lastModified}`;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return `sha256:${[...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function enliven(root) {
  const form = root.closest('form');
  const list = root.querySelector('[data-list]');
  const said = root.querySelector('[data-said]');
  const removed = new Set();
  let queue = Promise.resolve();
  let pending = 0;
  let submitter = null; // pressed while files were still on their way

  const say = (words) => {
    said.textContent = words;
    said.hidden = !words;
  };

  function show({ id, html }) {
    const made = document.createElement('template');
    made.innerHTML = html.trim();
    const line = made.content.firstElementChild;
    const old = list.querySelector(`[data-upload="${id}"]`);
    if (old) old.replaceWith(line);
    else list.append(line);
    return line;
  }

  function progress(line, received, size) {
    line.querySelector('progress').value = received;
    line.querySelector('[data-state]').textContent = `${Math.floor((100 * received) / size)}%`;
  }

  async function send(file) {
    const body = new URLSearchParams({
      name: file.name,
      size: file.size,
      mark: await markOf(file, Number(root.dataset.most)),
    });
    let at;
    try {
      at = await ask(root.dataset.files, { method: 'POST', body });
    } catch (error) {
      throw error instanceof Refused ? error : new Refused(`“${file.name}”还没有开始传：${error.message}`);
    }
    removed.delete(at.id);
    const { id } = at;
    let line = show(at);
    try {
      while (!at.stored && !removed.has(id)) {
        progress(line, at.received, file.size);
        const chunk = file.slice(at.received, at.received + CHUNK);
        at = await ask(`/uploads/${id}`, {
          method: 'PATCH',
          headers: { 'Upload-Offset': String(at.received), 'Content-Type': 'application/octet-stream' },
          body: chunk,
        });
      }
      if (!removed.has(id)) line = show(at);
    } catch (error) {
      if (removed.has(id)) return;
      if (error instanceof Refused) line.remove();
      else interrupt(line, file, `没有传完：${error.message}，已传的不用再传`);
      throw error;
    }
  }

  function interrupt(line, file, words) {
    line.querySelector('[data-state]').textContent = words;
    const again = document.createElement('button');
    again.type = 'button';
    again.className = 'btn s';
    again.textContent = '接着传';
    again.addEventListener('click', () => {
      again.remove();
      put([file]);
    });
    line.querySelector('button').before(again);
  }

  function put(files) {
    say('');
    for (const file of files) {
      pending += 1;
      queue = queue
        .then(() => send(file))
        .catch((error) => {
          submitter = null; // the person decides again, with what is wrong in view
          if (!(error instanceof Interrupted)) say([said.textContent, error.message].filter(Boolean).join('\n'));
        })
        .finally(() => {
          pending -= 1;
          if (!pending && submitter) form.requestSubmit(submitter);
        });
    }
  }

  root.addEventListener('change', ({ target }) => {
    if (target.type !== 'file') return;
    put([...target.files]);
    target.value = ''; // it goes by itself, not with the form
  });

  root.addEventListener('click', async (event) => {
    const button = event.target.closest('button[formaction]');
    if (!button) return;
    event.preventDefault();
    const line = button.closest('[data-upload]');
    removed.add(Number(line.dataset.upload));
    try {
      await ask(button.getAttribute('formaction'), { method: 'POST' });
    } catch (error) {
      if (!(error instanceof Refused)) {
        say(error.message);
        return;
      }
    }
    line.remove();
  });

  form.addEventListener('submit', (event) => {
    if (!pending) return;
    event.preventDefault();
    submitter = event.submitter;
    say('附件还在上传，传完后自动提交');
  });

  window.addEventListener('beforeunload', (event) => {
    if (pending) event.preventDefault();
  });

  root.classList.add('live');
}

document.querySelectorAll('[data-files]').forEach(enliven);
