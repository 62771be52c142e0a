// The bundle of every page: htmx, kept to what a strict content security policy allows.
import htmx from 'htmx.org';

import './forms.js';
import './inbox.js';
import './keep.js';
import './split.js';
import './uploads.js';

window.htmx = htmx;

Object.assign(htmx.config, {
  includeIndicatorStyles: false, // an inline style element
  allowEval: false,
  historyCacheSize: 0, // no page of the ledger is kept in the browser's storage
  // A refused form (422), a conflict (409) and a session that is over (401) come back as pages to show; other errors are events.
  responseHandling: [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    { code: '4(01|09|22)', swap: true, error: false },
    { code: '503', swap: false }, // a draft that was not taken says so itself (keep.js)
    { code: '[45]..', swap: false, error: true },
  ],
});

document.addEventListener('htmx:configRequest', (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers['X-CSRFToken'] = token.content;
});

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-print]')) window.print();
});
