// What every home of the orders must do, whether a file or a database: one set of tests for all of them.

import type { ExecutionContext, TestFn } from 'ava';
import type { OrderLog } from '../../src/order/order-log.js';
import type { LoggedOrder, SoldOrder } from '../../src/order/order-types.js';

/** A place that keeps orders. */
export interface OrderLogHome {
  /** Opens what is there. One log at a time. */
  open(): Promise<OrderLog>;
  /** The process that has the log ends without a word. */
  crash(log: OrderLog): Promise<void>;
  dispose(): Promise<void>;
}

const STORE = 'testtest';
const NAMES = ['Tux', 'Duck, "yellow"', 'Two\nlines', 'Ёж 🦔', '=1+1'];
const KEYS = ['', 'plain', '=key', "'quoted'", ' made-up_', '"{}\\,;'];

function sale(sequence: number): SoldOrder {
  const key = KEYS[sequence % KEYS.length]!;
  return {
    tag: { incarnation: 1, sequence },
    name: NAMES[sequence % NAMES.length]!,
    quantity: sequence % 7 === 0 ? 4_294_967_295 : sequence,
    key: key === '' ? '' : `${key}${sequence}`,
  };
}

/** Appends sales up to that sequence, three at a time. */
async function fill(log: OrderLog, last: number): Promise<void> {
  let durable: Promise<void> = Promise.resolve();
  for (let sequence = log.lastTag.sequence + 1; sequence <= last; sequence += 3) {
    const group = [sequence, sequence + 1, sequence + 2].filter((one) => one <= last).map(sale);
    const appended = await log.append(group);
    durable = appended.durable;
  }
  await durable;
}

async function holds(t: ExecutionContext, log: OrderLog, count: number): Promise<void> {
  t.is(log.orderCount, count);
  t.is(log.lastTag.sequence, count);
  for (let number = 0; number < count; number++) {
    const order: LoggedOrder = { ...sale(number + 1), number };
    t.deepEqual(await log.get(number), order);
    if (order.key !== '') t.is((await log.findByKey(order.key))?.number, number, order.key);
  }
  t.is(await log.get(count), undefined);
  t.is(await log.findByKey('nobody’s'.slice(0, 6)), undefined);
}

/** @param createHome a new and empty one */
export function testOrderLog(test: TestFn, what: string, createHome: () => Promise<OrderLogHome>): void {
  const inHome = async (body: (home: OrderLogHome) => Promise<void>): Promise<void> => {
    const home = await createHome();
    try {
      await body(home);
    } finally {
      await home.dispose();
    }
  };

  test(`${what}: a new log is empty, and of no store`, async (t) => {
    await inHome(async (home) => {
      const log = await home.open();
      t.like(log, { orderCount: 0, store: '', state: 'open', damage: undefined, endedUncleanly: false });
      t.deepEqual(log.lastTag, { incarnation: 0, sequence: 0 });
      t.is(await log.get(0), undefined);
      t.is(await log.findByKey('key'), undefined);
      await log.close();
    });
  });

  for (const [how, end] of [
    ['a clean stop', (_: OrderLogHome, log: OrderLog) => log.close()],
    ['a crash', (home: OrderLogHome, log: OrderLog) => home.crash(log)],
  ] as const) {
    test(`${what}: what is durable is found by number and by key after ${how}, and numbers go on`, async (t) => {
      await inHome(async (home) => {
        let log = await home.open();
        await log.begin(STORE);
        await fill(log, 100);
        await holds(t, log, 100);
        await end(home, log);
        log = await home.open();
        t.is(log.store, STORE);
        await holds(t, log, 100);
        await log.begin(STORE);
        await fill(log, 150);
        await holds(t, log, 150);
        await log.close();
        log = await home.open();
        await holds(t, log, 150);
        await log.close();
      });
    });
  }

  test(`${what}: orders are found as soon as they are appended, and their numbers follow one another`, async (t) => {
    await inHome(async (home) => {
      const log = await home.open();
      await log.begin(STORE);
      const durable: Promise<void>[] = [];
      for (let sequence = 1; sequence <= 300; sequence += 2) {
        const appended = await log.append([sale(sequence), sale(sequence + 1)]);
        t.is(appended.firstNumber, sequence - 1);
        t.like(await log.get(sequence), { number: sequence, ...sale(sequence + 1) });
        durable.push(appended.durable);
      }
      await Promise.all(durable);
      await log.close();
    });
  });

  test(`${what}: the orders after a tag, oldest first`, async (t) => {
    await inHome(async (home) => {
      const log = await home.open();
      await log.begin(STORE);
      await fill(log, 50);
      for (const after of [0, 1, 49, 50]) {
        const found: LoggedOrder[] = [];
        for await (const group of log.ordersAfter({ incarnation: after === 0 ? 0 : 1, sequence: after }))
          found.push(...group);
        t.deepEqual(
          found,
          Array.from({ length: 50 - after }, (_, index) => ({ ...sale(after + index + 1), number: after + index })),
        );
      }
      await log.close();
    });
  });

  test(`${what}: a later incarnation follows an earlier one`, async (t) => {
    await inHome(async (home) => {
      let log = await home.open();
      await log.begin(STORE);
      await fill(log, 5);
      const second = { ...sale(1), tag: { incarnation: 2, sequence: 1 }, key: 'second' };
      await (await log.append([second])).durable;
      await home.crash(log);
      log = await home.open();
      t.deepEqual(log.lastTag, { incarnation: 2, sequence: 1 });
      t.deepEqual(await log.findByKey('second'), { ...second, number: 5 });
      await log.close();
    });
  });
}
