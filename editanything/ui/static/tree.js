// The history as a tree: a row for each branch. trigger('select', {number, compare}).
const render = () => {
  const tree = element.querySelector('.ea-tree'), states = props.value || [];
  tree.replaceChildren();
  for (const state of states) {
    const cell = document.createElement('div'), button = document.createElement('button');
    const image = document.createElement('img'), caption = document.createElement('span');
    cell.className = 'ea-state';
    cell.style.gridRow = state.row + 1; cell.style.gridColumn = state.column + 1;
    if (state.column) {  // a line to the parent: along its row, or down from it and then along
      const line = document.createElement('i');
      line.className = state.from === state.row ? 'ea-along' : 'ea-down';
      cell.append(line);
      if (state.row - state.from > 1) {  // past the rows between, in the parent's column
        const through = document.createElement('i');
        through.className = 'ea-through';
        through.style.gridRow = `${state.from + 2} / ${state.row + 1}`;
        through.style.gridColumn = state.column;
        tree.append(through);
      }
    }
    button.type = 'button'; button.className = 'ea-card';
    if (state.current) button.setAttribute('aria-current', 'true');
    image.src = state.image.url; image.alt = ''; image.draggable = false;
    caption.textContent = caption.title = state.caption;
    if (state.column) caption.setAttribute('translate', 'no');
    button.append(image, caption);
    button.addEventListener('click', () => trigger('select', { number: state.number, compare: false }));
    cell.append(button);
    if (!state.current) {
      const other = document.createElement('button');
      other.type = 'button'; other.className = 'ea-other'; other.textContent = '◐';
      other.title = 'Compare with this';
      other.setAttribute('aria-label', 'Compare with this');
      other.setAttribute('aria-pressed', String(state.compared));
      other.addEventListener('click', () => trigger('select', { number: state.number, compare: true }));
      cell.append(other);
    }
    tree.append(cell);
  }
  const here = tree.querySelector('[aria-current]')?.parentElement;
  if (here) tree.scrollTo({  // the tree alone, never the page
    left: here.offsetLeft - (tree.clientWidth - here.offsetWidth) / 2,
    top: here.offsetTop - (tree.clientHeight - here.offsetHeight) / 2,
  });
};
watch('value', render);
render();
