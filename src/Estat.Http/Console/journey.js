// What an empty server shows: how to send the first event, and where it is then, step by step.
import { address, get } from './api.js';
import { foreign, h, setText } from './dom.js';
import * as format from './format.js';
import { keepsEvents } from './nodes.js';
import { t } from './strings.js';

const LOOK_AGAIN_MS = 1000;

export class Journey {
  #app;
  #element = null;
  #parts = null;
  #sent = null;
  #node = null;
  #looksAt = 0;

  constructor(app) {
    this.#app = app;
  }

  build() {
    const command = h('code', { id: 'curl' });
    const copy = h('button', { type: 'button', on: { click: () => this.#copy(command.textContent) } }, t('copy'));
    const key = h('input', { type: 'password', id: 'write-key', autocomplete: 'off', spellcheck: 'false' });
    const keyField = h('label', { class: 'field-inline', hidden: true }, t('writeKey'), ' ', key);
    const send = h('button', { type: 'button', class: 'primary', id: 'send-test', on: { click: () => this.#send(key.value) } }, t('sendTest'));
    const problem = h('p', { class: 'bad-text', role: 'alert', hidden: true });
    const ask = h('div', {}, h('h2', {}, t('welcome')), h('p', {}, t('welcomeText')), h('div', { class: 'command' }, command, copy),
      h('p', { class: 'row' }, h('span', {}, t('orButton')), keyField, send), problem);
    const steps = { taken: step('step_taken'), tail: step('step_tail'), stored: step('step_stored') };
    const way = h('div', { id: 'journey', hidden: true },
      h('div', { class: 'row spread' }, h('h2', {}, t('journey')), h('button', { type: 'button', class: 'quiet', on: { click: () => this.#dismiss() } }, t('dismiss'))),
      h('ol', { class: 'steps' }, Object.values(steps).map(one => one.element)));
    this.#element = h('div', { class: 'card welcome', id: 'welcome', hidden: true }, ask, way);
    this.#parts = { command, keyField, send, problem, ask, way, steps };
    if (this.#sent) this.#describe();
    return this.#element;
  }

  state(nodes, all) {
    this.#node = nodes.find(node => !node.error) ?? this.#node;
    const keeper = nodes.find(keepsEvents);
    const isEmpty = Boolean(all?.events) && all.events.accepted + all.events.found + all.events.stored === 0;
    this.#parts.ask.hidden = !isEmpty;
    this.#parts.way.hidden = !this.#sent;
    this.#element.hidden = !isEmpty && !this.#sent;
    if (!this.#node) return;
    const withKey = this.#node.node.keys_configured;
    this.#parts.keyField.hidden = !withKey;
    setText(this.#parts.command, `curl -i${withKey ? " -H 'X-Api-Key: …'" : ''} -d '{"page":"/home","title":"Hello"}' ${location.origin}/collect`);
    if (this.#sent && !this.#sent.stored && keeper) this.#look();
  }

  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#app.say(t('copied'));
    } catch {
      this.#app.say(t('copyFailed'));
    }
  }

  async #send(key) {
    const { send, problem } = this.#parts;
    problem.hidden = true;
    send.disabled = true;
    setText(send, t('sending'));
    try {
      const headers = { 'Content-Type': 'application/json' };
      if (key) headers['X-Api-Key'] = key;
      const body = JSON.stringify({ type: 'test', page: '/console', message: 'Hello from the console', sent: new Date().toISOString() });
      const response = await fetch('/collect', { method: 'POST', headers, body, credentials: 'omit' });
      if (!response.ok) {
        const detail = await response.json().then(answer => answer.detail, () => `HTTP ${response.status}`);
        throw new Error(detail);
      }
      this.#sent = { key: response.headers.get('X-Estat-Key'), level: response.headers.get('X-Estat-Ack') ?? '', stored: false, place: null };
      this.#describe();
      this.#app.refresh();
      this.#parts.way.querySelector('a')?.focus();
    } catch (error) {
      problem.hidden = false;
      setText(problem, t('sendFailed', { why: error instanceof TypeError ? t('unreachable') : error.message }));
    } finally {
      send.disabled = false;
      setText(send, t('sendTest'));
    }
  }

  // Looks for the event where it will be: among the last objects, else in the DLQ.
  async #look() {
    if (!this.#sent.key || performance.now() < this.#looksAt) return;
    this.#looksAt = performance.now() + LOOK_AGAIN_MS;
    const sent = this.#sent;
    try {
      const node = this.#app.nodeOfPane();
      const { objects } = await get(address('/admin/objects', { limit: 200, node }));
      const found = objects.find(object => object.key === sent.key);
      const waits = found ? null : (await get(address('/admin/dlq', { limit: 200, node }))).files.find(file => file.key === sent.key);
      sent.stored = Boolean(found);
      sent.place = found ? 'object' : waits ? 'dlq' : null;
    } catch {
      // It is looked for again with the next state; the connection's trouble is shown elsewhere.
    }
    if (this.#sent === sent) this.#describe();
  }

  #describe() {
    const { taken, tail, stored } = this.#parts.steps;
    const { key, level, place } = this.#sent;
    taken.show('done', t('step_takenText', { level }));
    tail.show('open', t('step_tailText'), null, link('#tail', t('openTail')));
    const name = key ? foreign(key, 300, 'code') : null;
    if (place === 'object') stored.show('done', t('step_storedText'), name, link('#objects', t('openObject')));
    else if (place === 'dlq') stored.show('waits', t('step_dlqText'), name, link('#dlq', t('openDlq')));
    else stored.show('waits', t('step_waiting', { flush: format.duration(this.#node?.node.flush_interval_s ?? 120) }), name);
  }

  #dismiss() {
    this.#sent = null;
    this.#app.refresh();
    document.getElementById('content').focus();
  }
}

const link = (href, text) => h('a', { href }, text);

function step(title) {
  const text = h('span', {});
  const element = h('li', {}, h('strong', {}, t(title)), ' ', text);
  let shown = '';
  return {
    element,
    show(state, words, name, action) {
      // Once a second: a link that has the focus keeps it while nothing changes.
      const now = `${state} ${words} ${name?.textContent ?? ''}`;
      if (now === shown) return;
      shown = now;
      element.className = state;
      text.replaceChildren(words, ...(name ? [' ', name] : []), ...(action ? [' ', action] : []));
    },
  };
}
