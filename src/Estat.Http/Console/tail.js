// The live tail: a bounded number of rows, the newest above, while somebody watches.
import { events } from './api.js';
import { h, setText } from './dom.js';
import { lineElement } from './lines.js';
import { t } from './strings.js';

const MOST_ROWS = 200;
const AGAIN_MS = 2000;
const RATES = [1, 5, 10, 25, 50, 100];

export class Tail {
  #app;
  #parts = null;
  #stream = null;
  #lines = [];
  #filter = { contains: '', where: '', rate: '10' };

  constructor(app) {
    this.#app = app;
  }

  get isRunning() {
    return this.#stream !== null;
  }

  build(root) {
    const input = (name, hint) => h('input', { type: 'text', id: `tail-${name}`, placeholder: hint, autocomplete: 'off', spellcheck: 'false', maxlength: '500', on: { input: event => this.#filter[name] = event.currentTarget.value } });
    const contains = input('contains', t('containsHint'));
    const where = input('where', t('whereHint'));
    const rate = h('select', { id: 'tail-rate', on: { change: event => this.#changed('rate', event.currentTarget.value) } }, RATES.map(n => h('option', { value: String(n) }, t('perSecondOption', { n }))));
    const toggle = h('button', { type: 'submit', class: 'primary', id: 'tail-toggle', 'aria-keyshortcuts': 'p' });
    const status = h('p', { class: 'muted', id: 'tail-status' });
    const list = h('div', { class: 'card lines', id: 'tail-lines', role: 'log', 'aria-live': 'off', 'aria-label': t('tailRows') });
    const form = h('form', { class: 'card filters' },
      h('label', {}, h('span', {}, t('contains')), contains), h('label', {}, h('span', {}, t('where')), where), h('label', {}, h('span', {}, t('tailRate')), rate),
      h('div', { class: 'row' }, toggle, h('button', { type: 'button', on: { click: () => this.#clear() } }, t('clear'))));
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.toggle();
    });
    // A new filter holds from Enter on, or from leaving the field.
    for (const field of [contains, where]) {
      field.addEventListener('change', () => this.#restart());
      field.addEventListener('keydown', event => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        if (this.isRunning) this.#restart();
        else this.toggle();
      });
    }
    contains.value = this.#filter.contains;
    where.value = this.#filter.where;
    rate.value = this.#filter.rate;
    this.#parts = { toggle, status, list, contains };
    root.replaceChildren(h('h1', { id: 'tail-title' }, t('tail')), h('p', { class: 'muted' }, t('tailText'), ' ', t('tailBounded', { n: MOST_ROWS })), form, status, list);
    for (const line of this.#lines) list.append(lineElement(line));
    this.#describe(this.isRunning ? t('tailWaiting') : t('tailIdle'));
  }

  show() {
    if (!this.isRunning && this.#lines.length === 0) this.toggle();
  }

  // It goes on unseen: who comes back finds what has come.
  hide() {}
  state() {}

  focusFilter() {
    this.#parts.contains.focus();
  }

  toggle() {
    if (this.isRunning) {
      this.#stream.abort();
      this.#stream = null;
      this.#describe(t('tailPaused'));
    } else {
      this.#watch();
    }
  }

  #changed(name, value) {
    this.#filter[name] = value;
    this.#restart();
  }

  #restart() {
    if (!this.isRunning) return;
    this.#stream.abort();
    this.#watch();
  }

  async #watch() {
    const path = this.#path();
    if (path === null) {
      this.#stream = null;
      this.#describe(t('whereWrong'), true);
      return;
    }
    const stream = this.#stream = new AbortController();
    this.#describe(t('tailWaiting'));
    let why = t('unreachable');
    try {
      await events(path, { signal: stream.signal, on: (name, data) => this.#stream === stream && this.#take(name, data) });
    } catch (error) {
      why = this.#app.why(error);
      if (this.#stream === stream && error.status >= 400 && error.status < 500 && error.status !== 429) {
        this.#stream = null;
        this.#describe(why, true);
        return;
      }
    }
    if (this.#stream !== stream) return;
    this.#describe(t('tailEnded', { why }), true);
    setTimeout(() => this.#stream === stream && this.#watch(), AGAIN_MS);
  }

  #path() {
    const { contains, where, rate } = this.#filter;
    const query = new URLSearchParams({ rate });
    if (contains) query.append('contains', contains);
    for (const condition of where.split('&&').map(text => text.trim()).filter(Boolean)) {
      if (!/^[^=]+=/.test(condition)) return null;
      query.append('where', condition);
    }
    return `/tail?${query}`;
  }

  #take(name, data) {
    if (name === 'event') {
      this.#lines.unshift(data);
      this.#parts.list.prepend(lineElement(data));
      while (this.#lines.length > MOST_ROWS) {
        this.#lines.pop();
        this.#parts.list.lastElementChild.remove();
      }
    } else if (name === 'note') {
      this.#describe(t('tailRunning', JSON.parse(data)));
    }
  }

  #clear() {
    this.#lines = [];
    this.#parts.list.replaceChildren();
  }

  #describe(text, isBad = false) {
    const { status, toggle } = this.#parts;
    setText(status, text);
    status.className = isBad ? 'bad-text' : 'muted';
    setText(toggle, this.isRunning ? t('pause') : t('start'));
  }
}
