// postgres-order-log.ts: keeps the orders in PostgreSQL.
//
//   append(group) ──► numbered, found by number and key ──► gathered for a moment ──► one statement ──► durable
//
// A number is the place among the sales, so it can be told before its row is committed: whoever takes over gets the same
// sales from the catalog, which keeps them until it is told that they are settled, and numbers them alike. That is why
// rows may be gathered: one statement for hundreds of orders costs the database a fraction of one for each group.

import { createHistogram } from 'node:perf_hooks';
import { assert } from '../assert.js';
import type { Clock } from '../clock.js';
import { summarize } from '../histogram-summary.js';
import { type HeldSeat, PostgresError, type Reader, type Row } from '../postgres/index.js';
import { compareTags, isMadeUpKey, NO_TAG, type Tag } from '../store-contract.js';
import { IdempotencyKeys } from './keys/idempotency-keys.js';
import { OrderError } from './order-error.js';
import type { AppendedOrders, OrderLog, OrderLogStats } from './order-log.js';
import type { LoggedOrder, SoldOrder } from './order-types.js';
import {
  BEGIN_LOG,
  LOG_ORDERS,
  READ_HEAD,
  READ_KEYS,
  READ_ORDER_OF_KEY,
  READ_ORDERS,
  READ_ORDERS_AFTER,
} from './postgres-order-statements.js';

export interface PostgresOrderLogOptions {
  readonly seat: HeldSeat;
  /** For look-ups; closed with the log. */
  readonly reader: Reader;
  readonly clock: Clock;
  /** Any number, see IdempotencyKeys. */
  readonly keySeed: number;
  /** Newest orders whose keys are read at the start. */
  readonly keysRead?: number;
}

/** How long rows are gathered: each of their syncs holds up the sales. What is not committed yet is given by the catalog again
 *  after a crash. */
const GATHER_MS = 100;
/** Rows in one statement: some 10 ms of the database's time. */
const ROWS_PER_STATEMENT = 2_000;
/** Rows that may wait for the database before append() does: a second's worth. */
const WAITING_ROWS_MAX = 50_000;
/** Newest orders kept in memory: who has just bought asks at once, if ever. */
const NEWEST_ORDERS = 16_384;
/**
 * Newest orders whose keys are read at the start, half a second's worth. Clients' older keys are looked up in the table;
 * keys that a front end made up for its own retries are of no use after seconds.
 */
const KEYS_READ = 200_000;
const SLOW_STATEMENT_MS = 1_000;
const US_PER_MS = 1_000;

/** An order that is numbered. */
interface NumberedOrder extends SoldOrder {
  readonly number: number;
  readonly orderedAtMs: number;
}

export class PostgresOrderLog implements OrderLog {
  readonly endedUncleanly = false;
  readonly damage = undefined;
  readonly #seat: HeldSeat;
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #keys: IdempotencyKeys;
  /** Orders before this number have their clients' keys in the table alone. */
  readonly #firstKeyNumber: number;
  readonly #timesUs = createHistogram();
  /** By number, modulo NEWEST_ORDERS. */
  readonly #newest: NumberedOrder[] = [];
  #store: string;
  #count: number;
  #lastTag: Tag;
  /** Numbered, and in no statement yet. */
  #gathered: NumberedOrder[] = [];
  #gathering: Promise<void> | undefined;
  #flush: () => void = () => undefined;
  /** Numbered, and not committed yet. */
  #waitingRows = 0;
  #lastWrite: Promise<void> = Promise.resolve();
  #state: OrderLog['state'] = 'open';
  #isClosed = false;
  #counts = { groups: 0, slow: 0 };
  readonly #lookups = new Map<number, Promise<LoggedOrder | undefined>>();
  #asked: number[] = [];
  #answer: Promise<Map<number, LoggedOrder>> | undefined;

  /** @throws PostgresError, OrderError UNREADABLE */
  static async open(options: PostgresOrderLogOptions): Promise<PostgresOrderLog> {
    const { seat } = options;
    const [head] = await seat.read(READ_HEAD);
    const count = head!.order_number === null ? 0 : Number(head!.order_number) + 1;
    const log = new PostgresOrderLog(options, head!, count);
    await log.#readKeys();
    return log;
  }

  private constructor(options: PostgresOrderLogOptions, head: Row, count: number) {
    const { seat, reader, clock, keySeed, keysRead = KEYS_READ } = options;
    this.#seat = seat;
    this.#reader = reader;
    this.#clock = clock;
    this.#keys = new IdempotencyKeys(keySeed);
    this.#store = head.store === null ? '' : String(head.store);
    this.#count = count;
    this.#lastTag = count === 0 ? NO_TAG : { incarnation: Number(head.incarnation), sequence: Number(head.sequence) };
    this.#firstKeyNumber = Math.max(0, count - keysRead);
    seat.listen({ onTrouble: (reason) => this.#setState(reason === undefined ? 'open' : 'full') });
    void seat.lost.then(() => this.#setState('failed'));
  }

  get seatEpoch(): number {
    return this.#seat.epoch;
  }

  get orderCount(): number {
    return this.#count;
  }

  get lastTag(): Tag {
    return this.#lastTag;
  }

  get store(): string {
    return this.#store;
  }

  get state(): OrderLog['state'] {
    return this.#state;
  }

  get failure(): OrderError | undefined {
    if (this.#state !== 'failed') return undefined;
    return new OrderError('LOG_FAILED', 'this order service does not write to the database any more');
  }

  async begin(store: string): Promise<void> {
    if (this.#store === store) return;
    await this.#seat.write(BEGIN_LOG, [store]).catch(rethrow);
    this.#store = store;
  }

  async append(orders: readonly SoldOrder[]): Promise<AppendedOrders> {
    assert(orders.length > 0 && compareTags(orders[0]!.tag, this.#lastTag) > 0, 'sales must come in tag order');
    while (this.#waitingRows > WAITING_ROWS_MAX) await this.#lastWrite.catch(rethrow);
    if (this.#isClosed) throw new OrderError('CLOSED', 'the order log is closed');
    const firstNumber = this.#count;
    const orderedAtMs = this.#clock.wallMs();
    for (const order of orders) {
      const numbered = { ...order, number: this.#count, orderedAtMs };
      this.#newest[this.#count % NEWEST_ORDERS] = numbered;
      if (order.key !== '') this.#keys.bind(order.key, this.#count, orderedAtMs);
      this.#gathered.push(numbered);
      this.#count++;
    }
    this.#waitingRows += orders.length;
    this.#lastTag = orders.at(-1)!.tag;
    const durable = this.#gather();
    return { firstNumber, durable };
  }

  async get(number: number): Promise<LoggedOrder | undefined> {
    if (!Number.isInteger(number) || number < 0) return undefined;
    if (number >= this.#count) {
      // Another process may have taken over, and know of it.
      if (this.#clock.monotonicMs() < this.#seat.servesUntilMs) return undefined;
      throw this.#seat.trouble ?? new PostgresError('TIMED_OUT', 'the database has not answered for too long');
    }
    const newest = this.#newest[number % NEWEST_ORDERS];
    return newest?.number === number ? loggedOrder(newest) : this.#lookUp(number);
  }

  findByKey(key: string): undefined | Promise<LoggedOrder | undefined> {
    const numbers = this.#keys.candidates(key);
    const isOnlyInTable = this.#firstKeyNumber > 0 && !isMadeUpKey(key);
    return numbers.length === 0 && !isOnlyInTable ? undefined : this.#firstWithKey(key, numbers);
  }

  async *ordersAfter(tag: Tag): AsyncGenerator<readonly LoggedOrder[]> {
    const parts = this.#seat.readAll(READ_ORDERS_AFTER, (last = { ...tag }) => [last.incarnation, last.sequence]);
    try {
      for await (const rows of parts) yield rows.map(orderOfRow);
    } catch (error) {
      rethrow(error);
    }
  }

  stats(): OrderLogStats {
    const syncMs = summarize(this.#timesUs, US_PER_MS);
    const { groups, slow } = this.#counts;
    const writes = { records: this.#count, groups, syncs: groups, slowSyncs: slow, syncMs };
    return { orders: this.#count, bytes: 0, keys: this.#keys.stats(), writes };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#flush();
    if (this.#state === 'open') await this.#lastWrite.catch(() => undefined);
    await Promise.all([this.#seat.leave(), this.#reader.close()]);
  }

  /** Resolves when all that is gathered by now is committed. */
  #gather(): Promise<void> {
    this.#gathering ??= this.#gatherForAWhile();
    if (this.#gathered.length >= ROWS_PER_STATEMENT) this.#flush();
    return this.#gathering;
  }

  async #gatherForAWhile(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(GATHER_MS, resolve);
      this.#flush = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#gathering = undefined;
    this.#flush = () => undefined;
    await this.#write();
  }

  async #write(): Promise<void> {
    const orders = this.#gathered;
    this.#gathered = [];
    if (orders.length === 0) return this.#lastWrite;
    const startMs = performance.now();
    const writes: Promise<unknown>[] = [];
    for (let first = 0; first < orders.length; first += ROWS_PER_STATEMENT) {
      writes.push(this.#seat.write(LOG_ORDERS, valuesOf(orders.slice(first, first + ROWS_PER_STATEMENT))));
    }
    this.#lastWrite = Promise.all(writes).then(() => {
      const durationMs = performance.now() - startMs;
      this.#timesUs.record(Math.max(1, Math.round(durationMs * US_PER_MS)));
      this.#waitingRows -= orders.length;
      this.#counts.groups++;
      if (durationMs > SLOW_STATEMENT_MS) this.#counts.slow++;
    }, rethrow);
    return this.#lastWrite;
  }

  /** Look-ups of one moment are one statement. */
  #lookUp(number: number): Promise<LoggedOrder | undefined> {
    let lookup = this.#lookups.get(number);
    if (lookup !== undefined) return lookup;
    this.#asked.push(number);
    this.#answer ??= Promise.resolve().then(() => {
      const numbers = this.#asked;
      this.#asked = [];
      this.#answer = undefined;
      return this.#readOrders(numbers);
    });
    lookup = this.#answer.then((found) => found.get(number)).finally(() => this.#lookups.delete(number));
    this.#lookups.set(number, lookup);
    return lookup;
  }

  async #readOrders(numbers: readonly number[]): Promise<Map<number, LoggedOrder>> {
    const rows = await this.#reader.read(READ_ORDERS, [numbers]);
    return new Map(rows.map((row) => [Number(row.order_number), orderOfRow(row)]));
  }

  async #firstWithKey(key: string, numbers: readonly number[]): Promise<LoggedOrder | undefined> {
    for (const number of numbers) {
      const order = await this.get(number);
      if (order?.key === key) return order;
    }
    if (this.#firstKeyNumber === 0 || isMadeUpKey(key)) return undefined;
    const [row] = await this.#reader.read(READ_ORDER_OF_KEY, [key, this.#firstKeyNumber]);
    return row === undefined ? undefined : orderOfRow(row);
  }

  async #readKeys(): Promise<void> {
    let next = this.#firstKeyNumber;
    for await (const rows of this.#seat.readAll(READ_KEYS, () => [next])) {
      for (const { order_number: number, key, at } of rows) {
        if (number !== next++) throw new OrderError('UNREADABLE', `the table orders has no row for order ${next - 1}`);
        if (key !== '') this.#keys.bind(String(key), Number(number), Number(at));
      }
    }
  }

  #setState(state: OrderLog['state']): void {
    if (this.#state !== 'failed') this.#state = state;
  }
}

/** The values of LOG_ORDERS. */
function valuesOf(orders: readonly NumberedOrder[]): unknown[] {
  return [
    orders[0]!.number,
    orders.map((order) => order.name),
    orders.map((order) => order.quantity),
    orders.map((order) => order.key),
    orders.map((order) => order.orderedAtMs),
    orders.map((order) => order.tag.incarnation),
    orders.map((order) => order.tag.sequence),
  ];
}

function loggedOrder({ number, name, quantity, key, tag }: NumberedOrder): LoggedOrder {
  return { number, name, quantity, key, tag };
}

function orderOfRow(row: Row): LoggedOrder {
  return {
    number: Number(row.order_number),
    name: String(row.name),
    quantity: Number(row.quantity),
    key: String(row.key),
    tag: { incarnation: Number(row.incarnation), sequence: Number(row.sequence) },
  };
}

function rethrow(cause: unknown): never {
  throw new OrderError('LOG_FAILED', 'whether the last orders are in the database is unknown', { cause });
}
