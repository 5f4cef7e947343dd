// delegation-steps.ts: what the catalog does with sales and delegated toys in the model: decides them, recalls them. The
// rules C3 and D1 to D5 are in protocol-state.ts.

import type { AddStep } from './front-steps.js';
import type { Mistakes } from './mistakes.js';
import type { Batch } from './order-state.js';
import type { Holder, State, Toy } from './protocol-state.js';

/** The version in the invalidation that a recall sends, and in its confirmation. */
const RECALL = 0;

/** The newest version of a toy that is decided. */
export function newestVersion({ catalog }: State, toy: number): number {
  const pending = catalog.sales.filter((sale) => sale.toy === toy).map(({ version }) => version);
  return Math.max(catalog.toys[toy]!.journaled, ...pending);
}

export function tell(next: State, holder: Holder, toy: number, version: number): void {
  const front = next.fronts[holder.front]!;
  if (front.link === holder.link && !front.isCut) front.down.push({ kind: 'invalid', toy, version });
}

/**
 * One is sold, with or without a tag.
 *
 * @param holder for which it is; 0: none
 * @returns whether the sale is delegated
 */
export function sell(next: State, toy: number, mistakes: Mistakes, isTagged = false, holder = 0): boolean {
  const { catalog } = next;
  const shelf = catalog.toys[toy]!;
  const version = newestVersion(next, toy) + 1;
  const isDelegated = mayDelegate(next, shelf, holder, mistakes);
  let awaits: number[] = [];
  if (isDelegated) shelf.isDelegated = true;
  else if (shelf.isDelegated) startRecall(next, toy, mistakes);
  else {
    const told = catalog.holders.filter(({ number }) => shelf.bits.includes(number));
    shelf.bits = [];
    for (const one of told) tell(next, one, toy, version);
    const isPatient = !mistakes.has('a holder whose stream ends is not waited for');
    awaits = told.filter(({ isOpen }) => isOpen || isPatient).map(({ number }) => number);
  }
  // Where nobody is killed, the sync makes no difference to anybody until the sale is shown: it may as well come now.
  const isSynced = next.crashesLeft === 0 && !mistakes.has('a sale is shown before it is in the journal');
  if (isSynced) shelf.journaled = version;
  const awaitsRecall = !isDelegated && shelf.isDelegated;
  catalog.sales.push({ toy, version, isSynced, awaits, awaitsRecall, isTagged });
  return isDelegated;
}

function mayDelegate({ catalog }: State, toy: Toy, holder: number, mistakes: Mistakes): boolean {
  if (holder === 0 || catalog.predecessor > 0 || !catalog.holders.some(({ number }) => number === holder)) return false;
  if (toy.isRecalled && !mistakes.has('a sale is delegated while its toy is recalled')) return false;
  const isOnly = toy.bits.length === 1 || mistakes.has('a sale is delegated although somebody else holds its toy');
  return isOnly && toy.bits.includes(holder);
}

/** Nothing, where the toy is not delegated, or a recall is under way. */
export function startRecall(next: State, toy: number, mistakes: Mistakes): void {
  const shelf = next.catalog.toys[toy]!;
  if (!shelf.isDelegated || shelf.isRecalled) return;
  shelf.isRecalled = true;
  const holder = next.catalog.holders.find(({ number }) => number === shelf.bits[0]);
  if (holder !== undefined) tell(next, holder, toy, RECALL);
  if (holder === undefined || mistakes.has('a toy is delegated no more once its recall is sent')) endRecall(next, toy);
}

function endRecall(next: State, toy: number): void {
  const shelf = next.catalog.toys[toy]!;
  shelf.isDelegated = false;
  shelf.isRecalled = false;
  shelf.bits = [];
  for (const sale of next.catalog.sales) if (sale.toy === toy) sale.awaitsRecall = false;
  for (const batch of next.service.batches) batch.recalls = batch.recalls.filter((one) => one !== toy);
}

/** A holder has confirmed an invalidation of a toy: perhaps it was a recall. */
export function confirmRecall(next: State, holder: number, toy: number, version: number): void {
  const shelf = next.catalog.toys[toy];
  if (version === RECALL && shelf?.isRecalled && shelf.bits[0] === holder) endRecall(next, toy);
}

/** A holder is one no more. */
export function endRecallsOf(next: State, holder: number): void {
  for (const [toy, { isRecalled, bits }] of next.catalog.toys.entries()) {
    if (isRecalled && bits[0] === holder) endRecall(next, toy);
  }
}

/** Recalls for those who wait in places of their own: a batch's are started as it is decided. */
export function addRecallSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  const { catalog, fronts, service } = state;
  for (const [toy, { isDelegated, isRecalled }] of catalog.toys.entries()) {
    if (!isDelegated || isRecalled) continue;
    const isFindWaiting = fronts.some(({ threads }) => threads.some((one) => one.place === 'asked' && one.toy === toy));
    const isShort = state.salesLeft > 0 && newestVersion(state, toy) >= state.stock;
    if (isFindWaiting || isShort || state.callsLeft > 0 || service.run === 'recovering') {
      add(`the catalog recalls toy ${toy}: somebody wants to know of it`, (next) => startRecall(next, toy, mistakes));
    }
  }
}

/** A batch of the order service arrives at the catalog. */
export function decide(next: State, batch: Batch, mistakes: Mistakes): void {
  let isRecall = batch.isRecall;
  const short: number[] = [];
  for (const index of batch.orders) {
    const order = next.orders[index]!;
    const { toy } = order;
    const booked = next.book.find((one) => one.order === index);
    if (booked !== undefined) {
      order.outcome = 'sold';
      order.version = booked.version;
      isRecall ||= !mistakes.has('a repeat of a tag is answered without a recall');
      continue;
    }
    order.version = newestVersion(next, toy);
    if (order.version >= next.stock) {
      order.outcome = 'refused';
      if (!mistakes.has('a refusal for lack of stock is answered without a recall')) short.push(toy);
      continue;
    }
    order.version += 1;
    next.book.push({ order: index, toy, version: order.version });
    const isDelegated = sell(next, toy, mistakes, true, batch.namesHolder ? order.number : 0);
    order.outcome = isDelegated ? 'delegated' : 'sold';
  }
  for (const [toy, shelf] of next.catalog.toys.entries()) {
    if (!isRecall && !short.includes(toy)) continue;
    startRecall(next, toy, mistakes);
    if (shelf.isDelegated) batch.recalls.push(toy);
  }
  batch.isDecided = true;
}

/** All that a batch awaits has come. */
export function isComplete({ catalog, orders }: State, batch: Batch): boolean {
  if (!batch.isDecided || batch.recalls.length > 0 || catalog.predecessor > 0) return false;
  return batch.orders.every((index) => {
    const { toy, version } = orders[index]!;
    if (catalog.toys[toy]!.isUnsure) return false;
    return !catalog.sales.some((sale) => sale.toy === toy && sale.version <= version);
  });
}
