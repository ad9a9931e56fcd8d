// The regions of the picture, and what a plan takes along: found under the pointer, named, chosen.
let hovered = 0;
const maps = { map: { url: '' }, marks: { url: '' } };  // pixels whose red says: 1 + which, 0 none

const under = (kind, [x, y]) => {
  const { pixels } = maps[kind];
  if (!pixels) return 0;
  const { width, height } = state();
  const column = Math.floor(x * pixels.width / width), row = Math.floor(y * pixels.height / height);
  return pixels.data[4 * (row * pixels.width + column)];
};
const regionAt = (pixel) => under('map', pixel);
const nameOf = (region) => region.label || `region ${region.id}`;
const pickRegion = (pixel, add) => {
  const region = (state().regions || [])[regionAt(pixel) - 1];
  if (region) return send({ kind: 'region', id: region.id, add });
  dot(pixel, add); send({ kind: 'click', at: pixel, add });
};
const pointAtRegion = (pixel, event) => {
  const number = regionAt(pixel), region = (state().regions || [])[number - 1];
  showHover(number);
  tip.hidden = !region || event.pointerType === 'touch';
  if (!region) return;
  const box = frame.getBoundingClientRect(), right = event.clientX - box.left > box.width * 0.75;
  tip.textContent = nameOf(region);
  tip.classList.toggle('ea-tip-left', right);
  tip.style.left = `${event.clientX - box.left}px`; tip.style.top = `${event.clientY - box.top}px`;
};
const showHover = (number) => {
  if (number === hovered) return;
  hovered = number;
  const context = hover.getContext('2d'), { pixels } = maps.map;
  if (!pixels || tool !== 'region') return context.clearRect(0, 0, hover.width, hover.height);
  const tint = context.createImageData(pixels.width, pixels.height), row = 4 * pixels.width;
  for (let i = 0; i < pixels.data.length; i += 4) {
    const here = pixels.data[i];
    const rim = here !== pixels.data[i + 4] || here !== pixels.data[i + row];
    const light = rim ? 190 : here && here === number ? 120 : 0;
    if (light) { tint.data[i] = tint.data[i + 1] = tint.data[i + 2] = 255; tint.data[i + 3] = light; }
  }
  context.putImageData(tint, 0, 0);
};
const forgetHover = () => { hovered = -1; showHover(0); };
const loadMap = (kind, file, ready) => {
  const held = maps[kind], url = file ? file.url : '';
  if (url === held.url) return;
  held.url = url; held.pixels = null;
  if (!url) return ready();
  const image = new Image();
  image.onload = () => {
    if (held.url !== url) return;
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    held.pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    ready();
  };
  image.src = url;
};
const loadMaps = ({ map, marks, divided }) => {
  const changed = (map ? map.url : '') !== maps.map.url;
  if (changed) delete frame.dataset.regions;
  loadMap('marks', marks, () => {});
  loadMap('map', map, () => {
    const { pixels } = maps.map;
    if (pixels) { hover.width = pixels.width; hover.height = pixels.height; }
    forgetHover();
    if (pixels && divided) frame.dataset.regions = 'ready';
  });
};

// --- what belongs to what the plan will change
const switchRelated = (pixel) => {
  const one = (state().related || []).find(({ number }) => number === under('marks', pixel) - 1);
  if (one) toggle(one);
  return Boolean(one);
};
const toggle = ({ number, on }) => {
  frame.classList.add('ea-busy');
  trigger('submit', { gesture: { kind: 'related', number, on: !on } });
};

// --- names
const MOST_LABELS = 40, DIGITS = 9;
const place = (mark, [x, y]) => { mark.style.left = `${100 * x}%`; mark.style.top = `${100 * y}%`; };
const labels = (value) => {  // names over the picture: of its regions, and of what goes along
  const layer = $('.ea-labels');
  layer.replaceChildren();
  (value.regions || []).filter((region) => region.at).slice(0, MOST_LABELS).forEach((region) => {
    const mark = document.createElement('b');
    mark.className = 'ea-label'; mark.textContent = nameOf(region);
    mark.setAttribute('translate', 'no'); mark.setAttribute('aria-hidden', 'true');
    place(mark, region.at); layer.append(mark);
  });
  for (const one of value.related || []) {
    const button = document.createElement('button'), name = document.createElement('span');
    button.type = 'button'; button.className = 'ea-related';
    button.setAttribute('aria-pressed', String(one.on));
    name.textContent = one.name; name.setAttribute('translate', 'no');
    button.append(one.on ? '✓ ' : '+ ', name);
    button.title = one.on ? 'Goes along: click to leave it alone' : 'Stays: click to take it along';
    button.addEventListener('click', () => toggle(one));
    button.addEventListener('pointerdown', (event) => event.stopPropagation());
    place(button, one.at); layer.append(button);
  }
};
const names = (value) => {  // a button for each named region, and for the first few without a name
  const list = $('.ea-names'), seen = {};
  list.replaceChildren();
  (value.regions || []).forEach((region, index) => {
    if (!region.label && index >= DIGITS) return;
    const name = nameOf(region), count = seen[name] = (seen[name] || 0) + 1;
    const button = document.createElement('button'), digit = document.createElement('kbd');
    const text = document.createElement('span');
    button.type = 'button'; button.className = 'ea-name'; text.setAttribute('translate', 'no');
    text.textContent = count > 1 ? `${name} ${count}` : name;
    button.setAttribute('aria-label', `Select the ${text.textContent}`);
    button.append(text);
    if (index < DIGITS) {
      digit.textContent = button.dataset.digit = index + 1;
      digit.setAttribute('aria-hidden', 'true');
      button.append(digit);
    }
    button.addEventListener('click', () => send({ kind: 'region', id: region.id, add: mode === 'add' }));
    list.append(button);
  });
};
