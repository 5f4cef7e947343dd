// A real store whose front end shows its own sales by itself: what it shows, and what gRPC beside it shows, could come from one
// stock that does one thing at a time, whoever is paused or killed.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Buyer } from '../chaos/buyer.js';
import { ChaosNotes } from '../chaos/chaos-notes.js';
import { lookByGrpc, lookByHttp } from '../chaos/onlooker.js';
import { seedCsv } from '../chaos/shelf.js';
import { checkStockHistory } from '../linearizability/stock-checker.js';
import { isThorough } from '../support/effort.js';
import { freePort } from '../support/free-port.js';
import { counted } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

const SHELF = [{ name: 'Tux', stock: 1_000_000 }];
/** Longer than a lease of the default second, with its tenth. */
const LONG_MS = 1_400;
const SHORT_MS = 300;
const BUYERS = 3;
/** Where there is time for it they buy as fast as the machine can. */
const THINK_MS_MAX = isThorough ? 0 : 25;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const disturbances: Record<string, (store: StoreProcess) => Promise<void>> = {
  nothing: () => pause(SHORT_MS),
  'the front end is paused for longer than a lease': async (store) => {
    const pid = store.servicePid('frontend');
    process.kill(pid, 'SIGSTOP');
    await pause(LONG_MS);
    process.kill(pid, 'SIGCONT');
  },
  'the order service is killed': async (store) => {
    process.kill(store.servicePid('order'), 'SIGKILL');
    await pause(LONG_MS);
  },
  'the catalog is killed': async (store) => {
    process.kill(store.servicePid('catalog'), 'SIGKILL');
    await pause(LONG_MS);
  },
};

test.serial('own sales, finds and gRPC show one stock, whatever befalls them', async (t) => {
  const seedDir = await mkdtemp(join(tmpdir(), 'toystore-seed-'));
  t.teardown(() => rm(seedDir, { recursive: true }));
  const seedPath = join(seedDir, 'toys.csv');
  await writeFile(seedPath, seedCsv(SHELF));
  const catalogPort = await freePort();
  const env = { CATALOG_PORT: String(catalogPort), THREADS: '2', SEED_CSV: seedPath };
  await using store = await StoreProcess.start('start', { env });
  const notes = new ChaosNotes(SHELF);
  const closing = new AbortController();
  const giveUp = new AbortController();
  // Without a store they would go on asking for it, and the process would not end.
  t.teardown(() => {
    closing.abort();
    giveUp.abort();
  });
  const shared = { shelf: SHELF, notes, closing: closing.signal };
  const buyers = Array.from({ length: BUYERS }, (_, index) =>
    new Buyer({ ...shared, thinkMsMax: THINK_MS_MAX, index, port: store.port, seed: 9, giveUp: giveUp.signal }).shop(),
  );
  const looks = [1, 2, 3, 4].map((seed) => lookByHttp(store.port, { ...shared, seed }));
  // Those who ask the catalog itself make it recall: first they are not there.
  for (const [what, disturb] of Object.entries(disturbances)) {
    const before = await counted(store.port, 'toystore_delegated_sales_total');
    await disturb(store);
    await pause(SHORT_MS);
    t.log(`${what}: ${(await counted(store.port, 'toystore_delegated_sales_total')) - before} sales delegated`);
  }
  const grpc = lookByGrpc(`127.0.0.1:${catalogPort}`, { ...shared, seed: 6 });
  await pause(2 * SHORT_MS);
  // A catalog that has just come back may be missing from the metrics. The test's own time-out is the limit.
  for (const name of ['toystore_delegated_sales_total', 'toystore_recalls_total']) {
    while (!((await counted(store.port, name)) > 0)) await pause(SHORT_MS);
  }
  closing.abort();
  const timer = setTimeout(() => giveUp.abort(), 30_000);
  await Promise.all([...buyers, ...looks, grpc]);
  clearTimeout(timer);
  t.deepEqual(notes.violations, []);
  t.true(notes.sold > 0);
  t.deepEqual(checkStockHistory(SHELF[0]!.stock, notes.histories.get('Tux')!.operations()), { isLinearizable: true });
});
