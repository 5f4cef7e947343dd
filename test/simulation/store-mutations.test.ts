// The proof that the simulation of the store can see: each row takes away one thing that makes the books right, from
// outside, and some seed must find them wrong.

import test from 'ava';
import { KeptSales } from '../../src/catalog/kept-sales.js';
import { PurchaseTags } from '../../src/catalog/purchase-tags.js';
import type { CatalogLink } from '../../src/order/catalog-link.js';
import { OrdersFile } from '../../src/order/orders-file.js';
import { compareTags, NO_TAG } from '../../src/store-contract.js';
import { bound, without } from '../support/simulated-omissions.js';
import { firstFailure } from '../support/simulated-seeds.js';
import type { Seams } from './store-hosts.js';
import { liveStore, type StoreWorldOptions } from './store-life.js';

/** Seeds that notice are rare for some, and others with each change of the store: 1 in 300, or 1 in 1,500. */
const SEEDS = 2_000;

interface Mutation {
  readonly name: string;
  /** Where the search begins: the seed that noticed when this was written. */
  readonly from?: number;
  readonly seams?: Seams;
  /** Takes something out of the sources themselves; returns what puts it back. */
  readonly patch?: () => () => void;
  readonly world?: StoreWorldOptions;
}

const TOUCHES: StoreWorldOptions = { touches: true };
const SWAPS: StoreWorldOptions = { swaps: true };
const PERIODIC: StoreWorldOptions = { syncMode: { periodMs: 20 } };

const mutations: readonly Mutation[] = [
  { name: 'the catalog does not sync its journal', seams: { catalogFiles: (files) => without('datasync', files) } },
  {
    name: 'the order service does not sync its log',
    from: 1538,
    seams: { orderFiles: (files) => without('datasync', files) },
  },
  { name: 'catalog.csv is renamed before it is synced', seams: { catalogFiles: (files) => without('sync', files) } },
  { name: 'the directory of orders is not synced', seams: { orderFiles: (files) => without('syncDirectory', files) } },
  {
    name: 'recovery does not finish what was sold before the crash',
    seams: {
      link: (link) =>
        changed(link, { recover: async (position) => ({ ...(await link.recover(position)), sales: [] }) }),
    },
  },
  {
    name: 'recovery asks for all sales, not for those after the log',
    seams: { link: (link) => changed(link, { recover: (position) => link.recover({ ...position, logged: NO_TAG }) }) },
  },
  {
    name: 'sales are said to be settled before they are on disk',
    seams: {
      link: (link) =>
        changed(link, {
          processOrders: (batch) => link.processOrders({ ...batch, settledSequence: batch.firstSequence - 1 }),
        }),
    },
  },
  {
    name: 'orders are not recognized by their key',
    seams: { key: (key, attempt) => `${key}#${attempt}` },
  },
  {
    name: 'purchases of an earlier start of the order service are not refused',
    from: 277,
    seams: {
      batch: (batch, newest) =>
        batch.incarnation === newest ? batch : { ...batch, incarnation: newest, settledSequence: 0 },
    },
  },
  { name: 'purchases are not recognized by their tag', from: 16, patch: forgetTags },
  { name: 'the order log does not look whether the path names its file', world: TOUCHES, patch: lookAway },
  {
    name: 'the order log has no second name',
    from: 267,
    world: TOUCHES,
    seams: { orderFiles: (files) => ({ ...bound(files), link: () => Promise.reject(noLinks()) }) },
  },
  {
    name: 'the journal has no second name',
    from: 217,
    world: TOUCHES,
    seams: { catalogFiles: (files) => ({ ...bound(files), link: () => Promise.reject(noLinks()) }) },
  },
  {
    name: 'what is settled is forgotten, and an order log that lacks it gets what is left',
    from: 406,
    world: TOUCHES,
    patch: forgetSettled,
  },
  {
    name: 'the order log of another store is taken',
    world: SWAPS,
    seams: {
      link: (link) =>
        changed(link, {
          recover: async (position) => ({
            ...(await link.recover({ ...position, store: '' })),
            ...(position.store !== '' && { store: position.store }),
          }),
        }),
    },
  },
  { name: 'a catalog that is behind the order log sells', world: SWAPS, seams: { link: withoutBehind } },
  {
    name: 'a catalog that lost sales in a crash sells without them',
    from: 173,
    world: PERIODIC,
    seams: { link: withoutBehind },
  },
  {
    name: 'sales that the catalog lost are not given back to it',
    from: 173,
    world: PERIODIC,
    seams: { link: (link) => changed(link, { restore: () => Promise.resolve() }) },
  },
];

/** Where the catalog is behind the order log, nobody compares. */
function withoutBehind(link: CatalogLink): CatalogLink {
  return changed(link, {
    recover: async (position) => {
      const recovery = await link.recover({ ...position, logged: NO_TAG, endedUncleanly: true });
      if ('lacking' in recovery) return recovery;
      return { ...recovery, sales: recovery.sales.filter(({ tag }) => compareTags(tag, position.logged) > 0) };
    },
  });
}

function lookAway(): () => void {
  const { lookAfter } = OrdersFile.prototype;
  OrdersFile.prototype.lookAfter = () => Promise.resolve();
  return () => {
    OrdersFile.prototype.lookAfter = lookAfter;
  };
}

/** The catalog keeps no sale that is settled, and does not know it. */
function forgetSettled(): () => void {
  const { after, hasAllAfter } = KeptSales.prototype;
  KeptSales.prototype.after = function (tag) {
    return this.all().filter((sale) => compareTags(sale, tag) > 0 && compareTags(sale, this.newestSettled) > 0);
  };
  KeptSales.prototype.hasAllAfter = () => true;
  return () => Object.assign(KeptSales.prototype, { after, hasAllAfter });
}

function forgetTags(): () => void {
  const { recall } = PurchaseTags.prototype;
  PurchaseTags.prototype.recall = () => undefined;
  return () => {
    PurchaseTags.prototype.recall = recall;
  };
}

function noLinks(): Error {
  return Object.assign(new Error('no hard links here'), { code: 'EPERM' });
}

for (const { name, from = 0, seams = {}, patch, world = {} } of mutations) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    const undo = patch?.();
    const failed = await firstFailure(from, from + SEEDS, (seed) => liveStore(seed, { ...world, seams }));
    undo?.();
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    if (failed !== undefined) await t.notThrowsAsync(liveStore(failed.seed, world), 'it is the mutation that fails');
  });
}

function changed(link: CatalogLink, changes: Partial<CatalogLink>): CatalogLink {
  return {
    processOrders: (batch) => link.processOrders(batch),
    recall: () => link.recall(),
    recover: (position) => link.recover(position),
    restore: (store, sales) => link.restore(store, sales),
    ...changes,
  };
}
