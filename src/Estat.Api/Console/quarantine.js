// Quarantine: objects that nobody could read, and what somebody may do about them.
import { address, del, post } from './api.js';
import { askToDiscard } from './discard.js';
import { foreign, h, setText } from './dom.js';
import * as format from './format.js';
import { Listing } from './listing.js';
import { downloadLink, fill, preview } from './objects.js';
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
      foreign(object.key, 1024, 'code'), object.events === null || object.events === undefined ? t('unknown') : format.count(object.events), format.bytes(object.bytes),
      h('time', { datetime: object.stored, title: format.moment(Date.parse(object.stored)) }), foreign(object.reason ?? '', 300), actions(object),
    ],
    update: (element, object) => setText(element.querySelector('time'), format.relative(Date.parse(object.stored))),
  });

  const actions = object => h('span', { class: 'row' },
    h('button', { type: 'button', 'aria-label': t('inspectOf', { name: object.key }), on: { click: () => preview(app, object.key, PATH, object.node) } }, t('inspect')),
    h('button', { type: 'button', 'aria-label': t('retryOf', { name: object.key }), on: { click: event => retry(object, event.currentTarget) } }, t('retry')),
    downloadLink(`${PATH}/content`, { key: object.key, node: object.node }, object.key),
    h('button', { type: 'button', class: 'quiet-danger', 'aria-label': t('discardOf', { name: object.key }), on: { click: () => discard(object) } }, t('discard')));

  async function retry(object, button) {
    button.disabled = true;
    app.say(t('retrying', { name: object.key }));
    try {
      const { outcome, detail } = await post(address(`${PATH}/retry`, { key: object.key, node: object.node }));
      app.say(t(`outcome_${outcome}`, { name: object.key, why: detail ?? '' }), outcome !== 'stored');
    } catch (error) {
      app.say(t('actionFailed', { name: object.key, why: app.why(error) }), true);
    }
    button.disabled = false;
    pane.load();
  }

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
