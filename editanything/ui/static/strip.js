// A row of buttons, each a word or a small picture with a caption: trigger('select', {index}).
const render = () => {
  const row = element.querySelector('.ea-strip');
  row.replaceChildren();
  (props.value || []).forEach((item, index) => {
    const button = document.createElement('button'), caption = document.createElement('span');
    button.type = 'button';
    button.className = item.image ? 'ea-card' : 'ea-chip';
    if (item.current) button.setAttribute('aria-current', 'true');
    button.title = item.title || item.caption;
    if (item.image) {
      const image = document.createElement('img');
      image.src = item.image.url; image.alt = ''; image.draggable = false;
      button.append(image);
    }
    caption.textContent = item.caption;
    if (!item.ours) caption.setAttribute('translate', 'no');  // a command, or a name
    button.append(caption);
    button.addEventListener('click', () => trigger('select', { index, caption: item.caption }));
    row.append(button);
  });
};
watch('value', render);
render();
