// What is typed counts after a rest of the hand, not only when the field is left.
const REST = 800;
const TEXT = 'textarea, input:not([type]), input[type=text], input[type=number]';

export class Typing {
  constructor(place, saving) {
    this.waiting = null;
    const written = new WeakMap();
    const isText = (control) => control.matches?.(TEXT) && control.getAttribute('role') !== 'combobox';
    place.addEventListener('input', ({ target }) => {
      if (!isText(target)) return;
      if (this.waiting !== target) this.settle();
      this.waiting = target;
      saving.typed();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.settle(), REST);
    });
    // Leaving the field says it again: it is written already.
    place.addEventListener('change', (event) => {
      const { target } = event;
      if (!isText(target)) return;
      if (this.waiting === target) this.waiting = null;
      if (event.isTrusted && written.get(target) === target.value) event.stopImmediatePropagation();
      written.set(target, target.value);
    }, true);
  }

  settle() {
    clearTimeout(this.timer);
    const control = this.waiting;
    this.waiting = null;
    if (control?.isConnected) control.dispatchEvent(new Event('change', { bubbles: true }));
  }

  // The panel was drawn anew under the hand: caret and words go on in the field that took the old one's place.
  goOn(old, control) {
    const { value, selectionStart, selectionEnd } = old;
    if (this.waiting === old && control.value !== value) {
      control.value = value;
      control.dispatchEvent(new Event('input', { bubbles: true }));
    }
    control.focus();
    if (control.matches(TEXT) && control.type !== 'number') control.setSelectionRange(selectionStart, selectionEnd);
  }
}
