// bpmn-js with the parts a plan needs, and none that draw what the dialect refuses.
import BaseModeler from 'bpmn-js/lib/BaseModeler';
import Viewer from 'bpmn-js/lib/Viewer';
import AutoResize from 'bpmn-js/lib/features/auto-resize';
import EditorActions from 'bpmn-js/lib/features/editor-actions';
import GridSnapping from 'bpmn-js/lib/features/grid-snapping';
import InteractionEvents from 'bpmn-js/lib/features/interaction-events';
import Keyboard from 'bpmn-js/lib/features/keyboard';
import LabelEditing from 'bpmn-js/lib/features/label-editing';
import Modeling from 'bpmn-js/lib/features/modeling';
import BpmnOutline from 'bpmn-js/lib/features/outline';
import Snapping from 'bpmn-js/lib/features/snapping';
import AutoScroll from 'diagram-js/lib/features/auto-scroll';
import Bendpoints from 'diagram-js/lib/features/bendpoints';
import Connect from 'diagram-js/lib/features/connect';
import ConnectionPreview from 'diagram-js/lib/features/connection-preview';
import ContextPad from 'diagram-js/lib/features/context-pad';
import Create from 'diagram-js/lib/features/create';
import GlobalConnect from 'diagram-js/lib/features/global-connect';
import KeepSelectionVisible from 'diagram-js/lib/features/keep-selection-visible';
import KeyboardMoveSelection from 'diagram-js/lib/features/keyboard-move-selection';
import Move from 'diagram-js/lib/features/move';
import Resize from 'diagram-js/lib/features/resize';
import KeyboardMove from 'diagram-js/lib/navigation/keyboard-move';
import MoveCanvas from 'diagram-js/lib/navigation/movecanvas';
import ZoomScroll from 'diagram-js/lib/navigation/zoomscroll';

import { Drawing } from './drawing.js';
import { Labels } from './labels.js';
import { Order } from './order.js';
import { Pad } from './pad.js';
import { Palette } from './palette.js';
import { PlanRules } from './rules.js';
import { translate } from './words.js';

const ours = {
  __init__: ['planOrder', 'drawing', 'planPalette', 'planPad', 'planRules'],
  drawing: ['type', Drawing],
  planOrder: ['type', Order],
  planPalette: ['type', Palette],
  planPad: ['type', Pad],
  planRules: ['type', PlanRules],
  labelEditingProvider: ['type', Labels],
  translate: ['value', translate],
};

export class Editor extends BaseModeler {}

Editor.prototype._modules = [
  ...Viewer.prototype._modules,
  AutoResize, AutoScroll, Bendpoints, BpmnOutline, Connect, ConnectionPreview, ContextPad, Create, EditorActions,
  GlobalConnect, GridSnapping, InteractionEvents, KeepSelectionVisible, Keyboard, KeyboardMove, KeyboardMoveSelection,
  LabelEditing, Modeling, Move, MoveCanvas, Resize, Snapping, ZoomScroll,
  ours,
];
