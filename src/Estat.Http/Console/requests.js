// Requests are looked for by campaign, user, id, state and reason, a page at a time.
import { address, get } from './api.js';
import { foreign, h, row, setText, table } from './dom.js';
import * as format from './format.js';
import { redrive } from './redrive.js';
import { t } from './strings.js';

const PATH = '/admin/requests';
const PAGE = 50;
const STATES = ['RECEIVED', 'QUEUED', 'PROCESSING', 'SUCCEEDED', 'REJECTED', 'FAILED_FINAL'];
const FIELDS = ['campaign', 'user', 'id', 'reason'];

export class Requests {
  #app;
  #parts = null;
  #filter = { campaign: '', user: '', id: '', status: '', reason: '' };
  #found = null;
  #cursor = null;
  #asked = 0;

  constructor(app) {
    this.#app = app;
  }

  build(root) {
    const set = name => event => this.#filter[name] = event.currentTarget.value;
    const input = name => {
      const element = h('input', { type: 'text', id: `requests-${name}`, autocomplete: 'off', spellcheck: 'false', maxlength: '500', on: { input: set(name) } });
      element.value = this.#filter[name];
      return h('label', {}, h('span', {}, t(`search_${name}`)), element);
    };
    const status = h('select', { id: 'requests-status', on: { change: set('status') } }, h('option', { value: '' }, t('anyState')), STATES.map(state => h('option', { value: state }, state)));
    status.value = this.#filter.status;
    const form = h('form', { class: 'card filters' }, FIELDS.slice(0, 3).map(input), h('label', {}, h('span', {}, t('state')), status), input('reason'),
      h('div', { class: 'row' }, h('button', { type: 'submit', class: 'primary', id: 'requests-search' }, t('search'))));
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#search();
    });
    const columns = [{ label: t('request'), class: 'grow' }, { label: t('search_user'), class: 'reason' }, { label: t('state') }, { label: t('sequence'), class: 'number' }, { label: t('receivedAt') },
      { label: t('reason'), class: 'reason' }, { label: t('actions'), class: 'actions' }];
    const list = table(t('requestsFound'), columns);
    list.caption.classList.add('visually-hidden');
    this.#parts = {
      columns, list, card: h('div', { class: 'card list', hidden: true }, list.element),
      note: h('p', { class: 'muted', id: 'requests-note' }), problem: h('p', { class: 'notice bad', role: 'alert', hidden: true }),
      more: h('button', { type: 'button', id: 'requests-more', hidden: true, on: { click: () => this.#more() } }, t('showMore')),
    };
    root.replaceChildren(h('h2', {}, t('requests')), form, this.#parts.note, this.#parts.problem, this.#parts.card, h('p', { class: 'row center' }, this.#parts.more));
    this.#render();
  }

  /** The same search anew, if there was one. */
  again() {
    if (this.#found) this.#search();
  }

  #search() {
    this.#found = null;
    this.#cursor = null;
    return this.#read();
  }

  #more() {
    return this.#read();
  }

  async #read() {
    const asked = ++this.#asked;
    const before = this.#found ?? [];
    try {
      const answer = await get(address(PATH, { ...this.#filter, cursor: this.#cursor, limit: PAGE }));
      // An answer that comes after a newer question is nobody's any more.
      if (asked !== this.#asked) return;
      this.#found = [...before, ...answer.requests];
      this.#cursor = answer.cursor;
      this.#render();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#parts.problem.hidden = false;
      setText(this.#parts.problem, t('loadFailed', { why: this.#app.why(error) }));
    }
  }

  #render() {
    const { columns, list, card, note, problem, more } = this.#parts;
    problem.hidden = true;
    const found = this.#found ?? [];
    card.hidden = found.length === 0;
    more.hidden = this.#cursor === null;
    // A page may be empty although there is more: the node looks through so many requests at a time.
    setText(note, this.#found === null ? t('searchText') : this.#cursor !== null ? t('foundMore', { n: found.length }) : t('foundRequests', { n: found.length }));
    list.body.replaceChildren(...found.map(request => row(columns, this.#cells(request))));
  }

  #cells(request) {
    const { requestId, campaignId, userId, status, sequence, receivedAt, reason, failure, generation } = request;
    const again = status === 'FAILED_FINAL' && h('button', { type: 'button', 'aria-label': t('redriveOf', { name: requestId }), on: { click: () => redrive(this.#app, { ids: [requestId] }, () => this.again()) } }, t('redrive'));
    return [
      h('span', { class: 'stack small' }, foreign(requestId, 100, 'code'), foreign(campaignId ?? '', 200)),
      userId === null ? h('span', { class: 'muted' }, t('erased')) : foreign(userId, 300),
      generation > 1 ? `${status} (${t('generation', { n: generation })})` : status, format.count(sequence),
      h('time', { datetime: receivedAt }, format.moment(Date.parse(receivedAt))), foreign([reason, failure].filter(Boolean).join(': '), 300), again || '',
    ];
  }
}
