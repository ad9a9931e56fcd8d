// The steps of a plan: switched, moved, changed, run alone; and what belongs to them.
const list = element.querySelector('.ea-plan');
const open = new Set();  // steps whose settings are shown, by clause and text
const make = (tag, properties = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    name in made && name !== 'translate' ? made[name] = value : made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const tell = (kind, number, more) => trigger('select', { gesture: { kind, number, ...more } });
const box = (key, on, text, tick) => {
  const input = make('input', { type: 'checkbox', checked: on, 'data-key': key });
  input.addEventListener('change', () => tick(input.checked));
  return make('label', { className: 'ea-tick' }, input, text);
};
const tool = (sign, name, act, disabled = false) => {
  const button = make('button', { type: 'button', title: name, 'aria-label': name, disabled }, sign);
  button.addEventListener('click', act);
  return button;
};
const field = (number, name, text, value, properties) => {
  const input = make('input', { value, 'data-key': `${number} ${name}`, ...properties });
  input.addEventListener('change', () => {
    const given = input.type === 'text' ? input.value : Number(input.value);
    tell('change', number, { settings: { [name]: given } });
  });
  return make('label', { className: 'ea-field' }, make('span', {}, text), input);
};
const settings = (step, number) => {
  const fields = make('div', { className: 'ea-fields' });
  if (step.prompt !== null)
    fields.append(field(number, 'prompt', 'Becomes', step.prompt, { type: 'text' }));
  if (step.strength !== null)
    fields.append(field(number, 'strength', 'Strength', step.strength,
                        { type: 'number', min: 0.05, max: 1, step: 0.05 }));
  fields.append(
    field(number, 'feather_px', 'Feather (px)', step.feather_px, { type: 'number', min: 0, max: 500, step: 1 }),
    field(number, 'seed', 'Seed', step.seed, { type: 'number', min: 0, step: 1 }));
  return fields;
};
const stepRow = (steps, number) => {
  const step = steps[number], key = `${step.clause} ${number}`;
  const before = steps.findLastIndex((other, i) => i < number && other.clause !== step.clause);
  const after = steps.findIndex((other, i) => i > number && other.clause !== step.clause);
  const text = make('span', { translate: 'no' }, step.what);
  const tools = make('div', { className: 'ea-tools-of-step' },
    tool('↑', 'Earlier', () => tell('move', number, { to: before }), before < 0),
    tool('↓', 'Later', () => tell('move', number, { to: after }), after < 0),
    tool('✎', 'Change', () => {
      open.has(key) ? open.delete(key) : open.add(key);
      render();
    }),
    tool('▶', 'Run this step alone', () => trigger('submit', { number })));
  const change = tools.children[2];
  change.setAttribute('aria-expanded', String(open.has(key)));
  const row = make('li', { className: step.on ? 'ea-step' : 'ea-step ea-off' },
    make('div', { className: 'ea-step-head' },
      box(`${number} on`, step.on, text, (on) => tell('switch', number, { on })), tools));
  [...tools.children].forEach((button, i) => button.setAttribute('data-key', `${number} tool ${i}`));
  if (open.has(key)) row.append(settings(step, number));
  return row;
};
const relatedRow = (one, number) => make('li', {},
  box(`related ${number}`, one.on, make('span', {}, make('b', one.kind ? { translate: 'no' } : {}, one.name), ' ', make('span', {}, one.kind), ` ${one.share} `,
                   make('small', { translate: 'no' }, one.evidence)),
      (on) => tell('related', number, { on })));
const render = () => {
  const { steps = [], related = [] } = props.value || {};
  const kept = element.contains(document.activeElement) ? document.activeElement.dataset.key : '';
  list.replaceChildren();
  if (!steps.length) return;
  list.append(make('h2', {}, 'Plan: uncheck what should not be done'),
              make('ol', {}, ...steps.map((_, number) => stepRow(steps, number))));
  if (related.length)
    list.append(make('h2', {}, 'What belongs to it: check what should go along'),
                make('ul', { id: 'related' }, ...related.map(relatedRow)));
  if (kept) list.querySelector(`[data-key="${kept}"]`)?.focus();
};
watch('value', render);
render();
