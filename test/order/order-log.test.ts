// The order log on real files: what it holds after a stop, after a crash, and after people have been at the file.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderError } from '../../src/order/order-error.js';
import type { SoldOrder } from '../../src/order/order-types.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

const NAMES = ['Tux', 'Duck, "yellow"', 'Two\nlines'];
const STORE = 'testtest';

function sale(sequence: number): SoldOrder {
  const name = NAMES[sequence % NAMES.length]!;
  const key = sequence % 2 === 0 ? ` made-up-${sequence}` : `=key-${sequence}`;
  return { tag: { incarnation: 1, sequence }, name, quantity: sequence, key };
}

const csvOf = (directory: string) => join(directory, 'orders.csv');

/** Appends orders with tags 1, 2, … `count`, in groups of three, after those that are there; on disk when it resolves. */
async function fill(log: FileOrderLog, count: number): Promise<void> {
  await log.begin(STORE);
  let durable = Promise.resolve();
  for (let sequence = log.lastTag.sequence + 1; sequence <= count; sequence += 3) {
    const group = [sequence, sequence + 1, sequence + 2].filter((one) => one <= count);
    ({ durable } = await log.append(group.map(sale)));
  }
  await durable;
}

/** Every order is found by number and by key. */
async function holds(t: ExecutionContext, log: FileOrderLog, count: number): Promise<void> {
  t.is(log.orderCount, count);
  t.is(log.lastTag.sequence, count);
  for (let number = 0; number < count; number++) {
    const { name, quantity, key, tag } = sale(number + 1);
    t.deepEqual(await log.get(number), { number, name, quantity, key, tag });
    t.is((await log.findByKey(key))?.number, number);
  }
}

/** What a killed process leaves: the file with its second name. The log itself is closed, for the test's sake. */
async function crash(log: FileOrderLog, directory: string): Promise<string> {
  const left = await makeDirectory();
  await copyFile(csvOf(directory), csvOf(left));
  execFileSync('ln', [csvOf(left), join(left, '.orders.csv')]);
  await log.close();
  return left;
}

test('after a clean stop all is there, and the file has one name', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 200);
  await holds(t, log, 200);
  await log.close();
  t.deepEqual(await readdir(directory), ['orders.csv']);
  const again = await openLog(directory);
  t.false(again.endedUncleanly);
  t.is(again.store, STORE);
  await holds(t, again, 200);
  await fill(again, 205);
  await holds(t, again, 205);
  await again.close();
});

test('orders that are no longer among the newest are read from the file', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await log.begin(STORE);
  await log.append(Array.from({ length: 9000 }, (_, index) => sale(index + 1)));
  for (const number of [0, 1, 63, 64, 65, 1000, 1903, 1904, 5999, 8999]) {
    t.like(await log.get(number), { number, ...sale(number + 1) });
  }
  for (const number of [-1, 9000, 0.5, Number.NaN]) t.is(await log.get(number), undefined);
  await log.close();
});

test('orders after a tag: all of them, oldest first', async (t) => {
  const log = await openLog(await makeDirectory());
  await fill(log, 200);
  for (const after of [0, 1, 63, 64, 100, 199, 200]) {
    const found: number[] = [];
    for await (const orders of log.ordersAfter({ incarnation: 1, sequence: after })) {
      found.push(...orders.map(({ tag }) => tag.sequence));
    }
    t.deepEqual(
      found,
      Array.from({ length: 200 - after }, (_, index) => after + 1 + index),
    );
  }
  await log.close();
});

/** What a crash can leave behind nine orders, or of the last three of twelve: the sync came before them. */
const leftovers: [string, number, (path: string, rows: string[]) => Promise<void>][] = [
  ['all rows', 12, async () => {}],
  ['a torn last row', 11, async (path) => truncate(path, (await readFile(path)).length - 7)],
  ['none of the newest rows', 9, (path, rows) => writeFile(path, rows.slice(0, -3).join(''))],
  ['half a row', 9, (path, rows) => writeFile(path, rows.slice(0, -3).join('') + rows.at(-3)!.slice(0, 9))],
  ['zeros instead of a row, and rows behind', 9, (path, rows) => writeFile(path, without(rows, -3))],
  ['zeros at the end', 12, (path) => appendFile(path, Buffer.alloc(4096))],
  ['a header alone', 0, (path, rows) => writeFile(path, rows[0]!)],
  ['half a header', 0, (path, rows) => writeFile(path, rows[0]!.slice(0, 9))],
  ['nothing', 0, (path) => writeFile(path, '')],
];

function without(rows: readonly string[], at: number): string {
  return rows.with(at, '\0'.repeat(rows.at(at)!.length)).join('');
}

/** The header and the rows of a file of ours. */
async function rowsOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split(/(?<=\n)(?=\d+,|$)/);
}

for (const [name, count, damage] of leftovers) {
  test(`a crash that leaves ${name}: the orders up to there, and it goes on behind them`, async (t) => {
    const directory = await makeDirectory();
    const log = await openLog(directory);
    await fill(log, 12);
    const left = await crash(log, directory);
    const rows = await rowsOf(csvOf(left));
    await damage(csvOf(left), rows);
    const found = await readFile(csvOf(left));
    const again = await openLog(left);
    t.true(again.endedUncleanly);
    await holds(t, again, count);
    t.deepEqual(await readFile(csvOf(left)), found, 'before the catalog agrees, the file is as it was found');
    await fill(again, 15);
    await holds(t, again, 15);
    await again.close();
    t.is((await rowsOf(csvOf(left))).length, 16);
  });
}

/** What people leave, and what the line says. */
const damages: [string, string, (path: string, rows: string[]) => Promise<void>][] = [
  [
    'a row taken out',
    'row 3 has the order number "2", where 1 comes next',
    (path, rows) => writeFile(path, rows.toSpliced(2, 1).join('')),
  ],
  [
    'a row moved',
    'row 3 has the order number "2", where 1 comes next',
    (path, rows) => writeFile(path, [rows[0], rows[1], rows[3], rows[2], ...rows.slice(4)].join('')),
  ],
  [
    'zeros within',
    'row 4 has the order number "(\\\\u0000){40}…", where 2 comes next',
    (path, rows) => writeFile(path, without(rows, 3)),
  ],
  [
    'line ends of another system',
    'row 2 has "testtest-1-1\\\\r" where a tag should be',
    async (path, rows) => writeFile(path, [rows[0], ...rows.slice(1)].join('').replaceAll(/(\d)\n(?=\d|$)/g, '$1\r\n')),
  ],
  [
    'a quote that never ends',
    'row 13 has no end',
    (path, rows) => writeFile(path, rows.join('').replace(/,([^,]*)\n$/, ',"$1\n')),
  ],
];

for (const [name, line, damage] of damages) {
  test(`${name}: one line with the place; the orders before it can be read`, async (t) => {
    const directory = await makeDirectory();
    const log = await openLog(directory);
    await fill(log, 12);
    await log.close();
    const path = csvOf(directory);
    await damage(path, await rowsOf(path));
    const again = await openLog(directory);
    t.regex(again.damage!, new RegExp(`^${path} is damaged at byte \\d+: ${line}$`));
    const byte = Number(/byte (\d+)/.exec(again.damage!)![1]);
    const content = await readFile(path);
    t.is(content[byte - 1], 0x0a, 'the byte is where a row begins');
    t.is(again.orderCount, Number(/row (\d+)/.exec(line)![1]) - 2);
    t.true(again.orderCount === 0 || (await again.get(again.orderCount - 1)) !== undefined);
    await again.close();
  });
}

const unreadable: [string, RegExp, (directory: string) => Promise<void>][] = [
  [
    'an earlier version of the store',
    /orders\.csv is of an earlier version .* go on with that version/,
    (directory) => writeFile(csvOf(directory), 'order_number,name,quantity,key,ordered_at,retry_key\n0,Tux,1,,x,\n'),
  ],
  [
    'an earlier version, with its journal',
    /holds the orders of an earlier version/,
    (directory) => writeFile(join(directory, 'orders.journal'), 'x'),
  ],
  [
    'something else',
    /begins with "name,price,quantity"/,
    (directory) => writeFile(csvOf(directory), 'name,price,quantity\n'),
  ],
  ['a directory', /EISDIR|orders\.csv/, (directory) => mkdir(csvOf(directory)).then(() => undefined)],
];

for (const [name, complaint, make] of unreadable) {
  test(`files of ${name}: the start ends with one line, and touches nothing`, async (t) => {
    const directory = await makeDirectory();
    await make(directory);
    const before = await readdir(directory);
    const error = await t.throwsAsync(openLog(directory), { message: complaint });
    t.false(error?.message.includes('\n'));
    t.true(error?.message.includes(directory));
    t.deepEqual(await readdir(directory), before);
  });
}

test('rows of two stores in one file are a damage', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 3);
  await log.close();
  await appendFile(csvOf(directory), '3,Tux,1,,2026-01-31T12:00:00.005Z,otherone-1-4\n');
  const again = await openLog(directory);
  t.regex(again.damage!, /row 5 is of another store than those before: "otherone-1-4"/);
  await again.close();
});

/** What people do to the file of a running log. The contract: noticed within a second, and nothing is lost. */
const touches: [string, string][] = [
  ['renamed', 'mv orders.csv orders.csv.1'],
  ['removed', 'rm orders.csv'],
  ['rewritten by sed -i', "sed -i -e '' orders.csv"],
  ['edited', 'sed -i s/Tux/Fox/ orders.csv'],
  ['emptied in place', ': > orders.csv'],
  ['cut in place', 'truncate -s 300 orders.csv'],
  ['cut by a byte', 'truncate -s -1 orders.csv'],
];

for (const [name, command] of touches) {
  test(`${name} while it runs: every order is in the file that has the name, on disk before it is settled`, async (t) => {
    const directory = await makeDirectory();
    const log = await openLog(directory);
    await fill(log, 12);
    execFileSync('sh', ['-c', command], { cwd: directory });
    await fill(log, 24);
    const inFile = await readFile(csvOf(directory), 'utf8');
    t.is(inFile.split(',testtest-1-').length, 25);
    await holds(t, log, 24);
    const left = await crash(log, directory);
    const again = await openLog(left);
    await holds(t, again, 24);
    await again.close();
  });
}

test('cut while nothing is sold: noticed within a second, and written again', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 12);
  const whole = await readFile(csvOf(directory));
  await truncate(csvOf(directory), 10);
  const cutAtMs = performance.now();
  while (!(await readFile(csvOf(directory))).equals(whole)) await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(performance.now() - cutAtMs < 1000);
  await log.close();
});

test('cut further than memory reaches: nothing more is taken, what is in the file is settled by nobody', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await log.begin(STORE);
  const { durable } = await log.append(Array.from({ length: 9000 }, (_, index) => sale(index + 1)));
  await durable;
  await truncate(csvOf(directory), 1000);
  const late = await log.append([sale(9001)]);
  await t.throwsAsync(late.durable, { code: 'LOG_FAILED', message: /cut short .* further than memory reaches/ });
  t.is(log.state, 'failed');
  await t.throwsAsync(log.append([sale(9002)]), { instanceOf: OrderError });
  await t.throwsAsync(log.close());
  const again = await openLog(directory);
  t.true(again.endedUncleanly, 'the catalog may complete it');
  await again.close();
});

for (const command of ['rm -rf order', 'mv order elsewhere', 'rm order/orders.csv order/.orders.csv']) {
  test(`${command}: nothing more is taken, and all is written back at once`, async (t) => {
    const parent = await makeDirectory();
    const directory = join(parent, 'order');
    await mkdir(directory);
    const log = await openLog(directory);
    await fill(log, 12);
    execFileSync('sh', ['-c', command], { cwd: parent });
    const late = await log.append([sale(13)]);
    await t.throwsAsync(late.durable, {
      code: 'LOG_FAILED',
      message: /nothing more is sold; its orders are written back/,
    });
    await t.throwsAsync(log.append([sale(14)]), { code: 'LOG_FAILED' });
    t.like(await log.get(3), sale(4), 'reading goes on');
    t.true(existsSync(csvOf(directory)), 'for whoever is killed now');
    await t.throwsAsync(log.close());
    const again = await openLog(directory);
    t.true(again.endedUncleanly);
    await holds(t, again, 13);
    await again.close();
  });
}

test('a file that was removed after a clean stop is a log without orders: the catalog will have something to say', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 3);
  await log.close();
  await rm(csvOf(directory));
  const next = await openLog(directory);
  t.like(next, { orderCount: 0, store: '', endedUncleanly: false });
  await next.close();
});
