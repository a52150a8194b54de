// Quarantine: objects that nobody could read, and what somebody may do about them.
import { address, del } from './api.js';
import { foreign, h, setForeign, setText } from './dom.js';
import * as format from './format.js';
import { Listing } from './listing.js';
import { downloadLink, fill, preview } from './objects.js';
import { askToDiscard, retry } from './orders.js';
import { t } from './strings.js';

const PATH = '/admin/quarantine';
const FEW_LINES = 3;

export function quarantinePane(app) {
  const pane = new Listing(app, {
    id: 'quarantine', path: PATH, field: 'objects',
    caption: () => t('quarantine'), text: () => t('quarantineText', { prefix: app.quarantinePrefix() }), empty: () => t('quarantineEmpty'),
    keyOf: object => object.key,
    order: (a, b) => a.key < b.key ? -1 : 1,
    columns: () => [{ label: t('key'), class: 'grow' }, { label: t('events'), class: 'number' }, { label: t('size'), class: 'number' }, { label: t('storedAt') }, { label: t('reason'), class: 'reason' }, { label: t('actions'), class: 'actions' }],
    cells: object => [
      foreign(object.key, 1024, 'code'), '', format.bytes(object.bytes),
      h('time', { datetime: object.stored, title: format.moment(Date.parse(object.stored)) }), '', actions(object),
    ],
    update(element, object) {
      const [, events, , stored, reason] = element.children;
      setText(events, object.events === null || object.events === undefined ? t('unknown') : format.count(object.events));
      setText(stored.firstChild, format.relative(Date.parse(object.stored)));
      setForeign(reason, object.reason ?? '', 300);
    },
  });

  const actions = object => h('span', { class: 'row' },
    h('button', { type: 'button', 'aria-label': t('inspectOf', { name: object.key }), on: { click: () => preview(app, object.key, PATH, object.node) } }, t('inspect')),
    h('button', { type: 'button', 'aria-label': t('retryOf', { name: object.key }), on: { click: event => retry(app, pane, object.key, address(`${PATH}/retry`, { key: object.key, node: object.node }), event.currentTarget) } }, t('retry')),
    downloadLink(`${PATH}/content`, { key: object.key, node: object.node }, object.key),
    h('button', { type: 'button', class: 'quiet-danger', 'aria-label': t('discardOf', { name: object.key }), on: { click: () => discard(object) } }, t('discard')));

  function discard(object) {
    const events = object.events ?? 0;
    const lines = h('div', {}, h('p', { class: 'muted' }, t('loading')));
    askToDiscard(app, {
      name: object.key, events, text: t('discardQuarantineText', { n: events }), lines,
      download: downloadLink(`${PATH}/content`, { key: object.key, node: object.node }, object.key, t('discardDownload')),
      discard: async () => {
        const answer = await del(address(PATH, { key: object.key, events, node: object.node }));
        pane.load();
        return answer;
      },
    });
    fill(app, lines, address(`${PATH}/preview`, { key: object.key, lines: FEW_LINES, node: object.node }));
  }

  return pane;
}
