// Two front ends that hold toys, a buyer, and a catalog that dies: no query ever shows what is over.
//
//   SEED=123 npx ava dist/test/catalog/holders-life.test.js     runs that seed alone

import test from 'ava';
import { FileCatalogStore } from '../../src/catalog/file-catalog-store.js';
import { Holder } from '../../src/catalog/holder.js';
import { Holders } from '../../src/catalog/holders.js';
import { StockTable } from '../../src/catalog/stock-table.js';
import { runs } from '../support/effort.js';
import { firstFailure } from '../support/simulated-seeds.js';
import { holdersLive } from './holders-life.js';

const SEEDS = runs(60);
/** So many are looked through for one that sees a mistake. */
const SEEDS_MAX = 240;
const ONLY = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

test.serial('what front ends hold is never stale', async (t) => {
  let hits = 0;
  const [first, end] = ONLY === undefined ? [0, SEEDS] : [ONLY, ONLY + 1];
  const failed = await firstFailure(first, end, async (seed) => {
    hits += await holdersLive(seed);
  });
  t.is(failed, undefined, `seed ${failed?.seed}: ${failed?.error.stack}`);
  t.true(hits > 10 * (end - first), `${hits} answers from what was held`);
  t.log(`${end - first} seeds, ${hits} answers from what was held`);
});

// Each row takes one thing away, and some seed must find a query that shows what is over.
const { beginChange, endChange, read } = StockTable.prototype;
const mutations: readonly { readonly name: string; readonly from?: number; readonly take: () => void }[] = [
  {
    name: 'sales are answered before holders have confirmed',
    take: () => {
      const { invalidate } = Holders.prototype;
      Holders.prototype.invalidate = function (held) {
        void invalidate.call(this, held);
        return undefined;
      };
    },
  },
  {
    name: 'a toy may be held while it changes',
    take: () => {
      StockTable.prototype.beginChange = function (toy) {
        const bits = beginChange.call(this, toy);
        endChange.call(this, toy, 0);
        return bits;
      };
      StockTable.prototype.endChange = function (toy, quantity) {
        beginChange.call(this, toy);
        endChange.call(this, toy, quantity);
      };
    },
  },
  {
    name: 'a find does not leave the bit of its holder',
    take: () => {
      StockTable.prototype.read = function (toys, holder) {
        const shown = read.call(this, toys, 0);
        return { ...shown, holdable: toys.map(() => holder !== 0) };
      };
    },
  },
  {
    name: 'a restart forgets the leases of before',
    take: () => {
      FileCatalogStore.prototype.noteLeases = async () => undefined;
    },
  },
  {
    name: 'a lease ends at the catalog before it does at the holder',
    take: () => {
      const { renewed } = Holder.prototype;
      Holder.prototype.renewed = function (renewal, leaseMs, endMs) {
        renewed.call(this, renewal, leaseMs, endMs - leaseMs / 2);
      };
    },
  },
  {
    name: 'a late holder goes on renewing, and is not waited for',
    take: () => {
      const { tell } = Holder.prototype;
      Holder.prototype.tell = function (names, sentMs) {
        const told = tell.call(this, names, sentMs);
        this.confirm(Number.POSITIVE_INFINITY);
        return told;
      };
    },
  },
  {
    name: 'a confirmation of one invalidation passes for that of all',
    take: () => {
      Holder.prototype.confirm = function (confirmed) {
        if (confirmed > 0) confirm.call(this, Number.POSITIVE_INFINITY);
      };
    },
  },
  {
    name: 'finds do not wait for the leases of before a restart',
    from: 55,
    take: () => Object.defineProperty(Holders.prototype, 'isEarlierOver', { get: () => true }),
  },
];
const isEarlierOver = Object.getOwnPropertyDescriptor(Holders.prototype, 'isEarlierOver')!;
const { confirm, tell, renewed } = Holder.prototype;
const { invalidate } = Holders.prototype;
const { noteLeases } = FileCatalogStore.prototype;

for (const { name, from = 0, take } of mutations) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    take();
    try {
      const failed = await firstFailure(from, from + SEEDS_MAX, holdersLive);
      t.not(failed, undefined, 'no seed noticed');
      t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    } finally {
      Object.assign(StockTable.prototype, { beginChange, endChange, read });
      Object.assign(Holder.prototype, { confirm, tell, renewed });
      Object.assign(Holders.prototype, { invalidate });
      Object.defineProperty(Holders.prototype, 'isEarlierOver', isEarlierOver);
      Object.assign(FileCatalogStore.prototype, { noteLeases });
    }
  });
}
