// A front end that shows its own sales by itself, over the real catalog and order service: no query ever shows what is over,
// whoever else knows of the sales; and what the rules are for.
//
//   SEED=123 npx ava dist/test/simulation/delegations.test.js     runs that seed alone

import test from 'ava';
import { CatalogSeller } from '../../src/catalog/catalog-seller.js';
import { Delegations } from '../../src/catalog/delegations.js';
import { type HeldToy, Holders } from '../../src/catalog/holders.js';
import { StockTable } from '../../src/catalog/stock-table.js';
import { HeldToys } from '../../src/frontend/held-toys.js';
import { LeaseBoard } from '../../src/frontend/lease-board.js';
import { UntoldSales } from '../../src/order/untold-sales.js';
import { runs } from '../support/effort.js';
import { firstFailure } from '../support/simulated-seeds.js';
import { delegationsLive } from './delegations-life.js';

/** Each mistake below is seen within the first 80. */
const SEEDS = runs(100);
/** So many are looked through for one that sees a mistake. */
const SEEDS_MAX = 600;
/** Where the search begins, for mistakes that few seeds see: the seed that did when this was written. */
const FROM: Readonly<Record<string, number>> = {
  'other streams are told without a recall': 51,
  'look-ups are answered without a recall': 137,
  'an order service that has just started tells what it finds': 403,
};
const ONLY = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

test.serial('what a front end shows of its own sales is never stale', async (t) => {
  const all = { hits: 0, delegated: 0, recalls: 0 };
  const [first, end] = ONLY === undefined ? [0, SEEDS] : [ONLY, ONLY + 1];
  const failed = await firstFailure(first, end, async (seed) => {
    const lived = await delegationsLive(seed);
    for (const key of ['hits', 'delegated', 'recalls'] as const) all[key] += lived[key];
  });
  t.is(failed, undefined, `seed ${failed?.seed}: ${failed?.error.stack}`);
  const count = end - first;
  t.true(ONLY !== undefined || (all.delegated > 10 * count && all.recalls > count), JSON.stringify(all));
  t.log(`${count} seeds: ${JSON.stringify(all)}`);
});

// Each row takes one rule away, and some seed must find somebody who is shown what is over.
const mutations: Record<string, (put: Put) => void> = {
  'the front end takes nothing from what it shows': (put) => put(HeldToys.prototype, 'sell', () => undefined),
  'other threads are not told': (put) =>
    put(LeaseBoard.prototype, 'replace', function (this: LeaseBoard, noted: object) {
      return noted;
    }),
  'what a recall has overtaken is held all the same': (put) => {
    const { replace } = LeaseBoard.prototype;
    put(LeaseBoard.prototype, 'replace', function (this: LeaseBoard, noted: never) {
      return replace.call(this, noted) ?? this.note('Tux');
    });
  },
  'finds are answered without a recall': (put) => {
    const { read } = StockTable.prototype;
    put(StockTable.prototype, 'read', function (this: StockTable, ...args: never) {
      return { ...read.apply(this, args), delegated: [] };
    });
  },
  'the mark goes when the recall is sent': (put) => {
    const { holdersOf } = StockTable.prototype;
    const { invalidate } = Holders.prototype;
    let isRecall = false;
    put(StockTable.prototype, 'holdersOf', function (this: StockTable, toy: number) {
      isRecall = true;
      return holdersOf.call(this, toy);
    });
    put(Holders.prototype, 'invalidate', function (this: Holders, held: readonly HeldToy[]) {
      const told = invalidate.call(this, held);
      if (!isRecall) return told;
      isRecall = false;
      return undefined;
    });
  },
  'a new order service is told before the recall': (put) => put(Delegations.prototype, 'recallAll', () => undefined),
  'other streams are told without a recall': (put) => put(UntoldSales.prototype, 'isToldTo', () => true),
  'an order service that has just started tells what it finds': (put) => {
    put(UntoldSales.prototype, 'isBoundTold', () => true);
  },
  'look-ups are answered without a recall': (put) => put(UntoldSales.prototype, 'isTold', () => true),
  'sales are delegated to two streams at once': (put) =>
    put(UntoldSales.prototype, 'leave', (stream: number) => (stream === 0 ? 'neither' : 'delegates')),
  'a batch that is sent again is delegated again': (put) => {
    const { purchase } = CatalogSeller.prototype;
    put(CatalogSeller.prototype, 'purchase', async function (this: CatalogSeller, batch: never) {
      const { recallAll } = this.delegations;
      this.delegations.recallAll = () => undefined;
      try {
        return await purchase.call(this, batch);
      } finally {
        this.delegations.recallAll = recallAll;
      }
    });
  },
};

type Put = (prototype: object, name: string, method: unknown) => void;

for (const [name, take] of Object.entries(mutations)) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    const undo: (() => void)[] = [];
    take((prototype, method, value) => {
      const before = Object.getOwnPropertyDescriptor(prototype, method)!;
      undo.push(() => Object.defineProperty(prototype, method, before));
      const isGetter = before.get !== undefined;
      Object.defineProperty(
        prototype,
        method,
        isGetter ? { ...before, get: value as () => unknown } : { ...before, value },
      );
    });
    try {
      const from = FROM[name] ?? 0;
      const failed = await firstFailure(from, from + SEEDS_MAX, delegationsLive);
      t.not(failed, undefined, 'no seed noticed');
      t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    } finally {
      for (const each of undo) each();
    }
  });
}
