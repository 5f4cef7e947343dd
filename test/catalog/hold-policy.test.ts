// hold-policy: toys are held where they are asked for several times between two sales, and the policy follows the customers.

import test from 'ava';
import type { CatalogRows } from '../../src/catalog/catalog-file.js';
import { StockTable } from '../../src/catalog/stock-table.js';

const HOLDER = 64;
const ROWS: CatalogRows = {
  names: ['Tux', 'Whale'],
  pricesCents: Float64Array.of(1_599, 2_000),
  quantities: Uint32Array.of(1_000_000, 1_000_000),
  columns: ['name', 'price', 'quantity'],
  cells: undefined,
};

class Shop {
  readonly #table = StockTable.build(ROWS);

  constructor() {
    this.#table.write(() => this.#table.setHolder(HOLDER % 32, HOLDER));
  }

  /** Which of so many finds of a toy is the first that may be held, counted from 1; 0: none. A front end asks until then. */
  finds(count: number, toy = 0): number {
    for (let find = 1; find <= count; find++) if (this.#table.read([toy], HOLDER).holdable[0]) return find;
    return 0;
  }

  /** Sells one; says whether somebody had to be told. */
  sale(toy = 0): boolean {
    const bits = this.#table.write(() => this.#table.beginChange(toy));
    this.#table.write(() => this.#table.endChange(toy, 1));
    return bits !== 0;
  }
}

/** For each of so many sales, with so many finds before it, which find was held. */
function visit(shop: Shop, sales: number, finds: number): number[] {
  return Array.from({ length: sales }, () => {
    const held = shop.finds(finds);
    shop.sale();
    return held;
  });
}

const share = (seen: number[], value: number): number => seen.filter((held) => held === value).length / seen.length;

test('a toy that is never sold is held from the first find on', (t) => {
  const shop = new Shop();
  t.deepEqual([shop.finds(1), shop.finds(1)], [1, 1]);
});

for (const { finds, share: expected, held } of [
  { finds: 20, held: 1, share: 7 / 8 },
  { finds: 3, held: 1, share: 7 / 8 },
  { finds: 2, held: 0, share: 1 },
  { finds: 1, held: 0, share: 1 },
]) {
  test(`asked for ${finds} times before each sale: of the sales ${expected} find it held at find ${held}`, (t) => {
    const shop = new Shop();
    visit(shop, 100, finds);
    t.is(share(visit(shop, 80, finds), held), expected);
  });
}

test('where holding does not pay nobody has to be told of a sale', (t) => {
  const shop = new Shop();
  visit(shop, 100, 1);
  for (let sale = 0; sale < 20; sale++) {
    shop.finds(1);
    t.false(shop.sale());
  }
});

test('a toy that was bought all the time is held in the end when nobody buys it any more, and at once when times change', (t) => {
  const shop = new Shop();
  visit(shop, 100, 1);
  t.is(shop.finds(100), 8);
  visit(shop, 40, 10);
  t.is(share(visit(shop, 80, 10), 1), 7 / 8);
});

test('each toy has its own', (t) => {
  const shop = new Shop();
  visit(shop, 100, 1);
  t.is(shop.finds(1, 1), 1);
  t.is(shop.finds(1, 0), 0);
});

test('who does not hold counts for nothing', (t) => {
  const table = StockTable.build(ROWS);
  for (let find = 0; find < 100; find++) t.deepEqual(table.read([0], 0).holdable, []);
  table.write(() => table.setHolder(HOLDER % 32, HOLDER));
  for (let sale = 0; sale < 100; sale++) {
    table.read([0], 0);
    table.read([0], HOLDER);
    table.write(() => table.beginChange(0));
    table.write(() => table.endChange(0, 1));
  }
  t.deepEqual(table.read([0], HOLDER).holdable, [false]);
});
