// explored-case.ts: what is explored of the protocol, and the state in which it begins.

import type { Order } from './order-state.js';
import type { Front, State } from './protocol-state.js';

/** What is explored. What is not given does not happen. */
export interface Case {
  readonly toys?: number;
  /** For each front end, for each of its threads, how many queries it makes. */
  readonly fronts: readonly (readonly number[])[];
  /** All front ends are holders from the beginning, and each of their threads holds all toys. */
  readonly isPrimed?: boolean;
  /** How many toys they hold then; all if not given. */
  readonly primedToys?: number;
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
  /** Orders through the order service, in the order in which each thread begins its own. */
  readonly orders?: readonly OrderCase[];
  /** What the order service is asked by unary calls. */
  readonly asks?: readonly { readonly kind: 'look-up' | 'repeat'; readonly about: number }[];
  /** How many there are of each toy; without limit if not given. */
  readonly stock?: number;
  /** The first toy is delegated to the first front end from the beginning, for an order of its first thread. */
  readonly isDelegated?: boolean;
  /** How often the order service is killed and started again, and the catalog asked to recover. */
  readonly restarts?: number;
  /** How often the link between order service and catalog breaks. */
  readonly linkCuts?: number;
  /** How often a stream between a thread and the order service breaks. */
  readonly streamCuts?: number;
  /** Time stands still: no lease ends. */
  readonly isTimeStill?: boolean;
  /** Ticks. */
  readonly lease?: number;
}

/** Without a front: by a unary call. */
export interface OrderCase {
  readonly front?: number;
  readonly thread?: number;
  readonly toy?: number;
}

export function firstState(explored: Case, lease: number): State {
  const { fronts, isPrimed = false, toys = 1, primedToys = toys, orders = [] } = explored;
  const numbers = isPrimed ? fronts.map((_, index) => index + 1) : [];
  const first: State = {
    known: Array.from({ length: toys }, () => 0),
    catalog: {
      run: 'up',
      predecessor: 0,
      toys: Array.from({ length: toys }, (_, toy) => ({
        journaled: 0,
        shown: 0,
        settled: 0,
        isUnsure: false,
        bits: toy < primedToys ? [...numbers] : [],
        isDelegated: false,
        isRecalled: false,
      })),
      holders: numbers.map((number) => ({ number, front: number - 1, link: number, isOpen: true, left: lease })),
      sales: [],
    },
    fronts: fronts.map((threads, index) => newFront(threads, toys, numbers[index] ?? 0, lease, primedToys)),
    orders: orders.map(newOrder),
    asks: (explored.asks ?? []).map((ask) => ({ ...ask, place: 'new' })),
    book: [],
    service: { run: 'up', outstanding: -1, first: -1, numbered: 0, batches: [] },
    stock: explored.stock ?? Number.POSITIVE_INFINITY,
    numbers: numbers.length,
    links: numbers.length,
    streams: orders.length,
    isTimeStill: explored.isTimeStill ?? false,
    salesLeft: explored.sales,
    callsLeft: explored.calls ?? 0,
    cutsLeft: explored.cuts ?? 0,
    crashesLeft: explored.crashes ?? 0,
    stopsLeft: explored.stops ?? 0,
    goodbyesLeft: explored.goodbyes ?? 0,
    frontKillsLeft: explored.frontKills ?? 0,
    connectsLeft: explored.connects ?? 0,
    renewalsLeft: explored.renewals ?? 0,
    restartsLeft: explored.restarts ?? 0,
    linkCutsLeft: explored.linkCuts ?? 0,
    streamCutsLeft: explored.streamCuts ?? 0,
  };
  if (explored.isDelegated) {
    first.catalog.toys[0]!.isDelegated = true;
    first.catalog.toys[0]!.bits = [1];
    for (const [index, { threads }] of first.fronts.entries()) {
      for (const [thread, { held }] of threads.entries()) if (index > 0 || thread > 0) held[0] = undefined;
    }
    first.service.outstanding = 0;
    first.service.first = 0;
  }
  return first;
}

function newOrder({ front = -1, thread = 0, toy = 0 }: OrderCase, index: number, all: readonly OrderCase[]): Order {
  // The threads' streams are called by the first order of each.
  const isSameStream = (one: OrderCase): boolean => one.front === front && (one.thread ?? 0) === thread;
  const stream = front < 0 ? index : all.findIndex(isSameStream);
  const place = front < 0 ? 'sent' : 'new';
  const rest = { generation: -1, number: 0, outcome: 'open', version: 0, isJoined: false } as const;
  return { front, thread, toy, stream, place, ...rest };
}

/** @param number 0, or that of a holder that holds the first `heldToys` */
export function newFront(queries: readonly number[], toys: number, number: number, lease: number, heldToys = 0): Front {
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
      held: Array.from({ length: toys }, (_, toy) => (toy < heldToys ? held : undefined)),
    })),
  };
}
