// Dead letters of topics: shown, mended, replayed, discarded.
import { address, get, post, postText } from './api.js';
import { ask, open } from './dialog.js';
import { foreign, h, keep, row, setText, table } from './dom.js';
import * as format from './format.js';
import { t } from './strings.js';

const PATH = '/admin/dead-letters';
const PAGE = 50;
const KINDS = ['message', 'typed', 'held'];

const placeOf = letter => `${letter.topic}/${letter.partition}@${letter.offset}`;

export class Letters {
  #app;
  #changed;
  #parts = null;
  #filter = { topic: '', kind: '', state: 'open' };
  #limit = PAGE;
  #asked = 0;
  #running = 0;

  /** `changed()` is called after something was done about one. */
  constructor(app, changed) {
    this.#app = app;
    this.#changed = changed;
  }

  build(root) {
    const set = (name, event) => {
      this.#filter[name] = event.currentTarget.value;
      this.#limit = PAGE;
      this.again();
    };
    const choice = (name, options) => {
      const select = h('select', { id: `letters-${name}`, on: { change: event => set(name, event) } }, options.map(([value, words]) => h('option', { value }, words)));
      select.value = this.#filter[name];
      return h('label', {}, h('span', {}, t(`letters_${name}`)), select);
    };
    const topic = h('input', { type: 'text', id: 'letters-topic', autocomplete: 'off', spellcheck: 'false', maxlength: '249', on: { change: event => set('topic', event) } });
    topic.value = this.#filter.topic;
    const columns = [{ label: t('letterNumber'), class: 'number' }, { label: t('message'), class: 'grow' }, { label: t('letterKind') }, { label: t('reason'), class: 'reason' }, { label: t('letterSince') },
      { label: t('actions'), class: 'actions' }];
    const list = table(t('topicLetters'), columns);
    list.caption.classList.add('visually-hidden');
    this.#parts = {
      columns, list, card: h('div', { class: 'card list', hidden: true }, list.element), note: h('p', { class: 'muted', id: 'letters-note' }),
      problem: h('p', { class: 'notice bad', hidden: true }),
      more: h('button', { type: 'button', hidden: true, on: { click: () => this.#more() } }, t('showMore')),
    };
    const { card, note, problem, more } = this.#parts;
    root.replaceChildren(h('h2', {}, t('topicLetters')), h('p', { class: 'muted' }, t('lettersText')),
      h('div', { class: 'card filters' }, h('label', {}, h('span', {}, t('letters_topic')), topic), choice('kind', [['', t('anyState')], ...KINDS.map(kind => [kind, t(`kind_${kind}`)])]),
        choice('state', ['open', 'replayed', 'discarded', 'all'].map(state => [state, t(`letterState_${state}`)]))),
      note, problem, card, h('p', { class: 'row center' }, more));
  }

  /** Reads the list again, unless it is being read: the next call comes soon. */
  refresh() {
    if (this.#running === 0) this.again();
  }

  /** Reads the list again. */
  async again() {
    const asked = ++this.#asked;
    this.#running++;
    const parts = this.#parts;
    try {
      const answer = await get(address(PATH, { ...this.#filter, limit: this.#limit }));
      // An answer that comes after a newer question, or another language, is nobody's any more.
      if (asked === this.#asked && parts === this.#parts) this.#render(answer);
    } catch (error) {
      if (asked !== this.#asked) return;
      parts.problem.hidden = false;
      setText(parts.problem, t('loadFailed', { why: this.#app.why(error) }));
    } finally {
      this.#running--;
    }
  }

  /** The database is away, and they are in it: what was read last stays. */
  away() {
    this.#asked++;
    this.#parts.problem.hidden = false;
    setText(this.#parts.problem, t('lettersAway'));
  }

  #more() {
    this.#limit = Math.min(1000, this.#limit + PAGE);
    this.again();
  }

  #render({ deadLetters, cursor }) {
    const { columns, list, card, note, problem, more } = this.#parts;
    problem.hidden = true;
    card.hidden = deadLetters.length === 0;
    more.hidden = cursor === null || this.#limit >= 1000;
    setText(note, t('foundLetters', { n: deadLetters.length }));
    keep(list.body, deadLetters, letter => `${letter.number} ${letter.state}`, letter => row(columns, this.#cells(letter)), () => {});
  }

  #cells(letter) {
    return [
      String(letter.number), h('span', { class: 'stack small' }, foreign(placeOf(letter), 300, 'code'), letter.key !== null && foreign(letter.key, 200)),
      letter.state === 'open' ? t(`kind_${letter.kind}`) : `${t(`kind_${letter.kind}`)}, ${t(`letterState_${letter.state}`)}`,
      h('span', { class: 'stack small' }, foreign(letter.reason, 100, 'code'), foreign(letter.detail, 400)),
      h('time', { datetime: letter.createdAt }, format.moment(Date.parse(letter.createdAt))),
      h('button', { type: 'button', 'aria-label': t('showLetter', { n: letter.number }), on: { click: () => this.#show(letter.number) } }, t('inspect')),
    ];
  }

  async #show(number) {
    let letter;
    try {
      letter = (await get(`${PATH}/${number}`)).deadLetter;
    } catch (error) {
      this.#app.say(t('actionFailed', { name: t('showLetter', { n: number }), why: this.#app.why(error) }), true);
      return;
    }
    const value = h('textarea', { id: 'letter-value', rows: '10', spellcheck: 'false', dir: 'ltr', readonly: letter.state !== 'open' });
    value.value = letter.value ?? '';
    const problem = h('p', { class: 'bad-text', role: 'alert', id: 'letter-problem' });
    const facts = [[t('message'), foreign(placeOf(letter), 300, 'code')], [t('letterKind'), t(`kind_${letter.kind}`)], [t('reason'), foreign(`${letter.reason}: ${letter.detail}`, 1000)],
      [t('messageKey'), foreign(letter.key ?? '–', 1100)], [t('messageTime'), format.moment(Date.parse(letter.timestamp))]];
    const body = h('div', { class: 'stack', id: 'letter-window' }, h('dl', { class: 'about' }, facts.map(([name, fact]) => h('div', {}, h('dt', {}, name), h('dd', {}, fact)))),
      letter.value !== null ? h('label', { class: 'stack' }, h('span', {}, t('letterValue')), value)
        : h('p', { class: 'muted' }, letter.valueBase64 === null ? t('noValue') : t('noText', { n: letter.valueBase64.length })), problem);
    const order = () => value.value === (letter.value ?? '') ? post(`${PATH}/${number}/replay`) : this.#mend(number, value.value);
    const replay = h('button', { type: 'button', class: 'primary', on: { click: () => act() } }, t('letterReplay'));
    const discard = h('button', { type: 'button', class: 'quiet-danger', on: { click: () => {
      element.close();
      ask(t('letterDiscard'), h('p', {}, t('letterDiscardText', { n: number })), { go: t('letterDiscard'), isDangerous: true, why: this.#app.why, act: async () => {
        await post(`${PATH}/${number}/discard`);
        this.#app.say(t('letterDiscarded', { n: number }));
        this.#changed();
      } });
    } } }, t('letterDiscard'));
    const act = async () => {
      replay.disabled = true;
      try {
        const { released } = await order();
        element.close();
        this.#app.say(t('letterReplayed', { n: number }) + (released > 0 ? ` ${t('letterReleased', { n: released })}` : ''));
        this.#changed();
      } catch (error) {
        setText(problem, this.#app.why(error));
        replay.disabled = false;
      }
    };
    const element = open(t('letterTitle', { n: number }), body, { wide: true, actions: letter.state === 'open' ? [replay, discard] : [] });
  }

  // As it was typed: reading and writing it again would change numbers that are too large for this language.
  #mend(number, text) {
    try {
      JSON.parse(text);
    } catch {
      throw new Error(t('letterNotJson'));
    }
    return postText(`${PATH}/${number}/replay`, `{"value":${text}}`);
  }
}
