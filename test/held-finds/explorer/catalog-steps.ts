// catalog-steps.ts: the steps of the catalog in the model, and of those who ask it directly. The rules C1 to C8 are in
// protocol-state.ts.

import { addRecallSteps, confirmRecall, endRecallsOf, newestVersion, sell, tell } from './delegation-steps.js';
import type { AddStep } from './front-steps.js';
import type { Mistakes } from './mistakes.js';
import { addSettleStep, sendAllAgain } from './order-service-steps.js';
import type { Holder, Sale, State, Upward } from './protocol-state.js';
import { Violation } from './violation.js';

/** Stands for all toys in an invalidation. */
const ALL = -1;

export function addCatalogSteps(state: State, mistakes: Mistakes, lease: number, add: AddStep): void {
  const { catalog } = state;
  if (catalog.run === 'dead' || catalog.run === 'stopped') {
    add('the catalog starts', (next) => start(next, mistakes, lease, catalog.run === 'dead'));
    return;
  }
  addSaleSteps(state, mistakes, add);
  if (catalog.predecessor === 0 && catalog.toys.some(({ isUnsure }) => isUnsure)) {
    add('the catalog is sure of all toys', (next) => {
      for (const toy of next.catalog.toys) toy.isUnsure = false;
    });
  }
  for (const [index, holder] of catalog.holders.entries()) addHolderSteps(state, mistakes, lease, holder, index, add);
  for (const [index, front] of state.fronts.entries()) {
    // The first message of a connection asks for a place.
    const isNew = front.link !== 0 && !front.isCut && front.up.length > 0;
    if (isNew && catalog.run === 'up' && !catalog.holders.some(({ link }) => link === front.link)) {
      add(`the catalog registers front ${index}`, (next) => {
        const own = next.fronts[index]!;
        own.up.shift();
        next.numbers += 1;
        next.catalog.holders.push({ number: next.numbers, front: index, link: own.link, isOpen: true, left: lease });
        own.down.push({ kind: 'registered', number: next.numbers });
      });
    }
    for (const threadIndex of front.threads.keys()) addFindSteps(state, mistakes, index, threadIndex, add);
  }
  addRecallSteps(state, mistakes, add);
  for (const [toy, { isUnsure, isDelegated, shown }] of catalog.toys.entries()) {
    addSettleStep(state, toy, mistakes, add);
    if (state.callsLeft === 0 || isUnsure || isDelegated) continue;
    add(`somebody asks the catalog for toy ${toy}`, (next) => {
      next.callsLeft -= 1;
      const known = next.known[toy]!;
      if (shown < known) throw new Violation(`stale: the catalog shows version ${shown}, and ${known} was known`);
      next.known[toy] = shown;
    });
  }
  if (state.crashesLeft > 0) {
    add('the catalog is killed', (next) => crash(next, false, mistakes));
    if (catalog.sales.some(({ isSynced }) => !isSynced)) {
      add('the catalog is killed, and what it had written is on disk all the same', (next) =>
        crash(next, true, mistakes),
      );
    }
  }
  addStopSteps(state, mistakes, add);
}

function addSaleSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  const { catalog } = state;
  if (state.salesLeft > 0 && catalog.run === 'up') {
    for (const toy of catalog.toys.keys()) addPurchaseStep(state, mistakes, toy, add);
  }
  const unsynced = catalog.sales.findIndex(({ isSynced }) => !isSynced);
  if (unsynced >= 0) {
    add('the journal is synced', (next) => {
      const sale = next.catalog.sales[unsynced]!;
      sale.isSynced = true;
      next.catalog.toys[sale.toy]!.journaled = sale.version;
    });
  }
  for (const [index, sale] of catalog.sales.entries()) {
    if (index > 0 && !mistakes.has('a later sale is shown before an earlier one')) break;
    const isOnDisk = sale.isSynced || mistakes.has('a sale is shown before it is in the journal');
    if (isOnDisk && sale.awaits.length === 0 && !sale.awaitsRecall && catalog.predecessor === 0) {
      add(`the sale of toy ${sale.toy} is shown and answered`, (next) => show(next, index));
    }
  }
}

/** Somebody buys a toy from the catalog itself. */
function addPurchaseStep(state: State, mistakes: Mistakes, toy: number, add: AddStep): void {
  const { toys, sales, predecessor } = state.catalog;
  const { isDelegated, isUnsure, journaled } = toys[toy]!;
  if (newestVersion(state, toy) < state.stock) {
    add(`toy ${toy} is sold`, (next) => {
      next.salesLeft -= 1;
      sell(next, toy, mistakes);
      if (mistakes.has('an order is answered before the confirmation')) answerOrder(next, next.catalog.sales.at(-1)!);
    });
    return;
  }
  const isToldAnyway = mistakes.has('a refusal for lack of stock is answered without a recall');
  const isPending = isUnsure || predecessor > 0 || sales.some((sale) => sale.toy === toy);
  if (isPending || (isDelegated && !isToldAnyway)) return;
  add(`toy ${toy} is refused: there is none left`, (next) => {
    next.salesLeft -= 1;
    next.known[toy] = Math.max(next.known[toy]!, journaled);
  });
}

/** The first sale comes to be seen. */
function show(next: State, index: number): void {
  const [sale] = next.catalog.sales.splice(index, 1) as [Sale];
  const toy = next.catalog.toys[sale.toy]!;
  if (!sale.isSynced) throw new Violation(`not on disk: version ${sale.version} is shown`);
  // After a restart it may be in what is shown, together with later ones.
  toy.shown = Math.max(toy.shown, sale.version);
  if (!sale.isTagged) answerOrder(next, sale);
}

/** The buyer is told; of an order, the order service tells. */
function answerOrder(next: State, { toy, version }: Sale): void {
  next.known[toy] = Math.max(next.known[toy]!, version);
}

function addFindSteps(state: State, mistakes: Mistakes, index: number, threadIndex: number, add: AddStep): void {
  const { place, toy, number } = state.fronts[index]!.threads[threadIndex]!;
  const shelf = state.catalog.toys[toy]!;
  const name = `front ${index} thread ${threadIndex}`;
  if (place === 'read') {
    add(`the catalog sets the bit of ${name}`, (next) => {
      const thread = next.fronts[index]!.threads[threadIndex]!;
      const { bits } = next.catalog.toys[toy]!;
      if (!bits.includes(number)) bits.push(number);
      thread.isHoldable = true;
      thread.place = 'told';
    });
  }
  if (place !== 'asked' || shelf.isUnsure) return;
  const isOwn = mistakes.has('a find of the own front end is answered without a recall') && shelf.bits[0] === number;
  if (shelf.isDelegated && !isOwn) return;
  add(`the catalog answers ${name}`, (next) => {
    const thread = next.fronts[index]!.threads[threadIndex]!;
    const { catalog } = next;
    const { bits, shown } = catalog.toys[toy]!;
    thread.version = shown;
    thread.place = 'told';
    const isHolder = catalog.holders.some((holder) => holder.number === number && holder.isOpen);
    const isBelieved = isHolder || (number !== 0 && mistakes.has('a number of before the restart is believed'));
    const isBetween = catalog.sales.some((sale) => sale.toy === toy);
    if (!isBelieved || (isBetween && !mistakes.has('held while in between'))) return;
    if (mistakes.has('a bit is set outside the lock')) {
      thread.place = 'read';
      return;
    }
    if (!bits.includes(number)) bits.push(number);
    thread.isHoldable = true;
  });
}

function addHolderSteps(
  state: State,
  mistakes: Mistakes,
  lease: number,
  holder: Holder,
  index: number,
  add: AddStep,
): void {
  const front = state.fronts[holder.front]!;
  const isConnected = front.link === holder.link && !front.isCut;
  if (holder.left === 0) {
    add(`the catalog removes holder ${holder.number}: its lease is over`, (next) => {
      if (mistakes.has('one that is told nothing any more is renewed')) {
        for (const toy of next.catalog.toys) toy.bits = toy.bits.filter((number) => number !== holder.number);
        stopWaitingFor(next, holder.number);
        return;
      }
      remove(next, holder.number);
      if (!isConnected) return;
      next.fronts[holder.front]!.up = [];
      next.fronts[holder.front]!.down.push({ kind: 'ended' });
    });
  }
  if (holder.isOpen && !isConnected) {
    add(`the catalog sees the stream of holder ${holder.number} end`, (next) => {
      next.catalog.holders[index]!.isOpen = false;
      if (mistakes.has('a holder whose stream ends is not waited for')) remove(next, holder.number);
    });
  }
  const message = front.up[0];
  if (!isConnected || message === undefined) return;
  add(`the catalog handles ${JSON.stringify(message)} of holder ${holder.number}`, (next) => {
    const own = next.fronts[holder.front]!;
    own.up.shift();
    handle(next, next.catalog.holders[index]!, message, lease);
  });
}

function handle(next: State, holder: Holder, message: Upward, lease: number): void {
  const { catalog } = next;
  switch (message.kind) {
    case 'renew':
      holder.left = lease;
      next.fronts[holder.front]!.down.push({ kind: 'renewed' });
      return;
    case 'confirm':
      for (const sale of catalog.sales) {
        const isMeant = sale.toy === message.toy && sale.version === message.version;
        if (isMeant) sale.awaits = sale.awaits.filter((number) => number !== holder.number);
      }
      confirmRecall(next, holder.number, message.toy, message.version);
      if (message.toy === ALL) remove(next, holder.number);
      return;
    case 'goodbye':
      remove(next, holder.number);
  }
}

function remove(next: State, number: number): void {
  const { catalog } = next;
  catalog.holders = catalog.holders.filter((holder) => holder.number !== number);
  stopWaitingFor(next, number);
  endRecallsOf(next, number);
}

function stopWaitingFor({ catalog }: State, number: number): void {
  for (const sale of catalog.sales) sale.awaits = sale.awaits.filter((one) => one !== number);
}

function addStopSteps({ catalog, stopsLeft }: State, mistakes: Mistakes, add: AddStep): void {
  if (catalog.run === 'up' && stopsLeft > 0 && catalog.sales.length === 0 && catalog.predecessor === 0) {
    add('the catalog begins to stop', (next) => {
      next.stopsLeft -= 1;
      next.catalog.run = 'stopping';
      for (const holder of next.catalog.holders) {
        holder.isOpen = false;
        tell(next, holder, ALL, 0);
      }
    });
  }
  const isDone = catalog.holders.length === 0 || mistakes.has('a clean stop does not wait for confirmations');
  if (catalog.run === 'stopping' && isDone) {
    add('the catalog has stopped cleanly', (next) => {
      next.catalog.run = 'stopped';
      next.catalog.holders = [];
      end(next);
    });
  }
}

function crash(next: State, isWrittenAnyway: boolean, mistakes: Mistakes): void {
  const { catalog } = next;
  next.crashesLeft -= 1;
  catalog.run = 'dead';
  catalog.holders = [];
  const lost = isWrittenAnyway ? [] : catalog.sales.filter((sale) => !sale.isSynced);
  catalog.sales = catalog.sales.filter((sale) => !lost.includes(sale));
  next.book = next.book.filter((one) => !lost.some(({ toy, version }) => toy === one.toy && version === one.version));
  for (const sale of catalog.sales) {
    sale.isSynced = true;
    sale.awaits = [];
    sale.awaitsRecall = false;
    catalog.toys[sale.toy]!.journaled = sale.version;
  }
  for (const toy of catalog.toys) {
    const isAsBefore = mistakes.has('an unsure toy is shown as it was before');
    toy.shown = isAsBefore ? toy.settled : toy.journaled;
    const isShown = isAsBefore || mistakes.has('an unsure toy is shown as the journal has it');
    toy.isUnsure = toy.journaled > toy.settled && !isShown;
  }
  end(next);
}

/**
 * The process is gone, and with it who holds what. What it had sent may still be read: the end of the stream comes behind
 * it. Finds that had no answer are asked again.
 */
function end(next: State): void {
  for (const toy of next.catalog.toys) {
    toy.bits = [];
    toy.isDelegated = false;
    toy.isRecalled = false;
  }
  sendAllAgain(next);
  for (const front of next.fronts) {
    if (front.link !== 0) front.isCut = true;
    front.up = [];
    for (const thread of front.threads) {
      if (thread.place === 'asked' || thread.place === 'read') thread.place = 'noted';
    }
  }
}

function start(next: State, mistakes: Mistakes, lease: number, isAfterCrash: boolean): void {
  const { catalog } = next;
  catalog.run = 'up';
  if (isAfterCrash && !mistakes.has('leases are forgotten at a restart')) catalog.predecessor = lease;
  if (mistakes.has('orders of before the restart are answered at once')) {
    for (const sale of catalog.sales) answerOrder(next, sale);
  }
}
