// postgres-catalog-store.ts: keeps the catalog's state in PostgreSQL: toys, marks, and the sales that are not settled.
//
//   append(group) ──► one statement, under the epoch of the seat ──► committed ──► durable
//
// Statements are pipelined: the next group is on its way while the one before is being synced. A group whose connection is
// lost is sent again until its outcome is known, so append() stays open meanwhile; the state is `full` once that lasts.

import { createHistogram } from 'node:perf_hooks';
import { summarize } from '../histogram-summary.js';
import { type HeldSeat, PostgresError, type Row } from '../postgres/index.js';
import { type JournalState, StorageError } from '../storage/index.js';
import { compareTags, NO_TAG, type Tag } from '../store-contract.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogRows } from './catalog-file.js';
import type {
  CatalogMarks,
  CatalogState,
  CatalogStore,
  CatalogStoreEvents,
  CatalogStoreStats,
  LoadedCatalog,
  Sale,
  SaleGroup,
} from './catalog-store.js';
import {
  ADD_SALES,
  ADD_STORE,
  ADD_TOYS,
  FORGET_SALES,
  READ_SALES,
  READ_STORE,
  READ_TOYS,
  SELL,
} from './postgres-catalog-statements.js';
import { StockTable } from './stock-table.js';
import { newStoreId } from './store-id.js';

export interface PostgresCatalogOptions extends CatalogStoreEvents {
  readonly seat: HeldSeat;
  /** The toys of a database that has none yet. */
  readonly seed: () => Promise<CatalogRows>;
}

/** Rows written by one statement: a few milliseconds, and far below what a message may have. */
const ROWS_AT_ONCE = 10_000;
const SLOW_STATEMENT_MS = 1_000;
const US_PER_MS = 1_000;
/** Where the columns of sales stand among the values of SELL. */
const SALES_AT = 3;
const SALE_COLUMNS = 5;
/** Sales that are needed no more are removed so many at a time: a statement of some ten milliseconds. */
const FORGET_EVERY_SALES = 2_000;

export class PostgresCatalogStore implements CatalogStore {
  readonly loaded: LoadedCatalog;
  readonly #seat: HeldSeat;
  readonly #onState: () => void;
  readonly #timesUs = createHistogram();
  #state: JournalState = 'open';
  #catalog: CatalogState | undefined;
  /** Sales before this tag are no longer in the database. */
  #forgotten: Tag = NO_TAG;
  #sinceForgotten = 0;
  #counts = { records: 0, groups: 0, slow: 0 };

  /**
   * Loads what the database has; makes its first content from the seed where there is none.
   *
   * @throws PostgresError, CatalogError BAD_FILE
   */
  static async open(options: PostgresCatalogOptions): Promise<PostgresCatalogStore> {
    const { seat } = options;
    let [store] = await seat.read(READ_STORE);
    if (store === undefined) {
      const marks = { incarnation: 0, settled: NO_TAG };
      await fillCatalogTables(seat, { storeId: newStoreId(), rows: await options.seed(), marks, sales: [] });
      [store] = await seat.read(READ_STORE);
    }
    const rows = await readToys(seat);
    const marks = {
      incarnation: Number(store!.incarnation),
      settled: { incarnation: Number(store!.settled_incarnation), sequence: Number(store!.settled_sequence) },
    };
    const sales = await readSales(
      seat,
      rows.names.map((name) => Buffer.from(name)),
    );
    const loaded = {
      storeId: String(store!.store),
      table: StockTable.build(rows),
      marks,
      sales,
      // Nothing that was confirmed can be missing: a database that has lost some is told by its seat.
      endedCleanly: true,
      mayLackSales: false,
      leaseMs: seat.waitMs,
    };
    return new PostgresCatalogStore(options, loaded);
  }

  private constructor({ seat, onState }: PostgresCatalogOptions, loaded: LoadedCatalog) {
    this.loaded = loaded;
    this.#seat = seat;
    this.#onState = onState;
    seat.listen({ onTrouble: (reason) => this.#setState(reason === undefined ? 'open' : 'full') });
    void seat.lost.then(() => this.#setState('failed'));
  }

  get state(): JournalState {
    return this.#state;
  }

  begin(state: CatalogState): void {
    this.#catalog = state;
  }

  /** The database itself says who serves: a catalog that has just taken over has not heard of anybody. */
  async admitOrderSeat(seatEpoch: number): Promise<void> {
    const newest = await this.#seat.epochOf('order').catch((cause: unknown) => {
      throw new CatalogError('NOT_JOURNALED', 'the database does not say which order service serves', { cause });
    });
    if (seatEpoch >= newest) return;
    throw new CatalogError(
      'REPLACED',
      `another order service has taken over: the one that asks had the seat's epoch ${seatEpoch}, and the newest is ${newest}`,
    );
  }

  async append(group: SaleGroup): Promise<void> {
    if (this.#state !== 'open') {
      const why = this.#seat.trouble;
      throw new StorageError('WRITE_FAILED', why?.message ?? 'the database takes no writes', {
        path: 'PostgreSQL',
        cause: why,
      });
    }
    const { values, toys } = valuesOf(group);
    const startMs = performance.now();
    const [done] = await this.#seat.write(SELL, values);
    const durationMs = performance.now() - startMs;
    this.#timesUs.record(Math.max(1, Math.round(durationMs * US_PER_MS)));
    this.#counts.groups++;
    this.#counts.records += group.sales.length;
    if (durationMs > SLOW_STATEMENT_MS) this.#counts.slow++;
    if (done!.is_new === true && Number(done!.toys) !== toys) throw this.#toysAreGone();
    this.#sinceForgotten += group.sales.length;
    if (this.#sinceForgotten >= FORGET_EVERY_SALES) this.#forget();
  }

  /** What append() has resolved for is committed. */
  async synced(): Promise<void> {}

  /** The seat's lease is longer than any that is given: see ownedUntilMs(). */
  async noteLeases(): Promise<void> {}

  ownedUntilMs(): number {
    return this.#seat.servesUntilMs;
  }

  async checkpoint(): Promise<void> {}

  stats(): CatalogStoreStats {
    const syncMs = summarize(this.#timesUs, US_PER_MS);
    const { records, groups, slow } = this.#counts;
    const journal = { records, groups, syncs: groups, slowSyncs: slow, syncMs, bytes: 0 };
    return { journal, checkpoints: 0, lastCheckpointMs: 0 };
  }

  async close(): Promise<void> {
    await this.#seat.leave();
  }

  abandon(): void {}

  /** Removes what a start need not find: see LoadedCatalog.sales. */
  #forget(): void {
    this.#sinceForgotten = 0;
    const [oldest] = this.#catalog?.keptSales() ?? [];
    if (oldest === undefined || compareTags(oldest, this.#forgotten) <= 0) return;
    const { incarnation, sequence } = this.#forgotten;
    this.#forgotten = oldest;
    this.#seat.write(FORGET_SALES, [incarnation, sequence, oldest.incarnation, oldest.sequence]).catch(() => undefined);
  }

  #setState(state: JournalState): void {
    if (this.#state === state || this.#state === 'failed') return;
    this.#state = state;
    this.#onState();
  }

  #toysAreGone(): PostgresError {
    this.#setState('failed');
    return new PostgresError(
      'BAD_SCHEMA',
      'rows of the table toys are gone that were there at the start: restart the catalog',
    );
  }
}

/** The values of SELL for a group, and how many toys it must find. */
function valuesOf({ incarnation, settled, sales }: SaleGroup): { values: readonly unknown[]; toys: number } {
  const tagged = sales.filter((sale) => sale.incarnation > 0);
  const taken = new Map<number, number>();
  for (const { toy, quantity } of sales) taken.set(toy, (taken.get(toy) ?? 0) + quantity);
  const values = [
    incarnation,
    settled.incarnation,
    settled.sequence,
    tagged.map((sale) => sale.incarnation),
    tagged.map((sale) => sale.sequence),
    tagged.map((sale) => sale.toy),
    tagged.map((sale) => sale.quantity),
    tagged.map((sale) => sale.key),
    [...taken.keys()],
    [...taken.values()],
  ];
  return { values, toys: taken.size };
}

/** What the tables of a new store begin with. */
export interface CatalogContent {
  readonly storeId: string;
  readonly rows: Pick<CatalogRows, 'names' | 'pricesCents' | 'quantities'>;
  readonly marks: CatalogMarks;
  /** What is left of the quantities is after these: they take nothing. */
  readonly sales: readonly Sale[];
}

/** Fills tables that have no store yet. @throws PostgresError, CatalogError BAD_FILE */
export async function fillCatalogTables(seat: HeldSeat, content: CatalogContent): Promise<void> {
  const { storeId, rows, marks, sales } = content;
  await addToys(seat, rows);
  for (let first = 0; first < sales.length; first += ROWS_AT_ONCE) {
    const { values } = valuesOf({ ...marks, sales: sales.slice(first, first + ROWS_AT_ONCE) });
    await seat.write(ADD_SALES, values.slice(SALES_AT, SALES_AT + SALE_COLUMNS));
  }
  // Last: without it there is no store.
  await seat.write(ADD_STORE, [storeId, marks.incarnation, marks.settled.incarnation, marks.settled.sequence]);
}

async function addToys(seat: HeldSeat, { names, pricesCents, quantities }: CatalogContent['rows']): Promise<void> {
  const bad = names.find((name) => name.includes('\0'));
  if (bad !== undefined) {
    throw new CatalogError(
      'BAD_FILE',
      `the name ${JSON.stringify(bad)} has a NUL character, which PostgreSQL cannot keep`,
    );
  }
  for (let first = 0; first < names.length; first += ROWS_AT_ONCE) {
    const end = Math.min(first + ROWS_AT_ONCE, names.length);
    await seat.write(ADD_TOYS, [
      Array.from({ length: end - first }, (_, index) => first + index),
      names.slice(first, end),
      [...pricesCents.subarray(first, end)],
      [...quantities.subarray(first, end)],
    ]);
  }
}

async function readToys(seat: HeldSeat): Promise<CatalogRows> {
  const toys = await collected(seat.readAll(READ_TOYS, (last) => [last === undefined ? 0 : Number(last.toy) + 1]));
  const gap = toys.findIndex((row, index) => row.toy !== index);
  if (gap !== -1) {
    throw new PostgresError('BAD_SCHEMA', `the table toys has no row for toy ${gap}: their places must be 0, 1, 2 …`);
  }
  return {
    names: toys.map((row) => String(row.name)),
    pricesCents: Float64Array.from(toys, (row) => Number(row.price_cents)),
    quantities: Uint32Array.from(toys, (row) => Number(row.quantity)),
    columns: ['name', 'price', 'quantity'],
    cells: undefined,
  };
}

async function readSales(seat: HeldSeat, names: readonly Buffer[]): Promise<Sale[]> {
  const rows = await collected(
    seat.readAll(READ_SALES, (last) => (last === undefined ? [0, 0] : [last.incarnation, last.sequence])),
  );
  return rows.map((row) => ({
    incarnation: Number(row.incarnation),
    sequence: Number(row.sequence),
    toy: Number(row.toy),
    name: names[Number(row.toy)]!,
    quantity: Number(row.quantity),
    key: String(row.key),
  }));
}

async function collected(parts: AsyncIterable<readonly Row[]>): Promise<Row[]> {
  const all: Row[] = [];
  for await (const part of parts) for (const row of part) all.push(row);
  return all;
}
