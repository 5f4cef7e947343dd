// What every home of the catalog's state must do, whether files or a database: one set of tests for all of them.

import type { TestFn } from 'ava';
import fc from 'fast-check';
import type { CatalogMarks, CatalogStore, Sale, SaleGroup } from '../../src/catalog/catalog-store.js';

/** A place that keeps a catalog's state. */
export interface CatalogHome {
  /** Opens what is there. One store at a time. */
  open(): Promise<CatalogStore>;
  /** The process that has the store ends without a word. */
  crash(store: CatalogStore): Promise<void>;
  dispose(): Promise<void>;
}

/** The toys of a new home: name, cents, quantity. */
export const HOME_TOYS = [
  ['Tux', 1599, 100],
  ['Whale, "blue"', 1950, 4_294_967_295],
  ['Ёж 🦔', 100, 0],
] as const;

/** As HOME_TOYS, as a file. */
export const HOME_CSV = 'name,price,quantity\nTux,15.99,100\n"Whale, ""blue""",19.5,4294967295\nЁж 🦔,1,0\n';

const RUNS = 15;

function sale(toy: number, quantity: number, sequence: number, more: Partial<Sale> = {}): Sale {
  const name = Buffer.from(HOME_TOYS[toy]![0]);
  return { incarnation: 1, sequence, toy, name, quantity, key: '', ...more };
}

function group(sales: readonly Sale[], settledSequence = 0, incarnation = 1): SaleGroup {
  return { incarnation, settled: { incarnation: settledSequence === 0 ? 0 : 1, sequence: settledSequence }, sales };
}

/** What a store has in common with its fellow: the buffers of names as texts. */
function told({ loaded }: CatalogStore): unknown {
  const { table } = loaded;
  return {
    toys: Array.from(table.shown, (quantity, toy) => [`${table.nameOf(toy)}`, table.pricesCents[toy], quantity]),
    marks: loaded.marks,
    unsettled: loaded.sales
      .filter(({ incarnation, sequence }) => {
        const { settled } = loaded.marks;
        return (
          incarnation > settled.incarnation || (incarnation === settled.incarnation && sequence > settled.sequence)
        );
      })
      .map((one) => ({ ...one, name: one.name.toString() })),
  };
}

function expected(groups: readonly SaleGroup[]): unknown {
  const sales = groups.flatMap((one) => one.sales);
  const last = groups.at(-1) ?? group([], 0, 0);
  return {
    toys: HOME_TOYS.map(([name, cents, quantity], toy) => [
      name,
      cents,
      sales.filter((one) => one.toy === toy).reduce<number>((left, one) => left - one.quantity, quantity),
    ]),
    marks: { incarnation: last.incarnation, settled: last.settled },
    unsettled: sales
      .filter((one) => one.incarnation > 0 && one.sequence > last.settled.sequence)
      .map((one) => ({ ...one, name: one.name.toString() })),
  };
}

const KEYS = ['', 'plain', '=SUM(A1)', "'quoted'", '"{}\\,;', ' made-up_1', '~'.repeat(64)];

/** @param createHome a new and empty one, whose first content is HOME_TOYS */
export function testCatalogStore(test: TestFn, what: string, createHome: () => Promise<CatalogHome>): void {
  const inHome = async (body: (home: CatalogHome) => Promise<void>): Promise<void> => {
    const home = await createHome();
    try {
      await body(home);
    } finally {
      await home.dispose();
    }
  };

  test(`${what}: the first start takes the seed and gives the store an id, which stays`, async (t) => {
    await inHome(async (home) => {
      const first = await home.open();
      t.deepEqual(told(first), expected([]));
      t.regex(first.loaded.storeId, /^[a-z0-9]{8}$/);
      t.is(first.state, 'open');
      begin(first);
      await first.close(true, false);
      const second = await home.open();
      t.is(second.loaded.storeId, first.loaded.storeId);
      t.deepEqual(told(second), expected([]));
      t.true(second.loaded.endedCleanly);
      await second.close(false, false);
    });
  });

  for (const [how, end] of [
    ['a clean end', (_: CatalogHome, store: CatalogStore) => store.close(true, false)],
    ['a crash', (home: CatalogHome, store: CatalogStore) => home.crash(store)],
  ] as const) {
    test(`${what}: what append() has resolved for is there after ${how}`, async (t) => {
      await inHome(async (home) => {
        const store = await home.open();
        const append = begin(store);
        const groups = [
          group([sale(0, 1, 1, { key: 'a' }), sale(1, 4_000_000_000, 2)]),
          group([sale(0, 99, 3, { key: ' made-up' })], 1),
        ];
        for (const one of groups) await append(one);
        await store.synced();
        await end(home, store);
        const again = await home.open();
        t.deepEqual(told(again), expected(groups));
        await again.close(false, false);
      });
    });
  }

  test(`${what}: groups in flight become durable in the order of the calls`, async (t) => {
    await inHome(async (home) => {
      const store = await home.open();
      const append = begin(store);
      const resolved: number[] = [];
      const groups = Array.from({ length: 50 }, (_, index) => group([sale(1, index + 1, index + 1)]));
      await Promise.all(
        groups.map(async (one, index) => {
          await append(one);
          resolved.push(index);
        }),
      );
      t.deepEqual(
        resolved,
        groups.map((_, index) => index),
      );
      await store.synced();
      await home.crash(store);
      const again = await home.open();
      t.deepEqual(told(again), expected(groups));
      await again.close(false, false);
    });
  });

  test(`${what}: marks alone are kept, and every kind of key`, async (t) => {
    await inHome(async (home) => {
      const store = await home.open();
      const append = begin(store);
      const groups = [
        group([], 0, 1),
        group(KEYS.map((key, index) => sale(1, 1, index + 1, { key }))),
        group([], 3),
        group([], 3, 2),
      ];
      for (const one of groups) await append(one);
      await store.synced();
      await home.crash(store);
      const again = await home.open();
      t.deepEqual(told(again), expected(groups));
      await again.close(false, false);
    });
  });

  test(`${what}: a sale without a tag takes from the stock and is not among the sales`, async (t) => {
    await inHome(async (home) => {
      const store = await home.open();
      const append = begin(store);
      const untagged = { incarnation: 0, sequence: 0 };
      const groups = [group([sale(0, 5, 0, untagged)], 0, 0), group([sale(0, 5, 0, untagged), sale(0, 2, 1)])];
      for (const one of groups) await append(one);
      await store.synced();
      await home.crash(store);
      const again = await home.open();
      t.deepEqual(told(again), expected(groups));
      await again.close(false, false);
    });
  });

  test(`${what}: whatever is sold and settled, and however often it starts, a start finds it`, async (t) => {
    const steps = fc.array(
      fc.record({
        quantities: fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 5 }),
        settles: fc.integer({ min: 0, max: 5 }),
        after: fc.constantFrom('go on', 'go on', 'stop', 'crash'),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await inHome(async (home) => {
          let store = await home.open();
          let append = begin(store);
          const groups: SaleGroup[] = [];
          let sequence = 0;
          let settled = 0;
          for (const { quantities, settles, after } of all) {
            const sales = quantities.map((quantity) => sale(1, quantity, ++sequence));
            settled = Math.min(sequence, settled + settles);
            groups.push(group(sales, settled));
            await append(groups.at(-1)!);
            if (after === 'go on') continue;
            await store.synced();
            if (after === 'stop') await store.close(true, false);
            else await home.crash(store);
            store = await home.open();
            t.deepEqual(told(store), expected(groups));
            append = begin(store);
          }
          await store.close(true, false);
        });
      }),
      { numRuns: RUNS },
    );
  });
}

/** As the engine does: it has a group in its memory, where the store may look, before the store is given it. */
function begin(store: CatalogStore): (group: SaleGroup) => Promise<void> {
  const { table, sales } = store.loaded;
  let marks: CatalogMarks = store.loaded.marks;
  const quantities = table.shown.slice();
  const kept = [...sales];
  store.begin({
    get marks() {
      return marks;
    },
    quantities,
    keptSales: () => [...kept],
  });
  return (group) => {
    marks = group;
    for (const sale of group.sales) {
      quantities[sale.toy]! -= sale.quantity;
      if (sale.incarnation > 0) kept.push(sale);
    }
    return store.append(group);
  };
}
