// A real store with a second front end that holds its toys too: what all of them show, and gRPC beside them, could come from
// one stock that does one thing at a time, whoever is paused, killed or cut off; and what an order waits for.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Buyer } from '../chaos/buyer.js';
import { ChaosNotes } from '../chaos/chaos-notes.js';
import { lookByGrpc, lookByHttp } from '../chaos/onlooker.js';
import { type ChaosToy, seedCsv } from '../chaos/shelf.js';
import { UnsteadyLink } from '../chaos/unsteady-link.js';
import { checkStockHistory } from '../linearizability/stock-checker.js';
import { isThorough } from '../support/effort.js';
import { freePort } from '../support/free-port.js';
import { SeededRandom } from '../support/simulated-random.js';
import { buy, stockOf, untilHeld } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

const SHELF = [{ name: 'Tux', stock: 1_000_000 }];
/** Longer than a lease of the default second, with its tenth. */
const LONG_MS = 1_400;
const BUYERS = 4;
/** Where there is time for it they buy as fast as the machine can, and so that it has little left for looks. */
const THINK_MS_MAX = isThorough ? 0 : 25;

interface Stores extends AsyncDisposable {
  readonly store: StoreProcess;
  readonly second: StoreProcess;
  readonly link: UnsteadyLink;
  readonly catalogAddress: string;
}

async function startTwo(shelf: readonly ChaosToy[], env: Record<string, string> = {}): Promise<Stores> {
  const seedDir = await mkdtemp(join(tmpdir(), 'toystore-seed-'));
  const seedPath = join(seedDir, 'toys.csv');
  await writeFile(seedPath, seedCsv(shelf));
  const catalogPort = await freePort();
  const orderPort = await freePort();
  const addresses = { CATALOG_ADDRESS: `127.0.0.1:${catalogPort}`, ORDER_ADDRESS: `127.0.0.1:${orderPort}` };
  const ports = { CATALOG_PORT: String(catalogPort), ORDER_PORT: String(orderPort) };
  const common = { ...addresses, THREADS: '2', PACKED_SESSIONS: '1', LOG_LEVEL: 'info', ...env };
  const store = await StoreProcess.start('start', { env: { ...common, ...ports, SEED_CSV: seedPath } });
  const link = await UnsteadyLink.start(() => catalogPort);
  const second = await StoreProcess.start('frontend', { env: { ...common, CATALOG_ADDRESS: link.address } });
  return {
    ...{ store, second, link, catalogAddress: addresses.CATALOG_ADDRESS },
    [Symbol.asyncDispose]: async () => {
      await second[Symbol.asyncDispose]();
      await link[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(seedDir, { recursive: true });
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const random = new SeededRandom(20);

/** What befalls the store while people buy and look. */
const disturbances: Record<string, (stores: Stores) => Promise<void>> = {
  nothing: () => pause(500),
  'the second front end is paused for longer than a lease': async ({ second }) => {
    second.child.kill('SIGSTOP');
    await pause(LONG_MS);
    second.child.kill('SIGCONT');
  },
  'the catalog is paused for longer than a lease': async ({ store }) => {
    const pid = store.servicePid('catalog');
    process.kill(pid, 'SIGSTOP');
    await pause(LONG_MS);
    process.kill(pid, 'SIGCONT');
  },
  'connections of the second front end are cut, the Watch stream among them': async ({ link }) => {
    for (let cuts = 0; cuts < 12; cuts++) {
      link.cutOne(random);
      await pause(60);
    }
  },
  'connections of the second front end fall silent for longer than a lease': async ({ link }) => {
    const goOn = [1, 2, 3, 4].map(() => link.holdOne(random));
    await pause(LONG_MS);
    for (const one of goOn) one?.();
  },
  'the catalog is killed while the second front end is paused': async ({ store, second }) => {
    second.child.kill('SIGSTOP');
    process.kill(store.servicePid('catalog'), 'SIGKILL');
    await pause(LONG_MS / 4);
    second.child.kill('SIGCONT');
    await pause(LONG_MS);
  },
  'the first front end is killed': async ({ store }) => {
    process.kill(store.servicePid('frontend'), 'SIGKILL');
    await pause(LONG_MS);
  },
};

test.serial('two front ends and gRPC show one stock, whatever befalls them', async (t) => {
  await using stores = await startTwo(SHELF);
  const notes = new ChaosNotes(SHELF);
  const closing = new AbortController();
  const giveUp = new AbortController();
  const shared = { shelf: SHELF, notes, closing: closing.signal };
  const busy = Promise.all([
    ...Array.from({ length: BUYERS }, (_, index) =>
      new Buyer({
        ...shared,
        thinkMsMax: THINK_MS_MAX,
        index,
        port: stores.store.port,
        seed: 5,
        giveUp: giveUp.signal,
      }).shop(),
    ),
    ...[1, 2, 3].map((seed) => lookByHttp(stores.second.port, { ...shared, seed })),
    lookByHttp(stores.store.port, { ...shared, seed: 4 }),
    lookByGrpc(stores.catalogAddress, { ...shared, seed: 6 }),
  ]);
  for (const [what, disturb] of Object.entries(disturbances)) {
    const before = notes.queries;
    await disturb(stores);
    await pause(LONG_MS / 4);
    t.log(`${what}: ${notes.queries - before} looks`);
  }
  closing.abort();
  const timer = setTimeout(() => giveUp.abort(), 30_000);
  await busy;
  clearTimeout(timer);
  t.deepEqual(notes.violations, []);
  t.true(notes.sold > 0);
  t.deepEqual(checkStockHistory(SHELF[0]!.stock, notes.histories.get('Tux')!.operations()), { isLinearizable: true });
});

test.serial(
  'an order waits for a silent holder of its toy, once and for a lease at most; others do not wait',
  async (t) => {
    const leaseMs = 4_000;
    const shelf = [
      { name: 'Tux', stock: 100 },
      { name: 'Fox', stock: 100 },
    ];
    await using stores = await startTwo(shelf, { LEASE_MS: String(leaseMs) });
    const { store, second } = stores;
    await buy(store.port, 'Fox', 1);
    // It says that it is ready before the catalog has made it a holder.
    await untilHeld(second.port, 'Tux');
    second.child.kill('SIGSTOP');
    const msOf = async (name: string): Promise<number> => {
      const begin = performance.now();
      const { status } = await buy(store.port, name, 1);
      t.is(status, 200);
      return performance.now() - begin;
    };
    const other = await msOf('Fox');
    const first = await msOf('Tux');
    const later = await msOf('Tux');
    second.child.kill('SIGCONT');
    t.log(`another toy ${other.toFixed(0)} ms, the held one ${first.toFixed(0)} ms, then ${later.toFixed(0)} ms`);
    t.true(first > leaseMs / 3, 'it waits for the holder');
    t.true(first < leaseMs * 1.1 + 1_500, 'for a lease at most');
    t.true(other < leaseMs / 3, 'an order for what the holder does not hold');
    t.true(later < leaseMs / 3, 'the next one');
    t.is(await stockOf(second.port, 'Tux'), 98, 'what the holder shows when it wakes up');
  },
);
