// Sales that are left to the front end they came through: when, and what is recalled before anybody else is told.

import test from 'ava';
import type { CatalogEngine } from '../../src/catalog/catalog-engine.js';
import type { HolderMessage } from '../../src/catalog/holder.js';
import { RESULT } from '../../src/store-contract.js';
import { batch, begin, EngineWorld } from './engine-fixture.js';

const LEASE_MS = 1_000;
const { DONE, DELEGATED, NOT_ENOUGH_STOCK } = RESULT;

async function world() {
  const simulated = new EngineWorld();
  const engine = await simulated.open({ leaseMs: LEASE_MS });
  const { incarnation } = await simulated.run(begin(engine));
  let sequence = 1;
  const buy = async (holder: number, ...bought: string[]) => {
    const first = sequence;
    sequence += bought.length;
    return engine.purchase({ ...batch(incarnation, first, bought), holder });
  };
  return { simulated, engine, incarnation, buy, run: <T>(story: Promise<T>) => simulated.run(story) };
}

/** A front end that holds the toys named. */
async function frontEnd(engine: CatalogEngine, simulated: EngineWorld, ...names: string[]) {
  const messages: HolderMessage[] = [];
  const watch = engine.watch((message) => messages.push(message));
  await simulated.run(watch.receive({ renewal: 1, confirmed: 0, goodbye: false }));
  const number = messages.at(-1)!.holder;
  const hold = (): boolean[] =>
    engine.find(
      names.map((name) => Buffer.from(name)),
      number,
    ).holdable;
  hold();
  return {
    number,
    hold,
    told: () => messages.filter(({ invalidation }) => invalidation > 0).flatMap(({ names: told }) => told.map(String)),
    confirm: (confirmed: number) => simulated.run(watch.receive({ renewal: 0, confirmed, goodbye: false })),
  };
}

const delegatedOf = (engine: CatalogEngine, name: string): readonly number[] =>
  engine.find([Buffer.from(name)]).delegated;

test('a sale of what its front end alone holds is left to it: nobody is told', async (t) => {
  const { simulated, engine, buy, run } = await world();
  const one = await frontEnd(engine, simulated, 'Tux');
  t.deepEqual(await run(buy(one.number, 'Tux 3', 'Whale', 'Tux')), [DELEGATED, DONE, DELEGATED]);
  t.deepEqual(one.told(), []);
  t.deepEqual(await run(buy(one.number, 'Tux')), [DELEGATED], 'it goes on holding it');
  t.deepEqual(engine.stats().seller.delegated, { sales: 3, recalls: 0 });
});

const notLeft: [what: string, holderOf: (number: number) => number, isSecond: boolean][] = [
  ['an order that names no holder', () => 0, false],
  ['the number of another registration', (number) => number + 32, false],
  ['one of two front ends', (number) => number, true],
];

for (const [what, holderOf, isSecond] of notLeft) {
  test(`not left to the front end: ${what}`, async (t) => {
    const { simulated, engine, buy, run } = await world();
    const one = await frontEnd(engine, simulated, 'Tux');
    if (isSecond) await frontEnd(engine, simulated);
    const sale = buy(holderOf(one.number), 'Tux');
    t.deepEqual(one.told(), ['Tux']);
    await one.confirm(1);
    t.deepEqual(await run(sale), [DONE]);
  });
}

const others: [who: string, ask: (engine: CatalogEngine, incarnation: number) => Promise<unknown>, answer: unknown][] =
  [
    ['a find', (engine) => engine.recall(delegatedOf(engine, 'Fox')), undefined],
    ['a unary sale', (engine) => engine.purchaseUntagged(Buffer.from('Fox'), 1), NOT_ENOUGH_STOCK],
    [
      'an order of somebody else',
      (engine, incarnation) => engine.purchase(batch(incarnation, 2, ['Fox'])),
      [NOT_ENOUGH_STOCK],
    ],
    [
      'a message that says recall',
      (engine, incarnation) => engine.purchase({ ...batch(incarnation, 2, []), recall: true }),
      [],
    ],
    ['the same message again', (engine, incarnation) => engine.purchase(batch(incarnation, 1, ['Fox'])), [DONE]],
    ['an order service that begins', async (engine) => (await begin(engine)).sales.length, 1],
  ];

for (const [who, ask, answer] of others) {
  test(`${who} is answered when the front end has given the toy back`, async (t) => {
    const { simulated, engine, incarnation, buy, run } = await world();
    const one = await frontEnd(engine, simulated, 'Fox');
    t.deepEqual(await run(buy(one.number, 'Fox')), [DELEGATED]);
    let isAnswered = false;
    const asked = ask(engine, incarnation).finally(() => {
      isAnswered = true;
    });
    await simulated.sleep(LEASE_MS / 20);
    t.deepEqual(one.told(), ['Fox']);
    t.false(isAnswered);
    t.deepEqual(delegatedOf(engine, 'Fox'), [2], 'until it has confirmed');
    await one.confirm(1);
    t.deepEqual(await run(asked), answer);
    t.deepEqual(delegatedOf(engine, 'Fox'), []);
  });
}

test('the front end itself is refused without a recall, and may hold the toy again after one', async (t) => {
  const { simulated, engine, buy, run } = await world();
  const one = await frontEnd(engine, simulated, 'Fox');
  await run(buy(one.number, 'Fox'));
  t.deepEqual(await run(buy(one.number, 'Fox')), [NOT_ENOUGH_STOCK]);
  t.deepEqual(one.told(), []);
  t.deepEqual(one.hold(), [], 'a find of it is a recall like any other');
  const recalled = engine.recall(delegatedOf(engine, 'Fox'));
  await one.confirm(1);
  await run(recalled);
  t.deepEqual(one.hold(), [true]);
});

test('a silent front end is waited for a lease at most', async (t) => {
  const { simulated, engine, buy, run } = await world();
  const silent = await frontEnd(engine, simulated, 'Tux');
  await run(buy(silent.number, 'Tux'));
  const begunMs = simulated.world.nowMs;
  await run(engine.recall(delegatedOf(engine, 'Tux')));
  const waitedMs = simulated.world.nowMs - begunMs;
  t.true(waitedMs > LEASE_MS / 2 && waitedMs < LEASE_MS * 1.2, `${waitedMs} ms`);
});
