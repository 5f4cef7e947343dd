// order-service-steps.ts: the steps of the order service in the model, and of those who call it without a front end. The
// rules O1 to O3, and D6, are in protocol-state.ts.

import { decide, isComplete } from './delegation-steps.js';
import type { AddStep } from './front-steps.js';
import type { Mistakes } from './mistakes.js';
import type { Ask, Batch, Order } from './order-state.js';
import type { State } from './protocol-state.js';

const NONE = -1;

export function addOrderServiceSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  const { catalog, service, orders } = state;
  if (orders.length === 0) return;
  if (service.run === 'recovering') return addRecoverStep(state, mistakes, add);
  if (state.restartsLeft > 0) add('the order service is killed and started again', restart);
  if (state.linkCutsLeft > 0 && service.batches.some(({ isDecided }) => isDecided)) {
    add('the link to the catalog is cut', (next) => {
      next.linkCutsLeft -= 1;
      sendAllAgain(next);
    });
  }
  addAskSteps(state, mistakes, add);
  if (catalog.run !== 'up') return;
  const undecided = service.batches.findIndex(({ isDecided }) => !isDecided);
  if (undecided >= 0) {
    add('a batch comes to the catalog once more', (next) => decide(next, next.service.batches[undecided]!, mistakes));
    return;
  }
  addSendSteps(state, mistakes, add);
}

/** The order service tells the catalog what it has on disk itself: C8, D6. */
export function addSettleStep(state: State, toy: number, mistakes: Mistakes, add: AddStep): void {
  const { catalog, orders, book, service } = state;
  const { isUnsure, isDelegated, shown, settled } = catalog.toys[toy]!;
  const mark = orders.length === 0 ? shown : numberedVersion(book.slice(0, service.numbered), toy);
  if (state.crashesLeft === 0 || settled >= mark || isUnsure) return;
  if (isDelegated && !mistakes.has('what is delegated is settled')) return;
  add(`the order service calls what it knows of toy ${toy} settled`, (next) => {
    next.catalog.toys[toy]!.settled = mark;
  });
}

function numberedVersion(book: State['book'], toy: number): number {
  return Math.max(0, ...book.filter((one) => one.toy === toy).map(({ version }) => version));
}

/** Batches that were not answered are sent anew, in order. */
export function sendAllAgain(next: State): void {
  for (const batch of next.service.batches) {
    batch.isDecided = false;
    batch.recalls = [];
    for (const index of batch.orders) {
      next.orders[index]!.outcome = 'open';
      next.orders[index]!.version = 0;
    }
  }
}

function addRecoverStep({ catalog }: State, mistakes: Mistakes, add: AddStep): void {
  const isRecalled = !catalog.toys.some(({ isDelegated }) => isDelegated);
  const isShown = !catalog.sales.some(({ isTagged }) => isTagged) && !catalog.toys.some(({ isUnsure }) => isUnsure);
  if (catalog.run !== 'up' || catalog.predecessor > 0 || !isShown) return;
  if (!isRecalled && !mistakes.has('Recover is answered without a recall')) return;
  add('Recover is answered', (next) => {
    next.service.run = 'up';
    next.service.numbered = next.book.length;
  });
}

/** Whoever waited is told nothing, and sends again, with the key. What is on its way to a front end still arrives. */
function restart(next: State): void {
  next.restartsLeft -= 1;
  next.service = { ...next.service, run: 'recovering', outstanding: NONE, first: NONE, batches: [] };
  for (const order of next.orders) {
    if (order.place === 'gone') finish(order);
    if (order.place !== 'sent' && order.place !== 'batched') continue;
    sendAgain(order);
  }
  for (const ask of next.asks) if (ask.place === 'waiting') ask.place = 'new';
}

/** As a new message, with what it notes then. */
export function sendAgain(order: Order): void {
  finish(order);
  order.place = order.front < 0 ? 'sent' : 'new';
}

/** Nothing of an order matters any more. */
export function finish(order: Order): void {
  order.place = 'done';
  order.generation = -1;
  order.number = 0;
  order.version = 0;
  order.outcome = 'open';
  order.isJoined = false;
}

function addSendSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  const { orders, service, book } = state;
  const waiting = orders.flatMap(({ place }, index) => (place === 'sent' ? [index] : []));
  const fresh: number[] = [];
  for (const index of waiting) {
    const { stream, thread, front } = orders[index]!;
    const isFirst = !waiting.some((other) => other < index && orders[other]!.stream === stream);
    const isRepeat = book.some(({ order }) => order === index);
    if (!isRepeat) fresh.push(index);
    if (!isFirst) continue;
    if (isRepeat) {
      // O3: answers on a stream go out in order.
      const isNext = !orders.some((one) => one.stream === stream && one.place === 'batched');
      const needsRecall = service.outstanding !== NONE && service.outstanding !== stream;
      const isBehindRecall = service.batches.some(({ isRecall }) => isRecall);
      if (needsRecall || isBehindRecall) {
        add(`order ${index} comes again, and is sent behind a recall`, (next) => send(next, [index], false, mistakes));
      } else if (isNext) {
        add(`order ${index} comes again, and is answered`, (next) => {
          next.orders[index]!.outcome = 'sold';
          answerOrder(next, index);
        });
      }
      continue;
    }
    const from = front < 0 ? 'by a unary call' : `from front ${front} thread ${thread}`;
    add(`order ${index} ${from} goes to the catalog`, (next) => send(next, [index], true, mistakes));
    // What is on its way still may be there already, and wait.
    if (waiting.some((other) => orders[other]!.stream !== stream)) {
      add(`order ${index} ${from} goes to the catalog, and others wait`, (next) =>
        send(next, [index], false, mistakes),
      );
    }
  }
  if (fresh.length > 1) add('all orders go to the catalog in one batch', (next) => send(next, fresh, true, mistakes));
}

/** @param isAlone nothing that came another way waits */
function send(next: State, indices: readonly number[], isAlone: boolean, mistakes: Mistakes): void {
  const { service } = next;
  const orders = indices.map((index) => next.orders[index]!);
  const { stream, front } = orders[0]!;
  const isOneStream = front >= 0 && orders.every((one) => one.stream === stream && !one.isJoined);
  const isOwn = isOneStream && (service.outstanding === NONE || service.outstanding === stream);
  const namesHolder = isOwn && isAlone && orders.every(({ number }) => number !== 0);
  const isForgotten = mistakes.has('an order by another stream is answered without a recall');
  // H3: a new message says that what was answered on the stream has been carried out.
  const isHasty = mistakes.has('a thread sends its next message before it has the answer to the one before');
  const isUnderWay = next.orders.some((one) => one.stream === stream && isUntold(one, isHasty));
  if (stream === service.outstanding && !isUnderWay && service.first !== NONE) service.first = service.numbered;
  const isRecall = service.outstanding !== NONE && !isOwn && !isForgotten;
  if (namesHolder) service.outstanding = stream;
  if (isRecall) service.outstanding = NONE;
  for (const order of orders) order.place = 'batched';
  sendBatch(next, { orders: [...indices], asks: [], namesHolder, isRecall }, mistakes);
}

/**
 * The order service has it, or its answer is on the way: then it came with the same message. (With a thread that is hasty
 * the order service takes what it has answered for carried out.)
 */
function isUntold({ place }: Order, isHasty: boolean): boolean {
  if (isHasty) return place === 'batched';
  return place !== 'new' && place !== 'noted' && place !== 'sent' && place !== 'done';
}

function sendBatch(next: State, parts: Omit<Batch, 'isDecided' | 'recalls'>, mistakes: Mistakes): void {
  const batch = { ...parts, isDecided: false, recalls: [] };
  next.service.batches.push(batch);
  decide(next, batch, mistakes);
}

function addAskSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  const { asks, service, catalog } = state;
  const canSend = catalog.run === 'up' && service.batches.every(({ isDecided }) => isDecided);
  for (const [index, { kind, about, place }] of asks.entries()) {
    if (place !== 'new') continue;
    const name =
      kind === 'look-up' ? `order number ${about} is looked up` : `the key of order ${about} is sent by another`;
    const number = numberOf(state, { kind, about });
    if (number < 0 || number >= service.numbered) {
      if (kind === 'repeat') addJoinStep(state, index, name, canSend, mistakes, add);
      continue;
    }
    const isForgotten =
      kind === 'look-up'
        ? mistakes.has('an order is looked up without a recall')
        : mistakes.has('a key that another sends again is answered without a recall');
    const isBelow = kind === 'look-up' && (service.first === NONE || number < service.first);
    const isBehindRecall = service.batches.some(({ isRecall }) => isRecall);
    const isHasty = mistakes.has('a look-up behind a recall is answered at once') && isBehindRecall;
    if (isForgotten || isBelow || (service.outstanding === NONE && (!isBehindRecall || isHasty))) {
      add(`${name}, and told`, (next) => answerAsk(next, index));
    } else if (isBehindRecall) {
      add(`${name}, and waits for the recall`, (next) => joinLast(next, index));
    } else if (canSend) add(`${name}, and recalled first`, (next) => recallFor(next, index, mistakes));
  }
}

/** The order is not answered yet. */
function addJoinStep(
  state: State,
  index: number,
  name: string,
  canSend: boolean,
  mistakes: Mistakes,
  add: AddStep,
): void {
  const { asks, orders, service } = state;
  const { about } = asks[index]!;
  const { place } = orders[about]!;
  if (place === 'sent') {
    add(`${name}, and joins it`, (next) => {
      next.orders[about]!.isJoined = true;
      next.asks[index]!.place = 'waiting';
    });
  }
  if (place !== 'batched' && place !== 'gone') return;
  if (service.outstanding === NONE) add(`${name}, and waits behind it`, (next) => joinLast(next, index));
  else if (canSend) add(`${name}, and recalled first`, (next) => recallFor(next, index, mistakes));
}

function joinLast(next: State, index: number): void {
  next.asks[index]!.place = 'waiting';
  next.service.batches.at(-1)!.asks.push(index);
}

function recallFor(next: State, index: number, mistakes: Mistakes): void {
  next.asks[index]!.place = 'waiting';
  next.service.outstanding = NONE;
  sendBatch(next, { orders: [], asks: [index], namesHolder: false, isRecall: true }, mistakes);
}

/** The order service deals with what the catalog has answered: in the order in which it was sent. */
export function answerBatches(next: State): void {
  const { service } = next;
  for (let batch = service.batches[0]; batch !== undefined && isComplete(next, batch); batch = service.batches[0]) {
    service.batches.shift();
    if (batch.isRecall) service.first = NONE;
    for (const index of batch.orders) answerOrder(next, index);
    for (const index of batch.asks) answerAsk(next, index);
  }
}

function answerOrder(next: State, index: number): void {
  const { service } = next;
  const order = next.orders[index]!;
  const number = next.book.findIndex((one) => one.order === index);
  service.numbered = Math.max(service.numbered, number + 1);
  if (order.outcome === 'delegated' && service.first === NONE) service.first = number;
  if (order.isJoined) {
    for (const ask of next.asks) if (ask.kind === 'repeat' && ask.about === index) ask.place = 'done';
    learnOutcome(next, index);
  }
  if (order.front < 0) learnOutcome(next, index);
  if (order.front < 0 || order.place === 'gone') {
    finish(order);
    return;
  }
  order.place = 'answered';
  order.number = 0;
  order.isJoined = false;
}

/** Somebody is told how an order ended. */
export function learnOutcome(next: State, index: number): void {
  const { outcome, toy, version } = next.orders[index]!;
  if (outcome === 'refused') next.known[toy] = Math.max(next.known[toy]!, version);
  else
    learnNumber(
      next,
      next.book.findIndex(({ order }) => order === index),
    );
}

/** Somebody is told of an order number: all sales up to it have been made. */
function learnNumber(next: State, number: number): void {
  for (const { toy, version } of next.book.slice(0, number + 1)) next.known[toy] = Math.max(next.known[toy]!, version);
}

function answerAsk(next: State, index: number): void {
  const ask = next.asks[index]!;
  ask.place = 'done';
  learnNumber(next, numberOf(next, ask));
}

/** -1: there is none. */
function numberOf({ book }: State, { kind, about }: Omit<Ask, 'place'>): number {
  return kind === 'look-up' ? about : book.findIndex(({ order }) => order === about);
}
