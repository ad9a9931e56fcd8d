() => {
  // Keys of the whole page, and files that are dropped or pasted anywhere on it.
  const press = (id) => {
    const button = document.getElementById(id);
    if (button && !button.disabled && button.offsetParent) { button.click(); return true; }
    return false;
  };
  const typing = (target) => target.matches?.('textarea, input:not([type=range], [type=checkbox], [type=radio])')
    && target.value !== '';
  const field = (target) => target.matches?.('textarea, select, input:not([type=range], [type=checkbox], [type=radio])');
  const shown = (place) => [...document.querySelectorAll(place)].find((one) => one.offsetParent);
  const resize = (factor) => {
    const size = shown('#stage .ea-brush-size input');
    if (!size) return;
    size.value = Math.max(Number(size.min), Math.round(Number(size.value) * factor) + (factor > 1));
    size.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const compare = () => {  // from the picture to before and after, and back
    const other = shown('#mode label:not(.selected) input');
    if (other) other.click();
    return Boolean(other);
  };
  document.addEventListener('keydown', (event) => {
    const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
    const take = (done) => { if (done) event.preventDefault(); };
    if (key === 'escape') {
      if (press('cancel')) return event.preventDefault();
      if (!field(event.target)) shown('#stage .ea-clear:not(:disabled)')?.click();
      return;
    }
    if (command && !typing(event.target)) {
      const wish = key === 'y' || (key === 'z' && event.shiftKey) ? 'redo' : key === 'z' ? 'undo' : '';
      if (wish) { event.preventDefault(); press(wish); }
    }
    if (command || event.altKey || field(event.target) || event.target.closest?.('dialog')) return;
    if (key === 'b') take(compare());
    else if (key === 'enter' && event.target === document.body) take(press('run'));
    else if (key === '[' || key === ']') resize(key === '[' ? 0.8 : 1.25);
    else if (/^[1-9]$/.test(key)) shown(`#stage [data-digit="${key}"]`)?.click();
  });
  // A recipe goes where recipes are replayed; so does a picture that is dropped on the history. On
  // the place of a second picture it becomes that one, everywhere else it is opened.
  const DROPS = ['#past', '#second-panel', '#combine-side', '#combine-side_second'];
  const open = (files, place) => {
    const recipe = /\.json$/i.test(files[0]?.name || '');
    const home = recipe ? '#past' : DROPS.find((one) => place?.closest?.(one)) || '#head';
    if (files.length) hand(files[0], home, 20);
  };
  // What is folded up has no input yet: unfold it, and try again until it has one.
  const hand = (file, home, tries) => {
    const input = document.querySelector(`${home} input[type=file]`);
    if (!input) {
      if (tries === 20) document.querySelector(`${home} .label-wrap:not(.open)`)?.click();
      if (tries) setTimeout(() => hand(file, home, tries - 1), 100);
      return;
    }
    const list = new DataTransfer();
    list.items.add(file);
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
    if (carries(event)) { event.preventDefault(); event.stopPropagation(); open(event.dataTransfer.files, event.target); }
  }, true);
  document.addEventListener('paste', (event) => {
    if (event.clipboardData?.files.length) { event.preventDefault(); open(event.clipboardData.files); }
  });
  document.addEventListener('click', (event) => {
    const place = event.target.closest('.ea-drop');
    if (place) document.getElementById(place.dataset.opens)?.click();
  });
}
