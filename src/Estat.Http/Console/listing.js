// What the panes of objects, DLQ and quarantine share: a list that is read again while somebody looks, page by page, from one node or from several.
import { address, get } from './api.js';
import { h, keep, row, setText, table } from './dom.js';
import { t } from './strings.js';

const AGAIN_MS = 3000;
const PAGE = 100;

export class Listing {
  #app;
  #own;
  #parts = null;
  #pages = 1;
  #timer = null;
  #loading = false;
  #stale = false;

  /**
   * `own`: `id`; `path` and `field` of the answer; `columns()`; `cells(item)`: text or elements, made once per row, over an item that is kept up to date;
   * `update(row, item)`: what changes;
   * `keyOf(item)`; `caption`, `text`, `empty` as functions of words; `tools()`: what stands above; `loaded(answers)`.
   */
  constructor(app, own) {
    this.#app = app;
    this.#own = own;
  }

  build(root) {
    const own = this.#own;
    const columns = this.#columns();
    const list = table(own.caption(), columns);
    const parts = this.#parts = {
      columns, list,
      text: h('p', { class: 'muted' }),
      empty: h('p', { class: 'card empty', hidden: true }),
      problem: h('p', { class: 'notice bad', role: 'alert', hidden: true }),
      more: h('button', { type: 'button', hidden: true, on: { click: () => this.#more() } }, t('showMore')),
    };
    list.caption.classList.add('visually-hidden');
    root.replaceChildren(
      h('div', { class: 'row spread' }, h('h1', { id: `${own.id}-title` }, own.caption()), h('div', { class: 'row' }, own.tools?.() ?? [])),
      parts.text, parts.problem, parts.empty, h('div', { class: 'card list' }, list.element), h('p', { class: 'row center' }, parts.more));
    list.element.parentElement.hidden = true;
  }

  show() {
    this.#timer = setInterval(() => this.load(), AGAIN_MS);
    this.load();
  }

  hide() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  state() {
    setText(this.#parts.text, this.#own.text());
  }

  /** Reads the list again; once more afterwards if it was asked to while it read. */
  async load() {
    if (this.#loading) {
      this.#stale = true;
      return;
    }
    this.#loading = true;
    const parts = this.#parts;
    try {
      const answers = await Promise.all(this.#app.nodesOfPanes().map(node => this.#read(node)));
      if (parts === this.#parts) this.#render(answers);
    } catch (error) {
      parts.problem.hidden = false;
      setText(parts.problem, t('loadFailed', { why: this.#app.why(error) }));
    } finally {
      this.#loading = false;
      if (this.#stale || parts !== this.#parts) {
        this.#stale = false;
        this.load();
      }
    }
  }

  async #read(node) {
    const own = this.#own;
    const items = [];
    let first = null;
    let after = null;
    for (let page = 0; page < this.#pages; page++) {
      const answer = await get(address(own.path, { limit: PAGE, after, node }));
      first ??= answer;
      items.push(...answer[own.field].map(item => ({ ...item, node })));
      after = answer.next;
      if (!after) break;
    }
    return { ...first, items, next: after };
  }

  #render(answers) {
    const { list, columns, empty, problem, more } = this.#parts;
    problem.hidden = true;
    let items = answers.flatMap(answer => answer.items);
    if (answers.length > 1) items = items.sort(this.#own.order);
    empty.hidden = items.length > 0;
    setText(empty, this.#own.empty());
    list.element.parentElement.hidden = items.length === 0;
    more.hidden = !answers.some(answer => answer.next);
    keep(list.body, items, item => `${item.node ?? ''}\n${this.#own.keyOf(item)}`,
      item => Object.assign(row(columns, [...this.#own.cells(item), ...(this.#withNode() ? [item.node] : [])]), { item }),
      (element, item) => this.#own.update?.(element, Object.assign(element.item, item)));
    this.#own.loaded?.(answers);
  }

  #more() {
    this.#pages++;
    this.load();
  }

  #withNode() {
    return this.#app.nodesOfPanes().length > 1;
  }

  #columns() {
    return this.#withNode() ? [...this.#own.columns(), { label: t('node') }] : this.#own.columns();
  }
}
