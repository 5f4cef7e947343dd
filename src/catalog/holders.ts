// holders.ts: the front ends that hold toys under a lease: who they are, and what they must be told before a change is shown.
//
//   Watch stream ── first message ──► registered: a number, a slot, a lease ── each renewal ──► renewed
//   sale of a toy whose bits are set ──► invalidation to those holders ──► all confirmed, or gone ──► it may be shown
//
//   gone     it said goodbye, or its lease is over: it was silent for the lease and a tenth longer
//   late     it has left an invalidation unconfirmed for a tenth of the lease: until it confirms, messages renew nothing,
//            so that a change waits for one lease at most, whatever the holder goes on saying
//
// A lease counts here from when a renewal was received, and at the front end from when it was sent, so here it always ends
// later; the tenth is for clocks that run at different speeds. A registration that has ended never comes back: the next
// message on the stream makes a new one, with a new number, and the front end forgets what it held under the old one.
// The bits of an ended registration stay in the table: the next one in its slot is told of toys that it does not hold.
//
// Leases: C. Gray and D. Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency", 1989.

import { randomInt } from 'node:crypto';
import { createHistogram, type Histogram } from 'node:perf_hooks';
import type { Clock, Timer } from '../clock.js';
import { Holder, type HolderMessage, type HolderRequest, type Registry, Watch } from './holder.js';
import type { StockTable } from './stock-table.js';
import { HOLDER_SLOTS } from './stock-table-layout.js';

export interface HoldersOptions {
  readonly table: StockTable;
  readonly clock: Clock;
  /** Milliseconds. */
  readonly leaseMs: number;
  /** How long the holders of an earlier process may still show what they hold, from now on. Milliseconds. */
  readonly earlierLeaseMs: number;
  /** Puts on disk that leases are given; called before the first one. */
  readonly noteLeases: () => Promise<void>;
  /** No lease is given beyond this, on the monotonic clock. */
  readonly ownedUntilMs: () => number;
}

export interface HolderStats {
  readonly holders: number;
  /** Invalidations sent, one for each holder. */
  readonly invalidations: number;
  /** Holders that fell silent until their lease was over. */
  readonly leasesRunOut: number;
  /** Time from an invalidation to its confirmation, or to the end of the holder. Microseconds. */
  readonly confirmUs: Histogram;
}

/** A toy whose sale has been decided, and the bits of its holders. */
export interface HeldToy {
  readonly toy: number;
  readonly bits: number;
}

/** By how much longer the catalog counts a lease than the front end. */
const LEASE_MARGIN = 1.1;
/** Part of the lease after which an unconfirmed invalidation makes a holder late. */
const LATE_SHARE = 0.1;
/** Registrations are counted from a number that no earlier process is likely to have come near to. */
const FIRST_REGISTRATION_MAX = 2 ** 47;
const US_PER_MS = 1000;

export class Holders implements Registry {
  readonly #options: HoldersOptions;
  readonly #slots: (Holder | undefined)[] = new Array(HOLDER_SLOTS).fill(undefined);
  readonly #earlierOver: Promise<void>;
  #count = 0;
  #isEarlierOver = false;
  #earlierTimer: Timer | undefined;
  #lastRegistration = randomInt(FIRST_REGISTRATION_MAX);
  #noted: Promise<void> | undefined;
  #isClosing = false;
  #invalidations = 0;
  #leasesRunOut = 0;
  readonly #confirmUs = createHistogram();

  constructor(options: HoldersOptions) {
    this.#options = options;
    this.#earlierOver = new Promise((resolve) => {
      const end = (): void => {
        this.#isEarlierOver = true;
        resolve();
      };
      if (options.earlierLeaseMs === 0) end();
      else this.#earlierTimer = options.clock.after(options.earlierLeaseMs * LEASE_MARGIN, end);
    });
  }

  /** Whether a holder of an earlier process may still show something: nobody can say what may be shown beside it. */
  get isEarlierOver(): boolean {
    return this.#isEarlierOver;
  }

  /** Resolves when no holder of an earlier process shows anything any more. */
  get earlierOver(): Promise<void> {
    return this.#earlierOver;
  }

  /** Whether anybody may hold anything. */
  get hasLeases(): boolean {
    return !this.#isEarlierOver || this.#count > 0;
  }

  stats(): HolderStats {
    return {
      holders: this.#count,
      invalidations: this.#invalidations,
      leasesRunOut: this.#leasesRunOut,
      confirmUs: this.#confirmUs,
    };
  }

  /**
   * A front end has opened a stream.
   *
   * @param send brings a message to it; of no effect once the stream has ended
   */
  watch(send: (message: HolderMessage) => void): Watch {
    return new Watch(this, send);
  }

  /**
   * Whether a front end may be trusted to show its own sales by itself: it is the only holder, its lease runs, it confirms what it
   * is told, and no earlier one may show anything. Where there are several, others would make it give back each toy at once.
   *
   * @returns its slot; -1: no
   */
  slotOfOnly(number: number): number {
    const slot = number % HOLDER_SLOTS;
    const holder = this.#slots[slot];
    if (number === 0 || holder?.number !== number || this.#isClosing || !this.#isEarlierOver) return -1;
    if (this.#isLate(holder) || this.#count > 1) return -1;
    return slot;
  }

  /**
   * Tells the holders of toys not to show them any more.
   *
   * @returns when none of them does, nor any holder of an earlier process; undefined: that is so already
   */
  invalidate(held: readonly HeldToy[]): Promise<unknown> | undefined {
    const { table } = this.#options;
    const names = new Map<Holder, Buffer[]>();
    for (const { toy, bits } of held) {
      for (const holder of this.#slots) {
        if (holder === undefined || (bits & (1 << holder.slot)) === 0) continue;
        const list = names.get(holder);
        if (list === undefined) names.set(holder, [table.nameOf(toy)]);
        else list.push(table.nameOf(toy));
      }
    }
    if (names.size === 0) return this.#isEarlierOver ? undefined : this.#earlierOver;
    const told: Promise<unknown>[] = [this.#earlierOver];
    for (const [holder, list] of names) told.push(this.#tell(holder, list));
    return Promise.all(told);
  }

  /**
   * Takes everything back from everybody: gives no leases from now on, and resolves when nobody holds anything, which
   * takes a lease at most.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    const open = this.#slots.filter((holder) => holder !== undefined);
    // Before they are told: what they ask for from now on is not theirs to hold.
    if (open.length > 0)
      this.#options.table.write(() => open.map(({ slot }) => this.#options.table.setHolder(slot, 0)));
    const gone = open.map(async (holder) => {
      await this.#tell(holder, []);
      this.end(holder);
    });
    await Promise.all([this.#earlierOver, ...gone]);
  }

  /** Waits for nobody any more: the process is about to end. */
  abandon(): void {
    this.#isClosing = true;
    this.#earlierTimer?.cancel();
    for (const holder of this.#slots) holder?.timer?.cancel();
  }

  // ---- the registry of each Watch -----------------------------------------------------------------------------------------------------

  async register(watch: Watch, renewal: number): Promise<Holder | undefined> {
    const { table } = this.#options;
    this.#noted ??= this.#options.noteLeases();
    try {
      await this.#noted;
    } catch {
      // The store cannot write just now.
      this.#noted = undefined;
      return undefined;
    }
    const slot = this.#slots.indexOf(undefined);
    if (slot === -1 || this.#isClosing) return undefined;
    const number = ++this.#lastRegistration * HOLDER_SLOTS + slot;
    const holder = new Holder(number, slot, watch);
    this.#slots[slot] = holder;
    this.#count++;
    this.#extend(holder, renewal);
    this.#watchLease(holder);
    table.write(() => table.setHolder(slot, number));
    return holder;
  }

  renew(holder: Holder, { renewal, confirmed }: HolderRequest): boolean {
    holder.confirm(confirmed);
    if (renewal === 0) return false;
    if (this.#isClosing || this.#isLate(holder)) return false;
    this.#extend(holder, renewal);
    return true;
  }

  #isLate(holder: Holder): boolean {
    const unconfirmedMs = this.#options.clock.monotonicMs() - holder.oldestUnconfirmedMs;
    return unconfirmedMs > this.#options.leaseMs * LATE_SHARE;
  }

  end(holder: Holder): void {
    const { table } = this.#options;
    if (holder.isGone) return;
    this.#slots[holder.slot] = undefined;
    this.#count--;
    table.write(() => table.setHolder(holder.slot, 0));
    holder.end();
  }

  async #tell(holder: Holder, names: readonly Buffer[]): Promise<void> {
    const { clock } = this.#options;
    const sentMs = clock.monotonicMs();
    this.#invalidations++;
    await holder.tell(names, sentMs);
    this.#confirmUs.record(Math.max(1, Math.round((clock.monotonicMs() - sentMs) * US_PER_MS)));
  }

  #extend(holder: Holder, renewal: number): void {
    const { leaseMs, ownedUntilMs, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const grantedMs = Math.max(0, Math.floor(Math.min(leaseMs, ownedUntilMs() - nowMs)));
    holder.renewed(renewal, grantedMs, nowMs + grantedMs * LEASE_MARGIN);
  }

  #watchLease(holder: Holder): void {
    const { clock } = this.#options;
    holder.timer = clock.after(Math.max(1, holder.endMs - clock.monotonicMs()), () => {
      if (holder.isGone) return;
      if (clock.monotonicMs() < holder.endMs) return this.#watchLease(holder);
      this.#leasesRunOut++;
      this.end(holder);
    });
  }
}
