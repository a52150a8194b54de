// Requests to the node, and its errors in its own words.

/** What the node refused, or did not answer. `status` is 0 when nothing came back. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const PATIENCE_MS = 20000;

export const get = path => request('GET', path);
export const post = (path, body) => request('POST', path, body);
/** The same with a body that is JSON already. */
export const postText = (path, text) => request('POST', path, undefined, text);
export const del = path => request('DELETE', path);

/** A path with its parameters; those without a value are left out. */
export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined && value !== null && value !== '') query.append(name, value);
  return query.size > 0 ? `${path}?${query}` : path;
}

async function request(method, path, json, text = json === undefined ? undefined : JSON.stringify(json)) {
  const headers = method === 'GET' ? {} : { 'X-Estat-Admin': '1' };
  if (text !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, body: text, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    throw new ApiError(0, error.name === 'TimeoutError' ? 'timeout' : 'unreachable');
  }
  if (!response.ok) throw await errorOf(response);
  const answer = await response.text();
  return answer === '' ? null : JSON.parse(answer);
}

/** The detail of a problem+json, or the status alone. */
export async function errorOf(response) {
  let detail = '';
  try {
    detail = (await response.json()).detail ?? '';
  } catch {
    // An answer of a proxy's: its status says enough.
  }
  if (response.status === 401) document.dispatchEvent(new CustomEvent('estat-signed-out'));
  return new ApiError(response.status, detail || `HTTP ${response.status}`);
}

/**
 * Reads server-sent events until the stream ends, fails or is given up. By fetch and not EventSource, which does not tell why it was refused, and tries again
 * without end.
 */
export async function events(path, { signal, open, on }) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: 'text/event-stream' }, cache: 'no-store', signal });
  } catch {
    throw new ApiError(0, 'unreachable');
  }
  if (!response.ok) throw await errorOf(response);
  open?.();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) dispatch(block, on);
    }
  } catch (error) {
    if (error instanceof SyntaxError || signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable');
  }
}

function dispatch(block, on) {
  let name = 'message';
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
  }
  if (data.length > 0) on(name, data.join('\n'));
}
