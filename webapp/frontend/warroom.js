// The war room: boards that turn by themselves, the diagram with large numbers, curves. What is drawn is read from the
// page's own words, which htmx fetches anew every minute; what was drawn once is kept and only given the new numbers.
const WIDE = matchMedia('(min-width: 1000px)');
const CALM = matchMedia('(prefers-reduced-motion: reduce)');
const DWELL = 20000;
const LINES = 2.1; // how high, in its words, a box is that has room for two lines
const TITLE_LINES = 1.8; // how high a heading of two lines is, in words
const ARROW = 5; // of the way into a group, what its arrow needs
const COLOURS = ['red', 'yellow', 'green', 'grey', 'blue'];
const KEYS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };

let turn = 0;
let paused = CALM.matches;
let viewer = null;
let charts = null;

// ---- boards

function show() {
  document.documentElement.classList.toggle('is-turning', WIDE.matches);
  turn %= most();
  for (const region of document.querySelectorAll('[data-turns]')) {
    const boards = [...region.querySelectorAll(':scope > .board')];
    boards.forEach((board, n) => board.classList.toggle('is-on', n === turn % boards.length));
  }
  document.getElementById('turn').textContent = `${turn + 1} / ${most()}`;
}

function most() {
  const regions = [...document.querySelectorAll('[data-turns]')];
  return Math.max(1, ...regions.map((region) => region.querySelectorAll(':scope > .board').length));
}

function turnBy(steps) {
  turn = (turn + steps + most()) % most();
  show();
}

let timer = 0;
function wind() {
  clearInterval(timer);
  if (!paused) timer = setInterval(() => { if (WIDE.matches && !document.hidden) turnBy(1); }, DWELL);
}

function pause(value) {
  paused = value;
  const button = document.querySelector('[data-pause]');
  button.setAttribute('aria-pressed', String(paused));
  wind();
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-turn]');
  if (button) { turnBy(Number(button.dataset.turn)); wind(); }
  if (event.target.closest('[data-pause]')) pause(!paused);
  if (event.target.closest('[data-full]')) document.documentElement.requestFullscreen();
});

document.addEventListener('keydown', (event) => {
  if (!WIDE.matches || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key in KEYS) { event.preventDefault(); turnBy(KEYS[event.key]); wind(); }
  if (event.key === ' ' && !event.target.closest('button, a')) { event.preventDefault(); pause(!paused); }
});

// ---- the diagram

function sheet(href) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = href;
  const loaded = new Promise((resolve) => { link.onload = link.onerror = resolve; });
  document.head.append(link);
  return loaded;
}

async function draw() {
  const place = document.getElementById('wall-drawing');
  if (place.dataset.mounted) return;
  const { mount } = await import(place.dataset.viewer);
  await sheet(place.dataset.sheet);
  place.dataset.bpmn = '';
  viewer = await mount(place);
  for (const note of viewer.get('elementRegistry').filter(isNote)) viewer.get('canvas').addMarker(note, 'w-hidden');
  viewer.get('eventBus').on('canvas.viewbox.changed', size);
  paint();
}

function isNote(element) {
  return element.type === 'bpmn:TextAnnotation' || element.type === 'bpmn:Association';
}

function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

// Overlays are scaled with the drawing, and their words are to be as large as all others.
function size() {
  const place = document.getElementById('wall-drawing');
  place.style.setProperty('--type', `${rem() / viewer.get('canvas').zoom()}px`);
}

function paint() {
  if (!viewer) return;
  const overlays = viewer.get('overlays');
  const elements = viewer.get('elementRegistry');
  const canvas = viewer.get('canvas');
  overlays.clear();
  size();
  for (const tile of document.querySelectorAll('.tile[data-element]')) {
    const element = elements.get(tile.dataset.element);
    if (!element) continue;
    for (const colour of COLOURS) canvas.removeMarker(element, `light-${colour}`);
    canvas.addMarker(element, `light-${tile.dataset.colour}`);
    const marks = [...tile.firstElementChild.children].map((mark) => mark.cloneNode(true));
    const number = marks.find((mark) => mark.matches('b'));
    number.textContent = number.textContent.replace(/^[（(](.+)[)）]$/, '$1'); // （十一）, with its lights, is wider than a box
    marks.sort((a, b) => a.matches('.word') - b.matches('.word')); // the word stands in a line of its own
    const box = lay(viewer, element, 'w-box', { top: 0, left: 0 }, marks);
    box.style.height = `${element.height}px`;
    box.classList.toggle('is-low', element.height * canvas.zoom() < LINES * rem());
  }
  for (const { dataset } of document.querySelectorAll('.group[data-heading]')) {
    const element = elements.get(dataset.heading);
    if (!element) continue;
    const name = document.createElement('span');
    name.textContent = dataset.name;
    const title = lay(viewer, element, 'w-title', { top: 0, left: 0 }, [name]);
    const isLong = name.scrollWidth > name.clientWidth; // two lines, smaller: headings often begin alike
    title.classList.toggle('is-long', isLong);
    if (isLong) raise(element, TITLE_LINES * rem() / canvas.zoom());
    title.style.height = `${head(element)}px`;
    lay(viewer, element, 'w-sum', { bottom: 27, left: 0 }, [dataset.nm]);
  }
}

// How high the strip above the first item is.
function head(group) {
  return Math.min(...group.children.filter(({ type }) => type === 'bpmn:UserTask').map(({ y }) => y)) - group.y;
}

// The group's frame and the arrow that ends on it go up until the heading has room.
function raise(group, room) {
  const arrows = group.incoming.map(({ waypoints }) => waypoints.slice(-2)).filter(([, end]) => end.y === group.y);
  const by = Math.min(room - head(group), ...arrows.map(([from, end]) => end.y - from.y - ARROW));
  if (by <= 0) return;
  for (const [, end] of arrows) end.y -= by;
  group.y -= by;
  group.height += by;
  viewer.get('eventBus').fire('elements.changed', { elements: [group, ...group.incoming] });
}

function lay(on, element, name, position, parts) {
  const box = document.createElement('div');
  box.className = name;
  box.setAttribute('aria-hidden', 'true'); // the tiles say the same
  box.style.width = `${element.width}px`;
  box.append(...parts);
  on.get('overlays').add(element, { position, html: box });
  return box;
}

// ---- curves

async function curves() {
  charts ||= await import(document.getElementById('wall').dataset.charts);
  for (const table of document.querySelectorAll('table[data-curve]')) {
    charts.draw(document.getElementById(table.dataset.curve), read(table));
  }
}

function read(table) {
  const rows = [...table.tBodies[0].rows];
  return {
    first: table.dataset.first,
    last: table.dataset.last,
    points: rows.map((row) => [row.cells[0].textContent, Number(row.dataset.share)]),
  };
}

// ---- what comes every minute

async function refresh() {
  show();
  if (!WIDE.matches) return;
  paint();
  await Promise.all([draw(), curves()]);
  document.getElementById('wall').dataset.ready = 'yes';
}

document.addEventListener('htmx:afterSettle', refresh);
document.addEventListener('htmx:afterRequest', (event) => {
  const { status } = event.detail.xhr;
  const lost = document.getElementById('lost');
  lost.textContent = status >= 200 && status < 300 ? '' : lost.dataset.words;
});
WIDE.addEventListener('change', refresh);
CALM.addEventListener('change', () => { if (CALM.matches) pause(true); });
addEventListener('resize', () => {
  if (viewer) viewer.get('canvas').zoom('fit-viewport', 'auto');
  if (charts && WIDE.matches) curves();
});

pause(paused);
refresh();
