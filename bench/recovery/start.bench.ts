// start.bench.ts: how long until a store is there again that has a million orders, or a million toys, to read?
//
//   six toys · a million toys · a million orders, killed · a million orders, stopped in order
//
// The orders are sold by a store of its own, through HTTP, so the files are what a store leaves behind, whatever they are.
// They were written a moment ago, so they come from the page cache: what is measured is the store, not the disk. Each
// start is asked for something that only the right data has.

import { cp, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { LoadGenerator } from '../load/load-generator.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import { familyOf, memoryMib } from '../store/process-usage.js';
import { makeDataFolder, startToystore, TOYS, toysCsv } from '../store/toystore.js';

const MILLION = 1_000_000;
/** Of a store that reads a million of something. */
const BAR = { atMost: 5 };
/** Enough to fill large batches. */
const BUYERS = 500;
/** The store sells at least this many in a second, or the run gives up. */
const ORDERS_PER_SECOND_MIN = 2000;
const MS_PER_S = 1000;

export async function run(options: RunOptions): Promise<Result[]> {
  const { folder, remove } = await makeDataFolder();
  const [six, million, killed, stopped] = ['six', 'million', 'killed', 'stopped'].map((name) =>
    path.join(folder, name),
  );
  try {
    options.onProgress?.('making a million toys');
    const names = Array.from({ length: MILLION }, (_, index) => `Toy number ${index}`);
    await writeToys(six!, TOYS);
    await writeToys(million!, names);
    options.onProgress?.('selling a million toys');
    await sellAMillion(killed!, stopped!, options);
    const toy = `/products/${encodeURIComponent(names.at(-1)!)}`;
    const order = `/orders/${MILLION - 1}`;
    const memory = new Map<string, number>();
    const times = await measureRounds(
      {
        case: 'the whole store, from its start until it is ready',
        unit: 's',
        better: 'lower',
        rounds: options.quick ? 1 : 3,
        warmups: 0,
        subjects: [
          { name: 'six toys', data: six!, has: '/products/Tux' },
          { name: 'a million toys', data: million!, has: toy, bar: BAR },
          { name: 'a million orders, killed', data: killed!, has: order, bar: BAR },
          { name: 'a million orders, stopped', data: stopped!, has: order, bar: BAR },
        ].map(({ name, data, has, bar }) => ({
          name,
          bar,
          measure: async () => {
            const { seconds, mib } = await measureStart(data, path.join(folder, 'started'), has);
            memory.set(name, mib);
            return seconds;
          },
        })),
      },
      options,
    );
    return times.map((time) => {
      const mib = memory.get(time.subject) ?? 0;
      return mib > 0 ? { ...time, note: `${Math.round(mib)} MiB resident in all services then` } : time;
    });
  } finally {
    await remove();
  }
}

async function writeToys(data: string, names: readonly string[]): Promise<void> {
  await mkdir(path.join(data, 'catalog'), { recursive: true });
  await writeFile(path.join(data, 'catalog', 'catalog.csv'), toysCsv(names));
}

/** Leaves two data directories: as they are while the store runs, which is what `kill -9` leaves, and after its stop. */
async function sellAMillion(killed: string, stopped: string, { signal }: RunOptions): Promise<void> {
  const data = `${stopped}-by-store`;
  const store = await startToystore({ settings: { DATA_DIR: data } });
  const generator = new LoadGenerator();
  try {
    const { host, port } = store;
    const job = { host, port, connections: BUYERS, work: { kind: 'order', toys: TOYS } as const, warmupMs: 0 };
    const durationMs = (MILLION / ORDERS_PER_SECOND_MIN) * MS_PER_S;
    const { order } = await generator.run({ ...job, requestsEach: MILLION / BUYERS, durationMs }, signal);
    const sold = LatencyHistogram.decode(order.histogram).count;
    if (sold < MILLION) throw new Error(`${sold} orders were sold, ${order.errors} failed: ${order.errorSamples[0]}`);
    // A lock's socket cannot be copied; a killed store leaves it behind, and the next start takes no notice of it.
    const filter = async (source: string): Promise<boolean> => !(await lstat(source)).isSocket();
    await cp(data, killed, { recursive: true, filter });
  } finally {
    generator.close();
    await store.stop();
  }
  await cp(data, stopped, { recursive: true });
}

/** Starts a store once on a copy of the data, asks it for a document that must be there, and stops it. */
async function measureStart(data: string, copy: string, has: string): Promise<{ seconds: number; mib: number }> {
  await cp(data, copy, { recursive: true });
  try {
    const startMs = performance.now();
    const store = await startToystore({ settings: { DATA_DIR: copy } });
    try {
      const seconds = (performance.now() - startMs) / MS_PER_S;
      const mib = store.pid === undefined ? 0 : memoryMib(familyOf(store.pid));
      const { status } = await fetch(`http://${store.host}:${store.port}${has}`);
      if (status !== 200) throw new Error(`${has} is answered by ${status}`);
      return { seconds, mib };
    } finally {
      await store.stop();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
