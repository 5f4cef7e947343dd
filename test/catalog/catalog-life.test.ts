// The catalog alone on the simulated disk, beside a model of the order service: whatever happens at whatever step, a
// purchase is in both books or in neither, and no query has shown what a crash takes back.
//
//   SEED=123 npx ava dist/test/catalog/catalog-life.test.js     runs that seed alone

import test from 'ava';
import { FileCatalogStore } from '../../src/catalog/file-catalog-store.js';
import { KeptSales } from '../../src/catalog/kept-sales.js';
import { PurchaseTags } from '../../src/catalog/purchase-tags.js';
import { RESULT } from '../../src/store-contract.js';
import { runs } from '../support/effort.js';
import { without } from '../support/simulated-omissions.js';
import { firstFailure } from '../support/simulated-seeds.js';
import { type CatalogWorldOptions, livesThrough } from './catalog-life.js';

/** Each mistake below is seen within the first 80 where the disk fails, and else within the first 40. */
const SEEDS = runs(100);
/** So many are looked through for one that sees a mistake. */
const SEEDS_MAX = 200;
const ONLY = process.env.SEED === undefined ? undefined : Number(process.env.SEED);

const worlds: readonly { name: string; seeds: number; options: CatalogWorldOptions }[] = [
  { name: 'crashes and power failures', seeds: SEEDS / 2, options: {} },
  { name: 'a disk that fills up and fails', seeds: SEEDS, options: { faults: true } },
  {
    name: 'synced now and then, and crashes of the process',
    seeds: SEEDS / 2,
    options: { periodMs: 20, powerFailures: false },
  },
  { name: 'synced now and then, with power failures', seeds: SEEDS / 2, options: { periodMs: 20 } },
];

for (const { name, seeds, options } of worlds) {
  test.serial(`the books agree: ${name}`, async (t) => {
    let steps = 0;
    const [first, end] = ONLY === undefined ? [0, seeds] : [ONLY, ONLY + 1];
    const failed = await firstFailure(first, end, async (seed) => {
      steps += await livesThrough(seed, options);
    });
    t.is(failed, undefined, `seed ${failed?.seed}: ${failed?.error.stack}`);
    t.log(`${end - first} seeds, ${steps} steps`);
  });
}

// The proof that these lives can see: each row takes one thing away, and some seed must find the books wrong.
const mutations: readonly { name: string; options: CatalogWorldOptions }[] = [
  { name: 'the order service does not recover', options: { forgetsSales: true } },
  { name: 'what the catalog lost is not restored', options: { periodMs: 20, restoresNothing: true } },
  { name: 'the journal is not synced', options: { files: (files) => without('datasync', files) } },
  { name: 'catalog.csv is renamed before it is synced', options: { files: (files) => without('sync', files) } },
];

for (const { name, options } of mutations) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    const failed = await firstFailure(0, SEEDS_MAX, (seed) => livesThrough(seed, options));
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
  });
}

const inside: readonly { name: string; from?: number; take: () => () => void }[] = [
  {
    name: '"not selling" is not remembered',
    take: () =>
      replaced(PurchaseTags.prototype, 'remember', (remember) => (sequence, result) => {
        if (result !== RESULT.NOT_SELLING) remember(sequence, result);
      }),
  },
  {
    name: 'sales that could not be written are not taken back',
    from: 77,
    take: () => replaced(KeptSales.prototype, 'remove', () => () => undefined),
  },
  {
    name: 'purchases are answered before they are on the disk',
    take: () =>
      replaced(FileCatalogStore.prototype, 'append', (append) => async (group) => {
        append(group).catch(() => undefined);
      }),
  },
];

for (const { name, from = 0, take } of inside) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    const putBack = take();
    try {
      const failed = await firstFailure(from, from + SEEDS_MAX, (seed) => livesThrough(seed, { faults: true }));
      t.not(failed, undefined, 'no seed noticed');
      t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    } finally {
      putBack();
    }
  });
}

/** Puts something else in the place of a method; returns what puts it back. */
function replaced<T extends object, Name extends keyof T>(
  target: T,
  name: Name,
  replace: (original: T[Name]) => T[Name],
): () => void {
  const original = target[name];
  target[name] = function (this: T, ...rest: unknown[]) {
    return (replace(((...given: unknown[]) => (original as Method).apply(this, given)) as T[Name]) as Method)(...rest);
  } as T[Name];
  return () => {
    target[name] = original;
  };
}

type Method = (...rest: unknown[]) => unknown;
