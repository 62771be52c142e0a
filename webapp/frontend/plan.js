// Shows a plan's diagram with its lights.
//
//   <figure>
//     <button type="button" data-zoom="in">…</button>  (in, out, fit)
//     <div data-bpmn data-url="…xml" data-lights="…json" aria-label="…"></div>
//   </figure>
//
// data-lights: { element id: { colour, word, shape, href, nm } }, every field optional. Without data-lights it is a drawing.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';

import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './plan.css';

const ZOOM_STEP = 1.25;
const DRAG_PX = 5;

export async function mount(container) {
  container.dataset.mounted = 'yes';
  const viewer = new NavigatedViewer({ container });
  try {
    await viewer.importXML(await fetched(container.dataset.url, 'text'));
  } catch (error) {
    viewer.destroy();
    complain(container);
    throw error;
  }
  markItems(viewer);
  fit(viewer);
  nameDrawing(container);
  wireZoom(container, viewer);
  wirePaper(container, viewer);
  const lights = container.dataset.lights;
  if (lights) showLights(viewer, await fetched(lights, 'json'));
  container.dataset.ready = 'yes';
  return viewer;
}

async function fetched(url, kind) {
  const answer = await fetch(url, { credentials: 'same-origin' });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer[kind]();
}

function complain(container) {
  const message = document.createElement('p');
  message.setAttribute('role', 'alert');
  message.textContent = '流程图没有取到，请刷新页面重试。';
  container.replaceChildren(message);
}

function markItems(viewer) {
  const items = viewer.get('elementRegistry').filter((element) => element.type === 'bpmn:UserTask');
  for (const item of items) viewer.get('canvas').addMarker(item, 'item-box');
}

// ---- zoom

function fit(viewer) {
  viewer.get('canvas').zoom('fit-viewport', 'auto');
}

function zoomBy(viewer, factor) {
  const canvas = viewer.get('canvas');
  canvas.zoom(canvas.zoom() * factor, 'auto');
}

function wireZoom(container, viewer) {
  const zooms = {
    in: () => zoomBy(viewer, ZOOM_STEP),
    out: () => zoomBy(viewer, 1 / ZOOM_STEP),
    fit: () => fit(viewer),
  };
  for (const button of container.parentElement.querySelectorAll('[data-zoom]')) {
    button.addEventListener('click', zooms[button.dataset.zoom]);
  }
  container.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') fit(viewer);
  });
}

// ---- paper

// A sheet is not as wide as the window: what is printed is fitted to it (plan.css gives `on-paper` its size), and what was
// looked at is there again afterwards.
function wirePaper(container, viewer) {
  const canvas = viewer.get('canvas');
  let seen = null;
  window.addEventListener('beforeprint', () => {
    if (!container.clientWidth) return; // not shown: the war room on a narrow screen
    seen = canvas.viewbox();
    container.classList.add('on-paper');
    canvas.resized();
    fit(viewer);
  });
  window.addEventListener('afterprint', () => {
    if (!seen) return;
    container.classList.remove('on-paper');
    canvas.resized();
    canvas.viewbox({ x: seen.x, y: seen.y, width: seen.width, height: seen.height });
    seen = null;
  });
}

function nameDrawing(container) {
  const drawing = container.querySelector('.djs-container > svg');
  drawing.setAttribute('role', 'img');
  drawing.setAttribute('aria-label', container.getAttribute('aria-label') || '流程图');
}

// ---- lights

export function showLights(viewer, lights) {
  const elements = viewer.get('elementRegistry');
  const lit = Object.keys(lights).map((id) => elements.get(id)).filter(Boolean);
  // The overlays' order is the order of the tab key: heading by heading, row by row.
  lit.sort(readingOrder);
  for (const element of lit) showLight(viewer, element, lights[element.id]);
}

// Items outside every heading come last: the root of the drawing has no place.
function readingOrder(a, b) {
  const [p, q] = [a.parent?.x ?? Infinity, b.parent?.x ?? Infinity];
  return p === q ? a.y - b.y || a.x - b.x : p - q;
}

function showLight(viewer, element, light) {
  const overlays = viewer.get('overlays');
  if (light.colour) viewer.get('canvas').addMarker(element, `light-${light.colour}`);
  if (light.href) overlays.add(element, { position: { top: 0, left: 0 }, html: link(viewer, element, light) });
  // plan.css draws both from their right edge, so their width need not be known
  if (light.word) overlays.add(element, { position: { top: -8, right: 0 }, html: badge(light) });
  else if (light.nm) overlays.add(element, { position: { bottom: 24, right: 10 }, html: text('plan-nm', light.nm) });
}

function text(className, words) {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = words;
  return span;
}

function badge({ colour, shape, word, nm }) {
  const whole = text(`plan-light is-${colour}`, '');
  const mark = text('plan-shape', shape || '');
  mark.setAttribute('aria-hidden', 'true');
  whole.append(mark, ` ${word}`);
  if (nm) whole.append(text('plan-n', nm));
  return whole;
}

// A real link over the box: it has a focus, an address and a context menu, which a shape of the drawing has not.
function link(viewer, element, { href, word, nm }) {
  const anchor = document.createElement('a');
  anchor.className = 'plan-link';
  anchor.href = href;
  anchor.draggable = false;
  anchor.style.width = `${element.width}px`;
  anchor.style.height = `${element.height}px`;
  anchor.setAttribute('aria-label', [element.businessObject.name, word, nm && `已完成 ${nm}`].filter(Boolean).join('，'));
  letDrag(viewer, element, anchor);
  return anchor;
}

// The link lies over the drawing, so it hands a press on, and a press that moved the drawing is no click.
function letDrag(viewer, element, anchor) {
  let pressed = null;
  anchor.addEventListener('mousedown', (event) => {
    pressed = event;
    viewer.get('eventBus').fire('element.mousedown', { element, originalEvent: event });
  });
  anchor.addEventListener('click', (event) => {
    if (pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) > DRAG_PX) {
      event.preventDefault();
    }
    pressed = null;
  });
}

// ---- where a page, or a part that htmx put into it, holds a diagram

function mountAll(root) {
  for (const container of root.querySelectorAll('[data-bpmn]:not([data-mounted])')) mount(container);
}

document.addEventListener('htmx:load', (event) => mountAll(event.target.parentElement || document));
mountAll(document);
