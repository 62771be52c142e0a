// The bundle of every page: htmx, kept to what a strict content security policy allows.
import htmx from 'htmx.org';

import './forms.js';

window.htmx = htmx;

Object.assign(htmx.config, {
  includeIndicatorStyles: false, // an inline style element
  allowEval: false,
  historyCacheSize: 0, // no page of the ledger is kept in the browser's storage
  // A refused form (422) and a conflict (409) come back as pages to show; other errors are events.
  responseHandling: [
    { code: '204', swap: false },
    { code: '[23]..', swap: true },
    { code: '4(09|22)', swap: true, error: false },
    { code: '[45]..', swap: false, error: true },
  ],
});

document.addEventListener('htmx:configRequest', (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers['X-CSRFToken'] = token.content;
});
