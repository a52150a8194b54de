// The first pane: how it goes, and where every event is.
import { address, post } from './api.js';
import { Chart } from './chart.js';
import { h, keep, row, setText, table } from './dom.js';
import * as format from './format.js';
import { Journey } from './journey.js';
import { PLACES, keepsEvents, missing, together, waiting } from './nodes.js';
import { hasWords, t } from './strings.js';

export class Overview {
  #app;
  #parts = null;
  #journey;

  constructor(app) {
    this.#app = app;
    this.#journey = new Journey(app);
  }

  build(root) {
    this.#parts?.rates.dispose();
    this.#parts?.ack.dispose();
    const parts = this.#parts = {
      health: h('p', { class: 'notice' }),
      tiles: {},
      rates: new Chart(t('chartRates'), [
        { label: t('eventsIn'), color: '--series-in', format: format.rate, filled: true },
        { label: t('eventsStored'), color: '--series-stored', format: format.rate },
      ]),
      ack: new Chart(t('chartAck'), [
        { label: t('p99'), color: '--series-slow', format: format.milliseconds, filled: true },
        { label: t('p50'), color: '--series-in', format: format.milliseconds },
      ]),
      ledger: ledger(),
      facts: h('div', { class: 'cards' }),
      lists: {},
    };
    const tiles = ['eventsIn', 'eventsStored', 'ackLatency', 'oldest', 'dlq', 'refused'].map(name => {
      const value = h('strong', { class: 'value' });
      const below = h('span', { class: 'muted small' });
      parts.tiles[name] = { value, below, element: h('div', { class: 'card tile', id: `tile-${name}` }, h('h3', {}, t(name)), value, below) };
      return parts.tiles[name].element;
    });
    for (const name of ['disk', 'uploads', 'process', 'refusals']) {
      parts.lists[name] = h('dl', {});
      parts.facts.append(h('div', { class: 'card', id: `facts-${name}` }, h('h3', {}, t(name)), parts.lists[name], name === 'uploads' && this.#orders()));
    }
    parts.nodesColumns = [
      { label: t('node') }, { label: t('role') }, { label: t('state') }, { label: t('eventsIn'), class: 'number' }, { label: t('eventsStored'), class: 'number' },
      { label: t('p99'), class: 'number' }, { label: t('waitingColumn'), class: 'number' }, { label: t('dlq'), class: 'number' }, { label: t('cpu'), class: 'number' }, { label: t('memory'), class: 'number' },
    ];
    parts.nodes = table(t('nodes'), parts.nodesColumns);
    parts.nodesCard = h('div', { class: 'card', id: 'nodes', hidden: true }, parts.nodes.element);
    root.replaceChildren(
      h('h1', { id: 'overview-title', class: 'visually-hidden' }, t('overview')),
      parts.health, this.#journey.build(), h('div', { class: 'tiles' }, tiles),
      parts.ledger.element, h('div', { class: 'charts' }, parts.rates.element, parts.ack.element), parts.nodesCard, parts.facts);
  }

  repaint() {
    this.#parts.rates.repaint();
    this.#parts.ack.repaint();
  }

  show() {}
  hide() {}

  state() {
    const nodes = this.#app.shown();
    const all = together(nodes);
    this.#health(nodes, all);
    this.#journey.state(nodes, all);
    if (!all) return;
    this.#tiles(all);
    this.#charts();
    this.#parts.ledger.show(all.events);
    this.#facts(nodes, all);
    this.#nodes();
  }

  #orders() {
    const button = (id, label, give) => h('button', { type: 'button', id, on: { click: event => this.#order(event.currentTarget, label, give) } }, t(label));
    return h('div', { class: 'row' }, button('flush-now', 'flushNow', () => this.#flush()), button('retry-now', 'retryNow', () => this.#retry()));
  }

  async #order(button, label, give) {
    button.disabled = true;
    try {
      await give();
    } catch (error) {
      this.#app.say(t('actionFailed', { name: t(label), why: this.#app.why(error) }), true);
    }
    button.disabled = false;
  }

  // Every node that is shown and keeps events.
  #each = path => Promise.all(this.#app.nodesOfPanes().map(node => post(address(path, { node }))));

  async #flush() {
    const answers = await this.#each('/admin/uploads/flush');
    this.#app.say(total(answers, 'batches') === 0 ? t('flushedNone') : t('flushed', { n: total(answers, 'events') }));
  }

  async #retry() {
    const answers = await this.#each('/admin/uploads/retry');
    const failed = answers.find(answer => answer.outcome !== 'due');
    if (failed) return this.#app.say(t('retriedFailed', { why: failed.detail }), true);
    const [segments, files] = [total(answers, 'segments'), total(answers, 'files')];
    this.#app.say(segments + files === 0 ? t('retriedNone') : t('retried', { segments, files }));
  }

  #health(nodes, all) {
    const lines = [];
    let level = 'good';
    const many = this.#app.nodes().length > 1;
    const say = (node, text, how) => {
      lines.push(many ? t('nodeSilent', { node: node.node.name, why: text }) : text);
      if (how === 'bad' || level === 'good') level = how;
    };
    for (const node of nodes) {
      if (node.error) {
        say(node, node.error, 'bad');
        continue;
      }
      if (!node.node.ready) say(node, t('notReady', { why: node.node.not_ready_because ?? '?' }), 'bad');
      if (node.storage?.failing) say(node, node.storage.fault ? t('storageFails', { why: node.storage.fault }) : t('storageFailsBare'), 'warn');
      if (node.spool?.failing) say(node, t('spoolFails'), 'bad');
    }
    if (all?.events?.dlq > 0) {
      lines.push(t('dlqWaits', { n: all.events.dlq }));
      if (level === 'good') level = 'warn';
    }
    if (all?.events?.dropped > 0) {
      lines.push(t('someDropped', { n: all.events.dropped }));
      if (level === 'good') level = 'warn';
    }
    const element = this.#parts.health;
    element.className = `notice ${level}`;
    setText(element, lines.length === 0 ? t('allWell') : lines.join('\n'));
  }

  #tiles(all) {
    const tiles = this.#parts.tiles;
    const set = (name, value, below, how = '') => {
      setText(tiles[name].value, value);
      setText(tiles[name].below, below);
      tiles[name].element.className = `card tile ${how}`;
    };
    const events = all.events;
    set('eventsIn', t('perSecond', { n: format.rate(all.rates.accepted_per_s ?? 0) }), events ? t('inTotal', { n: events.accepted }) : t('requestsRate', { n: format.rate(all.rates.requests_per_s ?? 0) }));
    set('eventsStored', events ? t('perSecond', { n: format.rate(all.rates.stored_per_s ?? 0) }) : '–', events ? t('inTotal', { n: events.stored }) : '');
    set('ackLatency', all.ack.samples > 0 ? format.milliseconds(all.ack.p99) : '–', all.ack.samples > 0 ? `p99, ${t('ackP50', { n: format.milliseconds(all.ack.p50) })}` : t('noSamples'));
    const waits = events ? (events.buffered ?? 0) + (events.spooled ?? 0) : 0;
    set('oldest', waits > 0 ? format.duration(all.oldest) : '–', !events ? '' : waits > 0 ? t('waiting', { n: waits }) : t('oldestNone'));
    set('dlq', events ? format.count(events.dlq) : '–', all.dlq ? `${t('files', { n: all.dlq.files })}, ${format.bytes(all.dlq.bytes)}` : '', events?.dlq > 0 ? 'warn' : '');
    set('refused', t('perSecond', { n: format.rate(all.rates.rejected_per_s ?? 0) }), t('refusedTotal', { n: Object.values(all.rejected).reduce((a, b) => a + b, 0) }), all.rates.rejected_per_s > 0 ? 'warn' : '');
  }

  #charts() {
    const series = this.#app.history.of(this.#app.selected());
    const peak = column => series[column].reduce((high, value) => value > high ? value : high, 0);
    this.#parts.rates.show([series[0], series[1], series[2]]);
    this.#parts.ack.show([series[0], series[4], series[3]]);
    setText(this.#parts.rates.summary, t('chartNow', { peak: t('perSecond', { n: format.rate(peak(1)) }), storedPeak: t('perSecond', { n: format.rate(peak(2)) }) }));
    setText(this.#parts.ack.summary, t('chartAckNow', { peak: peak(4) > 0 ? format.milliseconds(peak(4)) : '–' }));
  }

  #facts(nodes, all) {
    const { disk, uploads, process, refusals } = this.#parts.lists;
    disk.parentElement.hidden = uploads.parentElement.hidden = !all.events;
    if (all.events) {
      facts(disk, [
        [t('spoolLine'), format.bytes(all.spool.bytes)],
        ['', t('waitingSegments', { n: all.spool.waiting })],
        [t('dlqLine'), t('ofMax', { n: format.bytes(all.dlq.bytes), max: format.bytes(all.dlq.max_bytes) })],
        [t('quarantine'), t('eventsN', { n: all.events.quarantined })],
      ]);
      const one = nodes.find(keepsEvents);
      facts(uploads, [
        [t('queue'), t('batchesN', { n: all.batches.queue })],
        [t('sealed'), t('batchesN', { n: all.batches.sealed })],
        [t('uploadP50'), all.batches.upload_p50_ms > 0 ? format.milliseconds(all.batches.upload_p50_ms) : '–'],
        [t('storage'), nodes.some(node => node.storage?.failing) ? t('fails') : t('answers')],
        ['', one.node.storage],
        [t('flushInterval'), format.duration(one.node.flush_interval_s)],
      ]);
    }
    const lines = [[t('cpu'), format.percent(all.process.cpu_percent ?? 0)], [t('memory'), format.bytes(all.process.rss_bytes ?? 0)], [t('heap'), format.bytes(all.process.gc_heap_bytes ?? 0)]];
    const heard = nodes.filter(node => !node.error);
    if (heard.length === 1) {
      const { node } = heard[0];
      lines.push([t('started'), format.relative(Date.parse(node.started))], [t('version'), node.version], [t('ackLevel'), node.ack], [t('keysOn'), node.keys_configured ? t('keysYes') : t('keysNo')]);
    }
    facts(process, lines);
    const reasons = Object.entries(all.rejected).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
    facts(refusals, reasons.length === 0 ? [['', t('noRefusals')]] : reasons.map(([reason, n]) => [hasWords(`reason_${reason}`) ? t(`reason_${reason}`) : reason, format.count(n)]));
  }

  #nodes() {
    const nodes = this.#app.nodes();
    const { nodesCard, nodesColumns, nodes: list } = this.#parts;
    nodesCard.hidden = nodes.length < 2;
    if (nodes.length < 2) return;
    const rows = nodes.map(node => ({ key: `n${node.node.name}`, cells: node.error ? silentCells(node) : nodeCells(node) }));
    const all = together(nodes);
    if (all) {
      rows.push({
        key: 'sum', cells: [t('sum'), '', '', format.rate(all.rates.accepted_per_s ?? 0), format.rate(all.rates.stored_per_s ?? 0), '', all.events ? format.count(waiting(all.events)) : '–',
          all.events ? format.count(all.events.dlq) : '–', format.percent(all.process.cpu_percent ?? 0), format.bytes(all.process.rss_bytes ?? 0)],
      });
    }
    keep(list.body, rows, one => one.key, () => row(nodesColumns, nodesColumns.map(() => '')), (element, one) => {
      element.classList.toggle('sum', one.key === 'sum');
      one.cells.forEach((text, index) => setText(element.children[index], text));
    });
  }
}

const total = (answers, field) => answers.reduce((sum, answer) => sum + answer[field], 0);

const silentCells = node => [node.node.name, '', t('silent'), ...Array(7).fill('–')];

const nodeCells = node => [
  node.node.name, node.node.role, node.node.ready ? node.storage?.failing ? t('fails') : t('ready') : node.node.not_ready_because ?? '?',
  format.rate(node.rates.accepted_per_s), node.events ? format.rate(node.rates.stored_per_s) : '–', node.ack_ms.samples > 0 ? format.milliseconds(node.ack_ms.p99) : '–',
  node.events ? format.count(waiting(node.events)) : '–', node.events ? format.count(node.events.dlq) : '–', format.percent(node.process.cpu_percent), format.bytes(node.process.rss_bytes),
];

function facts(list, lines) {
  keep(list, lines.map(([name, value], index) => ({ name, value, index })), line => line.index, () => h('div', {}, h('dt'), h('dd')), (element, { name, value }) => {
    setText(element.firstChild, name);
    setText(element.lastChild, value);
    element.classList.toggle('continued', name === '');
  });
}

// accepted + found = stored + buffered + …, as numbers and as one bar.
function ledger() {
  const numbers = {};
  const segments = {};
  const term = name => {
    numbers[name] = h('b', { data: { place: name } });
    return h('span', { class: `term ${name}` }, numbers[name], h('span', { class: 'muted' }, PLACES.includes(name) && h('i', { class: `swatch place-${name}` }), t(name === 'dlq' ? 'dlqPlace' : name)));
  };
  const operator = text => h('span', { class: 'operator' }, text);
  const bar = h('div', { class: 'bar', 'aria-hidden': 'true' }, PLACES.map(place => segments[place] = h('span', { class: `place-${place}` })));
  const verdict = h('p', { class: 'verdict', id: 'verdict' });
  const sums = h('div', { class: 'equation' }, term('accepted'), operator('+'), term('found'), operator('='), PLACES.flatMap((place, index) => index > 0 ? [operator('+'), term(place)] : [term(place)]));
  const element = h('div', { class: 'card', id: 'ledger' }, h('h2', {}, t('conservation')), sums, bar, verdict);
  return {
    element,
    show(events) {
      sums.hidden = bar.hidden = !events;
      if (!events) {
        verdict.className = 'verdict muted';
        setText(verdict, t('noEventsHere'));
        return;
      }
      for (const [name, number] of Object.entries(numbers)) {
        setText(number, format.count(events[name] ?? 0));
        number.parentElement.classList.toggle('zero', !events[name]);
      }
      for (const place of PLACES) {
        segments[place].hidden = !events[place];
        segments[place].style.flexGrow = String(events[place] ?? 0);
      }
      const gap = missing(events);
      verdict.className = gap === 0 ? 'verdict good' : 'verdict bad';
      setText(verdict, gap === 0 ? `✓ ${t('holds')}` : `✗ ${t('differs', { n: Math.abs(gap) })}`);
    },
  };
}
