// The catalog as a real process, killed with SIGKILL at random instants while it sells, checkpoints and begins new journals;
// the test plays the order service. Whatever was answered is sold once, whatever was not is found out afterwards.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { parseCatalog } from '../../src/catalog/catalog-file.js';
import { isThorough } from '../support/effort.js';
import { SeededRandom } from '../support/simulated-random.js';
import { StockClient } from './catalog-client.js';
import { batch } from './engine-fixture.js';

const PROCESS = fileURLToPath(new URL('./fixtures/catalog-process.js', import.meta.url));
const NAMES = ['Tux', 'Whale', 'Fox'];
const STOCK = 1_000_000;
const LIVES = isThorough ? 10 : 3;
/** Longer than a few checkpoints. */
const LIFE_MS_MAX = 700;
const WINDOW = 4;

class KilledCatalog {
  readonly directory: string;
  /** What the order service has logged: quantity by tag. */
  readonly log = new Map<string, [string, number]>();
  logged = { incarnation: 0, sequence: 0 };
  process: ChildProcess | undefined;
  /** Always the same, as for the clients of a restarted service. */
  #port = '0';

  constructor(directory: string) {
    this.directory = directory;
  }

  async start(): Promise<string> {
    const args = [PROCESS, this.directory, join(this.directory, 'seed.csv'), this.#port];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.process = child;
    const [line] = (await once(child.stdout!, 'data')) as [Buffer];
    const address = line.toString().trim();
    this.#port = address.split(':').at(-1)!;
    return address;
  }

  /** Ends the process and waits until it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const exited = once(this.process!, 'exit');
    this.process!.kill(signal);
    await exited;
  }

  complete(incarnation: number, sequence: number, name: string, quantity: number): void {
    const tag = `${incarnation}:${sequence}`;
    if (this.log.has(tag)) throw new Error(`the purchase ${tag} was told twice`);
    this.log.set(tag, [name, quantity]);
    this.logged = { incarnation, sequence };
  }

  expected(): number[] {
    const left = NAMES.map(() => STOCK);
    for (const [name, quantity] of this.log.values()) left[NAMES.indexOf(name)]! -= quantity;
    return left;
  }
}

/** Sells in a window of batches until the stream breaks. */
async function sell(catalog: KilledCatalog, client: StockClient, incarnation: number, random: SeededRandom) {
  const stream = client.purchases();
  let next = 1;
  let settled = 0;
  const one = async (): Promise<void> => {
    for (;;) {
      const first = next;
      const bought = Array.from(
        { length: random.integer(1, 20) },
        () => `${random.pick(NAMES)} ${random.integer(1, 3)}`,
      );
      next += bought.length;
      const results = await stream.send(batch(incarnation, first, bought, settled));
      for (const [index, result] of results.entries()) {
        const [name = '', quantity] = bought[index]!.split(' ');
        if (result === 0) catalog.complete(incarnation, first + index, name, Number(quantity));
        settled = first + index;
      }
    }
  };
  await Promise.allSettled(Array.from({ length: WINDOW }, one));
}

async function stockOf(client: StockClient): Promise<number[]> {
  return Promise.all(NAMES.map((name) => client.quantityOf(name)));
}

async function live(t: ExecutionContext, catalog: KilledCatalog, random: SeededRandom): Promise<void> {
  const address = await catalog.start();
  using client = new StockClient(address);
  const { incarnation, sales } = await client.recover(catalog.logged.incarnation, catalog.logged.sequence);
  for (const sale of sales) catalog.complete(sale.incarnation, sale.sequence, `${sale.name}`, sale.quantity);
  t.deepEqual(await stockOf(client), catalog.expected());
  const selling = sell(catalog, client, incarnation, random);
  await sleep(random.integer(0, LIFE_MS_MAX));
  await catalog.end('SIGKILL');
  await selling;
  parseCatalog(await readFile(join(catalog.directory, 'catalog', 'catalog.csv')), 'catalog.csv');
}

test('killed at random instants, the books agree after each recovery', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'catalog-kill-'));
  t.teardown(() => rm(directory, { recursive: true }));
  await writeFile(
    join(directory, 'seed.csv'),
    `name,price,quantity\n${NAMES.map((name) => `${name},1,${STOCK}\n`).join('')}`,
  );
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
  t.log(`SEED=${seed}`);
  const random = new SeededRandom(seed);
  const catalog = new KilledCatalog(directory);
  t.teardown(() => catalog.process?.kill('SIGKILL'));
  for (let life = 0; life < LIVES; life++) await live(t, catalog, random);

  const address = await catalog.start();
  using client = new StockClient(address);
  const { sales } = await client.recover(catalog.logged.incarnation, catalog.logged.sequence);
  for (const sale of sales) catalog.complete(sale.incarnation, sale.sequence, `${sale.name}`, sale.quantity);
  t.deepEqual(await stockOf(client), catalog.expected());
  await catalog.end('SIGTERM');
  const { quantities } = parseCatalog(await readFile(join(directory, 'catalog', 'catalog.csv')), 'catalog.csv');
  t.deepEqual([...quantities], catalog.expected());
  t.log(`${catalog.log.size} purchases, ${LIVES} kills`);
});
