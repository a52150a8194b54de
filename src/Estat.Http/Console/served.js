// What the panes of campaigns and topics share: a list of what the node serves, or one line that says how to serve it.
import { h } from './dom.js';
import { t } from './strings.js';

export class ServedPane {
  #app;
  #own;
  #isServed = false;

  /** `own`: `id` of the pane, which is a word; `capability` of the node; `off`, the word for a node that does not serve it; `list`, a `Listing`. A pane fills its root in `fill`. */
  constructor(app, own) {
    this.#app = app;
    this.#own = own;
  }

  get isServed() {
    return this.#isServed;
  }

  build(root) {
    const { id, capability, off } = this.#own;
    this.#isServed = this.#app.serves(capability);
    if (this.#isServed) {
      this.fill(root);
      this.state();
    } else {
      root.replaceChildren(h('h1', { id: `${id}-title` }, t(id)), h('p', { class: 'card empty' }, t(off), ' ', h('code', {}, `SERVE=collect,${capability}`)));
    }
  }

  show() {
    // What the node serves is known only once it has been asked, after the panes were built.
    if (this.#app.serves(this.#own.capability) !== this.#isServed) this.build(document.getElementById(this.#own.id));
    if (this.#isServed) this.#own.list.show();
  }

  hide() {
    if (this.#isServed) this.#own.list.hide();
  }

  state() {
    if (this.#isServed) this.#own.list.state();
  }

  load() {
    if (this.#isServed) this.#own.list.load();
  }
}
