// catalog-checkpoint.ts: writes catalog.csv again after changes, so that what people see there is fresh, and lets the
// journal begin anew when it has grown.
//
//   at once:   picture of the stock, Base(fingerprint) appended behind all that is in the picture
//   then:      commit ─ render ─ replace catalog.csv                                  sales go on
//   if due:    new journal = Store, kept sales, Base, what was appended since the picture
//
// When: soon after the store has come to rest, and every now and then while it does not; see catalog-limits.ts. With six
// toys it takes a few milliseconds. Why a crash at any step is right: see catalog-recovery.ts.

import type { Clock, Timer } from '../clock.js';
import { type GuardedFile, type Journal, type StorageLog, writeChunks } from '../storage/index.js';
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
  RECORD_SALES_MAX,
} from './catalog-limits.js';
import type { CatalogState } from './catalog-store.js';
import { CARRIED, encodeBase, encodeClean, encodeLeases, encodeSales, encodeStore } from './sale-records.js';
import type { StockTable } from './stock-table.js';

export interface CheckpointOptions {
  readonly csv: GuardedFile;
  readonly csvBytes: number;
  readonly text: CatalogText;
  readonly storeId: string;
  readonly table: StockTable;
  readonly journal: Journal;
  readonly clock: Clock;
  /** The journal begins anew when it is larger. */
  readonly journalBytesMax?: number;
  readonly log: StorageLog;
}

/** The stock at one moment. */
interface Picture {
  readonly quantities: Uint32Array;
  readonly base: Buffer;
  /** What a new journal begins with; empty where none is to begin. */
  readonly standing: readonly Buffer[];
}

export class CatalogCheckpoint {
  /** Told of a checkpoint that could not be written, and is tried again. */
  onFailure: (error: unknown) => void = () => undefined;
  /** How long front ends may hold what they are shown after an end of the process; 0: none does. Milliseconds. */
  leaseMs = 0;
  readonly #options: CheckpointOptions;
  readonly #journalBytesMax: number;
  #state: CatalogState | undefined;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #isDirty: boolean;
  #isJournalDue = false;
  #csvBytes: number;
  #lastSaleMs = 0;
  #lastEndMs = 0;
  #checkpoints = 0;
  #lastDurationMs = 0;
  /** Records that were appended since the picture; undefined: nobody collects them, or not all of them were written. */
  #since: Buffer[] | undefined;

  /** @param isDirty whether the stock differs from catalog.csv already */
  constructor(options: CheckpointOptions, isDirty: boolean) {
    this.#options = options;
    this.#journalBytesMax = options.journalBytesMax ?? JOURNAL_BYTES_MAX;
    this.#isDirty = isDirty;
    this.#csvBytes = options.csvBytes;
  }

  /**
   * Whether catalog.csv is what was written. Its name is put right where that is all.
   *
   * @throws StorageError INACCESSIBLE
   */
  async isCsvWhole(): Promise<boolean> {
    const bytes = this.#csvBytes;
    const { finding, size } = await this.#options.csv.check(bytes);
    // A checkpoint that ended meanwhile has made the length another one.
    return (size === bytes && (finding === 'same' || finding === 'returned')) || bytes !== this.#csvBytes;
  }

  /** From now on it looks at the state, and works by itself. */
  begin(state: CatalogState): void {
    this.#state = state;
    if (this.#isDirty) this.#schedule(CHECKPOINT_QUIET_MS);
  }

  /** How many checkpoints were written since the start, and how long the last one took. */
  stats(): { readonly checkpoints: number; readonly lastDurationMs: number } {
    return { checkpoints: this.#checkpoints, lastDurationMs: this.#lastDurationMs };
  }

  /** To be told of each record that is appended to the journal; `isSale`: the stock has changed. */
  onAppended(record: Buffer, isSale: boolean): void {
    this.#since?.push(record);
    if (!isSale) return;
    this.#lastSaleMs = this.#options.clock.monotonicMs();
    this.#isDirty = true;
    if (this.#timer === undefined && this.#running === undefined) this.#schedule(CHECKPOINT_QUIET_MS);
  }

  /** To be told when the journal's state changes: where writing fails, not all that was appended is in the journal. */
  onJournalState(): void {
    if (this.#options.journal.state !== 'open') this.#since = undefined;
  }

  /** Writes catalog.csv and a new journal, whatever has become of the old ones. Throws as write() does. */
  async writeAnew(): Promise<void> {
    this.#isDirty = true;
    this.#isJournalDue = true;
    await this.write();
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
    await this.#options.journal.restart([encodeClean(), ...this.#standing()]);
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
    this.write().catch((error: unknown) => this.onFailure(error));
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
    const { csv, text, clock, journal, log } = this.#options;
    const startMs = clock.monotonicMs();
    this.#isDirty = false;
    try {
      const picture = this.#takePicture();
      await journal.commit();
      const chunks = await this.#render(text, picture.quantities);
      // Base must be on disk before the new catalog.csv can be.
      await journal.synced();
      // So that nothing that was done to it goes unsaid.
      const wasWhole = await this.isCsvWhole();
      await csv.replace((file) => writeChunks(file, chunks));
      this.#csvBytes = chunks.reduce((bytes, chunk) => bytes + Buffer.byteLength(chunk), 0);
      if (!wasWhole) log.warn(`${csv.path} was removed, cut or written to while in use, and was written anew`, {});
      if (picture.standing.length > 0) await this.#beginJournal(picture);
    } catch (error) {
      this.#isDirty = true;
      throw error;
    } finally {
      this.#since = undefined;
    }
    this.#checkpoints++;
    this.#lastEndMs = clock.monotonicMs();
    this.#lastDurationMs = this.#lastEndMs - startMs;
  }

  /** The stock after everything that has been appended to the journal, which says so with a Base. */
  #takePicture(): Picture {
    const { table, journal } = this.#options;
    const isJournalDue = this.#isJournalDue || journal.bytes > this.#journalBytesMax;
    const quantities = this.#state!.quantities.slice();
    const base = encodeBase(table.fingerprint(quantities));
    const standing = isJournalDue ? this.#standing() : [];
    journal.append(base);
    if (isJournalDue) this.#since = [];
    return { quantities, base, standing };
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

  async #beginJournal({ base, standing }: Picture): Promise<void> {
    if (this.#since === undefined) {
      throw new CatalogError('NOT_JOURNALED', 'a write failed while catalog.csv was being written');
    }
    await this.#options.journal.restart([...standing, base, ...this.#since]);
    this.#isJournalDue = false;
  }

  /** What every new journal begins with: whose it is, how far the order service has come, and the sales that are kept. */
  #standing(): Buffer[] {
    const { marks } = this.#state!;
    const sales = this.#state!.keptSales();
    const records = [encodeStore(this.#options.storeId)];
    if (this.leaseMs > 0) records.push(encodeLeases(this.leaseMs));
    for (let first = 0; first < sales.length; first += RECORD_SALES_MAX) {
      records.push(encodeSales(CARRIED, marks, sales.slice(first, first + RECORD_SALES_MAX)));
    }
    // The marks also where no sale is kept.
    records.push(encodeSales(CARRIED, marks, []));
    return records;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
