// The DLQ: what waits, why, until when, and what somebody may do about it.
import { address, del, post } from './api.js';
import { open } from './dialog.js';
import { foreign, h, setForeign, setText } from './dom.js';
import * as format from './format.js';
import { Listing } from './listing.js';
import { downloadLink, fill } from './objects.js';
import { askToDiscard, retry } from './orders.js';
import { t } from './strings.js';

const LINES = 20;
const FEW_LINES = 3;

const pathOf = (file, rest = '') => `/admin/dlq/${encodeURIComponent(file.name)}${rest}`;

// None is due at once.
function nextTry(file, write) {
  const next = file.next_due === null ? 0 : Date.parse(file.next_due);
  return next <= format.now() ? t('dueNow') : write(next);
}

// Its own key, which stands in the row already, would be most of it.
const reasonOf = file => (file.reason ?? '').replaceAll(file.key, '…');

export function dlqPane(app) {
  const retryAll = () => h('button', { type: 'button', id: 'retry-all', disabled: true, on: { click: event => everything(event.currentTarget) } }, t('retryAll'));
  let all = null;
  const pane = new Listing(app, {
    id: 'dlq', path: '/admin/dlq', field: 'files',
    caption: () => t('dlqTitle'), text: () => t('dlqText'), empty: () => t('dlqEmpty'),
    keyOf: file => file.name,
    order: (a, b) => Date.parse(a.created) - Date.parse(b.created),
    tools: () => [h('span', { class: 'muted', id: 'dlq-size' }), all = retryAll()],
    columns: () => [{ label: t('name'), class: 'grow' }, { label: t('events'), class: 'number' }, { label: t('size'), class: 'number' }, { label: t('age') }, { label: t('reason'), class: 'reason' },
      { label: t('attempts'), class: 'number' }, { label: t('nextDue') }, { label: t('actions'), class: 'actions' }],
    cells: file => [
      foreign(file.name, 512, 'code'), format.count(file.events), format.bytes(file.bytes),
      h('time', { datetime: file.created, title: format.moment(Date.parse(file.created)) }), '', '', '', actions(file),
    ],
    update(element, file) {
      const [, events, size, age, reason, attempts, due] = element.children;
      setText(events, format.count(file.events));
      setText(size, format.bytes(file.bytes));
      setText(age.firstChild, format.duration(file.age_s));
      age.classList.toggle('bad-text', Boolean(file.expired));
      age.title = file.expired ? t('expired') : '';
      setForeign(reason, reasonOf(file), 300);
      setText(attempts, format.count(file.attempts));
      setText(due, nextTry(file, format.relative));
    },
    loaded(answers) {
      all.disabled = answers.every(answer => answer.items.length === 0);
      const dlq = app.together()?.dlq;
      setText(document.getElementById('dlq-size'), dlq ? t('dlqSummary', { files: dlq.files, size: format.bytes(dlq.bytes), max: format.bytes(dlq.max_bytes) }) : '');
    },
  });

  const actions = file => h('span', { class: 'row' },
    h('button', { type: 'button', 'aria-label': t('inspectOf', { name: file.name }), on: { click: () => inspect(file) } }, t('inspect')),
    h('button', { type: 'button', 'aria-label': t('retryOf', { name: file.name }), on: { click: event => retry(app, pane, file.name, address(pathOf(file, '/retry'), { node: file.node }), event.currentTarget) } }, t('retry')),
    downloadLink(pathOf(file, '/content'), { node: file.node }, file.name),
    h('button', { type: 'button', class: 'quiet-danger', 'aria-label': t('discardOf', { name: file.name }), on: { click: () => discard(file) } }, t('discard')));

  function inspect(file) {
    const body = h('div', {}, h('p', { class: 'muted' }, t('loading')));
    const about = [[t('key'), file.key], [t('events'), format.count(file.events)], [t('size'), format.bytes(file.bytes)], [t('age'), format.duration(file.age_s)], [t('reason'), file.reason],
      [t('attempts'), format.count(file.attempts)], [t('nextDue'), nextTry(file, format.moment)]];
    open(file.name, h('div', {}, h('dl', { class: 'about' }, about.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, foreign(value ?? '', 2000))))), body),
      { wide: true, actions: [downloadLink(pathOf(file, '/content'), { node: file.node }, file.name)] });
    fill(app, body, address(pathOf(file), { lines: LINES, node: file.node }));
  }

  async function everything(button) {
    button.disabled = true;
    try {
      const answers = await Promise.all(app.nodesOfPanes().map(node => post(address('/admin/dlq/retry', { node }))));
      app.say(t('retryingAll', { n: answers.reduce((sum, answer) => sum + answer.files, 0) }));
    } catch (error) {
      app.say(t('actionFailed', { name: t('retryAll'), why: app.why(error) }), true);
    }
    button.disabled = false;
    pane.load();
  }

  function discard(file) {
    const lines = h('div', {}, h('p', { class: 'muted' }, t('loading')));
    askToDiscard(app, {
      name: file.name, events: file.events, text: t('discardText', { n: file.events }), lines,
      download: downloadLink(pathOf(file, '/content'), { node: file.node }, file.name, t('discardDownload')),
      discard: async () => {
        const answer = await del(address(pathOf(file), { events: file.events, node: file.node }));
        pane.load();
        return answer;
      },
    });
    fill(app, lines, address(pathOf(file), { lines: FEW_LINES, node: file.node }));
  }

  return pane;
}
