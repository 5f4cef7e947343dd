// protocol-explorer.ts: runs every schedule of a few queries and sales through the protocol of protocol-state.ts, and says
// what went wrong in which of them.
//
// A schedule is a sequence of choices: who takes the next step; when time goes on; and, where asked for, when a stream is
// cut, the catalog killed or stopped, a front end killed or stopped, the order service killed. Nobody is in a hurry: between any two steps of a
// process everybody else, and time, may go any distance, so that a process that is paused for longer than a lease is one
// of the schedules. Time goes in ticks, a lease is few of them. States that were reached before are not explored again.
//
// What must hold:
//   fresh     a query shows no version older than what anybody had been shown, or told, when it began: by an order, by an
//             order number, which says that all sales below it have been made, or by a refusal for lack of stock
//   on disk   nothing is shown that is not in the journal
//   reckoned  what a thread holds when its order is answered as delegated is the version before that order's
//   no jam    from everywhere the catalog's sales, queries and orders can come to their end

import { addCatalogSteps } from './catalog-steps.js';
import { type Case, firstState, newFront } from './explored-case.js';
import { addOrderSteps } from './front-order-steps.js';
import { type AddStep, addMainSteps, addThreadSteps } from './front-steps.js';
import type { DelegationMistake, Mistake, Mistakes } from './mistakes.js';
import { addOrderServiceSteps, answerBatches, finish } from './order-service-steps.js';
import type { Front, State } from './protocol-state.js';
import { copyOf, keyOf } from './state-key.js';
import { Violation } from './violation.js';

export interface Findings {
  readonly states: number;
  /** The first violation: what, and the steps that led there; undefined if every schedule is fine. */
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined;
}

/** A step, and those before it. */
interface Trail {
  readonly before: Trail | undefined;
  readonly what: string;
}

interface Visit {
  readonly state: State;
  readonly trail: Trail | undefined;
}

/** Explores the states nearest to the beginning first, so that the trace of a violation is as short as can be. */
export function explore(explored: Case, planted: readonly (Mistake | DelegationMistake)[] = []): Findings {
  const mistakes: Mistakes = new Set(planted);
  const lease = explored.lease ?? 1;
  const seen = new Set<string>();
  let layer: Visit[] = [{ state: firstState(explored, lease), trail: undefined }];
  while (layer.length > 0) {
    const nextLayer: Visit[] = [];
    for (const visit of layer) {
      if (isOver(visit.state)) continue;
      let stepCount = 0;
      try {
        addSteps(visit.state, mistakes, lease, (what, change) => {
          stepCount += 1;
          const next = copyOf(visit.state);
          const trail = { before: visit.trail, what };
          try {
            change(next);
            answerBatches(next);
          } catch (error) {
            if (!(error instanceof Violation)) throw error;
            throw new FoundViolation(error.message, traceOf(trail));
          }
          const key = keyOf(next);
          if (seen.has(key)) return;
          seen.add(key);
          nextLayer.push({ state: next, trail });
        });
      } catch (error) {
        if (!(error instanceof FoundViolation)) throw error;
        return { states: seen.size, violation: { what: error.message, trace: error.trace } };
      }
      if (stepCount === 0 && isWaiting(visit.state)) {
        return { states: seen.size, violation: { what: 'jam: nobody can go on', trace: traceOf(visit.trail) } };
      }
    }
    layer = nextLayer;
  }
  return { states: seen.size, violation: undefined };
}

class FoundViolation extends Error {
  constructor(
    what: string,
    readonly trace: readonly string[],
  ) {
    super(what);
  }
}

function traceOf(trail: Trail | undefined): string[] {
  const trace: string[] = [];
  for (let one = trail; one !== undefined; one = one.before) trace.unshift(one.what);
  return trace;
}

function addSteps(state: State, mistakes: Mistakes, lease: number, add: AddStep): void {
  for (const [index, front] of state.fronts.entries()) {
    addThreadSteps(state, mistakes, index, add);
    addMainSteps(state, mistakes, lease, index, add);
    if (state.cutsLeft > 0 && front.link !== 0 && !front.isCut) {
      add(`the stream of front ${index} is cut`, (next) => {
        next.cutsLeft -= 1;
        disconnect(next.fronts[index]!);
      });
    }
    if (state.frontKillsLeft > 0) add(`front ${index} is killed and started again`, (next) => kill(next, index));
  }
  addCatalogSteps(state, mistakes, lease, add);
  addOrderSteps(state, mistakes, add);
  addOrderServiceSteps(state, mistakes, add);
  if (hasLeases(state)) add('time goes on', goOn);
}

function disconnect(front: Front): void {
  front.isCut = true;
  front.up = [];
  front.down = [];
}

function kill(next: State, index: number): void {
  const { threads, link } = next.fronts[index]!;
  next.frontKillsLeft -= 1;
  const reborn = newFront(
    threads.map(({ queriesLeft }) => queriesLeft),
    next.known.length,
    0,
    0,
  );
  for (const order of next.orders) {
    if (order.front !== index) continue;
    if (order.place === 'batched' || order.place === 'gone') order.place = 'gone';
    else finish(order);
  }
  next.fronts[index] = { ...reborn, link: 0, isCut: link !== 0 };
}

function hasLeases({ catalog, fronts, isTimeStill }: State): boolean {
  if (isTimeStill) return false;
  if (catalog.predecessor > 0 || catalog.holders.some(({ left }) => left > 0)) return true;
  return fronts.some(({ left, renewals }) => left > 0 || renewals.some((one) => one > 0));
}

function goOn(next: State): void {
  const later = (left: number): number => Math.max(0, left - 1);
  // A catalog that is not running has given nothing that could last: its successor counts from its own start.
  if (next.catalog.run === 'up' || next.catalog.run === 'stopping') {
    next.catalog.predecessor = later(next.catalog.predecessor);
  }
  for (const holder of next.catalog.holders) holder.left = later(holder.left);
  for (const front of next.fronts) {
    front.left = later(front.left);
    front.renewals = front.renewals.map(later);
  }
}

/** Whether anybody waits for an answer. */
function isWaiting({ catalog, fronts, orders, asks }: State): boolean {
  if (orders.some(({ place }) => place !== 'done') || asks.some(({ place }) => place === 'waiting')) return true;
  return catalog.sales.length > 0 || fronts.some(({ threads }) => threads.some(({ place }) => place !== 'idle'));
}

/** Nobody is left who could be shown anything, or who waits for an order. */
function isOver({ callsLeft, catalog, fronts, orders }: State): boolean {
  if (orders.some(({ place }) => place !== 'done')) return false;
  if (callsLeft > 0 || catalog.sales.length > 0) return false;
  return fronts.every(({ threads }) =>
    threads.every(({ place, queriesLeft }) => place === 'idle' && queriesLeft === 0),
  );
}
