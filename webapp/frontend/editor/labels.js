// A double click writes on the drawing, but not on an item: its box shows number and title, which the panel keeps apart.
import LabelEditingProvider from 'bpmn-js/lib/features/label-editing/LabelEditingProvider';

import { isItem } from './model.js';

export class Labels extends LabelEditingProvider {
  activate(element) {
    return isItem(element) ? undefined : super.activate(element);
  }
}

Labels.$inject = LabelEditingProvider.$inject;
