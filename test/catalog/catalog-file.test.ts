// parseCatalog() and CatalogText: what a catalog file may look like, what stops the start, and what is written back.

import test from 'ava';
import fc from 'fast-check';
import { CatalogError } from '../../src/catalog/catalog-error.js';
import { CatalogText, parseCatalog, parsePrice } from '../../src/catalog/catalog-file.js';
import { priceText } from '../../src/store-contract.js';
import { runs } from '../support/effort.js';

const parse = (text: string | Buffer) => parseCatalog(Buffer.from(text), 'toys.csv');

const broken: readonly { name: string; file: string | Buffer; reason: string }[] = [
  { name: 'an empty file', file: '', reason: 'line 1: the file is empty; it must begin with name,price,quantity' },
  {
    name: 'a mark and nothing else',
    file: '\ufeff',
    reason: 'line 1: the file is empty; it must begin with name,price,quantity',
  },
  {
    name: 'no header',
    file: 'Tux,15.99,100\n',
    reason: 'line 1: column name is missing: the header must have name,price,quantity',
  },
  {
    name: 'a missing column',
    file: 'name,price\nTux,15.99\n',
    reason: 'line 1: column quantity is missing: the header must have name,price,quantity',
  },
  {
    name: 'a column in capitals',
    file: 'name,Price,quantity\n',
    reason: 'line 1: column price is missing: the header must have name,price,quantity',
  },
  {
    name: 'a column twice',
    file: 'name,price,quantity,price\n',
    reason: 'line 1: column price stands in the header twice',
  },
  { name: 'a field too few', file: 'name,price,quantity\nTux,15.99\n', reason: 'line 2: 2 fields instead of 3' },
  { name: 'a field too many', file: 'name,price,quantity\nTux,15,99,100\n', reason: 'line 2: 4 fields instead of 3' },
  {
    name: 'a name twice',
    file: 'name,price,quantity\nTux,1,1\nFox,1,1\nTux,2,2\n',
    reason: 'line 4: name "Tux" stands in the file twice',
  },
  { name: 'an empty name', file: 'name,price,quantity\n,1,1\n', reason: 'line 2: name is empty' },
  {
    name: 'a name of 65 bytes',
    file: `name,price,quantity\n${'ü'.repeat(32)}x,1,1\n`,
    reason: 'line 2: name is 65 bytes long: at most 64 are allowed',
  },
  {
    name: 'a negative quantity',
    file: 'name,price,quantity\nTux,1,-1\n',
    reason: 'line 2: quantity is "-1": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'a fraction of a toy',
    file: 'name,price,quantity\nTux,1,1.5\n',
    reason: 'line 2: quantity is "1.5": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'too many toys',
    file: 'name,price,quantity\nTux,1,4294967296\n',
    reason: 'line 2: quantity is "4294967296": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'no quantity',
    file: 'name,price,quantity\nTux,1,\n',
    reason: 'line 2: quantity is "": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'a quantity in words',
    file: 'name,price,quantity\nTux,1,ten\n',
    reason: 'line 2: quantity is "ten": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'a price with three decimals',
    file: 'name,price,quantity\nTux,1.999,1\n',
    reason: 'line 2: price is "1.999": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'a negative price',
    file: 'name,price,quantity\nTux,-1,1\n',
    reason: 'line 2: price is "-1": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'a price with a currency',
    file: 'name,price,quantity\nTux,$1,1\n',
    reason: 'line 2: price is "$1": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'no price',
    file: 'name,price,quantity\nTux,,1\n',
    reason: 'line 2: price is "": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'an error behind a cell on two lines',
    file: 'name,price,quantity,note\nFox,1,1,"A\nB"\nTux,1,x,\n',
    reason: 'line 4: quantity is "x": it must be a whole number from 0 to 4294967295',
  },
  {
    name: 'an error behind blank lines',
    file: 'name,price,quantity\r\n\r\n\r\nTux,x,1\r\n',
    reason: 'line 4: price is "x": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'an open quote',
    file: 'name,price,quantity\n"Tux,1,1\n',
    reason: 'line 2: a quoted field has no closing quote',
  },
  {
    name: 'text behind a quote',
    file: 'name,price,quantity\n"Tux"x,1,1\n',
    reason: 'line 2: text stands behind a closing quote',
  },
  {
    name: 'a quote inside',
    file: 'name,price,quantity\nT"ux,1,1\n',
    reason: 'line 2: a quote stands inside a field that is not quoted',
  },
  {
    name: 'semicolons, as spreadsheets write in many countries',
    file: 'name;price;quantity\nTux;15,99;100\n',
    reason: 'line 1: the columns are separated by ";": they must be separated by commas',
  },
  {
    name: 'tabulators',
    file: 'name\tprice\tquantity\nTux\t1\t1\n',
    reason: 'line 1: the columns are separated by "\\t": they must be separated by commas',
  },
  {
    name: 'a missing column below blank lines',
    file: '\n,,\n\nname,price\n',
    reason: 'line 4: column quantity is missing: the header must have name,price,quantity',
  },
  {
    name: 'blank lines and nothing else',
    file: '\r\n\n,,\n',
    reason: 'line 1: the file is empty; it must begin with name,price,quantity',
  },
  {
    name: 'a name that ends in a blank',
    file: 'name,price,quantity\nTux ,1,1\n',
    reason: 'line 2: name "Tux " begins or ends with a blank',
  },
  {
    name: 'a name that begins with a blank of another kind',
    file: 'name,price,quantity\n\u00a0Tux,1,1\n',
    reason: 'line 2: name "\u00a0Tux" begins or ends with a blank',
  },
  {
    name: 'a name that is a blank',
    file: 'name,price,quantity\n" ",1,1\n',
    reason: 'line 2: name " " begins or ends with a blank',
  },
  {
    name: 'a name on two lines',
    file: 'name,price,quantity\nFox,1,1\n"Tux\r\nthe first",1,1\n',
    reason: 'line 3: name "Tux\\r\\nthe first" holds a control character',
  },
  {
    name: 'a name with a NUL',
    file: 'name,price,quantity\nT\0ux,1,1\n',
    reason: 'line 2: name "T\\u0000ux" holds a control character',
  },
  {
    name: 'a name with a control character of the upper range',
    file: 'name,price,quantity\nT\u0085ux,1,1\n',
    reason: 'line 2: name "T\\u0085ux" holds a control character',
  },
  {
    name: 'an error behind lines of every end',
    file: 'name,price,quantity\nTux,1,1\r\nFox,1,1\rBear,x,1\n',
    reason: 'line 4: price is "x": it must be a number such as 15.99, with at most two decimals',
  },
  {
    name: 'Latin-1',
    file: Buffer.from('name,price,quantity\nTux,1,1\nB\xe4r,1,1\n', 'latin1'),
    reason: 'line 3: the text is not UTF-8',
  },
  {
    name: 'UTF-16',
    file: Buffer.from('\ufeffname,price,quantity\n', 'utf16le'),
    reason: 'line 1: the text is not UTF-8',
  },
];

for (const { name, file, reason } of broken) {
  test(`refused: ${name}`, (t) => {
    const error = t.throws(() => parse(file), { instanceOf: CatalogError });
    t.is(error?.message, `toys.csv, ${reason}`);
    t.is(error?.code, 'BAD_FILE');
  });
}

const accepted: readonly { name: string; file: string; toys: [string, number, number][] }[] = [
  {
    name: 'the six toys',
    file: 'name,price,quantity\nTux,15.99,100\nWhale,19.5,0\n',
    toys: [
      ['Tux', 1599, 100],
      ['Whale', 1950, 0],
    ],
  },
  {
    name: 'a mark, CRLF, blank lines, no end of line',
    file: '\ufeffname,price,quantity\r\n\r\nTux,1,1\r\n\r\nFox,2,2',
    toys: [
      ['Tux', 100, 1],
      ['Fox', 200, 2],
    ],
  },
  { name: 'quotes', file: 'name,price,quantity\n"a ""b"", c","1.5","3"\n', toys: [['a "b", c', 150, 3]] },
  {
    name: 'columns in another order',
    file: 'quantity,name,price\n4294967295,Tux,0.01\n',
    toys: [['Tux', 1, 4294967295]],
  },
  { name: 'columns of somebody else', file: 'id,name,price,quantity,color\n7,Tux,0,1,black\n', toys: [['Tux', 0, 1]] },
  {
    name: 'names that differ in case, and one of 64 bytes',
    file: `name,price,quantity\ntux,1,1\nTux,1,1\n${'ü'.repeat(32)},1,1\n`,
    toys: [
      ['tux', 100, 1],
      ['Tux', 100, 1],
      ['ü'.repeat(32), 100, 1],
    ],
  },
  {
    name: 'blanks around the names of the columns and around numbers',
    file: ' name , price,quantity\t\nTux, 1 ,\t2\n',
    toys: [['Tux', 100, 2]],
  },
  {
    name: 'blank lines anywhere, and rows of empty cells as spreadsheets write them',
    file: '\n , \n\nname,price,quantity\n,,\n\nTux,1,1\n ,\t,,,\n"",,\nFox,2,2\n,,',
    toys: [
      ['Tux', 100, 1],
      ['Fox', 200, 2],
    ],
  },
  {
    name: 'empty columns at the end',
    file: 'name,price,quantity,,\nTux,1,1,,\n,,,,\n',
    toys: [['Tux', 100, 1]],
  },
  { name: 'no toys', file: 'name,price,quantity\n', toys: [] },
];

for (const { name, file, toys } of accepted) {
  test(`read: ${name}`, (t) => {
    const { names, pricesCents, quantities } = parse(file);
    t.deepEqual(names.map((toy, index) => [toy, pricesCents[index], quantities[index]]) as unknown, toys);
  });
}

const LINE_ENDS = ['\n', '\r\n', '\r'];

for (const [index, header] of LINE_ENDS.entries()) {
  for (const first of LINE_ENDS) {
    // The last row quotes its name: a file with a quote in it takes another way.
    for (const [last, name] of [
      ['Fox,2,2', 'plain'],
      ['"Fox",2,2', 'quoted'],
    ]) {
      const ends = [header, first, LINE_ENDS[(index + 1) % LINE_ENDS.length]!, LINE_ENDS[index]!];
      test(`lines that end in ${JSON.stringify(ends)} mean the same: ${name}`, (t) => {
        const lines = ['name,price,quantity', 'Tux,1,1', 'Bear,3,3', last!];
        const { names, quantities } = parse(lines.map((line, row) => line + ends[row]).join(''));
        t.deepEqual([names, [...quantities]], [
          ['Tux', 'Bear', 'Fox'],
          [1, 3, 2],
        ] as never);
      });
    }
  }
}

test('prices are exact to the cent and written in their shortest form', (t) => {
  const rows: [string, number | undefined, string?][] = [
    ['0', 0, '0'],
    ['19', 1900, '19'],
    ['19.5', 1950, '19.5'],
    ['19.50', 1950, '19.5'],
    ['0.07', 7, '0.07'],
    ['1.1', 110, '1.1'],
    ['9999999999.99', 999_999_999_999, '9999999999.99'],
    ['99999999999', undefined],
    ['1.', undefined],
    ['.5', undefined],
    ['1e3', undefined],
    ['+1', undefined],
    [' 1', undefined],
    ['NaN', undefined],
    ['0x10', undefined],
    ['', undefined],
  ];
  for (const [text, cents, shortest] of rows) {
    t.is(parsePrice(text), cents, text);
    if (cents !== undefined) t.is(priceText(cents), shortest!);
  }
});

test('prices survive being written and read', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (cents) => parsePrice(priceText(cents)) === cents),
  );
  t.pass();
});

test('files survive being written and read, columns of others too', (t) => {
  const cellOf = (...units: string[]) =>
    fc.string({ unit: fc.constantFrom('a', 'ü', '"', ',', ' ', '🦊', ...units), minLength: 1, maxLength: 8 });
  const cell = cellOf('\n', '\r', '\ufeff');
  const name = cellOf().map((text) => `${text}.`.trimStart());
  const toy = fc.record({ name, cents: fc.nat(99_999), quantity: fc.nat(0xffffffff), note: cell });
  fc.assert(
    fc.property(fc.uniqueArray(toy, { selector: ({ name }) => name }), fc.boolean(), (toys, hasNotes) => {
      const columns = hasNotes ? ['note', 'quantity', 'name', 'price'] : ['name', 'price', 'quantity'];
      const rows = {
        names: toys.map(({ name }) => name),
        pricesCents: Float64Array.from(toys, ({ cents }) => cents),
        quantities: Uint32Array.from(toys, ({ quantity }) => quantity),
        columns,
        cells: hasNotes ? toys.map(({ note }) => [note, '', '', '']) : undefined,
      };
      const text = new CatalogText(rows);
      const again = parse(text.header + text.render(rows.quantities, 0, toys.length));
      t.deepEqual(again.names, rows.names);
      t.deepEqual(again.pricesCents, rows.pricesCents);
      t.deepEqual(again.quantities, rows.quantities);
      t.deepEqual(
        again.cells?.map(([note]) => note),
        hasNotes ? toys.map(({ note }) => note) : undefined,
      );
    }),
    { numRuns: runs(150) },
  );
});

test('lines without quotes are read as the library reads them', (t) => {
  const plain = fc.string({ unit: fc.constantFrom('a', 'ü', ',', '\n', '\r', ' ', '\ufeff', '1'), maxLength: 40 });
  const outcomeOf = (text: string) => {
    try {
      const { names, quantities, cells } = parse(`name,price,quantity,note\n${text}`);
      return { names, quantities: [...quantities], cells };
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(fc.array(fc.oneof(plain, fc.constantFrom('Tux,1,1,x\n', 'Fox,2,2,\r\n'))), (parts) => {
      const text = parts.join('');
      // A quoted cell at the end sends the whole file through the library.
      const ending = text === '' || /[\r\n]$/.test(text) ? '' : '\n';
      t.deepEqual(outcomeOf(`${text}${ending}Last,1,1,z\n`), outcomeOf(`${text}${ending}Last,1,1,"z"\n`));
    }),
    { numRuns: runs(500) },
  );
});

test('what is written back differs from the file in the quantities alone', (t) => {
  const file = 'color,quantity,name,price\nblack,100,"Tux, the ""first""",15.99\n,5,Fox,12.5\n';
  const text = new CatalogText(parse(file));
  const written = text.header + text.render(Uint32Array.of(99, 5), 0, 2);
  t.is(written, file.replace(',100,', ',99,'));
});
