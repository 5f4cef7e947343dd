// journal-keeper.ts: the journal's thread: brings what the threads have sold to the disk, then lets it be seen.
//
//   ring ──append──> journal ──one write, one sync──> publish: shown, resolved ──> ring the bells of those who wait
//    ^ the threads go on filling it meanwhile; the next round takes all of it
//
//   a write fails: everything after `resolved` is undone, purchases find the store not selling until writing works again
//   a sync fails:  nobody knows what is on disk: nothing is undone, nothing is answered, only a new start helps
//
// It runs while there is something to do and sleeps without a timer. Whatever else touches the journal (a new incarnation,
// a checkpoint) takes its turn between two rounds, when nothing is appended that is not committed.

import type { Journal, StorageError } from '../storage/index.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogMemory, SellingState } from './catalog-memory.js';
import { encodeMark, MARK_BYTES, SALES } from './sale-records.js';
import { SaleRing } from './sale-ring.js';
import { incarnationOf, type Tag, type TaggedSale, type UnsettledSales } from './unsettled-sales.js';

export interface JournalKeeperOptions {
  readonly memory: CatalogMemory;
  readonly journal: Journal;
  readonly unsettled: UnsettledSales;
  /** Rings a seller's bell: something it waits for may have been decided. */
  readonly ringSeller: (seller: number) => void;
  /** Stock has changed for all to see. */
  readonly onSold: () => void;
  readonly onState: (state: SellingState) => void;
  /** The catalog must end: what is in memory can no longer be trusted. */
  readonly onBroken: (error: Error) => void;
}

/** What runs between two rounds. */
interface Turn {
  readonly run: () => Promise<void>;
  readonly reject: (error: Error) => void;
}

/** What the order service is told when it starts. */
export interface Recovered {
  readonly incarnation: number;
  readonly sales: readonly TaggedSale[];
}

export class JournalKeeper {
  readonly #options: JournalKeeperOptions;
  readonly #turns: Turn[] = [];
  #isRunning = false;
  /** Somebody has rung since the last look at the ring began. */
  #isRung = false;
  #broken: Error | undefined;
  /** Ring position up to which all is in the journal for good, and is to be published. */
  #committed = 0;
  /** Payloads that were journaled since a checkpoint took its picture; undefined: nobody collects them. */
  #collected: Buffer[] | undefined;

  constructor(options: JournalKeeperOptions) {
    this.#options = options;
    this.#committed = options.memory.resolved;
  }

  /** Looks at the ring; to be called when a seller rings. */
  wake(): void {
    this.#isRung = true;
    if (this.#isRunning || this.#broken !== undefined) return;
    this.#isRunning = true;
    this.#run().catch((error: unknown) => this.#break(error as Error));
  }

  /** Runs `turn` when nothing is on its way to the journal; what is sold meanwhile waits in the ring. */
  inTurn<T>(turn: () => Promise<T> | T): Promise<T> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        try {
          resolve(await turn());
        } catch (error) {
          reject(error);
        }
      };
      this.#turns.push({ run, reject });
      this.wake();
    });
  }

  /**
   * Ends the incarnation before and begins a new one; on disk when the promise resolves.
   *
   * @param logged the newest sale in the order service's log
   * @throws CatalogError NOT_JOURNALED while the journal takes nothing; StorageError SYNC_FAILED
   */
  async recover(logged: Tag): Promise<Recovered> {
    const { memory, unsettled } = this.#options;
    const begun = memory.write(() => this.#beginIncarnation(logged));
    const recovered = await this.inTurn(async () => {
      // A round takes all that is in the ring: after it the mark is on disk, with all that was sold before it, or undone.
      await this.#round();
      if (memory.read(() => memory.fateOf(begun.ticket, begun.undoCount)) !== 'durable') {
        throw new CatalogError('NOT_JOURNALED', 'the new incarnation could not be written');
      }
      return { incarnation: begun.incarnation, sales: unsettled.after(logged) };
    });
    // Also where the journal is synced now and then: an incarnation that a power failure takes back would begin twice.
    await this.#options.journal.synced();
    return recovered;
  }

  /** From now on collects what is journaled, until takeCollected(). */
  collect(): void {
    this.#collected = [];
  }

  takeCollected(): Buffer[] {
    const collected = this.#collected ?? [];
    this.#collected = undefined;
    return collected;
  }

  /** To be told when the state of the journal changes by itself. */
  onJournalState(): void {
    const { memory, journal, onState } = this.#options;
    const next = memory.write((): SellingState | undefined => {
      if (journal.state === 'open' && memory.state === 'full') memory.state = 'selling';
      else if (journal.state === 'failed' && memory.state !== 'failed') memory.state = 'failed';
      else return undefined;
      return memory.state;
    });
    if (next === undefined) return;
    this.#ringBells();
    onState(next);
  }

  /** What a write or a sync that failed means for the sales; to be called by whoever has the turn. */
  fail(error: unknown): void {
    const { memory, onState } = this.#options;
    const next = (error as StorageError).code === 'WRITE_FAILED' ? 'full' : 'failed';
    const hasChanged = memory.write(() => {
      const before = memory.state;
      if (before === 'failed') return false;
      if (next === 'full') memory.undoUnresolved();
      memory.state = next;
      this.#committed = memory.appended;
      return before !== next;
    });
    this.#ringBells();
    if (hasChanged) onState(next);
    // The journal may have come back while we were at it.
    this.onJournalState();
  }

  /** Refuses purchases from now on, and brings what was sold to the disk. */
  async close(): Promise<void> {
    const { memory } = this.#options;
    await this.inTurn(async () => {
      await this.#round();
      memory.write(() => {
        if (memory.state === 'selling' || memory.state === 'full') memory.state = 'closed';
      });
      await this.#round();
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#isRung = false;
      const isMore = await this.#round();
      const turn = this.#turns.shift();
      if (turn !== undefined) await turn.run();
      else if (!isMore && !this.#isRung) break;
    }
    this.#isRunning = false;
  }

  #break(error: Error): void {
    this.#broken = error;
    for (const turn of this.#turns.splice(0)) turn.reject(error);
    this.#options.onBroken(error);
  }

  /** Journals all that is in the ring and publishes it; false if there was nothing, and the sellers know to ring. */
  async #round(): Promise<boolean> {
    const { memory, journal } = this.#options;
    const { appended, isFailed } = memory.write(() => {
      const isFailed = memory.state === 'failed';
      memory.isKeeperAwake = !isFailed && memory.appended > this.#committed;
      return { appended: memory.appended, isFailed };
    });
    if (isFailed || appended === this.#committed) return false;
    const payloads: Buffer[] = [];
    try {
      for (const frame of memory.ring.frames(this.#committed, appended)) {
        const payload = memory.ring.payloadOf(frame);
        payloads.push(payload);
        journal.append(payload);
      }
      await journal.commit();
    } catch (error) {
      this.fail(error);
      return true;
    }
    this.#collected?.push(...payloads);
    this.#publish(appended);
    return true;
  }

  /** Shows what is on disk now, and forgets what the order service has settled. */
  #publish(position: number): void {
    const { memory, unsettled, onSold } = this.#options;
    const { ring, table, tags } = memory;
    const from = this.#committed;
    let hasSold = false;
    memory.write(() => {
      for (const frame of ring.frames(from, position)) {
        hasSold ||= frame.effects > 0;
        ring.applyEffects(frame, table.shown, -1);
        const payload = ring.payloadOf(frame);
        if (payload[0] === SALES && incarnationOf(payload) !== 0) unsettled.add(payload, frame.end);
      }
      memory.resolved = position;
      unsettled.settle(tags.sellingIncarnation, tags.settled);
    });
    this.#committed = position;
    this.#ringBells();
    if (hasSold) onSold();
  }

  #ringBells(): void {
    for (const seller of this.#options.memory.takeBellRequests()) this.#options.ringSeller(seller);
  }

  #beginIncarnation(logged: Tag): { incarnation: number; ticket: number; undoCount: number } {
    const { memory } = this.#options;
    const { ring, tags } = memory;
    const bytesMax = SaleRing.frameBytes(0, MARK_BYTES);
    const position = memory.state === 'selling' ? ring.place(memory.appended, memory.resolved, bytesMax) : undefined;
    if (position === undefined) {
      throw new CatalogError('NOT_JOURNALED', 'the catalog cannot write now: a new incarnation has to wait');
    }
    const incarnation = Math.max(tags.incarnation, logged.incarnation) + 1;
    tags.begin(incarnation, 0);
    const payloadAt = ring.payloadOffset(position, 0);
    encodeMark(incarnation, 0).copy(ring.bytes, payloadAt);
    memory.appended = ring.finish(position, 0, payloadAt, MARK_BYTES);
    return { incarnation, ticket: memory.appended, undoCount: memory.undoCount };
  }
}
