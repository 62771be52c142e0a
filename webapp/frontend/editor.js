// The editor of a draft: bpmn-js kept to what the dialect knows, a properties panel of our own, and a server that
// keeps, checks and explains. Loaded by studio.js on wide screens alone.
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';
import './plan.css';

import { Editor } from './editor/modeler.js';
import { Findings } from './editor/findings.js';
import { Loading } from './editor/loading.js';
import { Panel } from './editor/panel.js';
import { Saving } from './editor/saving.js';
import { Server } from './editor/server.js';
import { wireToolbar } from './editor/toolbar.js';
import { Typing } from './editor/typing.js';

async function start(place) {
  const server = new Server(place.dataset);
  const begun = await server.begin();
  const container = place.querySelector('[data-canvas]');
  const modeler = new Editor({ container, moddleExtensions: { duban: begun.dialect.descriptor } });
  container.prepend(modeler.get('planPalette').element);
  modeler.get('drawing').wasPublished = begun.published;
  await modeler.importXML(begun.xml);
  modeler.get('canvas').zoom('fit-viewport', 'auto');
  const saving = new Saving(modeler, server, place, begun);
  const findings = new Findings(modeler, place.querySelector('[data-lint]'));
  const props = place.querySelector('[data-props]');
  const panel = new Panel(modeler, server, props, begun);
  panel.hand = new Typing(props, saving);
  saving.onFlush(() => panel.hand.settle());
  saving.onFindings((found) => findings.show(found));
  findings.onPick((element) => panel.focusOn(element));
  findings.show(begun.findings);
  wireToolbar(modeler, place, saving);
  new Loading(modeler, server, place, { saving, panel }).remember(begun);
  place.dataset.ready = 'yes';
}

const place = document.getElementById('editor');
start(place).catch((error) => {
  const alarm = place.querySelector('[data-alarm]');
  alarm.hidden = false;
  alarm.textContent = '草稿没有取到，请刷新页面重试；如果仍然不行，请联系管理员。';
  throw error;
});
