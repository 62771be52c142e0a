// The page of a draft: the editor where the screen is wide enough for it, else the drawing to look at. Only what is used is loaded.
const WIDE = matchMedia('(min-width: 1000px)');
const place = document.getElementById('editor');

function sheet(href) {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = href;
  document.head.append(link);
}

let shown = '';

async function show() {
  const wanted = WIDE.matches ? 'editor' : 'viewer';
  // Once the editor is there it stays: what is not saved yet must not go away with a narrow window.
  if (shown === 'editor' || shown === wanted) return;
  shown = wanted;
  const { script, sheet: editorSheet, viewer, viewerSheet } = place.dataset;
  if (wanted === 'editor') {
    sheet(editorSheet);
    await import(script);
    return;
  }
  sheet(viewerSheet);
  const { mount } = await import(viewer);
  const drawing = document.querySelector('[data-drawing]');
  drawing.dataset.bpmn = '';
  await mount(drawing);
}

WIDE.addEventListener('change', show);
show();
