import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import {
  COLUMN,
  checkRow,
  fieldNumber,
  fieldStart,
  fieldText,
  formatRows,
  ORDERS_HEADER,
  parseOrderRow,
  quoted,
  scanRows,
} from '../../src/order/order-row.js';

const STORE = 'q7x2k9ab';
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

test('formatRows(): numbers in order, with keys of customers and of front ends, and the tags of the sales', (t) => {
  const orders = [
    { tag, name: 'Tux', quantity: 1, key: 'a,b' },
    { tag: { incarnation: 7, sequence: 12 }, name: 'Duck, yellow', quantity: 4294967295, key: ' f-1' },
  ];
  const at = '2026-01-31T12:00:00.005Z';
  t.is(
    formatRows(orders, 41, AT_MS, STORE),
    `41,Tux,1,"a,b",${at},q7x2k9ab-1-1\n42,"Duck, yellow",4294967295," f-1",${at},q7x2k9ab-7-12\n`,
  );
});

const keys: [key: string, cell: string][] = [
  ['=HYPERLINK("http://evil","x")', `"'=HYPERLINK(""http://evil"",""x"")"`],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ["'quoted'", "''quoted'"],
  ['1=1', '1=1'],
  ['cart-17', 'cart-17'],
];

for (const [key, cell] of keys) {
  test(`no spreadsheet takes the key ${key} for a formula, and it is read as it was`, (t) => {
    const row = formatRows([{ tag, name: 'Tux', quantity: 1, key }], 0, AT_MS, STORE);
    t.is(row, `0,Tux,1,${cell},2026-01-31T12:00:00.005Z,q7x2k9ab-1-1\n`);
    t.false(/^[=+\-@\t\r]/.test((parse(row) as string[][])[0]![3]!), 'what a spreadsheet sees');
    scanRows(Buffer.from(row), row.length, (start, ends) => {
      t.is(parseOrderRow(Buffer.from(row), start, ends).key, key);
      return true;
    });
  });
}

const before = { count: 3, store: STORE, lastTag: { incarnation: 2, sequence: 5 } };
const AT = '2026-01-31T12:00:00.005Z';
const flaws: [row: string, flaw: string | undefined][] = [
  [`3,Tux,1,,${AT},q7x2k9ab-2-6`, undefined],
  [`3,Tux,1," made-up_1",${AT},q7x2k9ab-3-1`, undefined],
  [`3,"Two\nlines",1,'=1+1,${AT},q7x2k9ab-2-9`, undefined],
  [`3,Tux,1,,${AT}`, 'has 5 cells instead of 6'],
  [`3,Tux,1,,${AT},q7x2k9ab-2-6,`, 'has 7 cells instead of 6'],
  [`4,Tux,1,,${AT},q7x2k9ab-2-6`, 'has the order number "4", where 3 comes next'],
  [`\0\0\0,Tux,1,,${AT},q7x2k9ab-2-6`, 'has the order number "\\u0000\\u0000\\u0000", where 3 comes next'],
  [`3,,1,,${AT},q7x2k9ab-2-6`, 'has no name of 1 to 64 bytes'],
  [`3,Tux,0,,${AT},q7x2k9ab-2-6`, 'has the quantity "0"'],
  [`3,Tux,-1,,${AT},q7x2k9ab-2-6`, 'has the quantity "-1"'],
  [`3,Tux,4294967296,,${AT},q7x2k9ab-2-6`, 'has the quantity "4294967296"'],
  [`3,Tux,1,a b,${AT},q7x2k9ab-2-6`, 'has the key "a b", which no order can have'],
  [`3,Tux,1,,${AT},`, 'has "" where a tag should be'],
  [`3,Tux,1,,${AT},q7x2k9ab-2-6\r`, 'has "q7x2k9ab-2-6\\r" where a tag should be'],
  [`3,Tux,1,,${AT},q7x2k9ab-2`, 'has "q7x2k9ab-2" where a tag should be'],
  [`3,Tux,1,,${AT},otherone-2-6`, 'is of another store than those before: "otherone-2-6"'],
  [`3,Tux,1,,${AT},q7x2k9ab-2-5`, 'has the tag "q7x2k9ab-2-5", which is not after the one before'],
  [`3,Tux,1,,${AT},q7x2k9ab-1-9`, 'has the tag "q7x2k9ab-1-9", which is not after the one before'],
];

for (const [row, flaw] of flaws) {
  test(`checkRow(): ${JSON.stringify(row)}: ${flaw ?? 'right'}`, (t) => {
    const bytes = Buffer.from(`${row}\n`);
    let found: unknown;
    scanRows(bytes, bytes.length, (start, ends, count) => {
      found = checkRow(bytes, start, ends, count, before);
      return true;
    });
    if (flaw === undefined) t.like(found, { store: STORE });
    else t.is(found, flaw);
  });
}

const order = fc.record({
  tag: fc.constant(tag),
  name: fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'ü', '🐻', ',', '"', '\n', '\r', ' ') }),
  quantity: fc.integer({ min: 1, max: 0xffff_ffff }),
  key: fc.string({ maxLength: 6, unit: fc.constantFrom('k', '"', ',', '~') }),
});

test('what is written is read by a CSV library as it was', (t) => {
  const check = fc.property(fc.array(order, { minLength: 1, maxLength: 8 }), (orders) => {
    const rows: string[][] = parse(ORDERS_HEADER + formatRows(orders, 7, AT_MS, STORE), { from: 2 });
    t.deepEqual(
      rows.map(([number, name, quantity, key, , sale]) => [number, name, quantity, key, sale]),
      orders.map(({ name, quantity, key }, index) => [String(7 + index), name, String(quantity), key, 'q7x2k9ab-1-1']),
    );
  });
  t.notThrows(() => fc.assert(check));
});

test('scanRows() takes whole rows, however the bytes are cut, and leaves the beginning of the next', (t) => {
  const check = fc.property(fc.array(order, { minLength: 1, maxLength: 5 }), fc.nat(), (orders, cut) => {
    const bytes = Buffer.from(formatRows(orders, 7, AT_MS, STORE));
    const length = cut % (bytes.length + 1);
    const seen: unknown[] = [];
    const done = scanRows(bytes, length, (start, ends, count) => {
      const text = (column: number) => fieldText(bytes, fieldStart(start, ends, column), ends[column]!);
      seen.push([count, fieldNumber(bytes, start, ends[COLUMN.NUMBER]!), text(COLUMN.NAME), text(COLUMN.KEY)]);
      return true;
    });
    const whole = seen.length;
    t.is(done, Buffer.byteLength(formatRows(orders.slice(0, whole), 7, AT_MS, STORE)));
    t.true(
      whole === orders.length || length < Buffer.byteLength(formatRows(orders.slice(0, whole + 1), 7, AT_MS, STORE)),
    );
    const expected = orders.slice(0, whole).map(({ name, key }, index) => [6, 7 + index, name, key]);
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
