// 分解下达: rows for as many lower units as are needed, and their quotas added up and held against the unit's own; 调整份额:
// those of all units, against the target.
const SCALES = { '': 1, 千: 1e3, 万: 1e4, 亿: 1e8 };

function parsed(text) {
  const match = /^(\d+(?:\.\d+)?)([千万亿]?)/.exec(text.normalize('NFKC').replace(/[\s,]/g, ''));
  return match ? Number(match[1]) * SCALES[match[2]] : 0;
}

const said = (value) => Number(value.toFixed(4)).toLocaleString('en-US', { maximumFractionDigits: 4 });

function addUp(form) {
  const shown = form.querySelector('[data-sum]');
  if (!shown) return;
  const typed = [...form.querySelectorAll('input[name^="quota-"]')].map((input) => parsed(input.value));
  const sum = Number(form.dataset.given) + typed.reduce((all, value) => all + value, 0);
  let words = `合计 ${said(sum)}`;
  if (form.dataset.whole !== undefined) {
    const lacking = Number((Number(form.dataset.whole) - sum).toFixed(4));
    words += ` / ${said(Number(form.dataset.whole))}`;
    words += lacking === 0 ? '，一致' : lacking > 0 ? `，还差 ${said(lacking)}` : `，多出 ${said(-lacking)}`;
    shown.classList.toggle('bad', lacking !== 0);
  }
  shown.textContent = words;
}

function addRow(form) {
  const rows = form.querySelectorAll('[data-row]');
  const last = rows[rows.length - 1];
  const n = rows.length + 1;
  const row = last.cloneNode(true);
  row.dataset.row = n;
  row.querySelectorAll('.err').forEach((words) => words.remove());
  row.querySelectorAll('.bad').forEach((label) => label.classList.remove('bad'));
  row.querySelectorAll('input').forEach((input) => {
    input.name = input.name.replace(/\d+$/, n);
    input.value = '';
  });
  last.after(row);
  row.querySelector('input').focus();
}

document.querySelectorAll('[data-split]').forEach((form) => {
  const more = form.querySelector('[data-more]');
  if (more) {
    more.hidden = false;
    more.addEventListener('click', () => addRow(form));
  }
  form.addEventListener('input', () => addUp(form));
  addUp(form);
});
