// The console: which pane is shown, in which language and theme, and the state that all of them read.
import { del, get } from './api.js';
import { Campaigns } from './campaigns.js';
import { open } from './dialog.js';
import { dlqPane } from './dlq.js';
import { h, setText } from './dom.js';
import * as format from './format.js';
import { History } from './history.js';
import { Live } from './live.js';
import { keepsEvents, together } from './nodes.js';
import { objectsPane } from './objects.js';
import { Overview } from './overview.js';
import { quarantinePane } from './quarantine.js';
import { chooseLanguage, keepInMind, remember, switchLanguage, t, translate } from './strings.js';
import { Tail } from './tail.js';
import { Topics } from './topics.js';

const THEMES = ['auto', 'light', 'dark'];
const SAID_MS = 8000;
const BEAT_MS = 2000;
const EVENT_PANES = ['overview', 'tail', 'objects', 'dlq', 'quarantine'];
const OTHER_PANES = { campaigns: 'requests', topics: 'topics' };

const by = id => document.getElementById(id);

class App {
  history = new History();
  #nodes = [];
  #chosen = '';
  #panes;
  #pane = '';
  #status = 'connecting';
  #lastState = 0;
  #saidTimer = null;
  #keysOn = remember('keys') !== 'off';
  #capabilities = ['collect'];

  constructor() {
    this.#panes = { overview: new Overview(this), tail: new Tail(this), objects: objectsPane(this), dlq: dlqPane(this), quarantine: quarantinePane(this), campaigns: new Campaigns(this), topics: new Topics(this) };
  }

  async start() {
    chooseLanguage();
    this.#build();
    addEventListener('hashchange', () => this.#route());
    addEventListener('keydown', event => this.#key(event));
    document.addEventListener('estat-signed-out', () => this.#signedOut());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#panes.overview.repaint());
    by('skip').addEventListener('click', event => {
      // The address names the pane; a link to #content would lose it.
      event.preventDefault();
      by('content').focus();
    });
    by('language').addEventListener('click', () => this.#switchLanguage());
    by('theme').addEventListener('click', () => this.#nextTheme());
    by('help').addEventListener('click', () => this.#help());
    by('node').addEventListener('change', event => this.#choose(event.currentTarget.value));
    await this.#learn();
    if (this.serves('collect')) new Live(nodes => this.#take(nodes), status => this.#connection(status)).start();
    else setInterval(() => this.#learn(), BEAT_MS);
    setInterval(() => this.#connection(this.#status), 1000);
    this.#route();
  }

  // What the panes ask.

  serves = capability => this.#capabilities.includes(capability);

  nodes = () => this.#nodes;
  selected = () => this.#chosen;
  shown = () => this.#chosen ? this.#nodes.filter(node => node.node.name === this.#chosen) : this.#nodes;
  together = () => together(this.shown());
  flushInterval = () => this.#keeper()?.node.flush_interval_s ?? 120;
  quarantinePrefix = () => this.#keeper()?.node.dlq_prefix ?? 'raw_dlq';

  /** Whom to ask for lists: the nodes that keep events; a node alone is not named. */
  nodesOfPanes() {
    const keepers = this.shown().filter(keepsEvents).map(node => node.node.name);
    return this.#nodes.length < 2 ? [undefined] : keepers;
  }

  nodeOfPane = () => this.nodesOfPanes()[0];

  why = error => error.message === 'unreachable' || error.message === 'timeout' ? t(error.message) : error.message;

  /** Says what came of an action, for eyes and for ears. */
  say(text, isBad = false) {
    const said = by('said');
    said.className = isBad ? 'said shown bad' : 'said shown';
    setText(said, text);
    clearTimeout(this.#saidTimer);
    this.#saidTimer = setTimeout(() => {
      said.className = 'said';
      setText(said, '');
    }, SAID_MS);
  }

  refresh() {
    this.#panes.overview.state();
  }

  #keeper = () => this.shown().find(keepsEvents);

  // Whose panes are shown. A node that takes no events has no state to watch: asking this again tells whether it still answers.
  async #learn() {
    try {
      this.#capabilities = (await get('/admin/capabilities')).capabilities;
      this.#lastState = Date.now();
      if (!this.serves('collect')) this.#connection('polling');
    } catch {
      if (!this.serves('collect')) this.#connection('away');
    }
    for (const link of document.querySelectorAll('nav.panes a')) link.hidden = !this.#isServed(link.hash.slice(1));
  }

  #isServed = pane => this.serves(EVENT_PANES.includes(pane) ? 'collect' : OTHER_PANES[pane]);
  #served = () => Object.keys(this.#panes).filter(this.#isServed);

  /** The number beside a pane's name: what a person should look at there. */
  mark(pane, value) {
    this.#count(`${pane}-count`, value);
  }

  #build() {
    translate(document);
    const keyHints = { language: 'l', theme: 't' };
    for (const [id, key] of Object.entries(keyHints)) by(id).setAttribute('aria-keyshortcuts', key);
    setText(by('language'), t('otherLanguage'));
    by('language').lang = t('otherLanguage') === 'English' ? 'en' : 'ko';
    setText(by('theme'), t(`theme_${document.documentElement.dataset.theme}`));
    for (const [name, pane] of Object.entries(this.#panes)) pane.build(by(name));
    this.#nodeChoice();
    this.#connection(this.#status);
    if (this.#nodes.length > 0) this.#render();
    else this.#panes.overview.state();
  }

  #take(nodes) {
    const before = this.nodesOfPanes().length;
    this.#nodes = nodes;
    this.#lastState = Date.now();
    if (this.#chosen && !nodes.some(node => node.node.name === this.#chosen)) this.#chosen = '';
    for (const node of nodes) if (!node.error) this.#remember(node.node.name, together([node]));
    const all = together(nodes);
    if (all) {
      format.follow(all.time);
      this.#remember('', all);
    }
    this.#nodeChoice();
    if (this.nodesOfPanes().length !== before) this.#rebuildLists();
    this.#render();
  }

  #remember(name, state) {
    const { rates, ack } = state;
    const timed = ack.samples > 0 ? { p50: ack.p50, p99: ack.p99 } : {};
    this.history.add(name, Math.round(state.time / 1000), { accepted: rates.accepted_per_s, stored: rates.stored_per_s, ...timed });
  }

  #render() {
    for (const pane of Object.values(this.#panes)) pane.state();
    const all = this.together();
    const one = this.#nodes.length === 1 ? this.#nodes[0].node.name : '';
    setText(by('where'), one);
    this.#count('dlq-count', all?.dlq?.files ?? 0);
    this.#count('quarantine-count', all?.events?.quarantined ?? 0);
    const alarm = all?.dlq?.files > 0 ? `(${format.compact(all.dlq.files)}) ` : '';
    document.title = `${alarm}Estat${one ? ` · ${one}` : ''}`;
  }

  #count(id, value) {
    by(id).hidden = value === 0;
    setText(by(id), format.compact(value));
  }

  #nodeChoice() {
    by('node-choice').hidden = this.#nodes.length < 2;
    const wanted = ['', ...this.#nodes.map(node => node.node.name)];
    const select = by('node');
    const first = t('allNodes');
    if ([...select.options].map(option => option.value).join('\n') !== wanted.join('\n') || select.options[0]?.textContent !== first) {
      select.replaceChildren(...wanted.map(name => h('option', { value: name }, name || first)));
    }
    select.value = this.#chosen;
  }

  #choose(name) {
    this.#chosen = name;
    this.#rebuildLists();
    this.#render();
  }

  // Their columns depend on how many nodes there are to look at.
  #rebuildLists() {
    for (const name of ['objects', 'dlq', 'quarantine']) {
      this.#panes[name].build(by(name));
      this.#panes[name].state();
      if (name === this.#pane) this.#panes[name].load();
    }
  }

  #route() {
    const wanted = location.hash.slice(1);
    // These panes say themselves how they are turned on.
    const name = wanted in this.#panes && (this.#isServed(wanted) || wanted in OTHER_PANES) ? wanted : this.#served()[0] ?? 'overview';
    if (name === this.#pane) return;
    if (this.#pane) this.#panes[this.#pane].hide();
    this.#pane = name;
    for (const id of Object.keys(this.#panes)) by(id).hidden = id !== name;
    for (const link of document.querySelectorAll('nav.panes a')) {
      if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    this.#panes[name].show();
    scrollTo(0, 0);
  }

  #connection(status) {
    this.#status = status;
    const pill = by('connection');
    pill.className = `pill ${status}`;
    setText(pill, t(status));
    const silence = Date.now() - this.#lastState;
    if (by('notice').dataset.kind === 'signed-out') return;
    const isLong = status === 'away' && this.#lastState > 0 && silence > 3000;
    by('notice').hidden = !isLong;
    if (isLong) setText(by('notice'), t('away_long', { when: format.clock(this.#lastState) }));
  }

  #signedOut() {
    const notice = by('notice');
    if (notice.dataset.kind === 'signed-out') return;
    notice.dataset.kind = 'signed-out';
    notice.hidden = false;
    notice.replaceChildren(t('signedOut'), ' ', h('a', { href: '/console' }, t('signIn')));
  }

  #switchLanguage() {
    switchLanguage();
    this.#build();
    if (this.#pane !== 'overview' && this.#pane !== 'tail') this.#panes[this.#pane].load();
  }

  #nextTheme() {
    const root = document.documentElement;
    root.dataset.theme = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
    keepInMind('theme', root.dataset.theme);
    setText(by('theme'), t(`theme_${root.dataset.theme}`));
    this.#panes.overview.repaint();
  }

  #help() {
    const keys = [[`1 – ${this.#served().length}`, 'key_panes'], ['p', 'key_pause'], ['/', 'key_filter'], ['t', 'key_theme'], ['l', 'key_language'], ['?', 'key_help'], ['Esc', 'key_escape']];
    const box = h('input', { type: 'checkbox', on: { change: event => {
      this.#keysOn = event.currentTarget.checked;
      keepInMind('keys', this.#keysOn ? 'on' : 'off');
    } } });
    box.checked = this.#keysOn;
    open(t('keysTitle'), h('div', { class: 'stack' },
      h('dl', { class: 'keys' }, keys.map(([key, words]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, t(words))))),
      h('label', { class: 'field-inline' }, box, ' ', t('keysOnOff'))), { actions: [h('button', { type: 'button', on: { click: () => this.#signOut() } }, t('signOut'))] });
  }

  async #signOut() {
    try {
      await del('/admin/session');
      location.assign('/console');
    } catch (error) {
      this.say(this.why(error), true);
    }
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector('dialog[open]')) return;
    if (event.target.closest('input, select, textarea')) return;
    // The list says how to turn the keys off, so its own key stays.
    if (event.key === '?') return this.#help();
    if (!this.#keysOn) return;
    const names = this.#served();
    const number = Number(event.key);
    if (number >= 1 && number <= names.length) {
      location.hash = names[number - 1];
      by('content').focus({ preventScroll: true });
    } else if (event.key === 'p' && this.serves('collect')) {
      const { tail } = this.#panes;
      if (this.#pane === 'tail') return tail.toggle();
      location.hash = 'tail';
      this.#route();
      if (!tail.isRunning) tail.toggle();
    } else if (event.key === '/' && this.serves('collect')) {
      event.preventDefault();
      location.hash = 'tail';
      this.#route();
      this.#panes.tail.focusFilter();
    } else if (event.key === 't') {
      this.#nextTheme();
    } else if (event.key === 'l') {
      this.#switchLanguage();
    }
  }
}

new App().start();
