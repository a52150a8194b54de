// The readable source of /estat.js. scripts/minify-snippet.sh makes estat.min.js of it, which is what is served: at most 1,536 bytes.
//
//   queue    events of this page that were not sent yet, each a line of JSON; in memory only.
//   store    batches whose sending failed, one entry a batch, written once and removed whole, so that tabs never write over each other. A Web Lock lets one tab
//            at a time send them. Where localStorage is blocked or full it is an object of this page.
//
// A batch is let go when the server has taken it (2xx with the server's own account of it), or refused it for good (4xx but 408 and 429, by a
// problem of its own type; dropped and counted). Anything else, such as no answer or a portal's 200 or 403, means "send it again", with the same ids;
// what somebody else still refuses after a day is dropped and counted. Without consent, and while the page is only prerendered, nothing leaves the
// memory of this page. Nothing here throws into the page.
((window, document) => {
  const prefix = 'estat:';
  // Browsers let requests that outlive their page carry 64 KB together.
  const room = 6e4;
  const script = document.currentScript, early = window.estat;
  if (!script || early && early.flush) return;
  const data = script.dataset;
  const url = new URL(data.endpoint || '/collect/batch', script.src);
  let queue = [], store, consented, timer, busy, flying = 0, failures = 0, pause;

  // A page that is prerendered may never be seen.
  const may = () => consented && !document.prerendering;
  const id = () => Date.now().toString(36) + Math.random().toString(36).slice(2);
  const size = text => new Blob([text]).size + 1;
  const stored = () => Object.keys(store).filter(key => key.startsWith(prefix)).sort();
  const lose = text => { estat.dropped += text.split('\n').length; };

  // From the queue, as many as fit.
  const take = limit => {
    let n = 0;
    while (n < queue.length && (limit -= size(queue[n])) > 0) n++;
    return queue.splice(0, n).join('\n');
  };

  // Keeps a batch for later; past a megabyte the oldest go. A key begins with the time that it is in line by, and ends with the batch's own.
  const save = (text, born) => {
    if (!text || !consented) return;
    const key = prefix + id() + (born ? ':' + born : '');
    try { store[key] = text; } catch { store = { [key]: text }; }
    let left = 1e6;
    stored().reverse().map(key => {
      const text = store[key] || '';
      if ((left -= text.length) < 0) {
        lose(text);
        delete store[key];
      }
    });
  };

  const saveAll = () => { while (queue[0]) save(take(room)); };

  // 1: the server has settled it, one way or the other. null: something else refuses it. undefined: not now.
  const send = async text => {
    const bytes = size(text);
    let foreign;
    flying += bytes;
    pause = 0;
    try {
      const answer = await fetch(url, { method: 'POST', body: text, keepalive: true, credentials: 'omit', signal: AbortSignal.timeout?.(2e4) });
      const status = answer.status, header = name => answer.headers.get(name);
      const { accepted, rejected, type } = await answer.json().catch(() => 0);
      let settled;
      if (answer.ok) {
        // A portal or a proxy answers 200 as well. The server accounts for each event; where its body was lost, its header names the level.
        settled = rejected ? accepted + rejected.length == text.split('\n').length : header('X-Estat-Ack');
        if (settled && rejected) rejected.map(() => lose(''));
      } else if (status < 500 && status != 408 && status != 429) {
        // And 403, or 413. The server's own refusals say whose they are.
        foreign = type != 'urn:estat:problem';
        settled = !foreign;
        if (settled) lose(text);
      }
      if (settled) {
        failures = 0;
        return 1;
      }
      pause = +header('Retry-After');
    } catch { } finally { flying -= bytes; }
    failures++;
    if (foreign) return null;
  };

  const arm = () => {
    if (!timer && (queue[0] || stored()[0]))
      timer = setTimeout(flush, failures ? (pause || 2 ** Math.min(failures, 6)) * (1 + Math.random()) * 1e3 : 2e3);
  };

  // What somebody else refuses goes to the end of the line, and keeps the next one from its turn only if that is refused as well.
  const resend = async lock => {
    let refused = 0;
    if (lock !== null) for (const key of stored()) {
      const text = store[key], born = key.split(':').pop().slice(0, 8);
      const done = text ? await send(text) : 1;
      if (done !== undefined) delete store[key];
      if (done === null) Date.now() - parseInt(born, 36) > 864e5 ? lose(text) : save(text, born);
      if (done) refused = 0;
      else if (done === undefined || refused++) break;
    }
  };

  const flush = async () => {
    timer = clearTimeout(timer);
    if (busy || !may()) return;
    busy = 1;
    // While it fails, what is sent is in the store first: a page that is closed in the midst of it loses nothing.
    if (failures) saveAll();
    if (stored()[0]) try { await navigator.locks.request(prefix, { ifAvailable: true }, resend); } catch { await resend(); }
    while (!failures && queue[0]) {
      const text = take(room);
      await send(text) || save(text);
    }
    busy = 0;
    arm();
  };

  // Hidden, for a while or for ever: what fits into one last request is sent, the rest is kept for the next page. A page that is frozen may be discarded without
  // hearing of an answer: all is kept, and sent when it or another page goes on.
  const hide = ({ type }) => {
    if (!may()) return;
    const text = failures || type == 'freeze' ? '' : take(room - flying);
    if (text) send(text).then(done => done || save(text));
    saveAll();
    arm();
  };

  const consent = given => {
    consented = given;
    if (!store) try { store = localStorage; } catch { store = {}; }
    if (given) return arm();
    queue = [];
    stored().map(key => delete store[key]);
  };

  const estat = window.estat = (name, data) => {
    try {
      if (name === !!name) return consent(name);
      const line = JSON.stringify({ id: id(), event: '' + name, time: new Date, url: location.href, dropped: estat.dropped || undefined, data });
      if (size(line) > room) return lose('');
      queue.push(line);
      if (queue.length > 1e3) lose(queue.shift());
      if (!may()) return;
      if (queue.length > 49 && !failures) flush();
      else arm();
    } catch { lose(''); }
  };
  estat.track = estat;
  estat.consent = consent;
  estat.flush = flush;
  estat.dropped = 0;

  if (data.key) url.searchParams.set('key', data.key);
  if (data.consent != 'required') consent(true);
  // A view is a page that somebody sees: once it is more than prerendered, and again when it comes back out of the back/forward cache.
  const view = () => data.pageView != null && estat('page_view', { title: document.title, referrer: document.referrer });
  if (document.prerendering) document.addEventListener('prerenderingchange', () => {
    view();
    may() && arm();
  });
  else view();
  (early && early.queue || []).map(call => estat(...call));
  addEventListener('pagehide', hide);
  addEventListener('pageshow', event => event.persisted && view());
  addEventListener('online', flush);
  document.addEventListener('freeze', hide);
  document.addEventListener('visibilitychange', event => document.hidden && hide(event));
})(window, document);
