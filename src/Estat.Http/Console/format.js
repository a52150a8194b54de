// Numbers, sizes and times, as the chosen language writes them.
import { language } from './strings.js';

const made = new Map();

function once(kind, options, make) {
  const key = `${kind} ${language()} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, make());
  return made.get(key);
}

function number(value, options = {}) {
  return once('number', options, () => new Intl.NumberFormat(language(), options)).format(value);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

export const count = value => number(value);

export const rate = value => number(value, value >= 1000 ? { maximumFractionDigits: 0 } : { maximumFractionDigits: value >= 10 ? 0 : 1 });

export const compact = value => number(value, { notation: 'compact', maximumFractionDigits: 1 });

export const percent = value => number(value / 100, { style: 'percent', maximumFractionDigits: value < 10 ? 1 : 0 });

export function bytes(value) {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return number(value, { style: 'unit', unit: UNITS[unit], unitDisplay: unit === 0 ? 'long' : 'short', maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 });
}

export function milliseconds(value) {
  return value >= 1000 ? duration(value / 1000)
    : number(value, { style: 'unit', unit: 'millisecond', unitDisplay: 'short', maximumFractionDigits: value < 1 ? 2 : value < 10 ? 1 : 0 });
}

export function duration(seconds) {
  const [value, unit] = seconds < 120 ? [seconds, 'second'] : seconds < 7200 ? [seconds / 60, 'minute'] : seconds < 172800 ? [seconds / 3600, 'hour'] : [seconds / 86400, 'day'];
  return number(value, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: value < 10 ? 1 : 0 });
}

let skew = 0;

/** The server's clock: ages and due times are its own, whatever the clock of this machine says. */
export function follow(serverTime) {
  const difference = serverTime - Date.now();
  skew = Math.abs(difference) > 3000 ? difference : 0;
}

export const now = () => Date.now() + skew;

/** "3 minutes ago", "in 5 seconds". */
export function relative(time) {
  if (!Number.isFinite(time)) return '–';
  const seconds = (time - now()) / 1000;
  const size = Math.abs(seconds);
  const [value, unit] = size < 90 ? [seconds, 'second'] : size < 5400 ? [seconds / 60, 'minute'] : size < 129600 ? [seconds / 3600, 'hour'] : [seconds / 86400, 'day'];
  return once('relative', {}, () => new Intl.RelativeTimeFormat(language(), { numeric: 'auto' })).format(Math.round(value), unit);
}

// Not every line is an event of Estat's, and not every number a time.
const isTime = time => Number.isFinite(new Date(time).getTime());

export const clock = time => !isTime(time) ? '–' : once('clock', {}, () => new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })).format(time);

export const moment = time => !isTime(time) ? '–' : once('moment', {}, () => new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' })).format(time);

export function plural(value) {
  return once('plural', {}, () => new Intl.PluralRules(language())).select(value);
}
