// store-window.ts: what goes on behind the counter: figures, charts, and the threads of each service.

import type { LiveFigures, LiveService } from '../live-figures.js';
import { Chart, type Line } from './charts.js';
import { byId, make, setText } from './elements.js';
import { type Explanation, explained } from './meanings.js';

/** A figure, and how it is read off. */
interface Tile extends Explanation {
  readonly read: (figures: LiveFigures) => string;
}

const NOTHING = '–';

const TILES: readonly Tile[] = [
  {
    title: 'Finds a second',
    meaning: 'Look-ups of toys that this front end answered.',
    metrics: ['toystore_http_request_duration_seconds'],
    read: ({ findsPerSecond }) => whole(findsPerSecond),
  },
  {
    title: 'Orders a second',
    meaning: 'Orders that this front end answered, refused ones too.',
    metrics: ['toystore_http_request_duration_seconds'],
    read: ({ ordersPerSecond }) => whole(ordersPerSecond),
  },
  {
    title: 'Failures a second',
    meaning: 'Requests answered with a status of 500 or above.',
    metrics: ['toystore_http_request_duration_seconds'],
    read: ({ failedPerSecond }) => whole(failedPerSecond),
  },
  {
    title: 'Waiting connections',
    meaning: 'Connections that wait until a thread has a place for them.',
    metrics: ['toystore_pool_queue_length'],
    read: ({ queueLength }) => whole(queueLength),
  },
  {
    title: 'Finds in a message',
    meaning: 'Look-ups that travelled to the catalog in one gRPC message, on average.',
    metrics: ['toystore_batch_items_total', 'toystore_batch_messages_total'],
    read: ({ findsPerMessage }) => fraction(findsPerMessage),
  },
  {
    title: 'Orders in a message',
    meaning: 'Orders that travelled to the order service in one gRPC message, on average.',
    metrics: ['toystore_batch_items_total', 'toystore_batch_messages_total'],
    read: ({ ordersPerMessage }) => fraction(ordersPerMessage),
  },
  {
    title: 'Answered from memory',
    meaning: 'Share of finds answered from what this front end holds under its lease.',
    metrics: ['toystore_held_hits_total', 'toystore_held_misses_total'],
    read: ({ hitShare }) => (hitShare === null ? NOTHING : `${Math.round(hitShare * 100)} %`),
  },
  {
    title: 'Toys held',
    meaning: 'Toys that the threads of this front end hold under their lease, so that a find need not ask the catalog.',
    metrics: ['toystore_held_toys'],
    read: ({ heldToys }) => whole(heldToys),
  },
  {
    title: 'Lock waits a second',
    meaning: 'Times that a thread of the catalog had to wait for the reader-writer lock.',
    metrics: ['toystore_lock_waits_total'],
    read: ({ lockWaitsPerSecond }) => fraction(lockWaitsPerSecond),
  },
  {
    title: 'Syncs a second',
    meaning: "How often the catalog's journal was brought to the disk.",
    metrics: ['toystore_journal_sync_seconds'],
    read: ({ syncsPerSecond }) => whole(syncsPerSecond),
  },
  {
    title: 'Orders in a sync',
    meaning: 'Sales that one sync of the journal made durable, on average.',
    metrics: ['toystore_catalog_sold_total', 'toystore_journal_sync_seconds'],
    read: ({ ordersPerSync }) => fraction(ordersPerSync),
  },
  {
    title: 'A sync takes',
    meaning: 'Time of one sync of the journal, on average.',
    metrics: ['toystore_journal_sync_seconds'],
    read: ({ syncMs }) => (syncMs === null ? NOTHING : `${syncMs.toFixed(2)} ms`),
  },
];

const CHARTS = {
  rates: {
    title: 'Requests a second',
    meaning: 'Finds and orders that this front end answered.',
    metrics: ['toystore_http_request_duration_seconds'],
  },
  finds: {
    title: 'Latency of finds, milliseconds',
    meaning: 'Half of the finds of a second took at most p50, 90 % at most p90, 99 % at most p99.',
    metrics: ['toystore_http_request_duration_seconds'],
  },
  orders: {
    title: 'Latency of orders, milliseconds',
    meaning: 'Half of the orders of a second took at most p50, 90 % at most p90, 99 % at most p99.',
    metrics: ['toystore_http_request_duration_seconds'],
  },
};

const LATENCY_LINES = [
  { label: 'p50', color: 1 },
  { label: 'p90', color: 2 },
  { label: 'p99', color: 3 },
] as const;

const SERVICE_TITLES = { frontend: 'Front end', catalog: 'Catalog', order: 'Order' } as const;

const SERVICE_STATE = {
  meaning: 'Up: it tells its metrics to this front end. Selling: it takes orders.',
  metrics: ['toystore_up', 'toystore_selling'],
};
const THREAD_COLUMNS: readonly Explanation[] = [
  {
    title: 'Thread',
    meaning: 'Threads of the pool; those beyond the first come with load and go without.',
    metrics: ['toystore_pool_threads'],
  },
  {
    title: 'Connections',
    meaning: 'Connections that the thread serves now. Pages that watch take no place and are not among them.',
    metrics: ['toystore_pool_sessions'],
  },
  {
    title: 'Busy',
    meaning: 'Share of the last second in which the event loop of the thread had work.',
    metrics: ['toystore_event_loop_active_seconds_total', 'toystore_event_loop_idle_seconds_total'],
  },
];

export class StoreWindow {
  readonly #values: HTMLElement[] = [];
  readonly #services = new Map<LiveService['name'], ServiceCard>();
  readonly #rates: Chart;
  readonly #finds: Chart;
  readonly #orders: Chart;

  constructor() {
    const tiles = byId('tiles');
    for (const tile of TILES) {
      const value = make('dd', {}, NOTHING);
      this.#values.push(value);
      tiles.append(make('div', { class: 'tile' }, make('dt', {}, explained(tile)), value));
    }
    this.#rates = addChart(CHARTS.rates, [
      { label: 'finds', color: 1 },
      { label: 'orders', color: 2 },
    ]);
    this.#finds = addChart(CHARTS.finds, LATENCY_LINES);
    this.#orders = addChart(CHARTS.orders, LATENCY_LINES);
  }

  update(figures: LiveFigures): void {
    for (const [index, { read }] of TILES.entries()) setText(this.#values[index] as HTMLElement, read(figures));
    const { atMs, findLatencyMs: finds, orderLatencyMs: orders } = figures;
    this.#rates.add(atMs, [figures.findsPerSecond, figures.ordersPerSecond]);
    this.#finds.add(atMs, [finds?.p50 ?? null, finds?.p90 ?? null, finds?.p99 ?? null]);
    this.#orders.add(atMs, [orders?.p50 ?? null, orders?.p90 ?? null, orders?.p99 ?? null]);
    for (const service of figures.services) {
      let card = this.#services.get(service.name);
      if (card === undefined) {
        card = new ServiceCard(service.name);
        this.#services.set(service.name, card);
      }
      card.update(service);
    }
  }
}

/** A service and its threads. What can have the focus stays as it is; the rows are made anew. */
class ServiceCard {
  readonly #state = make('p', { class: 'state' });
  readonly #rows = make('tbody');
  readonly #card: HTMLElement;

  constructor(name: LiveService['name']) {
    const head = THREAD_COLUMNS.map((column) => make('th', { scope: 'col' }, explained(column)));
    this.#card = make(
      'article',
      { 'data-service': name },
      make('h4', {}, explained({ title: SERVICE_TITLES[name], ...SERVICE_STATE })),
      this.#state,
      make('table', {}, make('thead', {}, make('tr', {}, ...head)), this.#rows),
    );
    byId('services').append(this.#card);
  }

  update({ isUp, isSelling, threads }: LiveService): void {
    this.#card.className = isUp ? 'service' : 'service away';
    setText(this.#state, isUp ? (isSelling ? 'up, selling' : 'up, not selling') : 'away');
    const rows = threads.map(({ thread, sessions, utilization }) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, thread),
        make('td', {}, whole(sessions)),
        make('td', {}, utilization === null ? NOTHING : busyMeter(utilization)),
      ),
    );
    this.#rows.replaceChildren(...rows);
  }
}

function addChart(explanation: Explanation, lines: readonly Line[]): Chart {
  const host = make('div', { class: 'chart' });
  byId('charts').append(make('figure', {}, make('figcaption', {}, explained(explanation)), host));
  return new Chart(host, lines);
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
