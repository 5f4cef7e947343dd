// journal.ts: an append-only file of records with group commit.
//
//   append ──> [ open group ] ──commit──> [ group on its way ] ──write, fdatasync──> on disk: its commits resolve
//                 ^ arrivals gather here while the disk is busy
//
//   'open' ──a write fails──> 'full' ──a probe can be written──> 'open'
//      └──a sync fails, or what a failed write left cannot be cut off──> 'failed', for good
//
// One write and one sync serve all that gathered while the ones before were running, without a timer: a lone commit
// goes out at once, and the busier the disk, the larger the groups. Calls on the file never overlap.
//
// A journal does not know what its records mean. Whoever appends applies the effect to memory, and shows it to nobody
// before commit() has resolved.

import { assert } from '../assert.js';
import { type Clock, systemClock, type Timer } from '../clock.js';
import { type FileSystem, nodeFileSystem, type OpenFile, writeAll, writeAtOnce } from './file-system.js';
import { GroupBuffer } from './group-buffer.js';
import { createJournalFile, openJournalFile } from './journal-file.js';
import type { OnRecord } from './journal-reader.js';
import { type JournalStats, SyncTimes } from './journal-stats.js';
import { asStorageError, type StorageError } from './storage-error.js';
import { type StorageLog, silentLog } from './storage-log.js';

/** `commit`: commit() waits for the sync. With a period: commit() waits for the write, and a sync follows that soon. */
export type SyncMode = 'commit' | { readonly periodMs: number };

/**
 * `open`: takes records. `full`: a write failed and was undone; takes none until a probe shows that writing works again.
 * `failed`: what is on disk is unknown; takes none until the process is started again.
 */
export type JournalState = 'open' | 'full' | 'failed';

export interface JournalOptions {
  /** The journal's file; its directory must exist. It is created if missing. */
  readonly path: string;
  readonly fileSystem?: FileSystem;
  readonly clock?: Clock;
  readonly log?: StorageLog;
  readonly syncMode: SyncMode;
  /** Called for each record that the file has, before open() resolves. If it throws, open() rejects with that. */
  readonly onRecord: OnRecord;
  /** Called after each change of state. */
  readonly onState?: (state: JournalState) => void;
}

/** How often a full journal tries whether writing works again. */
const PROBE_INTERVAL_MS = 500;

/** What a probe writes, at least: less room than this is not worth opening for. */
const PROBE_BYTES_MIN = 64 * 1024;

interface Restart {
  readonly openingRecords: readonly Buffer[];
  readonly firstSequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

type Task = GroupBuffer | Restart;

export class Journal {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #log: StorageLog;
  readonly #syncMode: SyncMode;
  readonly #onState: (state: JournalState) => void;
  readonly #syncTimes: SyncTimes;

  #file: OpenFile;
  /** Behind the last record that is in the file for good. */
  #end: number;
  /** Whether all up to #end is on disk. */
  #isSynced = true;
  #nextSequence: number;
  #state: JournalState = 'open';
  #failure: StorageError | undefined;

  /** Takes what is appended; never among #tasks. */
  #tail = new GroupBuffer();
  #spare: GroupBuffer | undefined = new GroupBuffer();
  /** Waiting to be done, first come first. */
  readonly #tasks: Task[] = [];
  #current: Task | undefined;
  #running: Promise<void> | undefined;
  /** Records were dropped for which nobody waited: the next commit() must say so. */
  #isDropUntold = false;

  #timer: Timer | undefined;
  #isSyncDue = false;
  #isProbeDue = false;
  #probeBytes = PROBE_BYTES_MIN;
  #isClosed = false;
  #records = 0;
  #groups = 0;

  /**
   * Opens the journal, or creates an empty one, and hands every record to `onRecord`, oldest first. A torn tail is cut
   * off; when the promise resolves, everything that was handed on is on disk.
   *
   * @throws StorageError CORRUPT (the file is left as it is), INACCESSIBLE; when the file is new also WRITE_FAILED, SYNC_FAILED
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    const log = options.log ?? silentLog;
    const opened = await openJournalFile(options.path, fileSystem, log, options.onRecord);
    return new Journal(options, fileSystem, log, opened);
  }

  private constructor(
    options: JournalOptions,
    fileSystem: FileSystem,
    log: StorageLog,
    opened: { readonly file: OpenFile; readonly end: number; readonly nextSequence: number },
  ) {
    this.#path = options.path;
    this.#fileSystem = fileSystem;
    this.#clock = options.clock ?? systemClock;
    this.#log = log;
    this.#syncMode = options.syncMode;
    this.#onState = options.onState ?? (() => undefined);
    this.#syncTimes = new SyncTimes(this.#clock, log, options.path);
    this.#file = opened.file;
    this.#end = opened.end;
    this.#nextSequence = opened.nextSequence;
  }

  /** Size of the file in bytes, as far as it is written. */
  get bytes(): number {
    return this.#end;
  }

  get state(): JournalState {
    return this.#state;
  }

  stats(): JournalStats {
    return { records: this.#records, groups: this.#groups, ...this.#syncTimes.stats() };
  }

  /**
   * Adds a record in memory; a commit() brings it to the disk. The bytes are copied.
   *
   * @param payload at most PAYLOAD_BYTES_MAX bytes; may lie in shared memory
   * @returns its number: one more than the record's before
   * @throws StorageError WRITE_FAILED or SYNC_FAILED when the state is not `open`
   */
  append(payload: Uint8Array): number {
    this.#checkOpen();
    this.#tail.append(payload, this.#nextSequence);
    return this.#nextSequence++;
  }

  /** append() for each payload in turn; returns the number of the last one, or of the record before if there is none. */
  appendMany(payloads: Iterable<Uint8Array>): number {
    this.#checkOpen();
    for (const payload of payloads) {
      this.#tail.append(payload, this.#nextSequence);
      this.#nextSequence++;
    }
    return this.#nextSequence - 1;
  }

  /**
   * Resolves when everything appended so far is on disk (with a sync period: written).
   *
   * @throws StorageError WRITE_FAILED: nothing that was appended since the last commit that resolved is in the journal,
   *   and all of it must be undone; sequence numbers go on from before. SYNC_FAILED: some of it may be in the journal.
   */
  commit(): Promise<void> {
    if (this.#state !== 'open' || this.#isDropUntold) return Promise.reject(this.#tellFailure());
    if (this.#tail.records > 0) {
      const settled = this.#tail.settled();
      this.#wake();
      return settled;
    }
    for (const task of [...this.#tasks.toReversed(), this.#current]) {
      if (task instanceof GroupBuffer) return task.settled();
    }
    return Promise.resolve();
  }

  /**
   * Replaces the journal by a new one that begins with `firstRecords`, which stand for everything appended before. They
   * are read and copied before restart() returns; what is appended from then on goes to the new journal. A crash leaves
   * the old one or the new one, each whole.
   *
   * @throws StorageError WRITE_FAILED: the old journal stays, and if its state is still `open` nothing is lost.
   *   SYNC_FAILED: see commit().
   */
  restart(firstRecords: Iterable<Uint8Array>): Promise<void> {
    if (this.#state !== 'open' || this.#isDropUntold) return Promise.reject(this.#tellFailure());
    if (this.#tail.records > 0) this.#sealTail();
    const openingRecords = Array.from(firstRecords, (payload) => Buffer.from(payload));
    return new Promise((resolve, reject) => {
      this.#tasks.push({ openingRecords, firstSequence: this.#nextSequence, resolve, reject });
      this.#wake();
    });
  }

  /**
   * Commits what was appended and closes the file.
   *
   * @throws StorageError if that commit fails; the file is closed all the same
   */
  async close(): Promise<void> {
    assert(!this.#isClosed, 'a journal is closed once');
    const committed = this.#state === 'open' && !this.#isDropUntold ? this.commit() : Promise.resolve();
    this.#isClosed = true;
    this.#timer?.cancel();
    try {
      await committed;
    } finally {
      await this.#running;
      if (this.#state === 'open' && !this.#isSynced) await this.#sync();
      await this.#file.close();
    }
    if (this.#state === 'failed') throw this.#tellFailure();
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'nothing is appended to a journal that was closed');
    if (this.#state !== 'open') throw this.#tellFailure();
  }

  /** The failure that ended the state `open`; with it, all that was not committed is dropped. */
  #tellFailure(): StorageError {
    if (this.#isDropUntold) {
      this.#isDropUntold = false;
      this.#nextSequence -= this.#tail.records;
      this.#tail.settle();
    }
    return this.#failure!;
  }

  #sealTail(): void {
    this.#tasks.push(this.#tail);
    this.#tail = this.#spare ?? new GroupBuffer();
    this.#spare = undefined;
  }

  #wake(): void {
    this.#running ??= this.#run();
  }

  /** Does what there is to do, one thing after the other, and ends when there is nothing. It never rejects. */
  async #run(): Promise<void> {
    // What else is appended in this turn of the event loop joins the first group.
    await undefined;
    while (true) {
      if (this.#isProbeDue) await this.#probe();
      if (this.#isSyncDue) await this.#syncPeriod();
      if (this.#tasks.length === 0 && this.#tail.isAwaited) this.#sealTail();
      this.#current = this.#tasks.shift();
      if (this.#current === undefined) break;
      if (this.#current instanceof GroupBuffer) await this.#writeGroup(this.#current);
      else await this.#switchFile(this.#current);
      this.#current = undefined;
    }
    this.#running = undefined;
  }

  async #writeGroup(group: GroupBuffer): Promise<void> {
    const bytes = group.bytes;
    if (this.#isSynced) group.markAfterSync();
    try {
      await writeAtOnce(this.#file, bytes, this.#end);
    } catch (error) {
      await this.#cutBack(error, bytes.length);
      return;
    }
    this.#end += bytes.length;
    this.#isSynced = false;
    this.#records += group.records;
    this.#groups++;
    if (this.#syncMode === 'commit') {
      if (!(await this.#sync())) return;
    } else this.#setTimer(this.#syncMode.periodMs, () => (this.#isSyncDue = true));
    // Before those who wait are told: they may commit again at once, and must not find a group that is done.
    this.#current = undefined;
    group.settle();
    this.#spare ??= group;
  }

  /** Whether the sync went well; if not, the journal has failed. */
  async #sync(): Promise<boolean> {
    try {
      await this.#syncTimes.measure(() => this.#file.datasync());
      this.#isSynced = true;
      return true;
    } catch (error) {
      this.#fail(asStorageError(error, 'SYNC_FAILED', 'fdatasync', this.#path));
      return false;
    }
  }

  async #syncPeriod(): Promise<void> {
    this.#isSyncDue = false;
    if (this.#state === 'open' && !this.#isSynced) await this.#sync();
  }

  /** After a failed write: takes back what it may have left, then tells everybody that nothing is in the file. */
  async #cutBack(cause: unknown, lostBytes: number): Promise<void> {
    const failure = asStorageError(cause, 'WRITE_FAILED', 'writing', this.#path);
    this.#failure = failure;
    this.#changeState('full');
    try {
      await this.#file.truncate(this.#end);
      await this.#file.datasync();
      this.#isSynced = true;
    } catch (error) {
      this.#fail(asStorageError(error, 'SYNC_FAILED', 'taking back a failed write', this.#path));
      return;
    }
    this.#log.error('journal: a write failed; nothing is taken until writing works again', {
      path: this.#path,
      error: failure,
    });
    this.#probeBytes = Math.max(PROBE_BYTES_MIN, lostBytes);
    this.#dropAll(failure);
    // A periodic sync may have been due; all is synced now.
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#setTimer(PROBE_INTERVAL_MS, () => (this.#isProbeDue = true));
  }

  /** Tries whether as much as was refused can be written now. Zeros behind the last record mean nothing to a reader. */
  async #probe(): Promise<void> {
    this.#isProbeDue = false;
    let isWritable = true;
    try {
      await writeAll(this.#file, Buffer.alloc(this.#probeBytes), this.#end);
    } catch {
      isWritable = false;
    }
    try {
      if (isWritable) await this.#file.datasync();
      await this.#file.truncate(this.#end);
      await this.#file.datasync();
    } catch (error) {
      this.#fail(asStorageError(error, 'SYNC_FAILED', 'taking back a probe', this.#path));
      return;
    }
    if (!isWritable) {
      this.#setTimer(PROBE_INTERVAL_MS, () => (this.#isProbeDue = true));
      return;
    }
    this.#log.info('journal: writing works again', { path: this.#path });
    this.#changeState('open');
  }

  async #switchFile(restart: Restart): Promise<void> {
    let opened: Awaited<ReturnType<typeof createJournalFile>>;
    try {
      opened = await createJournalFile(this.#path, this.#fileSystem, restart.openingRecords, restart.firstSequence);
    } catch (error) {
      const failure = asStorageError(error, 'WRITE_FAILED', 'beginning a new journal', this.#path);
      if (failure.code === 'SYNC_FAILED') this.#fail(failure);
      restart.reject(failure);
      return;
    }
    const old = this.#file;
    this.#file = opened.file;
    this.#end = opened.end;
    this.#isSynced = true;
    await old.close().catch((error) => this.#log.warn('journal: closing the old file failed', { error }));
    restart.resolve();
  }

  #fail(failure: StorageError): void {
    this.#failure = failure;
    this.#log.error('journal: what is on disk is unknown; nothing is taken until the next start', {
      path: this.#path,
      error: failure,
    });
    this.#timer?.cancel();
    this.#changeState('failed');
    this.#dropAll(failure);
  }

  /** Rejects everything that waits; what was appended since the last commit that resolved is gone. */
  #dropAll(failure: StorageError): void {
    const dropped = [this.#current, ...this.#tasks.splice(0), this.#tail];
    for (const task of dropped) {
      if (task instanceof GroupBuffer) {
        if (task.records > 0 && !task.isAwaited) this.#isDropUntold = true;
        this.#nextSequence -= task.records;
        task.settle(failure);
      } else task?.reject(failure);
    }
  }

  #setTimer(delayMs: number, onTime: () => void): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      onTime();
      this.#wake();
    });
  }

  #changeState(state: JournalState): void {
    this.#state = state;
    this.#onState(state);
  }
}
