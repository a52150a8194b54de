// A chart of the last ten minutes, over uPlot. Its colours are the page's; its numbers stand below it as text as well.
import { h, setText } from './dom.js';
import { clock } from './format.js';

export const WINDOW_S = 600;

// What a page shows that was opened just now: ten minutes of nothing would hide the first seconds.
const FIRST_WINDOW_S = 120;

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `series`: `{label, color: '--name', format}`. */
export class Chart {
  #plot = null;
  #data;
  #series;
  #host;
  #readings;
  #observer;

  constructor(title, series) {
    this.#series = series;
    this.#data = [[], ...series.map(() => [])];
    this.#host = h('div', { class: 'plot', role: 'img', 'aria-label': title });
    this.#readings = series.map(() => h('span', { class: 'reading' }));
    this.summary = h('p', { class: 'muted small' });
    this.element = h('figure', { class: 'card chart' },
      h('figcaption', {}, h('h3', {}, title), h('span', { class: 'legend' },
        series.map((one, index) => h('span', { class: 'key' }, h('i', { class: `swatch ${one.color.slice(2)}` }), one.label, ' ', this.#readings[index])))),
      this.#host, this.summary);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(this.#host);
  }

  /** `data`: times in seconds, then one array of values per series; null where there is none. */
  show(data) {
    this.#data = data;
    this.#plot?.setData(this.#data);
    this.#read(null);
  }

  /** The theme changed: uPlot has drawn its colours. */
  repaint() {
    this.#plot?.destroy();
    this.#plot = null;
    this.#resize();
  }

  dispose() {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }


  #resize() {
    const width = Math.floor(this.#host.clientWidth);
    if (width === 0) return;
    if (this.#plot) this.#plot.setSize({ width, height: 190 });
    else this.#plot = new window.uPlot(this.#options(width), this.#data, this.#host);
  }

  #options(width) {
    const font = '12px system-ui, sans-serif';
    const axis = { stroke: css('--muted'), font, grid: { stroke: css('--line'), width: 1 }, ticks: { show: false } };
    return {
      width,
      height: 190,
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      hooks: { setCursor: [plot => this.#read(plot.cursor.idx ?? null)] },
      scales: {
        x: { time: true, range: () => this.#window() },
        y: { range: (_, low, high) => [0, high > 0 ? high * 1.1 : 1] },
      },
      axes: [
        { ...axis, size: 28, space: 90, values: (_, ticks) => ticks.map(tick => tick % 60 === 0 ? clock(tick * 1000).slice(0, 5) : clock(tick * 1000)) },
        { ...axis, size: 58, values: (_, ticks) => ticks.map(tick => this.#series[0].format(tick)) },
      ],
      series: [{}, ...this.#series.map(one => ({
        stroke: css(one.color), width: 1.75, fill: one.filled ? `${css(one.color)}22` : undefined, points: { show: false }, spanGaps: false,
      }))],
    };
  }

  #window() {
    const last = this.#data[0].at(-1) ?? Date.now() / 1000;
    const known = last - (this.#data[0][0] ?? last);
    return [last - Math.min(WINDOW_S, Math.max(FIRST_WINDOW_S, known)), last];
  }

  #read(index) {
    const at = index ?? this.#data[0].length - 1;
    this.#series.forEach((one, number) => {
      const value = this.#data[number + 1][at];
      setText(this.#readings[number], value === null || value === undefined ? '–' : one.format(value));
    });
  }
}
