// Front ends that hold toys: what they are told before a change is shown, and for how long a silent one is waited for. On a
// simulated disk and clock; over gRPC: watch.test.ts.

import test from 'ava';
import type { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import type { HolderMessage, Watch } from '../../src/catalog/holder.js';
import { HOLDER_SLOTS } from '../../src/catalog/stock-table-layout.js';
import { batch, begin, EngineWorld, stock } from './engine-fixture.js';

const LEASE_MS = 1_000;

/** A front end at the other end of a stream. */
class FrontEnd {
  readonly messages: HolderMessage[] = [];
  readonly #engine: CatalogEngine;
  readonly #watch: Watch;
  #renewal = 0;

  constructor(engine: CatalogEngine) {
    this.#engine = engine;
    this.#watch = engine.watch((message) => this.messages.push(message));
  }

  get number(): number {
    return this.messages.at(-1)?.holder ?? 0;
  }

  /** Names in the invalidations so far. */
  get told(): string[][] {
    return this.messages.filter(({ invalidation }) => invalidation > 0).map(({ names }) => names.map(String));
  }

  get renewed(): number {
    return Math.max(0, ...this.messages.map(({ renewed }) => renewed));
  }

  send(confirmed = 0, goodbye = false): Promise<void> {
    return this.#watch.receive({ renewal: ++this.#renewal, confirmed, goodbye });
  }

  /** Whether it may hold each of the toys. */
  hold(...names: string[]): boolean[] {
    return this.#engine.find(
      names.map((name) => Buffer.from(name)),
      this.number,
    ).holdable;
  }

  end(): void {
    this.#watch.end();
  }
}

async function world(options: Parameters<EngineWorld['open']>[0] = {}) {
  const simulated = new EngineWorld();
  const engine = await simulated.open({ leaseMs: LEASE_MS, ...options });
  const { incarnation } = await simulated.run(begin(engine));
  let sequence = 1;
  const open = {
    world: simulated,
    engine,
    async frontEnd(): Promise<FrontEnd> {
      const frontEnd = new FrontEnd(engine);
      await simulated.run(frontEnd.send());
      return frontEnd;
    },
    /** Buys and says, once it is answered, how long that took. */
    async buy(name: string): Promise<number> {
      const start = simulated.world.nowMs;
      const [result] = await engine.purchase(batch(incarnation, sequence++, [name]));
      if (result !== 0) throw new Error(`${name}: ${result}`);
      return simulated.world.nowMs - start;
    },
  };
  return open;
}

test('a holder is told before the sale is answered, and what it holds is shown until it has confirmed', async (t) => {
  const { world: simulated, engine, frontEnd, buy } = await world();
  const one = await frontEnd();
  t.true(one.number > 0);
  t.deepEqual(one.hold('Tux', 'Nemo', 'Fox'), [true, false, true]);
  const sale = buy('Tux');
  t.deepEqual(one.told, [['Tux']], 'at once, beside the sync');
  await simulated.sleep(100);
  t.deepEqual(stock(engine, 'Tux'), [100]);
  t.deepEqual(one.hold('Tux', 'Fox'), [false, true], 'in between it may not be held');
  await simulated.run(one.send(1));
  await simulated.run(sale);
  t.deepEqual(stock(engine, 'Tux'), [99]);
  t.deepEqual(one.hold('Tux'), [true]);
});

test('a sale of what nobody holds waits for nobody, and tells nobody', async (t) => {
  const { world: simulated, frontEnd, buy } = await world();
  const silent = await frontEnd();
  silent.hold('Fox');
  t.true((await simulated.run(buy('Tux'))) < LEASE_MS / 10);
  t.deepEqual(silent.told, []);
});

test('a silent holder is waited for one lease, and only once', async (t) => {
  const { world: simulated, engine, frontEnd, buy } = await world();
  const silent = await frontEnd();
  silent.hold('Tux', 'Whale');
  silent.end();
  const waited = await simulated.run(buy('Tux'));
  t.true(waited > LEASE_MS && waited < LEASE_MS * 1.2, `${waited} ms`);
  t.true((await simulated.run(buy('Whale'))) < LEASE_MS / 10);
  const { holders, leasesRunOut, invalidations, confirmUs } = engine.holders.stats();
  t.deepEqual([holders, leasesRunOut, invalidations, confirmUs.count], [0, 1, 1, 1]);
  t.deepEqual(silent.hold('Tux'), [], 'its number means nothing any more');
});

test('a holder that renews and does not confirm is waited for little longer', async (t) => {
  const { world: simulated, frontEnd, buy } = await world();
  const slow = await frontEnd();
  slow.hold('Tux');
  let isSold = false;
  const sale = buy('Tux').finally(() => {
    isSold = true;
  });
  const start = simulated.world.nowMs;
  while (!isSold && simulated.world.nowMs < start + 5 * LEASE_MS) {
    await simulated.run(slow.send(0));
    await simulated.sleep(50);
  }
  const waited = await simulated.run(sale);
  t.true(waited > LEASE_MS && waited <= LEASE_MS * 1.3, `${waited} ms`);
  t.true(slow.renewed * 50 < LEASE_MS, 'what it said late was not answered, until it was registered anew');
});

test('one that says goodbye is not waited for', async (t) => {
  const { world: simulated, engine, frontEnd, buy } = await world();
  const one = await frontEnd();
  one.hold('Tux');
  const sale = buy('Tux');
  await simulated.run(one.send(0, true));
  t.true((await simulated.run(sale)) < LEASE_MS / 10);
  t.is(engine.holders.stats().leasesRunOut, 0);
});

test('a lease that ran out comes back under another number, and holds nothing of before', async (t) => {
  const { world: simulated, frontEnd, buy } = await world();
  const one = await frontEnd();
  const first = one.number;
  one.hold('Tux');
  await simulated.sleep(2 * LEASE_MS);
  await simulated.run(buy('Tux'));
  t.deepEqual(one.told, []);
  await simulated.run(one.send());
  t.not(one.number, first);
  t.deepEqual(one.hold('Tux'), [true]);
});

test('who renews in time is a holder for as long as it likes', async (t) => {
  const { world: simulated, frontEnd, engine } = await world();
  const one = await frontEnd();
  const first = one.number;
  for (let round = 0; round < 20; round++) {
    await simulated.sleep(LEASE_MS * 0.9);
    await simulated.run(one.send());
  }
  t.is(one.number, first);
  t.is(engine.holders.stats().leasesRunOut, 0);
});

test('more front ends than places: the last holds nothing, and gets the place of one that leaves', async (t) => {
  const { world: simulated, frontEnd } = await world();
  const all = [];
  for (let index = 0; index <= HOLDER_SLOTS; index++) all.push(await frontEnd());
  const last = all.at(-1)!;
  t.is(new Set(all.map(({ number }) => number)).size, HOLDER_SLOTS + 1);
  t.is(last.number, 0);
  t.deepEqual(last.hold('Tux'), []);
  await simulated.run(all[3]!.send(0, true));
  await simulated.run(last.send());
  t.deepEqual(last.hold('Tux'), [true]);
  t.deepEqual(all[3]!.hold('Tux'), [], 'the one that left');
});

test('the holder in the last place is told like any other', async (t) => {
  const { world: simulated, frontEnd, buy } = await world();
  const all = [];
  for (let index = 0; index < HOLDER_SLOTS; index++) all.push(await frontEnd());
  const last = all.at(-1)!;
  last.hold('Tux');
  const sale = buy('Tux');
  t.deepEqual(last.told, [['Tux']]);
  await simulated.run(last.send(1));
  t.true((await simulated.run(sale)) < LEASE_MS / 10);
});

test('what could not be written may be held again, as it was', async (t) => {
  const { world: simulated, engine, frontEnd } = await world();
  const one = await frontEnd();
  one.hold('Tux');
  simulated.disk.faults.failedWrite = 1;
  t.is(await simulated.run(engine.purchaseUntagged(Buffer.from('Tux'), 1)), -4);
  t.deepEqual(stock(engine, 'Tux'), [100]);
  t.deepEqual(one.hold('Tux'), [true]);
});

test('on a full disk nobody is given a lease that a restart would not know of', async (t) => {
  const { world: simulated, engine, frontEnd } = await world();
  simulated.disk.faults.failedWrite = 1;
  const one = await frontEnd();
  t.is(one.number, 0);
  simulated.disk.faults.failedWrite = 0;
  await simulated.sleep(2_000);
  t.is(engine.state, 'selling');
  await simulated.run(one.send());
  t.true(one.number > 0);
});

for (const { name, end, hold, waits } of [
  { name: 'killed, with a holder', end: 'kill', hold: true, waits: true },
  { name: 'killed, and nobody ever held anything', end: 'kill', hold: false, waits: false },
  { name: 'stopped, with a holder that gives back', end: 'confirm', hold: true, waits: false },
  { name: 'stopped, with a holder that is silent', end: 'silent', hold: true, waits: true },
] as const) {
  test(`a start after a catalog was ${name}: ${waits ? 'waits for the lease' : 'need not wait'}`, async (t) => {
    const leaseMs = 3_000;
    const { world: simulated, engine, frontEnd, buy } = await world({ leaseMs });
    if (hold) {
      const one = await frontEnd();
      one.hold('Tux');
      if (end === 'kill') {
        const sale = buy('Tux');
        await simulated.sleep(100);
        sale.catch(() => undefined);
      }
      if (end === 'confirm') {
        const closed = engine.close();
        await simulated.sleep(0);
        t.deepEqual(one.told, [[]], 'all that it holds');
        await simulated.run(one.send(1));
        await simulated.run(closed);
      }
    } else await simulated.run(buy('Tux'));
    if (end === 'silent') await simulated.run(engine.close());
    if (end === 'kill') simulated.kill();
    // The setting is another one now: what counts is what was given.
    const again = await simulated.open({ leaseMs: 200 });
    const start = simulated.world.nowMs;
    t.is(again.holders.isEarlierOver, !waits);
    const { incarnation } = await simulated.run(begin(again));
    await simulated.run(again.purchase(batch(incarnation, 1, ['Fox'])));
    const waited = simulated.world.nowMs - start;
    if (waits) t.true(waited > leaseMs && waited < leaseMs * 1.2, `${waited} ms`);
    else t.true(waited < 500, `${waited} ms`);
    t.true(again.holders.isEarlierOver);
  });
}

test('after a kill, also a refusal waits: it tells of a stock that others may not show yet', async (t) => {
  const { world: simulated, frontEnd, buy } = await world();
  const one = await frontEnd();
  one.hold('Fox');
  buy('Fox').catch(() => undefined);
  await simulated.sleep(100);
  simulated.kill();
  const again = await simulated.open();
  const start = simulated.world.nowMs;
  t.deepEqual(await simulated.run(again.purchase(batch(1, 2, ['Fox']))), [-2]);
  t.true(simulated.world.nowMs - start >= LEASE_MS);
});
