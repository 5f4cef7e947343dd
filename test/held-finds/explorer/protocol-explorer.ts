// protocol-explorer.ts: runs every schedule of a few queries and sales through the protocol of protocol-state.ts, and says
// what went wrong in which of them.
//
// A schedule is a sequence of choices: who takes the next step; when time goes on; and, where asked for, when a stream is
// cut, the catalog killed or stopped, a front end killed or stopped. Nobody is in a hurry: between any two steps of a
// process everybody else, and time, may go any distance, so that a process that is paused for longer than a lease is one
// of the schedules. Time goes in ticks, a lease is few of them. States that were reached before are not explored again.
//
// What must hold:
//   fresh     a query shows no version older than what anybody had been shown, or told by an order, when it began
//   on disk   nothing is shown that is not in the journal
//   no jam    from everywhere the catalog's sales, and queries, can come to their end

import { addCatalogSteps } from './catalog-steps.js';
import { addMainSteps, addThreadSteps } from './front-steps.js';
import type { Mistake, Mistakes } from './mistakes.js';
import type { Front, State } from './protocol-state.js';
import { copyOf, keyOf } from './state-key.js';
import { Violation } from './violation.js';

/** What is explored. What is not given does not happen. */
export interface Case {
  readonly toys?: number;
  /** For each front end, for each of its threads, how many queries it makes. */
  readonly fronts: readonly (readonly number[])[];
  /** All front ends are holders from the beginning, and each of their threads holds all toys. */
  readonly isPrimed?: boolean;
  readonly sales: number;
  /** Queries that the catalog gets from somebody who holds nothing. */
  readonly calls?: number;
  readonly cuts?: number;
  readonly crashes?: number;
  readonly stops?: number;
  readonly goodbyes?: number;
  readonly frontKills?: number;
  /** How often a front end may connect, all of them together. */
  readonly connects?: number;
  /** How often a lease may be renewed, all of them together; the first is given with the place. */
  readonly renewals?: number;
  /** Ticks. */
  readonly lease?: number;
}

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
export function explore(explored: Case, planted: readonly Mistake[] = []): Findings {
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

function firstState(explored: Case, lease: number): State {
  const { fronts, isPrimed = false, toys = 1 } = explored;
  const numbers = isPrimed ? fronts.map((_, index) => index + 1) : [];
  return {
    known: Array.from({ length: toys }, () => 0),
    catalog: {
      run: 'up',
      predecessor: 0,
      toys: Array.from({ length: toys }, () => ({
        journaled: 0,
        shown: 0,
        settled: 0,
        isUnsure: false,
        bits: [...numbers],
      })),
      holders: numbers.map((number) => ({ number, front: number - 1, link: number, isOpen: true, left: lease })),
      sales: [],
    },
    fronts: fronts.map((threads, index) => newFront(threads, toys, numbers[index] ?? 0, lease)),
    numbers: numbers.length,
    links: numbers.length,
    salesLeft: explored.sales,
    callsLeft: explored.calls ?? 0,
    cutsLeft: explored.cuts ?? 0,
    crashesLeft: explored.crashes ?? 0,
    stopsLeft: explored.stops ?? 0,
    goodbyesLeft: explored.goodbyes ?? 0,
    frontKillsLeft: explored.frontKills ?? 0,
    connectsLeft: explored.connects ?? 0,
    renewalsLeft: explored.renewals ?? 0,
  };
}

/** @param number 0, or that of a holder that holds all toys */
function newFront(queries: readonly number[], toys: number, number: number, lease: number): Front {
  const held = number === 0 ? undefined : { version: 0, generation: 0 };
  return {
    generation: 0,
    number,
    left: number === 0 ? 0 : lease,
    link: number,
    isCut: false,
    hasStopped: false,
    renewals: [],
    up: [],
    down: [],
    tasks: [],
    threads: queries.map((queriesLeft) => ({
      place: 'idle',
      queriesLeft,
      toy: 0,
      known: 0,
      generation: -1,
      number: 0,
      version: 0,
      isHoldable: false,
      held: Array.from({ length: toys }, () => held),
    })),
  };
}

type AddStep = (what: string, change: (next: State) => void) => void;

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
  next.fronts[index] = { ...reborn, link: 0, isCut: link !== 0 };
}

function hasLeases({ catalog, fronts }: State): boolean {
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
function isWaiting({ catalog, fronts }: State): boolean {
  return catalog.sales.length > 0 || fronts.some(({ threads }) => threads.some(({ place }) => place !== 'idle'));
}

/** Nobody is left who could be shown anything. */
function isOver({ callsLeft, catalog, fronts }: State): boolean {
  if (callsLeft > 0 || catalog.sales.length > 0) return false;
  return fronts.every(({ threads }) =>
    threads.every(({ place, queriesLeft }) => place === 'idle' && queriesLeft === 0),
  );
}
