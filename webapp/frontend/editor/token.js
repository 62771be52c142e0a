// The token of a page belongs to its log-in. Whoever has logged in anew in another window has another one: it is
// fetched, so that what lies in this page can still be saved.
import { AWAY, Failure, OVER } from './failure.js';

const said = (page, name) => page.querySelector(`meta[name="${name}"]`)?.content;

export const token = () => said(document, 'csrf-token');

export async function renewToken() {
  let answer;
  try {
    answer = await fetch(location.pathname, { credentials: 'same-origin' });
  } catch {
    throw new Failure(0, AWAY);
  }
  if (answer.redirected || answer.status === 401) throw new Failure(401, OVER);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const [fresh, person] = [said(page, 'csrf-token'), said(page, 'person')];
  if (!fresh) throw new Failure(answer.status, AWAY);
  // What one person typed is not signed with another's name.
  if (person !== said(document, 'person')) throw new Failure(401, '现在登录的是另一个账号，请用原来的账号登录，再回到本页');
  document.querySelector('meta[name="csrf-token"]').content = fresh;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = fresh;
}
