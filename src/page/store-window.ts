// store-window.ts: what goes on behind the counter: figures, charts, and the threads of each service.

import type { LiveFigures, LiveService } from '../live-figures.js';
import { Chart } from './charts.js';
import { byId, make, setText } from './elements.js';

/** A figure: its name, what it means, the metric that it is made from, and how it is read off. */
interface Tile {
  readonly title: string;
  readonly meaning: string;
  readonly metric: string;
  readonly read: (figures: LiveFigures) => string;
}

const NOTHING = '–';

const TILES: readonly Tile[] = [
  {
    title: 'Finds a second',
    meaning: 'Look-ups of toys that this front end answered.',
    metric: 'toystore_http_request_duration_seconds',
    read: ({ findsPerSecond }) => whole(findsPerSecond),
  },
  {
    title: 'Orders a second',
    meaning: 'Orders that this front end answered, refused ones too.',
    metric: 'toystore_http_request_duration_seconds',
    read: ({ ordersPerSecond }) => whole(ordersPerSecond),
  },
  {
    title: 'Failures a second',
    meaning: 'Requests answered with a status of 500 or above.',
    metric: 'toystore_http_request_duration_seconds',
    read: ({ failedPerSecond }) => whole(failedPerSecond),
  },
  {
    title: 'Waiting connections',
    meaning: 'Connections that wait until a thread has a place for them.',
    metric: 'toystore_pool_queue_length',
    read: ({ queueLength }) => whole(queueLength),
  },
  {
    title: 'Finds in a message',
    meaning: 'Look-ups that travelled to the catalog in one gRPC message, on average.',
    metric: 'toystore_batch_size',
    read: ({ findsPerMessage }) => fraction(findsPerMessage),
  },
  {
    title: 'Orders in a message',
    meaning: 'Orders that travelled to the order service in one gRPC message, on average.',
    metric: 'toystore_batch_size',
    read: ({ ordersPerMessage }) => fraction(ordersPerMessage),
  },
  {
    title: 'Answered from memory',
    meaning: 'Share of finds answered from what this front end holds under its lease.',
    metric: 'toystore_held_hits_total',
    read: ({ hitShare, heldToys }) =>
      hitShare === null ? NOTHING : `${Math.round(hitShare * 100)} %${heldToys === null ? '' : ` of ${heldToys} toys`}`,
  },
  {
    title: 'Lock waits a second',
    meaning: 'Times that a thread of the catalog had to wait for the reader-writer lock.',
    metric: 'toystore_lock_waits_total',
    read: ({ lockWaitsPerSecond }) => fraction(lockWaitsPerSecond),
  },
  {
    title: 'Syncs a second',
    meaning: "How often the catalog's journal was brought to the disk.",
    metric: 'toystore_journal_sync_seconds',
    read: ({ syncsPerSecond }) => whole(syncsPerSecond),
  },
  {
    title: 'Orders in a sync',
    meaning: 'Sales that one sync of the journal made durable, on average.',
    metric: 'toystore_catalog_sold_total',
    read: ({ ordersPerSync }) => fraction(ordersPerSync),
  },
  {
    title: 'A sync takes',
    meaning: 'Time of one sync of the journal, on average.',
    metric: 'toystore_journal_sync_seconds',
    read: ({ syncMs }) => (syncMs === null ? NOTHING : `${syncMs.toFixed(2)} ms`),
  },
];

const SERVICE_TITLES = { frontend: 'Front end', catalog: 'Catalog', order: 'Order' } as const;

const LATENCY_LINES = [
  { label: 'p50', color: '--chart-1' },
  { label: 'p90', color: '--chart-2' },
  { label: 'p99', color: '--chart-3' },
];

export class StoreWindow {
  readonly #values: HTMLElement[] = [];
  readonly #services = byId('services');
  readonly #rates = new Chart('rate-chart', [
    { label: 'finds', color: '--chart-1' },
    { label: 'orders', color: '--chart-2' },
  ]);
  readonly #finds = new Chart('find-chart', LATENCY_LINES);
  readonly #orders = new Chart('order-chart', LATENCY_LINES);

  constructor() {
    const tiles = byId('tiles');
    for (const [index, { title, meaning, metric }] of TILES.entries()) {
      const value = make('dd', {}, NOTHING);
      this.#values.push(value);
      tiles.append(make('div', { class: 'tile' }, make('dt', {}, explained(title, meaning, metric, index)), value));
    }
  }

  update(figures: LiveFigures): void {
    for (const [index, { read }] of TILES.entries()) setText(this.#values[index] as HTMLElement, read(figures));
    const { atMs, findLatencyMs: finds, orderLatencyMs: orders } = figures;
    this.#rates.add(atMs, [figures.findsPerSecond, figures.ordersPerSecond]);
    this.#finds.add(atMs, [finds?.p50 ?? null, finds?.p90 ?? null, finds?.p99 ?? null]);
    this.#orders.add(atMs, [orders?.p50 ?? null, orders?.p90 ?? null, orders?.p99 ?? null]);
    this.#services.replaceChildren(...figures.services.map(serviceCard));
  }
}

/** The name of a figure; its meaning and its metric open on hover, focus or tap. */
function explained(title: string, meaning: string, metric: string, index: number): HTMLElement {
  const id = `meaning-${index}`;
  const text = make('span', { class: 'meaning', id, role: 'tooltip' }, `${meaning} `, make('code', {}, metric));
  return make('span', { class: 'explained' }, make('button', { type: 'button', 'aria-describedby': id }, title), text);
}

function serviceCard({ name, isUp, isSelling, threads }: LiveService): HTMLElement {
  const state = isUp ? (isSelling ? 'up, selling' : 'up, not selling') : 'away';
  const rows = threads.map(({ thread, sessions, utilization }) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, thread),
      make('td', {}, whole(sessions)),
      make('td', {}, utilization === null ? NOTHING : busyMeter(utilization)),
    ),
  );
  const head = ['Thread', 'Connections', 'Busy'].map((title) => make('th', { scope: 'col' }, title));
  return make(
    'article',
    { class: isUp ? 'service' : 'service away', 'data-service': name },
    make('h4', {}, SERVICE_TITLES[name]),
    make('p', { class: 'state' }, state),
    make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  );
}

function busyMeter(utilization: number): HTMLElement {
  const percent = `${Math.round(utilization * 100)} %`;
  const meter = make('meter', { min: '0', max: '1', value: String(utilization), 'aria-hidden': 'true' });
  return make('span', { class: 'busy' }, meter, percent);
}

function whole(value: number | null): string {
  return value === null ? NOTHING : Math.round(value).toLocaleString('en');
}

function fraction(value: number | null): string {
  return value === null ? NOTHING : value.toLocaleString('en', { maximumFractionDigits: 1 });
}
