// Undo, redo, tidy; publishing goes only with everything saved.
export function wireToolbar(modeler, place, saving) {
  const stack = modeler.get('commandStack');
  const [undo, redo, tidy] = ['undo', 'redo', 'tidy'].map((name) => place.querySelector(`[data-do=${name}]`));
  undo.addEventListener('click', () => stack.undo());
  redo.addEventListener('click', () => stack.redo());
  tidy.addEventListener('click', () => {
    modeler.get('drawing').tidy();
    modeler.get('canvas').zoom('fit-viewport', 'auto');
  });
  modeler.on('commandStack.changed', () => {
    undo.disabled = !stack.canUndo();
    redo.disabled = !stack.canRedo();
  });
  // Outside of a field the keys of undo belong to the drawing, wherever the focus is.
  document.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.closest('input, textarea, select, [contenteditable], .djs-container')) return;
    const key = event.key.toLowerCase();
    if (key === 'z' && !event.shiftKey) stack.undo();
    else if (key === 'y' || (key === 'z' && event.shiftKey)) stack.redo();
    else return;
    event.preventDefault();
  });
  place.querySelector('[data-publish]').addEventListener('click', async (event) => {
    event.preventDefault();
    const { href } = event.currentTarget;
    if (await saving.flush()) location.assign(href);
  });
  const discard = place.querySelector('[data-discard]');
  discard.addEventListener('submit', async (event) => {
    event.preventDefault();
    await saving.flush();
    let draft; // as it is now: a colleague may have saved it since this page was opened
    try {
      draft = await saving.server.begin();
    } catch (error) {
      if (error.status === 404) await saving.failed(error);
      else saving.warn(`没有删除：${error.message}。`);
      return;
    }
    const [who, when] = draft.saver;
    discard.elements.revision.value = draft.revision; // what is said here is what is thrown away
    if (!confirm(`这份草稿最后由${who}于 ${when} 保存。\n\n确定删除？已发布的版本不受影响；草稿里的改动不再保留，正在编写的同事只能把自己页面上的内容另存为新草稿。`)) return;
    saving.leaving = true;
    discard.submit();
  });
}
