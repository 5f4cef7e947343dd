import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import {
  COLUMN,
  fieldNumber,
  fieldStart,
  fieldText,
  formatRows,
  ORDERS_HEADER,
  quoted,
  scanRows,
} from '../../src/order/order-row.js';

const tag = { incarnation: 1, sequence: 1 };
const AT_MS = Date.UTC(2026, 0, 31, 12, 0, 0, 5);

const fields: [name: string, field: string, row: string][] = [
  ['plain', 'Tux', 'Tux'],
  ['empty', '', ''],
  ['comma', 'Duck, yellow', '"Duck, yellow"'],
  ['quote', '7" ball', '"7"" ball"'],
  ['line feed', 'two\nlines', '"two\nlines"'],
  ['carriage return', 'two\rlines', '"two\rlines"'],
  ['space at an end', ' Tux', '" Tux"'],
  ['space within', 'Teddy bear', 'Teddy bear'],
  ['beyond ASCII', 'Bär 🐻', 'Bär 🐻'],
];

for (const [name, field, row] of fields) {
  test(`quoted(): ${name}`, (t) => {
    t.is(quoted(field), row);
  });
}

test('formatRows(): numbers in order; a key of the client and one of the front end stand in columns of their own', (t) => {
  const orders = [
    { tag, name: 'Tux', quantity: 1, key: 'a,b', transient: false },
    { tag, name: 'Duck, yellow', quantity: 4294967295, key: 'f-1', transient: true },
  ];
  t.is(
    formatRows(orders, 41, AT_MS),
    '41,Tux,1,"a,b",2026-01-31T12:00:00.005Z,\n42,"Duck, yellow",4294967295,,2026-01-31T12:00:00.005Z,f-1\n',
  );
});

const order = fc.record({
  tag: fc.constant(tag),
  name: fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'ü', '🐻', ',', '"', '\n', '\r', ' ') }),
  quantity: fc.integer({ min: 1, max: 0xffff_ffff }),
  key: fc.string({ maxLength: 6, unit: fc.constantFrom('k', '"', ',', '~') }),
  transient: fc.boolean(),
});

test('what is written is read by a CSV library as it was', (t) => {
  const check = fc.property(fc.array(order, { minLength: 1, maxLength: 8 }), (orders) => {
    const rows: string[][] = parse(ORDERS_HEADER + formatRows(orders, 7, AT_MS), { from: 2 });
    t.deepEqual(
      rows.map(([number, name, quantity, key, , retryKey]) => [number, name, quantity, key, retryKey]),
      orders.map(({ name, quantity, key, transient }, index) => {
        const keys = transient ? ['', key] : [key, ''];
        return [String(7 + index), name, String(quantity), ...keys];
      }),
    );
  });
  t.notThrows(() => fc.assert(check));
});

test('scanRows() takes whole rows, however the bytes are cut, and leaves the beginning of the next', (t) => {
  const check = fc.property(fc.array(order, { minLength: 1, maxLength: 5 }), fc.nat(), (orders, cut) => {
    const bytes = Buffer.from(formatRows(orders, 7, AT_MS));
    const length = cut % (bytes.length + 1);
    const seen: unknown[] = [];
    const done = scanRows(bytes, length, (start, ends, count) => {
      const text = (column: number) => fieldText(bytes, fieldStart(start, ends, column), ends[column]!);
      seen.push([count, fieldNumber(bytes, start, ends[COLUMN.NUMBER]!), text(COLUMN.NAME), text(COLUMN.KEY)]);
      return true;
    });
    const whole = seen.length;
    t.is(done, Buffer.byteLength(formatRows(orders.slice(0, whole), 7, AT_MS)));
    t.true(whole === orders.length || length < Buffer.byteLength(formatRows(orders.slice(0, whole + 1), 7, AT_MS)));
    const expected = orders
      .slice(0, whole)
      .map(({ name, key, transient }, index) => [6, 7 + index, name, transient ? '' : key]);
    t.deepEqual(seen, expected);
  });
  t.notThrows(() => fc.assert(check));
});

test('fieldNumber(): digits alone', (t) => {
  for (const [text, number] of [
    ['0', 0],
    ['42', 42],
    ['', Number.NaN],
    ['-1', Number.NaN],
    ['1x', Number.NaN],
  ] as const) {
    t.is(fieldNumber(Buffer.from(text), 0, text.length), number, text);
  }
});
