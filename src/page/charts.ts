// charts.ts: lines over the last minutes, drawn by uPlot, in the colours of the page, light or dark. The legend below is
// ours: it tells the newest values, or those under the pointer, and it is what a screen reader reads.

import { make, setText } from './elements.js';
import uPlot from './uplot.js';

/** Seconds that a chart shows, one point for each: five minutes. */
const POINTS_MAX = 300;
const HEIGHT_PX = 180;

/** A line of a chart: its name in the legend, and which of the chart colours of style.css it has. */
export interface Line {
  readonly label: string;
  readonly color: 1 | 2 | 3;
}

export class Chart {
  readonly #host: HTMLElement;
  readonly #lines: readonly Line[];
  readonly #columns: (number | null)[][];
  readonly #legend: readonly HTMLElement[];
  #plot: uPlot | undefined;

  constructor(host: HTMLElement, lines: readonly Line[]) {
    this.#host = host;
    this.#lines = lines;
    this.#columns = [[], ...lines.map(() => [])];
    this.#legend = lines.map(() => make('b', {}, '–'));
    this.#host.after(
      make(
        'p',
        { class: 'legend' },
        ...lines.map(({ label, color }, index) =>
          make('span', {}, make('i', { class: `chart-${color}` }), `${label} `, this.#legend[index] ?? ''),
        ),
      ),
    );
    new ResizeObserver(() => this.#resize()).observe(this.#host);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw());
  }

  /** Adds one point to each line, in the order in which they were given. */
  add(atMs: number, values: readonly (number | null)[]): void {
    for (const [index, value] of [atMs / 1000, ...values].entries()) {
      const column = this.#columns[index];
      column?.push(value);
      if (column !== undefined && column.length > POINTS_MAX) column.shift();
    }
    if (this.#plot === undefined) this.#draw();
    else this.#plot.setData(this.#data);
    this.#tell();
  }

  get #data(): uPlot.AlignedData {
    return this.#columns as unknown as uPlot.AlignedData;
  }

  /** The values under the pointer, else the newest. */
  #tell(): void {
    const index = this.#plot?.cursor.idx ?? (this.#columns[0]?.length ?? 0) - 1;
    for (const [line, element] of this.#legend.entries()) {
      const value = this.#columns[line + 1]?.[index] ?? null;
      setText(element, value === null ? '–' : value.toLocaleString('en', { maximumSignificantDigits: 3 }));
    }
  }

  #draw(): void {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
    this.#plot = new uPlot(
      {
        width: Math.max(200, this.#host.clientWidth),
        height: HEIGHT_PX,
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        legend: { show: false },
        axes: [
          { ...axis, size: 32, values: (_plot, seconds) => seconds.map(clockTime) },
          { ...axis, size: 56 },
        ],
        series: [{}, ...this.#lines.map((line) => ({ stroke: color(`--chart-${line.color}`), width: 2 }))],
        hooks: { setCursor: [() => this.#tell()] },
      },
      this.#data,
      this.#host,
    );
  }

  #resize(): void {
    const width = this.#host.clientWidth;
    if (this.#plot !== undefined && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT_PX });
    }
  }
}

function clockTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}
