// start.bench.ts: how long until a service is there again that has a million orders, or a million toys, to read?
//
//   order     no orders · a million orders, killed · a million orders, stopped in order
//   catalog   six toys · a million toys
//
// The orders are sold by a store of its own, through HTTP, so the files are what a store leaves behind, whatever they are.
// They were written a moment ago, so they come from the page cache: what is measured is the service, not the disk. Each
// start is asked for something that only the right data has.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { CatalogClient, FindToyRequest, type FindToyResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { GetOrderRequest, type GetOrderResponse, OrderClient } from '../../proto/gen/toystore/v1/order.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { LoadGenerator } from '../load/load-generator.js';
import { maker, unary } from '../peers/grpc-service.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds, median } from '../rounds.js';
import { DATA_FOLDER } from '../run/paths.js';
import { peakMemoryMib } from '../store/process-usage.js';
import { startServer, type Target } from '../store/server-process.js';
import { findFreePorts, makeStorePlace, STOCK, startToystore, storeCli, TOYS, toysCsv } from '../store/toystore.js';

const MILLION = 1_000_000;
const BAR_SECONDS = 5;
const FOUND = 0;
/** Enough to fill large batches. */
const BUYERS = 512;
/** The store sells at least this many in a second, or the run gives up. */
const ORDERS_PER_SECOND_MIN = 2000;
const MS_PER_S = 1000;

type Service = 'catalog' | 'order';

/** A service on files that were made beforehand. */
interface Start {
  readonly name: string;
  /** Copied before each start: its `DATA_DIR`. */
  readonly data: string;
  /** It reads a million of something, so it has a bar. */
  readonly isMillion: boolean;
  /** Throws when the service does not have what it was given. */
  check(address: string): Promise<void>;
}

export async function run(options: RunOptions): Promise<Result[]> {
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-recovery-'));
  try {
    return [...(await measureOrder(folder, options)), ...(await measureCatalog(folder, options))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureOrder(folder: string, options: RunOptions): Promise<Result[]> {
  options.onProgress?.('selling a million toys');
  const empty = await makeFolder(folder, 'empty');
  const killed = path.join(folder, 'killed');
  const stopped = path.join(folder, 'stopped');
  await sellAMillion(killed, stopped, options);
  const check = (address: string) => checkOrder(address, MILLION - 1);
  return measureStarts('order', folder, options, [
    { name: 'no orders', data: empty, isMillion: false, check: async () => undefined },
    { name: 'a million orders, killed', data: killed, isMillion: true, check },
    { name: 'a million orders, stopped', data: stopped, isMillion: true, check },
  ]);
}

/** Leaves two data directories: as they are while the store runs, which is what `kill -9` leaves, and after its stop. */
async function sellAMillion(killed: string, stopped: string, { signal }: RunOptions): Promise<void> {
  const place = await makeStorePlace();
  const store = await startToystore({ settings: place.settings });
  const generator = new LoadGenerator();
  try {
    const { host, port } = store;
    const job = { host, port, connections: BUYERS, work: { kind: 'order', toys: TOYS } as const, warmupMs: 0 };
    const requestsEach = Math.ceil(MILLION / BUYERS);
    const durationMs = (MILLION / ORDERS_PER_SECOND_MIN) * MS_PER_S;
    const { order } = await generator.run({ ...job, requestsEach, durationMs }, signal);
    const sold = LatencyHistogram.decode(order.histogram).count;
    if (sold < MILLION) throw new Error(`${sold} orders were sold, ${order.errors} failed: ${order.errorSamples[0]}`);
    await cp(place.settings.DATA_DIR!, killed, { recursive: true });
    await store.stop();
    await cp(place.settings.DATA_DIR!, stopped, { recursive: true });
  } finally {
    generator.close();
    await store.stop();
    await place.remove();
  }
}

async function measureCatalog(folder: string, options: RunOptions): Promise<Result[]> {
  options.onProgress?.('making a million toys');
  const names = Array.from({ length: MILLION }, (_, index) => `Toy number ${index}`);
  const [six, million] = [await makeFolder(folder, 'six'), await makeFolder(folder, 'toys')];
  for (const [data, toys] of [[six, TOYS] as const, [million, names] as const]) {
    await mkdir(path.join(data, 'catalog'));
    await writeFile(path.join(data, 'catalog', 'catalog.csv'), toysCsv(toys));
  }
  return measureStarts('catalog', folder, options, [
    { name: 'six toys', data: six, isMillion: false, check: (address) => checkToy(address, TOYS[0]) },
    { name: 'a million toys', data: million, isMillion: true, check: (address) => checkToy(address, names.at(-1)!) },
  ]);
}

async function makeFolder(folder: string, name: string): Promise<string> {
  const made = path.join(folder, name);
  await mkdir(made);
  return made;
}

/** The time of each start, with its bar, and the memory that it took. */
async function measureStarts(
  service: Service,
  folder: string,
  options: RunOptions,
  starts: readonly Start[],
): Promise<Result[]> {
  const peaks = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
  const times = await measureRounds(
    {
      case: `${service}: from its start until it is ready`,
      unit: 's',
      better: 'lower',
      rounds: options.quick ? 1 : 3,
      warmups: 0,
      subjects: starts.map((start) => ({
        name: start.name,
        measure: () => measureStart(service, folder, start, peaks.get(start.name)!),
        bar: start.isMillion ? { atMost: BAR_SECONDS } : undefined,
      })),
    },
    options,
  );
  const memory = [...peaks].flatMap(([subject, rounds]): Result[] => {
    if (rounds.length === 0 || rounds.includes(0)) return [];
    const value = median(rounds);
    return [
      { case: `${service}: most resident memory until then`, subject, value, unit: 'MiB', better: 'lower', rounds },
    ];
  });
  return [...times, ...memory];
}

/** Starts the service once, checks it, and stops it; the seconds that its start took. */
async function measureStart(
  service: Service,
  folder: string,
  { data, check }: Start,
  peaks: number[],
): Promise<number> {
  const dataDir = await mkdtemp(path.join(folder, `${service}-`));
  await cp(data, dataDir, { recursive: true });
  const [port] = await findFreePorts(1);
  const startMs = performance.now();
  const running: Target = await startServer({
    name: service,
    args: [storeCli(), service],
    // The order service is ready before it has found its catalog, and here it never does.
    env: {
      HOST: '127.0.0.1',
      [`${service.toUpperCase()}_PORT`]: String(port),
      CATALOG_ADDRESS: '127.0.0.1:1',
      DATA_DIR: dataDir,
    },
    cleanUp: () => rm(dataDir, { recursive: true, force: true }),
  });
  const seconds = (performance.now() - startMs) / MS_PER_S;
  if (running.pid !== undefined) peaks.push(peakMemoryMib(running.pid));
  try {
    await check(`${running.host}:${running.port}`);
  } finally {
    await running.stop();
  }
  return seconds;
}

async function checkOrder(address: string, number: number): Promise<void> {
  const client = new OrderClient(address, credentials.createInsecure());
  try {
    const request = maker(GetOrderRequest)({ number });
    const order = await unary<GetOrderRequest, GetOrderResponse>(client, client.getOrder)(request);
    if (order.result !== FOUND) throw new Error(`order ${number} is not there`);
  } finally {
    client.close();
  }
}

async function checkToy(address: string, name: string): Promise<void> {
  const client = new CatalogClient(address, credentials.createInsecure());
  try {
    const request = maker(FindToyRequest)({ name });
    const { toy } = await unary<FindToyRequest, FindToyResponse>(client, client.findToy)(request);
    if (toy?.quantity !== STOCK) throw new Error(`${name}: ${toy?.quantity} are left, not ${STOCK}`);
  } finally {
    client.close();
  }
}
