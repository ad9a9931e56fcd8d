// The page in the reader's language: its English texts are looked up in the catalogue.
// What is content or a command is marked translate="no" and stays as it is.
const choice = element.querySelector('select'), NAMES = ['title', 'aria-label', 'placeholder', 'alt'];
const OF_PAGE = 'textarea, script, style, [translate=no]';
let words = {}, patterns = [], known = new WeakMap();  // node -> {name: [English, what we wrote]}
const read = (language) => {
  const catalogue = props.value || {};
  words = {}; patterns = [];
  for (const [english, others] of Object.entries(catalogue)) {
    const text = others[language];
    if (!text) continue;
    words[english] = text;
    if (!english.includes('{}')) continue;
    const quoted = english.split('{}').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    patterns.push([new RegExp(`^${quoted.join('(.+?)')}$`, 's'), text]);
  }
  // The most particular first: "Step {} of {}" before "{} of {}".
  patterns.sort(([a], [b]) => b.source.replaceAll('(.+?)', '').length - a.source.replaceAll('(.+?)', '').length);
};
const said = (english) => {
  const bare = english.trim();
  if (!bare) return english;
  let found = words[bare];
  if (found === undefined) for (const [pattern, text] of patterns) {
    const match = pattern.exec(bare);
    if (match) { let i = 0; found = text.replace(/\{\}/g, () => said(match[++i])); break; }
  }
  return found === undefined ? english : english.replace(bare, () => found);
};
const put = (node, name, now, write) => {
  if (now === null || now === undefined) return;
  const own = known.get(node) || {}, old = own[name];
  const english = old && old[1] === now ? old[0] : now, text = said(english);
  own[name] = [english, text]; known.set(node, own);
  if (text !== now) write(text);
};
const visit = (node) => {
  if (node.nodeType === 3) {
    if (node.parentElement && !node.parentElement.closest(OF_PAGE))
      put(node, 'text', node.data, (text) => { node.data = text; });
    return;
  }
  if (node.nodeType !== 1 || node.closest('script, style')) return;
  if (!node.closest('[translate=no]')) for (const name of NAMES)
    if (node.hasAttribute(name)) put(node, name, node.getAttribute(name), (text) => node.setAttribute(name, text));
  node.childNodes.forEach(visit);
};
const speak = (language) => {
  read(language);
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : language;
  choice.value = language;
  visit(document.body);
};
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === 'childList') change.addedNodes.forEach(visit);
    else if (change.type === 'characterData') visit(change.target);
    else if (!change.target.closest('[translate=no]')) put(change.target, change.attributeName,
      change.target.getAttribute(change.attributeName),
      (text) => change.target.setAttribute(change.attributeName, text));
  }
}).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMES });
choice.addEventListener('change', () => { localStorage.setItem('ea-language', choice.value); speak(choice.value); });
const wanted = localStorage.getItem('ea-language') || navigator.language.slice(0, 2);
speak([...choice.options].some((option) => option.value === wanted) ? wanted : 'en');
