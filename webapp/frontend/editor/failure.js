// Why the server did not do what was asked, in words for the person.
export class Failure extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

export const AWAY = '没有连上服务器';
export const OVER = '登录已过期，请在新窗口重新登录，再回到本页';
