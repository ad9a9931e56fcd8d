// The picture that is pointed at. A gesture leaves as pixels of the original: trigger('select', ...).
const $ = (selector) => element.querySelector(selector);
const frame = $('.ea-frame'), live = $('.ea-live'), hover = $('.ea-hover'), tip = $('.ea-tip');
const picture = $('.ea-picture'), overlay = $('.ea-overlay'), dots = $('.ea-dots');
let tool = 'click', mode = 'add', down = null, corner = null;

let now = null;  // the newest value; answers to quick gestures may come out of order
const state = () => now;
const at = (event) => {  // the pixel of the original under the pointer
  const { width, height } = state(), box = frame.getBoundingClientRect();
  const inside = (value, count) => Math.min(Math.max(Math.floor(value * count), 0), count - 1);
  return [inside((event.clientX - box.left) / box.width, width),
          inside((event.clientY - box.top) / box.height, height)];
};
const shown = ([x, y]) => {  // where a pixel's centre lies in the frame, in CSS pixels
  const { width, height } = state();
  return [(x + 0.5) / width * frame.clientWidth, (y + 0.5) / height * frame.clientHeight];
};
const draws = () => tool === 'brush' || tool === 'eraser';
const adds = (event) => tool !== 'eraser' && (mode === 'add') !== (event.altKey || event.button === 2);
const send = (gesture) => { frame.classList.add('ea-busy'); trigger('select', { gesture }); };

// --- tools
const radio = (name, value) => element.querySelectorAll(`[data-${name}]`).forEach((button) =>
  button.setAttribute('aria-checked', String(button.dataset[name] === value)));
const use = (name) => {
  tool = name; corner = null; radio('tool', name); wipe(); forgetHover();
  frame.dataset.tool = name;
  $('.ea-brush-size').hidden = !draws(); $('.ea-snap').hidden = name !== 'brush';
  divide();
};
element.querySelectorAll('[data-tool]').forEach((button) => button.addEventListener('click', () => {
  use(button.dataset.tool);
  if (state()?.comparing) document.querySelector('#mode label:not(.selected) input')?.click();
}));
element.querySelectorAll('[data-mode]').forEach((button) => button.addEventListener('click', () => {
  mode = button.dataset.mode; radio('mode', mode);
}));
$('.ea-clear').addEventListener('click', () => { corner = null; send({ kind: 'clear' }); });
const brushRadius = () => Number($('.ea-brush-size input').value) / 2;

// The regions are found when somebody wants to see them.
let asked = '';
const divide = () => {
  const value = state();
  if (tool !== 'region' || !value || value.divided || asked === value.picture.url) return;
  asked = value.picture.url;
  send({ kind: 'regions' });
};

// --- drawing while the hand moves
const wipe = () => live.getContext('2d').clearRect(0, 0, live.width, live.height);
const pen = () => {
  const density = window.devicePixelRatio || 1, context = live.getContext('2d');
  if (live.width !== Math.round(frame.clientWidth * density)) {
    live.width = Math.round(frame.clientWidth * density);
    live.height = Math.round(frame.clientHeight * density);
  }
  context.setTransform(density, 0, 0, density, 0, 0);
  context.lineCap = context.lineJoin = 'round';
  return context;
};
const drawBox = (from, to) => {
  wipe();
  const context = pen(), [x0, y0] = shown(from), [x1, y1] = shown(to);
  for (const [colour, dash] of [['#000a', []], ['#fff', [6, 4]]]) {
    context.strokeStyle = colour; context.lineWidth = 2; context.setLineDash(dash);
    context.strokeRect(Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
  }
};
const drawStroke = (from, to) => {
  const context = pen();
  context.setLineDash([]); context.lineWidth = 2 * brushRadius();
  context.strokeStyle = down.add ? 'rgb(13 148 136)' : 'rgb(190 18 60)';
  context.beginPath(); context.moveTo(...shown(from)); context.lineTo(...shown(to)); context.stroke();
};

const drawTip = (pixel) => {  // how large the brush is
  wipe();
  const context = pen(), [x, y] = shown(pixel);
  for (const [colour, width] of [['#000a', 3], ['#fff', 1.5]]) {
    context.setLineDash([]); context.lineWidth = width; context.strokeStyle = colour;
    context.beginPath(); context.arc(x, y, Math.max(brushRadius(), 1), 0, 7); context.stroke();
  }
};

// --- gestures
frame.addEventListener('contextmenu', (event) => event.preventDefault());
frame.addEventListener('pointerdown', (event) => {
  if (!state() || event.button === 1) return;
  frame.setPointerCapture(event.pointerId);
  tip.hidden = true; wipe();
  down = { from: at(event), x: event.clientX, y: event.clientY, add: adds(event), moved: false,
           line: [at(event)] };
  if (draws()) drawStroke(down.from, down.from);
});
frame.addEventListener('pointermove', (event) => {
  if (!state()) return;
  if (!down) {
    pointAtRegion(at(event), event);
    if (draws() && event.pointerType !== 'touch') drawTip(at(event));
    if (tool === 'box' && corner) drawBox(corner, at(event));
    return;
  }
  down.moved ||= Math.hypot(event.clientX - down.x, event.clientY - down.y) > 5;
  const moves = event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event];
  if (draws()) for (const move of moves) {
    drawStroke(down.line.at(-1), at(move)); down.line.push(at(move));
  } else if (down.moved && tool !== 'region') drawBox(down.from, at(event));
});
frame.addEventListener('pointercancel', () => { down = null; wipe(); });
frame.addEventListener('pointerleave', () => { if (!down) { showHover(0); tip.hidden = true; if (draws()) wipe(); } });
frame.addEventListener('pointerup', (event) => {
  if (!down) return;
  const { from, add, moved, line } = down, to = at(event);
  down = null;
  if (draws()) {
    const radius = brushRadius() * state().width / frame.clientWidth;
    return send({ kind: 'brush', line, radius, add, snap: tool === 'brush' && $('.ea-snap input').checked });
  }
  if (tool === 'region') return pickRegion(to, add);
  if (moved) { corner = null; return send({ kind: 'box', from, to, add }); }
  wipe();
  if (tool === 'click' && !event.altKey && event.button !== 2 && switchRelated(to)) return;
  if (tool === 'click') { dot(to, add); return send({ kind: 'click', at: to, add }); }
  if (!corner) { corner = to; return drawBox(to, to); }
  const first = corner;
  corner = null;
  send({ kind: 'box', from: first, to, add });
});
// The arrow keys move a cross hair, Enter clicks there; with Shift ten pixels of the screen at once.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let cursor = null;
frame.addEventListener('keydown', (event) => {
  if (!state()) return;
  if (event.key === 'Escape') { corner = down = cursor = null; return wipe(); }
  const { width, height } = state(), way = ARROWS[event.key];
  if (way) {
    event.preventDefault();
    const step = (event.shiftKey ? 10 : 1) * Math.max(1, Math.round(width / frame.clientWidth));
    cursor ??= [width >> 1, height >> 1];
    cursor = [[0, width], [1, height]].map(([axis, count]) =>
      Math.min(Math.max(cursor[axis] + step * way[axis], 0), count - 1));
    wipe(); const [x, y] = shown(cursor), context = pen();
    context.setLineDash([]); context.lineWidth = 2; context.strokeStyle = '#fff';
    context.shadowColor = '#000'; context.shadowBlur = 3;
    context.beginPath(); context.moveTo(x - 9, y); context.lineTo(x + 9, y);
    context.moveTo(x, y - 9); context.lineTo(x, y + 9); context.stroke(); context.shadowBlur = 0;
  } else if ((event.key === 'Enter' || event.key === ' ') && cursor) {
    event.preventDefault();
    const add = adds({ altKey: event.altKey });
    if (tool === 'region') pickRegion(cursor, add);
    else { dot(cursor, add); send({ kind: 'click', at: cursor, add }); }
  }
});
const dot = (pixel, add) => {
  const mark = document.createElement('i'), { width, height } = state();
  mark.className = add ? 'ea-plus' : 'ea-minus';
  mark.style.left = `${(pixel[0] + 0.5) / width * 100}%`;
  mark.style.top = `${(pixel[1] + 0.5) / height * 100}%`;
  dots.append(mark);
};

// --- what the server says
const put = (image, file) => {
  const url = file ? file.url : '';
  if (image.getAttribute('src') !== url) url ? image.setAttribute('src', url) : image.removeAttribute('src');
  image.hidden = !url;
};
const fit = () => {  // as large as there is room for, small pictures up to four times their size
  const value = state();
  if (!value) return;
  const room = frame.parentElement.clientWidth;
  if (!room) return;
  frame.parentElement.classList.toggle('ea-slim', room < 690);
  frame.parentElement.classList.toggle('ea-narrow', room < 520);
  const most = Math.max(window.innerHeight * 0.68, 260);
  const width = Math.max(Math.min(room, most * value.width / value.height, 4 * value.width), 24);
  frame.style.width = `${width}px`;
  frame.style.height = `${width * value.height / value.width}px`;
  picture.style.imageRendering = width > 2.5 * value.width ? 'pixelated' : 'auto';
};
const render = () => {
  const value = props.value || null;
  if (value && now && value.turn < now.turn) return;
  now = value;
  element.querySelector('.ea-stage').hidden = !value;
  element.querySelector('.ea-stage').classList.toggle('ea-comparing', Boolean(value?.comparing));
  if (!value) { put(picture); put(overlay); return loadMaps({}); }
  put(picture, value.picture); put(overlay, value.overlay); loadMaps(value);
  dots.replaceChildren(); wipe(); frame.classList.remove('ea-busy');
  for (const [x, y, add] of value.points || []) dot([x, y], add);
  names(value); labels(value);
  $('.ea-facts').textContent = value.facts || '';
  $('.ea-clear').disabled = !value.selected;
  fit(); divide();
};
new ResizeObserver(fit).observe(frame.parentElement);
window.addEventListener('resize', fit);
watch('value', render);
use('click');
render();
