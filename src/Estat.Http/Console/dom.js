// Elements are made here, and only here: text is set as text, so that nothing an event holds can become markup.

/** An element. `props`: `class`, `on` (listeners), `data`, `style` (by name, through the CSSOM), anything else as attribute or property. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'class') element.className = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets text if it differs: selections and screen readers are not disturbed each second. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The same for text of somebody else's. */
export function setForeign(element, text, longest) {
  const shown = foreign(text, longest);
  if (element.textContent !== shown.textContent) element.replaceChildren(shown);
}

/**
 * Keeps the children of `parent` in step with `items`: one element per key, made once, updated after, moved only when the order changed. So focus stays where
 * it is while rows come and go; when a focused row goes, focus moves to its neighbour.
 */
export function keep(parent, items, keyOf, make, update) {
  const rows = parent.rowsByKey ??= new Map();
  const seen = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    if (seen.has(key)) continue;
    seen.add(key);
    let row = rows.get(key);
    if (!row) {
      row = make(item);
      rows.set(key, row);
    }
    update(row, item);
    if (row === place) place = place.nextElementSibling;
    else parent.insertBefore(row, place);
  }
  for (const [key, row] of rows) {
    if (seen.has(key)) continue;
    if (row.contains(document.activeElement)) {
      const neighbour = row.nextElementSibling ?? row.previousElementSibling;
      (neighbour?.querySelector('button, a[href]') ?? document.getElementById('content')).focus();
    }
    row.remove();
    rows.delete(key);
  }
}

/**
 * A table whose rows become cards on a phone; roles are explicit because `display: block` would take them away.
 * `columns`: `{label, class}`; the labels of cells are repeated beside them on a phone.
 */
export function table(caption, columns, body = h('tbody', { role: 'rowgroup' })) {
  const head = h('tr', { role: 'row' }, columns.map(column => h('th', { role: 'columnheader', scope: 'col', class: column.class }, column.label)));
  const element = h('table', { role: 'table' }, h('caption', {}, caption), h('thead', { role: 'rowgroup' }, head), body);
  return { element, body, head, caption: element.caption };
}

export function row(columns, cells) {
  return h('tr', { role: 'row' }, cells.map((cell, index) => h('td', { role: 'cell', class: columns[index].class, data: { label: columns[index].label } }, cell)));
}

const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Text with what cannot be seen, or would turn the reading direction around, as escapes: what is shown is what is there. */
export function visible(text) {
  return String(text).replace(UNSEEN, char => char === '\t' ? '  ' : `\\u${char.codePointAt(0).toString(16).padStart(4, '0')}`);
}

/** Text of somebody else's, cut to a length. Its direction stays inside of it. */
export function foreign(text, longest = 4096, tag = 'bdi') {
  const all = visible(text);
  const shown = all.length > longest ? all.slice(0, longest) : all;
  const element = h(tag, { class: 'foreign', dir: 'ltr' }, shown);
  if (shown.length < all.length) element.append(h('span', { class: 'more' }, ` … +${all.length - shown.length}`));
  return element;
}
