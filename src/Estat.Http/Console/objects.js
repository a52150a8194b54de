// The last objects, with their first lines.
import { address, get } from './api.js';
import { open } from './dialog.js';
import { foreign, h, setText } from './dom.js';
import * as format from './format.js';
import { linesElement } from './lines.js';
import { Listing } from './listing.js';
import { t } from './strings.js';

const LINES = 20;

export function objectsPane(app) {
  return new Listing(app, {
    id: 'objects', path: '/admin/objects', field: 'objects',
    caption: () => t('lastObjects'), text: () => t('lastObjectsText'),
    empty: () => t('noObjects', { flush: format.duration(app.flushInterval()) }),
    keyOf: object => object.key,
    order: (a, b) => Date.parse(b.stored) - Date.parse(a.stored),
    columns: () => [{ label: t('key'), class: 'grow' }, { label: t('events'), class: 'number' }, { label: t('size'), class: 'number' }, { label: t('storedAt') }, { label: t('actions'), class: 'actions' }],
    cells: object => [
      foreign(object.key, 1024, 'code'), format.count(object.events), t('sizeBoth', { stored: format.bytes(object.content_bytes), jsonl: format.bytes(object.bytes) }),
      h('time', { datetime: object.stored, title: format.moment(Date.parse(object.stored)) }),
      h('span', { class: 'row' },
        h('button', { type: 'button', 'aria-label': t('previewOf', { name: object.key }), on: { click: () => preview(app, object.key, '/admin/objects', object.node) } }, t('preview')),
        downloadLink('/admin/objects/content', { key: object.key, node: object.node }, object.key)),
    ],
    update: (element, object) => setText(element.querySelector('time'), format.relative(Date.parse(object.stored))),
  });
}

/** Shows an object's first lines in a window. */
export function preview(app, key, path, node) {
  const body = h('div', {}, h('p', { class: 'muted' }, t('loading')));
  const actions = [downloadLink(`${path}/content`, { key, node }, key)];
  open(t('preview'), h('div', {}, foreign(key, 1024, 'code'), body), { wide: true, actions });
  fill(app, body, address(`${path}/preview`, { key, lines: LINES, node }));
}

/** Puts a preview's lines where they belong, or why there are none. */
export async function fill(app, body, path) {
  try {
    body.replaceChildren(linesElement(await get(path)));
  } catch (error) {
    body.replaceChildren(h('p', { class: 'notice bad', role: 'alert' }, t('loadFailed', { why: app.why(error) })));
  }
}

export const downloadLink = (path, parameters, name, words = t('download')) =>
  h('a', { class: 'button', href: address(path, parameters), download: '', 'aria-label': words === t('download') ? t('downloadOf', { name }) : words }, words);
