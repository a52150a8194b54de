// The nodes' state, once a second: by /admin/live, and while that brings nothing by asking /admin/nodes. It tries again by itself, and says how it stands.
import { events, get } from './api.js';

const SILENCE_MS = 4000;
const DEAD_MS = 15000;
const POLL_MS = 2000;
const LONGEST_WAIT_MS = 10000;

/** `onState(nodes)`, `onStatus('live' | 'polling' | 'away', error)`. */
export class Live {
  #onState;
  #onStatus;
  #stream = null;
  #lastHeard = 0;
  #failures = 0;
  #status = '';

  constructor(onState, onStatus) {
    this.#onState = onState;
    this.#onStatus = onStatus;
  }

  start() {
    this.#connect();
    setInterval(() => this.#watch(), POLL_MS);
    addEventListener('online', () => this.#stream ?? this.#connect());
  }

  async #connect() {
    const stream = this.#stream = new AbortController();
    this.#lastHeard = performance.now();
    let error = null;
    try {
      await events('/admin/live', { signal: stream.signal, on: (name, data) => name === 'state' && this.#take(JSON.parse(data), 'live') });
    } catch (caught) {
      error = caught;
    }
    if (this.#stream === stream) this.#stream = null;
    this.#say('away', error);
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** this.#failures++);
    setTimeout(() => this.#stream ?? this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  // A proxy may hold a stream back, or a connection may be dead without a word: then polling shows what can be had.
  async #watch() {
    const silence = performance.now() - this.#lastHeard;
    if (silence < SILENCE_MS) return;
    if (silence > DEAD_MS) this.#stream?.abort();
    try {
      this.#take(await get('/admin/nodes'), 'polling');
    } catch (error) {
      this.#say('away', error);
      this.#stream?.abort();
    }
  }

  #take(state, status) {
    if (status === 'live') {
      this.#lastHeard = performance.now();
      this.#failures = 0;
    }
    this.#say(status, null);
    this.#onState(state.nodes ?? [state]);
  }

  #say(status, error) {
    if (status === this.#status && !error) return;
    this.#status = status;
    this.#onStatus(status, error);
  }
}
