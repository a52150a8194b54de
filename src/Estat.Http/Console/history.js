// What this page has seen in the last ten minutes, per node and for the sum of all.
import { WINDOW_S } from './chart.js';

const LONGEST_GAP_S = 5;
const COLUMNS = ['accepted', 'stored', 'p50', 'p99'];

export class History {
  #series = new Map();

  add(name, time, values) {
    let series = this.#series.get(name);
    if (!series) this.#series.set(name, series = [[], ...COLUMNS.map(() => [])]);
    const [times] = series;
    const last = times.at(-1);
    if (last !== undefined && time <= last) return;
    // A line across a time of which nothing is known would be a lie.
    if (last !== undefined && time - last > LONGEST_GAP_S) push(series, last + 1, {});
    push(series, time, values);
    while (times[0] < time - WINDOW_S) for (const column of series) column.shift();
  }

  of(name) {
    return this.#series.get(name) ?? [[], ...COLUMNS.map(() => [])];
  }
}

function push(series, time, values) {
  series[0].push(time);
  COLUMNS.forEach((column, index) => series[index + 1].push(values[column] ?? null));
}
