// live-figures.ts: what the page is told once a second over /live, as the front end makes it and the browser reads it.
//
// Types alone: this file is part of both programs, and leaves no trace in either. Two kinds of events are sent:
//
//   event: toys       LiveToys      at the beginning, and whenever a stock has changed
//   event: figures    LiveFigures   once a second

/** A toy as the shop shows it. */
export interface LiveToy {
  readonly name: string;
  readonly priceCents: number;
  readonly quantity: number;
}

export interface LiveToys {
  /** The first ones, in the order of the catalog's file; a page that shows a million helps nobody. */
  readonly toys: readonly LiveToy[];
  /** How many toys the catalog has. */
  readonly total: number;
}

/** Milliseconds that so many of the requests of the last second took at most. */
export interface LiveLatency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface LiveThread {
  readonly thread: string;
  /** Connections that it serves. */
  readonly sessions: number;
  /** Share of the last second in which its event loop had work: 0 to 1. */
  readonly utilization: number | null;
}

export interface LiveService {
  readonly name: 'frontend' | 'catalog' | 'order';
  readonly isUp: boolean;
  /** Whether it takes orders; the front end does when both others do. */
  readonly isSelling: boolean;
  readonly threads: readonly LiveThread[];
}

/** What happened in the last second, as seen by this front end. A figure that cannot be told is null. */
export interface LiveFigures {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly services: readonly LiveService[];
  readonly findsPerSecond: number;
  readonly ordersPerSecond: number;
  /** Answered with 500 or above. */
  readonly failedPerSecond: number;
  readonly findLatencyMs: LiveLatency | null;
  readonly orderLatencyMs: LiveLatency | null;
  /** Connections that wait for a thread of this front end. */
  readonly queueLength: number;
  /** Acquisitions of the catalog's lock that had to wait, for each second. */
  readonly lockWaitsPerSecond: number | null;
  /** Entries in each message to the catalog and to the order service. */
  readonly findsPerMessage: number | null;
  readonly ordersPerMessage: number | null;
  /** Share of finds that were answered from what this front end holds: 0 to 1. */
  readonly hitShare: number | null;
  readonly heldToys: number | null;
  /** Syncs of the catalog's journal, for each second, the orders in each, and what each took. */
  readonly syncsPerSecond: number | null;
  readonly ordersPerSync: number | null;
  readonly syncMs: number | null;
}
