// Stored lines as somebody reads them: when, from where, and the body; the whole line behind it.
import { foreign, h, visible } from './dom.js';
import { clock, moment } from './format.js';
import { t } from './strings.js';

const LONGEST_SUMMARY = 400;
const LONGEST_LINE = 65536;

/** One line. Closed it is one row of text, open it is all of it, its body indented if it is JSON. */
export function lineElement(line) {
  const event = parse(line);
  const summary = event && typeof event.body === 'string'
    ? h('summary', {},
      h('time', { title: moment(event.ts * 1000), datetime: isoOf(event.ts) }, clock(event.ts * 1000)), ' ',
      h('span', { class: 'ip muted' }, foreign(event.ip ?? '', 64)), ' ', foreign(event.body, LONGEST_SUMMARY, 'code'))
    : h('summary', {}, foreign(line, LONGEST_SUMMARY, 'code'));
  const element = h('details', { class: 'line' }, summary);
  element.addEventListener('toggle', () => {
    if (element.open && element.children.length === 1) element.append(whole(line, event));
  });
  return element;
}

/** Lines of a preview, with how many of how many they are. */
export function linesElement({ lines, truncated }) {
  if (lines.length === 0) return h('p', { class: 'muted' }, t('noLines'));
  return h('div', { class: 'lines' }, h('p', { class: 'muted small' }, t(truncated ? 'firstLines' : 'allLines', { n: lines.length })), lines.map(lineElement));
}

function whole(line, event) {
  if (!event) return foreign(line, LONGEST_LINE, 'pre');
  const body = typeof event.body === 'string' ? parse(event.body) : undefined;
  const rows = Object.entries(event).filter(([name]) => name !== 'body').map(([name, value]) => h('div', {}, h('dt', {}, foreign(name, 64)), h('dd', {}, foreign(typeof value === 'string' ? value : JSON.stringify(value), 4096))));
  const text = body === undefined ? String(event.body ?? '') : JSON.stringify(body, null, 2);
  const pre = h('pre', { class: 'foreign', dir: 'ltr' }, text.slice(0, LONGEST_LINE).split('\n').map(visible).join('\n'));
  return h('div', { class: 'whole' }, h('dl', {}, rows), pre);
}

// Only an object or an array gains by being laid out.
function parse(text) {
  try {
    const value = JSON.parse(text, asWritten);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

// Numbers as they were sent: 12345678901234567890 is no double.
const asWritten = 'rawJSON' in JSON ? (_, value, { source }) => typeof value === 'number' && String(value) !== source ? JSON.rawJSON(source) : value : undefined;

function isoOf(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
