// order-transfer.ts: the orders from orders.csv into a database that has none, and back, each with the time at which it was
// ordered. Both homes number what is appended to them in turn, so the numbers stay.

import { join } from 'node:path';
import { systemClock } from '../clock.js';
import type { Log } from '../log.js';
import type { HeldSeat, Reader, Row } from '../postgres/index.js';
import { nodeFileSystem, readFully } from '../storage/index.js';
import { FileOrderLog } from './file-order-log.js';
import { OrderError } from './order-error.js';
import type { OrderLog } from './order-log.js';
import { COLUMN, fieldStart, ORDERS_HEADER, parseOrderRow, scanRows } from './order-row.js';
import type { SoldOrder } from './order-types.js';
import { PostgresOrderLog } from './postgres-order-log.js';
import { READ_TIMED_ORDERS } from './postgres-order-statements.js';

interface TimedOrder extends SoldOrder {
  readonly orderedAtMs: number;
}

const CHUNK_BYTES = 1024 * 1024;
const SYNC_PERIOD_MS = 100;

/** A log whose orders get the times that they had. */
class Destination {
  #nowMs = 0;
  /** Its wall clock shows the time of the group that is appended. */
  readonly clock = { ...systemClock, wallMs: () => this.#nowMs };

  async take(log: OrderLog, store: string, orders: AsyncIterable<readonly TimedOrder[]>): Promise<number> {
    if (log.orderCount > 0) throw new OrderError('UNREADABLE', 'there are orders already: begin with none');
    if (store !== '') await log.begin(store);
    let durable: Promise<void> = Promise.resolve();
    for await (const some of orders) {
      for (let first = 0; first < some.length; ) {
        this.#nowMs = some[first]!.orderedAtMs;
        let end = first + 1;
        while (end < some.length && some[end]!.orderedAtMs === this.#nowMs) end++;
        ({ durable } = await log.append(some.slice(first, end)));
        durable.catch(() => undefined);
        first = end;
      }
    }
    await durable;
    return log.orderCount;
  }
}

/** Opens the log of a directory to look at it; it must have ended cleanly and be whole. @throws OrderError UNREADABLE */
export async function openOrdersFile(directory: string, log: Log): Promise<OrderLog> {
  const orders = await FileOrderLog.open({
    directory,
    fileSystem: nodeFileSystem,
    clock: systemClock,
    logger: log,
    syncPeriodMs: SYNC_PERIOD_MS,
    keySeed: 0,
  });
  const flaw =
    orders.damage ??
    (orders.endedUncleanly ? 'the order service did not stop cleanly: start the store, and stop it' : undefined);
  if (flaw === undefined) return orders;
  await orders.close();
  throw new OrderError('UNREADABLE', flaw);
}

/** @returns how many orders were copied */
export function importOrders(directory: string, seat: HeldSeat, reader: Reader, store: string): Promise<number> {
  const destination = new Destination();
  return copy(destination, store, ordersOfFile(join(directory, 'orders.csv')), () =>
    PostgresOrderLog.open({ seat, reader, clock: destination.clock, keySeed: 0 }),
  );
}

/** @returns how many orders were copied */
export function exportOrders(seat: HeldSeat, directory: string, store: string, log: Log): Promise<number> {
  const destination = new Destination();
  const options = { directory, fileSystem: nodeFileSystem, clock: destination.clock, logger: log };
  return copy(destination, store, ordersOfTables(seat), () =>
    FileOrderLog.open({ ...options, syncPeriodMs: SYNC_PERIOD_MS, keySeed: 0 }),
  );
}

async function copy(
  destination: Destination,
  store: string,
  orders: AsyncIterable<readonly TimedOrder[]>,
  open: () => Promise<OrderLog>,
): Promise<number> {
  const log = await open();
  try {
    return await destination.take(log, store, orders);
  } finally {
    await log.close();
  }
}

/** The rows of a file that was found whole. */
async function* ordersOfFile(path: string): AsyncGenerator<readonly TimedOrder[]> {
  const file = await nodeFileSystem.open(path, 'read');
  if (file === undefined) return;
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let at = Buffer.byteLength(ORDERS_HEADER); ; ) {
      const length = await readFully(file, chunk, at);
      const orders: TimedOrder[] = [];
      const taken = scanRows(chunk, length, (start, ends) => {
        const time = chunk.toString('latin1', fieldStart(start, ends, COLUMN.ORDERED_AT), ends[COLUMN.ORDERED_AT]!);
        orders.push({ ...parseOrderRow(chunk, start, ends), orderedAtMs: Date.parse(time) || 0 });
        return true;
      });
      if (taken === 0) return;
      yield orders;
      at += taken;
    }
  } finally {
    await file.close();
  }
}

async function* ordersOfTables(seat: HeldSeat): AsyncGenerator<readonly TimedOrder[]> {
  const first = (last?: Row): number => (last === undefined ? 0 : Number(last.order_number) + 1);
  for await (const rows of seat.readAll(READ_TIMED_ORDERS, (last) => [first(last)])) {
    yield rows.map((row) => ({
      tag: { incarnation: Number(row.incarnation), sequence: Number(row.sequence) },
      name: String(row.name),
      quantity: Number(row.quantity),
      key: String(row.key),
      orderedAtMs: Number(row.at),
    }));
  }
}
