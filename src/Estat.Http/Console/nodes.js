// Several nodes as one: sums where sums mean something, the worst where they do not.

export const PLACES = ['stored', 'buffered', 'spooled', 'dlq', 'quarantined', 'dropped'];

/** What the ledger says has come, less what it says is somewhere: 0 while it holds. */
export const missing = events => events.accepted + events.found - PLACES.reduce((sum, place) => sum + (events[place] ?? 0), 0);

/** Events that are acknowledged and not stored yet. */
export const waiting = events => (events.buffered ?? 0) + (events.spooled ?? 0) + (events.dlq ?? 0);

export const keepsEvents = node => !node.error && Boolean(node.events);

const add = (target, source) => {
  for (const [name, value] of Object.entries(source ?? {})) if (typeof value === 'number') target[name] = (target[name] ?? 0) + value;
  return target;
};

const sum = (nodes, pick) => nodes.map(pick).reduce(add, {});
const most = (nodes, pick) => nodes.reduce((high, node) => Math.max(high, pick(node) ?? 0), 0);

/** The nodes that answered as one; null when none did. Events are counted where they are kept: a gateway only passes them on. */
export function together(nodes) {
  const heard = nodes.filter(node => !node.error);
  if (heard.length === 0) return null;
  const keepers = heard.filter(keepsEvents);
  const rates = sum(heard, node => node.rates);
  if (keepers.length > 0) Object.assign(rates, pickRates(sum(keepers, node => node.rates)));
  return {
    time: Math.max(...heard.map(node => Date.parse(node.time))),
    events: keepers.length > 0 ? sum(keepers, node => node.events) : null,
    rates,
    ack: {
      p50: most(heard.filter(node => node.ack_ms?.samples > 0), node => node.ack_ms.p50),
      p99: most(heard.filter(node => node.ack_ms?.samples > 0), node => node.ack_ms.p99),
      samples: heard.reduce((all, node) => all + (node.ack_ms?.samples ?? 0), 0),
    },
    oldest: most(keepers, node => node.oldest_unflushed_s),
    batches: keepers.length > 0 ? { ...sum(keepers, node => node.batches), upload_p50_ms: most(keepers, node => node.batches?.upload_p50_ms) } : null,
    spool: keepers.length > 0 ? sum(keepers, node => node.spool) : null,
    dlq: keepers.length > 0 ? sum(keepers, node => node.dlq) : null,
    rejected: sum(heard, node => node.requests?.rejected),
    process: sum(heard, node => node.process),
  };
}

const pickRates = rates => ({ accepted_per_s: rates.accepted_per_s, stored_per_s: rates.stored_per_s });
