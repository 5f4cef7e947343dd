import { appendFile, copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { FileOrderLog } from '../../src/order/file-order-log.js';
import { OrderError } from '../../src/order/order-error.js';
import type { SoldOrder } from '../../src/order/order-types.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

const NAMES = ['Tux', 'Duck, "yellow"', 'Two\nlines'];

function sale(sequence: number): SoldOrder {
  const name = NAMES[sequence % NAMES.length]!;
  return {
    tag: { incarnation: 1, sequence },
    name,
    quantity: sequence,
    key: `key-${sequence}`,
    transient: sequence % 2 === 0,
  };
}

/** Appends orders with tags 1, 2, … `count`, in groups of three, after those that are there. */
async function fill(log: FileOrderLog, count: number): Promise<void> {
  for (let sequence = log.lastTag.sequence + 1; sequence <= count; sequence += 3) {
    const group = [sequence, sequence + 1, sequence + 2].filter((one) => one <= count);
    await log.append(group.map(sale));
  }
}

/** Every order is found by number and by key. */
async function holds(t: ExecutionContext, log: FileOrderLog, count: number): Promise<void> {
  t.is(log.orderCount, count);
  t.is(log.lastTag.sequence, count);
  for (let number = 0; number < count; number++) {
    const { name, quantity, key } = sale(number + 1);
    t.deepEqual(await log.get(number), { number, name, quantity, key });
    t.is((await log.findByKey(key))?.number, number);
  }
}

/** Ends a log as a killed process does: files as they are, nothing closed in order. */
async function crash(log: FileOrderLog, directory: string): Promise<string> {
  const left = await makeDirectory();
  for (const name of ['orders.csv', 'orders.journal']) await copyFile(join(directory, name), join(left, name));
  await log.close();
  return left;
}

const csvOf = (directory: string) => join(directory, 'orders.csv');

test('after a clean stop all is there, and the journal is short', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 200);
  await holds(t, log, 200);
  await log.close();
  const again = await openLog(directory);
  await holds(t, again, 200);
  t.true(again.stats().journalBytes < 1000);
  await fill(again, 205);
  await holds(t, again, 205);
  await again.close();
});

test('orders that are no longer among the newest are read from the file', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await log.append(Array.from({ length: 6000 }, (_, index) => sale(index + 1)));
  for (const number of [0, 1, 63, 64, 65, 1000, 1903, 1904, 5999]) {
    t.deepEqual(await log.get(number), {
      number,
      name: sale(number + 1).name,
      quantity: number + 1,
      key: `key-${number + 1}`,
    });
  }
  for (const number of [-1, 6000, 0.5, Number.NaN]) t.is(await log.get(number), undefined);
  await log.close();
});

/** What a crash can leave of orders.csv: the journal has 12 orders, a checkpoint vouches for the first 6. */
const leftovers: [string, (path: string, checkpointBytes: number) => Promise<void>][] = [
  ['all rows', async () => {}],
  ['a torn last row', async (path) => truncate(path, (await readFile(path)).length - 7)],
  ['none of the rows since the checkpoint', (path, bytes) => truncate(path, bytes)],
  ['half a row since the checkpoint', (path, bytes) => truncate(path, bytes + 5)],
  [
    'zeros where rows should be',
    async (path, bytes) => {
      const content = await readFile(path);
      await writeFile(path, content.fill(0, bytes + 20));
    },
  ],
  ['half a row of an order that the journal has not', (path) => appendFile(path, '12,"Tux')],
  [
    'whole rows of orders that the journal has not',
    (path) => appendFile(path, '12,Tux,1,,2026-01-01T00:00:00.000Z,\n'),
  ],
];

for (const [name, damage] of leftovers) {
  test(`a crash that leaves ${name}: mended, byte for byte`, async (t) => {
    const directory = await makeDirectory();
    const log = await openLog(directory);
    await fill(log, 6);
    await log.checkpoint();
    const checkpointBytes = (await readFile(csvOf(directory))).length;
    await fill(log, 12);
    const right = await readFile(csvOf(directory), 'utf8');
    const left = await crash(log, directory);
    await damage(csvOf(left), checkpointBytes);
    const again = await openLog(left);
    await holds(t, again, 12);
    t.is(await readFile(csvOf(left), 'utf8'), right);
    await fill(again, 15);
    await holds(t, again, 15);
    await again.close();
  });
}

const contradictions: [string, RegExp, (path: string) => Promise<void>][] = [
  ['gone', /missing/, (path) => rm(path)],
  ['shorter', /at the last checkpoint/, async (path) => truncate(path, (await readFile(path)).length - 1)],
  ['edited', /changed/, async (path) => edit(path, ',Tux,3,', ',Tux,4,')],
  ['renumbered', /row where order 3/, async (path) => edit(path, '\n3,', '\n4,')],
  ['without its header', /changed|row where order 0/, async (path) => edit(path, 'order_number', 'order_nummer')],
  ['without a row', /row where order 1/, async (path) => edit(path, /\n1,.*\n/, '\n')],
];

async function edit(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(from, to).padEnd(text.length, '\n'));
}

for (const [name, complaint, change] of contradictions) {
  test(`orders.csv is ${name}: the start ends with one line, and touches nothing`, async (t) => {
    const directory = await makeDirectory();
    const log = await openLog(directory);
    await fill(log, 6);
    await log.close();
    const path = csvOf(directory);
    await change(path);
    const before = await readFile(path).catch(() => 'no file');
    const error = await t.throwsAsync(openLog(directory), { instanceOf: OrderError, message: complaint });
    t.is(error?.code, 'MISMATCH');
    t.false(error?.message.includes('\n'));
    t.true(error?.message.includes(path));
    t.deepEqual(await readFile(path).catch(() => 'no file'), before);
  });
}

test('orders without their journal are not taken over', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory);
  await fill(log, 3);
  await log.close();
  await rm(join(directory, 'orders.journal'));
  const error = await t.throwsAsync(openLog(directory), { instanceOf: OrderError, message: /no journal/ });
  t.is(error?.code, 'MISMATCH');
});

test('a first start that was cut off after the header begins again', async (t) => {
  const directory = await makeDirectory();
  await (await openLog(directory)).close();
  await rm(join(directory, 'orders.journal'));
  const log = await openLog(directory);
  await fill(log, 3);
  await holds(t, log, 3);
  await log.close();
});

test('a journal past its size is begun anew while orders go on', async (t) => {
  const directory = await makeDirectory();
  const log = await openLog(directory, { checkpointBytes: 2000 });
  for (let count = 10; count <= 300; count += 10) {
    await fill(log, count);
    while (log.stats().journalBytes > 2000 && !log.wantsCheckpoint)
      await new Promise((resolve) => setImmediate(resolve));
    if (log.wantsCheckpoint) await log.checkpoint();
  }
  t.true(log.stats().checkpoints > 3);
  const left = await crash(log, directory);
  const again = await openLog(left);
  await holds(t, again, 300);
  await again.close();
});
