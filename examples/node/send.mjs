#!/usr/bin/env node
// Sends one event and a batch to Estat with Node's own fetch (18 or later), and says what was acknowledged.
//
//   ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… node send.mjs

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const attempts = 8;
const notNow = new Set([408, 429, 500, 502, 503, 504]);

class Refused extends Error {
  constructor(status, detail) {
    super(`${status}: ${detail}`);
    this.status = status;
  }
}

class Estat {
  constructor(url, key) {
    this.url = url.replace(/\/$/, '');
    this.key = key;
  }

  /** Sends one event; returns its ack level and the key of the object that will hold it. */
  async send(event) {
    const { ack, key } = await this.#post('/collect', 'application/json', JSON.stringify(event));
    return { ack, key };
  }

  /** Sends many; yields the answer to each piece: halves, if the whole is too large. */
  async *sendBatch(events) {
    const lines = events.map(event => JSON.stringify(event) + '\n').join('');
    try {
      const { ack, key, text } = await this.#post('/collect/batch', 'application/x-ndjson', lines);
      yield { ack, key, ...JSON.parse(text) };
    } catch (error) {
      if (error.status !== 413 || events.length < 2) throw error;
      const half = events.length >> 1;
      yield* this.sendBatch(events.slice(0, half));
      yield* this.sendBatch(events.slice(half));
    }
  }

  async #post(path, mediaType, body) {
    // The same for each attempt: what is stored twice, because an answer was lost, can be found by it.
    const headers = { 'Content-Type': mediaType, 'Idempotency-Key': randomUUID(), ...(this.key && { 'X-Api-Key': this.key }) };
    let reason;
    for (let attempt = 0; attempt < attempts; attempt++) {
      let asked = 0;
      try {
        const answer = await fetch(this.url + path, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) });
        const text = await answer.text();
        const ack = answer.headers.get('X-Estat-Ack'); // without it the answer is not Estat's: a portal or a proxy says 200 as well
        if (answer.ok && ack) return { ack, key: answer.headers.get('X-Estat-Key'), text };
        if (!answer.ok && !notNow.has(answer.status)) throw new Refused(answer.status, text);
        reason = answer.ok ? 'no X-Estat-Ack' : answer.status;
        asked = Number(answer.headers.get('Retry-After')) || 0;
      } catch (error) {
        if (error instanceof Refused) throw error;
        reason = error.cause?.code ?? error.message; // no answer: nobody knows, so it is sent again
      }
      if (attempt + 1 < attempts) {
        const pause = Math.max(0.25 * 2 ** attempt, asked) * (1 + Math.random() / 2); // so that not all come at once
        console.error(`${path}: ${reason}, again in ${pause.toFixed(1)} s`);
        await sleep(pause * 1000);
      }
    }
    throw new Error(`${path}: given up after ${attempts} attempts; last: ${reason}`);
  }
}

try {
  const estat = new Estat(process.env.ESTAT_URL ?? 'http://127.0.0.1:8080', process.env.ESTAT_KEY);
  const { ack, key } = await estat.send({ page: '/home', from: 'node' });
  console.log(`one event: ${ack}, in ${key}`);
  for await (const piece of estat.sendBatch(['/a', '/b', '/c'].map(page => ({ page, from: 'node' })))) {
    console.log(`batch: ${piece.ack}, in ${piece.key}; ${piece.accepted} accepted, ${piece.rejected.length} rejected`);
  }
} catch (error) {
  console.error(`not taken: ${error.message}`);
  process.exitCode = 1;
}
