// The proof that the simulation of the store can see: each row takes away one thing that makes the books right, from
// outside, and some seed must find them wrong.

import test from 'ava';
import { PurchaseTags } from '../../src/catalog/purchase-tags.js';
import type { CatalogLink } from '../../src/order/catalog-link.js';
import { NO_TAG } from '../../src/store-contract.js';
import { without } from '../support/simulated-omissions.js';
import { firstFailure } from '../support/simulated-seeds.js';
import type { Seams } from './store-hosts.js';
import { liveStore } from './store-life.js';

const SEEDS = 600;

interface Mutation {
  readonly name: string;
  readonly seams: Seams;
}

const mutations: readonly Mutation[] = [
  { name: 'the catalog does not sync its journal', seams: { catalogFiles: (files) => without('datasync', files) } },
  { name: 'the order service does not sync its journal', seams: { orderFiles: (files) => without('datasync', files) } },
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
    seams: {
      batch: (batch, newest) =>
        batch.incarnation === newest ? batch : { ...batch, incarnation: newest, settledSequence: 0 },
    },
  },
];

for (const { name, seams } of mutations) {
  test.serial(`mutation: ${name}: a seed fails`, async (t) => {
    const failed = await firstFailure(0, SEEDS, (seed) => liveStore(seed, { seams }));
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
    await t.notThrowsAsync(liveStore(failed!.seed), 'it is the mutation that fails');
  });
}

test.serial('mutation: purchases are not recognized by their tag: a seed fails', async (t) => {
  const { recall } = PurchaseTags.prototype;
  PurchaseTags.prototype.recall = () => undefined;
  try {
    const failed = await firstFailure(0, SEEDS, (seed) => liveStore(seed));
    t.not(failed, undefined, 'no seed noticed');
    t.log(`seed ${failed?.seed}: ${failed?.error.message}`);
  } finally {
    PurchaseTags.prototype.recall = recall;
  }
});

function changed(link: CatalogLink, changes: Partial<CatalogLink>): CatalogLink {
  return {
    processOrders: (batch) => link.processOrders(batch),
    recover: (position) => link.recover(position),
    restore: (store, sales) => link.restore(store, sales),
    ...changes,
  };
}
