// Topics: how fast messages come, how many wait for PostgreSQL, what the sink does. Below them, dead letters.
import { post } from './api.js';
import { ask } from './dialog.js';
import { foreign, h, setForeign, setText } from './dom.js';
import * as format from './format.js';
import { Letters } from './letters.js';
import { Listing } from './listing.js';
import { ServedPane } from './served.js';
import { t } from './strings.js';
import { inspect, producedOf } from './topic.js';

const lettersOf = ({ message, typed, held }) => message === null ? null : message + typed + held;
const pins = { retention: 'pinRetention', 'idempotency-keys': 'pinKeys' };
const known = (value, write) => value === null ? t('unknown') : write(value);

export class Topics extends ServedPane {
  #app;
  #list;
  #letters;
  #parts = null;
  #last = null;

  constructor(app) {
    const list = new Listing(app, {
      id: 'topics', path: '/admin/topics', field: 'topics',
      caption: () => t('topics'), text: () => t('topicsText'), empty: () => t('topicsEmpty'),
      keyOf: topic => topic.topicName,
      columns: () => [{ label: t('topic'), class: 'grow' }, { label: t('partitions'), class: 'number' }, { label: t('topicRate'), class: 'number' }, { label: t('producedMessages'), class: 'number' },
        { label: t('lag'), class: 'number' }, { label: t('retention') }, { label: t('topicLetters'), class: 'number' }, { label: t('actions'), class: 'actions' }],
      cells: topic => [foreign(topic.topicName, 250, 'code'), '', '', '', '', '', '',
        h('button', { type: 'button', 'aria-label': t('inspectOf', { name: topic.topicName }), on: { click: () => inspect(app, topic.topicName) } }, t('inspect'))],
      update: (element, topic) => this.#update(element, topic),
      loaded: ([answer]) => this.#take(answer),
    });
    super(app, { id: 'topics', capability: 'topics', off: 'topicsOff', list });
    this.#app = app;
    this.#list = list;
    this.#letters = new Letters(app, () => this.load());
  }

  fill(root) {
    const list = h('div', { class: 'stack', id: 'topics-list' });
    const letters = h('div', { class: 'stack', id: 'topics-letters' });
    const button = h('button', { type: 'button', id: 'sink-button', hidden: true, on: { click: () => this.#turn() } });
    this.#parts = {
      button, database: h('p', { class: 'notice bad', role: 'alert', id: 'database-away', hidden: true }),
      pinned: h('p', { class: 'notice bad', id: 'sink-pinned', hidden: true }), chores: h('p', { class: 'notice', id: 'sink-chores', hidden: true }), sink: h('dd', { id: 'sink-state' }), why: h('dd', {}), log: h('dd', { id: 'log-state' }), pin: h('dd', {}),
    };
    const fact = (name, value) => h('div', {}, h('dt', {}, name), value);
    const { database, pinned, chores, sink, why, log, pin } = this.#parts;
    root.replaceChildren(list, letters);
    this.#list.build(list);
    list.firstElementChild.after(database, pinned, chores, h('div', { class: 'card row spread' },
      h('dl', { class: 'about' }, fact(t('sink'), sink), fact(t('sinkWhy'), why), fact(t('log'), log), fact(t('logPin'), pin)), button));
    this.#letters.build(letters);
    if (this.#last) this.#take(this.#last);
  }

  #update(element, topic) {
    const [, partitions, rate, produced, lag, retention, letters] = element.children;
    setText(partitions, format.count(topic.partitionCount));
    setText(rate, known(topic.rate, format.rate));
    setText(produced, format.count(producedOf(topic)));
    setText(lag, known(topic.lag, format.count));
    lag.classList.toggle('bad-text', topic.lag > 10000);
    setText(retention, topic.retention);
    const open = lettersOf(topic.deadLetters);
    setText(letters, known(open, format.count));
    letters.classList.toggle('bad-text', open > 0);
  }

  #take(answer) {
    this.#last = answer;
    const { database, sink, log } = answer;
    const parts = this.#parts;
    parts.database.hidden = database.state === 'there';
    if (database.state === 'not-set') setText(parts.database, t('databaseNotSet'));
    else if (database.state === 'away') setForeign(parts.database, t('databaseAway', { address: database.address ?? '', why: database.why ?? '' }), 1000);
    setText(parts.sink, sink ? t('sinkSince', { state: t(`sink_${sink.state}`), when: format.relative(Date.parse(sink.since)) }) : t('sinkNone'));
    parts.sink.classList.toggle('bad-text', sink?.state === 'waiting' || sink?.state === 'stopped');
    setForeign(parts.why, sink?.why ?? '–', 1000);
    setText(parts.log, log.bytes === null ? '–' : t('bytesOf', { n: format.bytes(log.bytes), max: format.bytes(log.maxBytes) }));
    setForeign(parts.pin, log.pin ? t(pins[log.pin.why] ?? 'pinNotStored', { name: log.pin.topic }) : '–', 400);
    parts.pinned.hidden = !sink?.pinned;
    if (sink?.pinned) {
      const { topic, partition, offset, error } = sink.pinned;
      setForeign(parts.pinned, t('sinkPinned', { name: `${topic}/${partition}@${offset}`, why: error }), 1000);
    }
    parts.chores.hidden = !sink?.choreFault;
    if (sink?.choreFault) setForeign(parts.chores, t('sinkChores', { why: sink.choreFault }), 1000);
    parts.button.hidden = !sink;
    setText(parts.button, t(sink?.state === 'paused' || sink?.state === 'stopped' ? 'sinkResume' : 'sinkPause'));
    this.#app.mark('topics', lettersOf(answer.deadLetters) ?? 0);
    if (database.state === 'there') this.#letters.refresh();
    else this.#letters.away();
  }

  #turn() {
    const order = ['paused', 'stopped'].includes(this.#last?.sink?.state) ? 'resume' : 'pause';
    ask(t(order === 'pause' ? 'sinkPause' : 'sinkResume'), h('p', {}, t(order === 'pause' ? 'sinkPauseText' : 'sinkResumeText')), {
      go: t(order === 'pause' ? 'sinkPause' : 'sinkResume'), why: this.#app.why, act: async () => {
        await post(`/admin/sink/${order}`);
        this.#app.say(t(order === 'pause' ? 'sinkPauseDone' : 'sinkResumeDone'));
        this.load();
      } });
  }
}
