// catalog-checkpoint.ts: writes catalog.csv again after changes, so that what people see there is fresh, and lets the
// journal begin anew when it has grown.
//
//   in turn:  picture of `shown` ─ Base(fingerprint) ─ commit          sales wait for this, about one sync
//   then:     render ─ replace catalog.csv                             sales go on
//   if large: in turn: new journal = Base, Mark, unsettled sales, what was journaled since the picture
//
// When: soon after the store has come to rest, and every now and then while it does not; see catalog-limits.ts. With six
// toys it takes a few milliseconds. Why a crash at any step is right: see catalog-recovery.ts.

import type { Clock, Timer } from '../clock.js';
import { type FileSystem, type Journal, replaceFile } from '../storage/index.js';
import { CatalogError } from './catalog-error.js';
import type { CatalogText } from './catalog-file.js';
import {
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINT_QUIET_MS,
  CHECKPOINT_REST_SHARE,
  CHECKPOINT_RETRY_MS,
  CHECKPOINT_SLICE_TOYS,
  CHECKPOINT_TIME_SHARE,
  JOURNAL_BYTES_MAX,
} from './catalog-limits.js';
import type { CatalogMemory } from './catalog-memory.js';
import type { JournalKeeper } from './journal-keeper.js';
import { asCarried, encodeBase, encodeClean, encodeMark } from './sale-records.js';
import type { UnsettledSales } from './unsettled-sales.js';

export interface CheckpointOptions {
  readonly csvPath: string;
  readonly text: CatalogText;
  readonly memory: CatalogMemory;
  readonly journal: Journal;
  readonly keeper: JournalKeeper;
  readonly unsettled: UnsettledSales;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  /** Milliseconds between the journal's syncs where commit() does not wait for one; undefined where it does. */
  readonly syncPeriodMs: number | undefined;
  /** The journal begins anew when it is larger. */
  readonly journalBytesMax?: number;
  readonly onFailure: (error: unknown) => void;
}

/** The stock at one moment, with the ring position that it stands for. */
interface Picture {
  readonly quantities: Uint32Array;
  readonly fingerprint: number;
  readonly position: number;
  /** How many syncs the journal had made, and how often sales had been undone, when the picture's Base was written. */
  readonly syncs: number;
  readonly undoCount: number;
}

export class CatalogCheckpoint {
  readonly #options: CheckpointOptions;
  readonly #journalBytesMax: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #isDirty: boolean;
  #lastSaleMs = 0;
  #lastEndMs = 0;
  #checkpoints = 0;
  #lastDurationMs = 0;

  /** @param isDirty whether the stock differs from catalog.csv already */
  constructor(options: CheckpointOptions, isDirty: boolean) {
    this.#options = options;
    this.#journalBytesMax = options.journalBytesMax ?? JOURNAL_BYTES_MAX;
    this.#isDirty = isDirty;
    if (isDirty) this.#schedule(CHECKPOINT_QUIET_MS);
  }

  /** How many checkpoints were written since the start, and how long the last one took. */
  stats(): { readonly checkpoints: number; readonly lastDurationMs: number } {
    return { checkpoints: this.#checkpoints, lastDurationMs: this.#lastDurationMs };
  }

  /** To be told when stock has changed. */
  onSold(): void {
    this.#lastSaleMs = this.#options.clock.monotonicMs();
    this.#isDirty = true;
    if (this.#timer === undefined && this.#running === undefined) this.#schedule(CHECKPOINT_QUIET_MS);
  }

  /**
   * Brings catalog.csv up to date now.
   *
   * @throws StorageError; catalog.csv then is an older whole one, and the journal still holds what it lacks
   */
  async write(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.#isDirty) return;
    this.#running = this.#write();
    try {
      await this.#running;
      if (this.#isDirty) this.#schedule(CHECKPOINT_QUIET_MS);
    } catch (error) {
      this.#schedule(CHECKPOINT_RETRY_MS);
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** The last one, after which nothing is sold: catalog.csv then is the truth by itself. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.write();
    const { journal, keeper } = this.#options;
    await keeper.inTurn(() => journal.restart([encodeClean(), ...this.#standing(Number.POSITIVE_INFINITY)]));
  }

  /** Gives up without writing: for a catalog that is to end at once. */
  abandon(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#onTimer();
    });
  }

  #onTimer(): void {
    if (!this.#isDirty || this.#running !== undefined) return;
    const { state } = this.#options.journal;
    if (state !== 'open') {
      // A journal that has failed stays so; one that is full comes back.
      if (state === 'full') this.#schedule(CHECKPOINT_RETRY_MS);
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    const waitMs = this.#dueMs() - nowMs;
    if (waitMs > 0) {
      this.#schedule(waitMs);
      return;
    }
    this.write().catch((error: unknown) => this.#options.onFailure(error));
  }

  /** When the next one is due: when the store is at rest, or after a longer while if it is not. */
  #dueMs(): number {
    const atRestMs = Math.max(
      this.#lastSaleMs + CHECKPOINT_QUIET_MS,
      this.#lastEndMs + this.#lastDurationMs * CHECKPOINT_REST_SHARE,
    );
    const busyMs = this.#lastEndMs + Math.max(CHECKPOINT_INTERVAL_MS, this.#lastDurationMs * CHECKPOINT_TIME_SHARE);
    return Math.min(atRestMs, busyMs);
  }

  async #write(): Promise<void> {
    const { csvPath, text, clock, fileSystem, keeper } = this.#options;
    const startMs = clock.monotonicMs();
    const isJournalLarge = this.#options.journal.bytes > this.#journalBytesMax;
    this.#isDirty = false;
    try {
      const picture = await keeper.inTurn(() => this.#takePicture(isJournalLarge));
      const chunks = await this.#render(text, picture.quantities);
      await this.#waitForSyncAfter(picture);
      await replaceFile(csvPath, chunks, fileSystem);
      if (isJournalLarge) await keeper.inTurn(() => this.#beginJournal(picture));
    } catch (error) {
      this.#isDirty = true;
      keeper.takeCollected();
      throw error;
    }
    this.#checkpoints++;
    this.#lastEndMs = clock.monotonicMs();
    this.#lastDurationMs = this.#lastEndMs - startMs;
  }

  async #takePicture(isJournalLarge: boolean): Promise<Picture> {
    const { memory, journal, keeper } = this.#options;
    const { quantities, position, undoCount } = memory.read(() => ({
      quantities: memory.table.shown.slice(),
      position: memory.resolved,
      undoCount: memory.undoCount,
    }));
    const fingerprint = memory.table.fingerprint(quantities);
    try {
      journal.append(encodeBase(fingerprint));
      await journal.commit();
    } catch (error) {
      keeper.fail(error);
      throw error;
    }
    if (isJournalLarge) keeper.collect();
    return { quantities, fingerprint, position, syncs: journal.stats().syncs, undoCount };
  }

  /** In slices, so that a catalog of a million toys does not hold everything else up for a second. */
  async #render(text: CatalogText, quantities: Uint32Array): Promise<string[]> {
    const chunks = [text.header];
    for (let first = 0; first < quantities.length; first += CHECKPOINT_SLICE_TOYS) {
      if (first > 0) await nextTurn();
      chunks.push(text.render(quantities, first, Math.min(first + CHECKPOINT_SLICE_TOYS, quantities.length)));
    }
    return chunks;
  }

  /** Base must be on disk before the new catalog.csv can be; where commit() does not see to that, the next sync does. */
  async #waitForSyncAfter({ syncs, undoCount }: Picture): Promise<void> {
    const { syncPeriodMs, journal, clock, memory } = this.#options;
    if (syncPeriodMs === undefined) return;
    // Base was written before those syncs were counted, and syncs never overlap writes: the next one covers it.
    while (journal.stats().syncs === syncs) {
      if (journal.state !== 'open' || memory.undoCount !== undoCount) {
        throw new CatalogError('NOT_JOURNALED', 'the journal failed while catalog.csv was being written');
      }
      await new Promise<void>((resolve) => clock.after(syncPeriodMs, resolve));
    }
  }

  async #beginJournal({ fingerprint, position }: Picture): Promise<void> {
    const { journal, keeper } = this.#options;
    const since = keeper.takeCollected();
    await journal.restart([encodeBase(fingerprint), ...this.#standing(position), ...since]);
  }

  /** What every new journal begins with: the newest incarnation, and the unsettled sales up to a ring position. */
  *#standing(position: number): Generator<Buffer> {
    const { memory, unsettled } = this.#options;
    yield memory.read(() => encodeMark(memory.tags.incarnation, memory.tags.settled));
    for (const record of unsettled.recordsUpTo(position)) yield asCarried(record);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
