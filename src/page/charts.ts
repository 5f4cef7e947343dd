// charts.ts: lines over the last minutes, drawn by uPlot, in the colours of the page, light or dark.

import { byId } from './elements.js';
import uPlot from './uplot.js';

/** Seconds that a chart shows, one point for each: five minutes. */
const POINTS_MAX = 300;
const HEIGHT_PX = 180;

/** A line of a chart: its name in the legend, and the custom property of style.css that has its colour. */
export interface Line {
  readonly label: string;
  readonly color: string;
}

export class Chart {
  readonly #host: HTMLElement;
  readonly #lines: readonly Line[];
  readonly #columns: (number | null)[][];
  #plot: uPlot | undefined;

  constructor(id: string, lines: readonly Line[]) {
    this.#host = byId(id);
    this.#lines = lines;
    this.#columns = [[], ...lines.map(() => [])];
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
  }

  get #data(): uPlot.AlignedData {
    return this.#columns as unknown as uPlot.AlignedData;
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
        axes: [axis, { ...axis, size: 56 }],
        series: [{}, ...this.#lines.map((line) => ({ label: line.label, stroke: color(line.color), width: 2 }))],
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
