// start.bench.ts: how long until a store is there again that has a million orders, or a million toys, to read?
//
//   six toys · a million toys · a million orders, killed · a million orders, stopped in order
//
// The orders are sold by a store of its own, through HTTP, so the files are what a store leaves behind, whatever they are.
// They were written a moment ago, so they come from the page cache: what is measured is the store, not the disk. Each
// start is asked for something that only the right data has.

import { cp, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { measureRounds } from '../rounds.js';
import type { Scenario, ScenarioContext } from '../scenarios/scenario.js';
import { familyOf, memoryMib } from '../store/process-usage.js';
import { toysCsv } from '../store/toys.js';
import { makeDataFolder, startToystore } from '../store/toystore.js';

const MILLION = 1_000_000;
/** Of a store that reads a million of something. */
const BAR = { atMost: 5 };
/** Enough to fill large batches. */
const BUYERS = 500;
/** The store sells at least this many in a second, or the run gives up. */
const ORDERS_PER_SECOND_MIN = 2000;
const ROUNDS = 3;
const MS_PER_S = 1000;

export const recovery: Scenario = async (context) => {
  const { folder, remove } = await makeDataFolder();
  const place = (name: string): string => path.join(folder, name);
  try {
    context.step('making a million toys');
    const names = Array.from({ length: MILLION }, (_, index) => `Toy number ${index}`);
    await writeToys(place('six'));
    await writeToys(place('million'), names);
    context.step('selling a million toys');
    await sellAMillion(place('killed'), place('stopped'), context);
    const toy = `/products/${encodeURIComponent(names.at(-1)!)}`;
    const order = `/orders/${MILLION - 1}`;
    const starts = [
      { name: 'six toys', data: place('six'), has: '/products/Tux' },
      { name: 'a million toys', data: place('million'), has: toy },
      { name: 'a million orders, killed', data: place('killed'), has: order },
      { name: 'a million orders, stopped', data: place('stopped'), has: order },
    ];
    const bars = Object.fromEntries(starts.slice(1).map(({ name }) => [name, BAR]));
    const quantities = [
      { case: 'the whole store, from its start until it is ready', unit: 's', better: 'lower', bars },
      { case: 'resident memory of all services then', unit: 'MiB', better: 'lower' },
    ] as const;
    const subjects = starts.map(({ name, data, has }) => ({
      name,
      measure: () => measureStart(data, place('started'), has),
    }));
    await measureRounds({ quantities, subjects, rounds: ROUNDS, warmups: 0 }, context);
  } finally {
    await remove();
  }
};

async function writeToys(data: string, names?: readonly string[]): Promise<void> {
  await mkdir(path.join(data, 'catalog'), { recursive: true });
  await writeFile(path.join(data, 'catalog', 'catalog.csv'), toysCsv(names));
}

/** Leaves two data directories: as they are while the store runs, which is what `kill -9` leaves, and after its stop. */
async function sellAMillion(killed: string, stopped: string, { generator, signal }: ScenarioContext): Promise<void> {
  const data = `${stopped}-by-store`;
  const store = await startToystore({ settings: { DATA_DIR: data } });
  try {
    const { host, port } = store;
    const job = { host, port, connections: BUYERS, work: 'order' as const, warmupMs: 0 };
    const durationMs = (MILLION / ORDERS_PER_SECOND_MIN) * MS_PER_S;
    const { order } = await generator.run({ ...job, requestsEach: MILLION / BUYERS, durationMs }, signal);
    const { count, errors, errorSamples } = order;
    if (count < MILLION) throw new Error(`${count} orders were sold, ${errors} failed: ${errorSamples[0]}`);
    // A lock's socket cannot be copied; a killed store leaves it behind, and the next start takes no notice of it.
    const filter = async (source: string): Promise<boolean> => !(await lstat(source)).isSocket();
    await cp(data, killed, { recursive: true, filter });
  } finally {
    await store.stop();
  }
  await cp(data, stopped, { recursive: true });
}

/** Starts a store once on a copy of the data, asks it for a document that must be there, and stops it. @returns seconds, MiB */
async function measureStart(data: string, copy: string, has: string): Promise<[number, number]> {
  await cp(data, copy, { recursive: true });
  try {
    const startMs = performance.now();
    const store = await startToystore({ settings: { DATA_DIR: copy } });
    try {
      const seconds = (performance.now() - startMs) / MS_PER_S;
      const mib = store.pid === undefined ? 0 : memoryMib(familyOf(store.pid));
      const { status } = await fetch(`http://${store.host}:${store.port}${has}`);
      if (status !== 200) throw new Error(`${has} is answered by ${status}`);
      return [seconds, mib];
    } finally {
      await store.stop();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
