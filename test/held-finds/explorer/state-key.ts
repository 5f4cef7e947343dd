// state-key.ts: tells whether two states of the protocol are the same: one short string for each.

import type { Order } from './order-state.js';
import type { Downward, Front, State, Task, Upward } from './protocol-state.js';

const UP = ['renew', 'confirm', 'goodbye'];
const DOWN = ['registered', 'renewed', 'invalid', 'ended'];
const TASKS = ['number', 'bump', 'lease', 'end lease', 'send', 'leave'];
const PLACES = ['idle', 'leased', 'unleased', 'noted', 'asked', 'read', 'told', 'found held'];
const ORDER_PLACES = ['new', 'noted', 'sent', 'batched', 'gone', 'answered', 'counted', 'held', 'told', 'done'];
const OUTCOMES = ['open', 'sold', 'delegated', 'refused'];
const ASK_PLACES = ['new', 'waiting', 'done'];
const RUNS = ['up', 'stopping', 'stopped', 'dead'];

/** Numbers from -1 on become bytes. */
const OFFSET = 1;
const NUMBER_MAX = 0xff - OFFSET;
/** Many times what a state takes. */
const KEY_BYTES_MAX = 4096;

/** The key under way: there are hundreds of thousands, and each is made in the same place. */
const bytes = Buffer.alloc(KEY_BYTES_MAX);
let length = 0;

function add(number: number): void {
  if (number > NUMBER_MAX || length === KEY_BYTES_MAX) throw new Error('the key has no room for this state');
  bytes[length++] = number + OFFSET;
}

function addAll(numbers: readonly number[]): void {
  add(numbers.length);
  for (const number of numbers) add(number);
}

export function keyOf(state: State): string {
  const { catalog } = state;
  length = 0;
  addAll(state.known);
  add(RUNS.indexOf(catalog.run));
  add(catalog.predecessor);
  for (const { journaled, shown, settled, isUnsure, bits, isDelegated, isRecalled } of catalog.toys) {
    add(journaled);
    add(shown);
    add(settled);
    add(Number(isUnsure));
    addAll(bits);
    add(Number(isDelegated));
    add(Number(isRecalled));
  }
  add(catalog.holders.length);
  for (const { number, front, link, isOpen, left } of catalog.holders) {
    add(number);
    add(front);
    add(link);
    add(Number(isOpen));
    add(left);
  }
  add(catalog.sales.length);
  for (const { toy, version, isSynced, awaits, awaitsRecall, isTagged } of catalog.sales) {
    add(toy);
    add(version);
    add(Number(isSynced));
    addAll(awaits);
    add(Number(awaitsRecall));
    add(Number(isTagged));
  }
  for (const [index, front] of state.fronts.entries()) addFront(front, index, state.orders);
  if (state.orders.length > 0) addOrderService(state);
  add(state.salesLeft);
  add(state.callsLeft);
  add(state.cutsLeft);
  add(state.crashesLeft);
  add(state.stopsLeft);
  add(state.goodbyesLeft);
  add(state.frontKillsLeft);
  add(state.connectsLeft);
  add(state.renewalsLeft);
  add(state.restartsLeft);
  add(state.linkCutsLeft);
  add(state.streamCutsLeft);
  return bytes.toString('latin1', 0, length);
}

function addFront(front: Front, index: number, orders: readonly Order[]): void {
  // Of generations nothing matters but which are the same: each is named by when it is first met.
  const met: number[] = [];
  const addGeneration = (generation: number): void => {
    if (generation < 0) return add(-1);
    const name = met.indexOf(generation);
    add(name === -1 ? met.push(generation) - 1 : name);
  };
  addGeneration(front.generation);
  add(front.number);
  add(front.left);
  add(front.link);
  add(Number(front.isCut));
  add(Number(front.hasStopped));
  addAll(front.renewals);
  add(front.up.length);
  for (const message of front.up) addUpward(message);
  add(front.down.length);
  for (const message of front.down) addDownward(message);
  add(front.tasks.length);
  for (const task of front.tasks) addTask(task);
  for (const thread of front.threads) {
    add(PLACES.indexOf(thread.place));
    add(thread.queriesLeft);
    for (const held of thread.held) {
      add(held === undefined ? -1 : held.version);
      addGeneration(held === undefined ? -1 : held.generation);
    }
    if (thread.place === 'idle') continue;
    add(thread.toy);
    add(thread.known);
    add(thread.number);
    add(thread.version);
    add(Number(thread.isHoldable));
    addGeneration(thread.generation);
  }
  for (const order of orders) if (order.front === index) addGeneration(order.generation);
}

function addOrderService({ orders, asks, book, service }: State): void {
  for (const { stream, place, number, outcome, version, isJoined } of orders) {
    add(stream);
    add(ORDER_PLACES.indexOf(place));
    add(number);
    add(OUTCOMES.indexOf(outcome));
    add(version);
    add(Number(isJoined));
  }
  for (const { place } of asks) add(ASK_PLACES.indexOf(place));
  add(book.length);
  for (const { order, version } of book) {
    add(order);
    add(version);
  }
  add(Number(service.run === 'up'));
  add(service.outstanding);
  add(service.first);
  add(service.numbered);
  add(service.batches.length);
  for (const batch of service.batches) {
    addAll(batch.orders);
    addAll(batch.asks);
    add(Number(batch.namesHolder));
    add(Number(batch.isRecall));
    add(Number(batch.isDecided));
    addAll(batch.recalls);
  }
}

function addUpward(message: Upward): void {
  add(UP.indexOf(message.kind));
  if (message.kind !== 'confirm') return;
  add(message.toy);
  add(message.version);
}

function addDownward(message: Downward): void {
  add(DOWN.indexOf(message.kind));
  if (message.kind === 'registered') add(message.number);
  if (message.kind !== 'invalid') return;
  add(message.toy);
  add(message.version);
}

function addTask(task: Task): void {
  add(TASKS.indexOf(task.kind));
  if (task.kind === 'number') add(task.number);
  if (task.kind === 'send') addUpward(task.message);
}

/** A copy that may be changed without the other. Where there are no orders, nothing of the order service changes. */
export function copyOf(state: State): State {
  const { catalog } = state;
  return {
    ...state,
    known: [...state.known],
    catalog: {
      ...catalog,
      toys: catalog.toys.map((toy) => ({ ...toy, bits: [...toy.bits] })),
      holders: catalog.holders.map((holder) => ({ ...holder })),
      sales: catalog.sales.map((sale) => ({ ...sale, awaits: [...sale.awaits] })),
    },
    fronts: state.fronts.map((front) => ({
      ...front,
      renewals: [...front.renewals],
      up: [...front.up],
      down: [...front.down],
      tasks: [...front.tasks],
      threads: front.threads.map((thread) => ({ ...thread, held: [...thread.held] })),
    })),
    ...(state.orders.length === 0 ? {} : copyOfOrders(state)),
  };
}

function copyOfOrders({ orders, asks, book, service }: State): Pick<State, 'orders' | 'asks' | 'book' | 'service'> {
  return {
    orders: orders.map((order) => ({ ...order })),
    asks: asks.map((ask) => ({ ...ask })),
    book: [...book],
    service: {
      ...service,
      batches: service.batches.map((batch) => ({
        ...batch,
        orders: [...batch.orders],
        asks: [...batch.asks],
        recalls: [...batch.recalls],
      })),
    },
  };
}
