// StockTable: found by bytes, the same in every attachment, and a fingerprint that tells states apart.

import test from 'ava';
import fc from 'fast-check';
import type { CatalogRows } from '../../src/catalog/catalog-file.js';
import { StockTable } from '../../src/catalog/stock-table.js';

function rowsOf(names: readonly string[]): CatalogRows {
  return {
    names,
    pricesCents: Float64Array.from(names, (_, index) => 100 + index),
    quantities: Uint32Array.from(names, (_, index) => index),
    columns: ['name', 'price', 'quantity'],
    cells: undefined,
  };
}

test('every toy is found by its name, and nothing else is', (t) => {
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 16 }).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 60 }), fc.array(name), (names, others) => {
      const built = StockTable.build(rowsOf(names));
      const table = new StockTable(built.memory);
      for (const [index, each] of names.entries()) {
        t.is(table.find(Buffer.from(each)), index);
        t.is(`${table.nameOf(index)}`, each);
        t.is(table.pricesCents[index], 100 + index);
        t.is(table.shown[index], index);
      }
      for (const other of others) if (!names.includes(other)) t.is(table.find(Buffer.from(other)), -1);
    }),
  );
});

test('names are bytes: neither case nor a prefix nor an empty name matches', (t) => {
  const table = StockTable.build(rowsOf(['Tux', 'Whale']));
  for (const name of ['tux', 'Tu', 'Tuxx', '', 'Tux\0', 'Whale ']) t.is(table.find(Buffer.from(name)), -1, name);
});

test('the fingerprint tells quantities, names and prices apart, not the order of rows', (t) => {
  const rows = rowsOf(['Tux', 'Whale', 'Fox']);
  const table = StockTable.build(rows);
  const prints = new Set([table.fingerprint(table.shown)]);
  for (let toy = 0; toy < 3; toy++) {
    for (const change of [-1, 1, 4_294_967_295]) {
      const quantities = table.shown.slice();
      quantities[toy]! += change;
      prints.add(table.fingerprint(quantities));
    }
  }
  const dearer = { ...rows, pricesCents: Float64Array.of(100, 101, 103) };
  const costly = { ...rows, pricesCents: Float64Array.of(100, 101, 102 + 2 ** 32) };
  const renamed = { ...rows, names: ['Tux', 'Whale', 'fox'] };
  const fewer = rowsOf(['Tux', 'Whale']);
  for (const other of [dearer, costly, renamed, fewer]) {
    const { shown } = StockTable.build(other);
    prints.add(StockTable.build(other).fingerprint(shown));
  }
  // Minus one and plus 2^32 - 1 are the same quantity.
  t.is(prints.size, 1 + 3 * 2 + 4);
  const turned = StockTable.build({
    ...rows,
    names: ['Fox', 'Tux', 'Whale'],
    pricesCents: Float64Array.of(102, 100, 101),
    quantities: Uint32Array.of(2, 0, 1),
  });
  t.is(turned.fingerprint(turned.shown), table.fingerprint(table.shown));
});
