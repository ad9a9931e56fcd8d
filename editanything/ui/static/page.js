() => {
  // Keys of the whole page, and files that are dropped or pasted anywhere on it.
  const press = (id) => {
    const button = document.getElementById(id);
    if (button && !button.disabled && button.offsetParent) { button.click(); return true; }
    return false;
  };
  const typing = (target) => target.matches?.('textarea, input:not([type=range], [type=checkbox], [type=radio])')
    && target.value !== '';
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    if (key === 'escape' && press('cancel')) return event.preventDefault();
    if (!command || typing(event.target)) return;
    const wish = key === 'y' || (key === 'z' && event.shiftKey) ? 'redo' : key === 'z' ? 'undo' : '';
    if (wish) { event.preventDefault(); press(wish); }
  });
  const open = (files) => {
    const input = document.querySelector('#head input[type=file]');
    if (!input || !files.length) return;
    const list = new DataTransfer();
    list.items.add(files[0]);
    input.files = list.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  };
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
  document.addEventListener('dragover', (event) => {
    if (carries(event)) { event.preventDefault(); document.body.classList.add('ea-dropping'); }
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) document.body.classList.remove('ea-dropping');
  });
  document.addEventListener('drop', (event) => {
    document.body.classList.remove('ea-dropping');
    if (carries(event)) { event.preventDefault(); event.stopPropagation(); open(event.dataTransfer.files); }
  }, true);
  document.addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length) { event.preventDefault(); open(event.clipboardData.files); }
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('#drop')) document.getElementById('open')?.click();
  });
}
