/**
 * Builds an element. Text only ever becomes text nodes, so what a log line holds is shown and never obeyed.
 * `props`: `class`, `on…` listeners, `style` as an object of custom properties or properties, everything else an attribute.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  append(element, children);
  return element;
}

function setProp(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === 'class') element.className = value;
  else if (name === 'style')
    for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
  else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
  else if (name === 'value') element.value = value;
  else element.setAttribute(name, value === true ? '' : String(value));
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/**
 * Shows one element for each item, and keeps the element of an item that was there before, with what is open or
 * focused in it. `create(item)` gives `{ element, update(item) }`; `shown` is the caller's map of them by key.
 */
export function keyed(parent, shown, items, keyOf, create) {
  const keys = new Set(items.map(keyOf));
  for (const [key, row] of shown) {
    if (keys.has(key)) continue;
    row.leave?.();
    row.element.remove();
    shown.delete(key);
  }
  items.forEach((item, i) => {
    const key = keyOf(item);
    let row = shown.get(key);
    if (row === undefined) shown.set(key, (row = create(item)));
    row.update(item);
    if (parent.children[i] !== row.element) parent.insertBefore(row.element, parent.children[i] ?? null);
  });
}

/** What is shown where there is nothing to show, with what to do about it. */
export function emptyState(title, ...hints) {
  return h(
    'div',
    { class: 'empty' },
    h('h2', {}, title),
    hints.map((hint) => h('p', {}, hint)),
  );
}

export function code(text) {
  return h('code', {}, text);
}
