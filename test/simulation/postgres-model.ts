// postgres-model.ts: what PostgreSQL does with the statements of the store, as plain objects: each is a transaction that does
// all or nothing, in one moment. It is a model: what the real one does is for test:postgres to say.
//
// Left out: types, plans, waiting for locks. A statement that would wait for the seat's row and then look at it anew is one
// that comes later here.

import { PostgresError, type Row, type Statement, type Values } from '../../src/postgres/index.js';
import { compareTags, type Tag } from '../../src/store-contract.js';

interface Seat {
  epoch: number;
  step: number;
  holder: string | null;
  session: number | null;
  renewedAtMs: number;
}

export interface SaleRow extends Tag {
  readonly toy: number;
  readonly quantity: number;
  readonly key: string;
}

export interface OrderRow extends Tag {
  readonly order_number: number;
  readonly name: string;
  readonly quantity: number;
  readonly key: string;
  readonly at: number;
}

export interface Tables {
  seats: Record<string, Seat>;
  store: Record<string, unknown>[];
  toys: { toy: number; name: string; price_cents: number; quantity: number }[];
  sales: SaleRow[];
  orders: OrderRow[];
  orderLog: { store: string }[];
}

/** Who sends a statement, when, and which sessions there are. */
export interface Sender {
  readonly session: number;
  readonly nowMs: number;
  isAlive(session: number): boolean;
  end(session: number): void;
}

type Handler = (tables: Tables, values: Values, sender: Sender) => Row[];

export class PostgresModel {
  tables: Tables = {
    seats: { catalog: emptySeat(), order: emptySeat() },
    store: [],
    toys: [],
    sales: [],
    orders: [],
    orderLog: [],
  };
  /** Mistakes that a test puts in: a statement's name and what is done instead. */
  readonly replaced = new Map<string, Handler>();

  /** Carries out a statement and commits it. @throws PostgresError REJECTED; then nothing has changed */
  execute(statement: Statement, values: Values, sender: Sender): readonly Row[] {
    const handler = this.replaced.get(statement.name) ?? HANDLERS[statement.name];
    if (handler === undefined) throw new Error(`the model knows no statement ${statement.name}`);
    const changed = structuredClone(this.tables);
    const rows = handler(changed, values, sender);
    this.tables = changed;
    return rows;
  }
}

function emptySeat(): Seat {
  return { epoch: 0, step: 0, holder: null, session: null, renewedAtMs: Number.NEGATIVE_INFINITY };
}

type Write = (tables: Tables, values: Values) => object | undefined;

/** What the fence does not look at, where a test takes it away. */
interface Omissions {
  readonly epoch?: boolean;
  readonly step?: boolean;
  /** What is done when a write comes again. */
  readonly again?: Write;
}

/** A write behind the fence; its own values are those after the first three. */
export function fenced(write: Write, omitted: Omissions = {}): Handler {
  return (tables, [service, epoch, step, ...values], { nowMs }) => {
    const seat = tables.seats[String(service)]!;
    if (seat.epoch !== epoch) return omitted.epoch === true ? [{ is_new: true, ...write(tables, values) }] : [];
    if (seat.step < Number(step) - 1 && omitted.step !== true) return [];
    const isNew = seat.step < Number(step);
    seat.step = Math.max(seat.step, Number(step));
    seat.renewedAtMs = nowMs;
    const carryOut = isNew ? write : omitted.again;
    return [{ is_new: isNew, ...(carryOut?.(tables, values) ?? { toys: 0 }) }];
  };
}

export function sell(tables: Tables, values: Values): object {
  const [incarnation, settledIncarnation, settledSequence, ...columns] = values;
  for (const row of rowsOf(['incarnation', 'sequence', 'toy', 'quantity', 'key'], columns.slice(0, 5))) {
    insert(tables.sales, row as unknown as SaleRow, (one, other) => compareTags(one, other) === 0);
  }
  let toys = 0;
  for (const { toy, quantity } of rowsOf(['toy', 'quantity'], columns.slice(5))) {
    const row = tables.toys[Number(toy)];
    if (row === undefined) continue;
    row.quantity -= Number(quantity);
    if (row.quantity < 0) throw rejected('toys_quantity_check');
    toys++;
  }
  Object.assign(tables.store[0]!, {
    incarnation,
    settled_incarnation: settledIncarnation,
    settled_sequence: settledSequence,
  });
  return { toys };
}

export function ordersOf([first, ...columns]: Values): OrderRow[] {
  const rows = rowsOf(['name', 'quantity', 'key', 'at', 'incarnation', 'sequence'], columns);
  return rows.map((row, place) => ({ ...row, order_number: Number(first) + place }) as unknown as OrderRow);
}

export function logOrders(tables: Tables, values: Values): undefined {
  for (const order of ordersOf(values)) {
    insert(tables.orders, order, (one, other) => {
      return one.order_number === other.order_number || compareTags(one, other) === 0;
    });
  }
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  'watch-seat': ({ seats }, [service, leaseMs, graceMs], { nowMs, isAlive }) => {
    const { holder, epoch, session, renewedAtMs } = seats[String(service)]!;
    const hasSession = session !== null && isAlive(session);
    const silentMs = nowMs - renewedAtMs;
    const isFree = holder === null || silentMs > Number(leaseMs) || (!hasSession && silentMs > Number(graceMs));
    return [{ holder, epoch, hasSession, isFree }];
  },
  'end-session': ({ seats }, [service], { end }) => {
    const { session } = seats[String(service)]!;
    if (session !== null) end(session);
    return [];
  },
  'take-seat': ({ seats }, [service, holder, epoch], { session, nowMs }) => {
    const seat = seats[String(service)]!;
    if (seat.epoch !== epoch) return [];
    Object.assign(seat, { epoch: seat.epoch + 1, step: 0, holder, session, renewedAtMs: nowMs });
    return [{ epoch: seat.epoch }];
  },
  'sit-down': ({ seats }, [service, epoch], { session }) => {
    const seat = seats[String(service)]!;
    if (seat.epoch === epoch) seat.session = session;
    return [];
  },
  'leave-seat': ({ seats }, [service, epoch]) => {
    const seat = seats[String(service)]!;
    if (seat.epoch === epoch) Object.assign(seat, { holder: null, session: null });
    return [];
  },
  'read-seat': ({ seats }, [service]) => [{ ...seats[String(service)]! }],
  'renew-seat': fenced(() => undefined),
  'read-store': ({ store }) => store,
  'read-toys': ({ toys }, [first, limit]) => toys.slice(Number(first), Number(first) + Number(limit)),
  'read-sales': ({ sales }, values) => after(sales, values),
  'add-toys': fenced(({ toys }, columns) => {
    for (const row of rowsOf(['toy', 'name', 'price_cents', 'quantity'], columns)) {
      toys[Number(row.toy)] ??= row as unknown as Tables['toys'][number];
    }
    return undefined;
  }),
  'add-store': fenced(({ store }, [name, incarnation, settledIncarnation, settledSequence]) => {
    if (store.length > 0) throw rejected('store_pkey');
    store.push({
      store: name,
      incarnation,
      settled_incarnation: settledIncarnation,
      settled_sequence: settledSequence,
    });
    return undefined;
  }),
  sell: fenced(sell),
  'forget-sales': fenced((tables, [i, s, j, t]) => {
    const [from, to] = [tagOf(i, s), tagOf(j, t)];
    tables.sales = tables.sales.filter((sale) => compareTags(sale, from) < 0 || compareTags(sale, to) >= 0);
    return undefined;
  }),
  'read-order-head': ({ orders, orderLog }) => {
    const last = [...orders].sort((one, other) => one.order_number - other.order_number).at(-1);
    const none = { order_number: null, incarnation: null, sequence: null };
    return [{ ...(last ?? none), store: orderLog[0]?.store ?? null }];
  },
  'read-order-keys': ({ orders }, [first, limit]) =>
    numbered(
      orders.filter(({ order_number }) => order_number >= Number(first)),
      limit,
    ),
  'read-orders': ({ orders }, [numbers]) =>
    numbered(orders.filter(({ order_number }) => (numbers as number[]).includes(order_number))),
  'read-order-of-key': ({ orders }, [key, end]) =>
    numbered(
      orders.filter((order) => order.key === key && /^[^ ]/.test(key) && order.order_number < Number(end)),
      1,
    ),
  'read-orders-after': ({ orders }, values) => after(orders, values),
  'begin-order-log': fenced(({ orderLog }, [store]) => {
    if (orderLog.length === 0) orderLog.push({ store: String(store) });
    return undefined;
  }),
  'log-orders': fenced(logOrders),
};

/** Rows from columns, as unnest() makes them. */
function rowsOf(names: readonly string[], columns: Values): Record<string, unknown>[] {
  const length = (columns[0] as unknown[]).length;
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(names.map((name, column) => [name, (columns[column] as unknown[])[index]])),
  );
}

function insert<T>(table: T[], row: T, isSame: (one: T, other: T) => boolean): void {
  if (table.some((other) => isSame(row, other))) throw rejected('a unique constraint');
  table.push(row);
}

function after(rows: readonly (SaleRow | OrderRow)[], [incarnation, sequence, limit]: Values): Row[] {
  const tag = tagOf(incarnation, sequence);
  const found = rows.filter((row) => compareTags(row, tag) > 0);
  return found
    .sort(compareTags)
    .slice(0, Number(limit))
    .map((row) => ({ ...row }));
}

function numbered(rows: OrderRow[], limit: unknown = rows.length): Row[] {
  const sorted = rows.sort((one, other) => one.order_number - other.order_number);
  return sorted.slice(0, Number(limit)).map((row) => ({ ...row }));
}

function tagOf(incarnation: unknown, sequence: unknown): Tag {
  return { incarnation: Number(incarnation), sequence: Number(sequence) };
}

function rejected(constraint: string): PostgresError {
  return new PostgresError('REJECTED', `the model refused a statement: it breaks ${constraint}`);
}
