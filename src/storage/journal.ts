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
import { CommitQueue, type Restart } from './commit-queue.js';
import { nodeFileSystem } from './file-system.js';
import { GroupBuffer } from './group-buffer.js';
import { type FileCheck, GuardedFile } from './guarded-file.js';
import { type OpenedJournal, openJournalFile } from './journal-file.js';
import type { JournalOptions, JournalState, SyncMode } from './journal-options.js';
import { type JournalStats, SyncTimes } from './journal-stats.js';
import { JournalWriter } from './journal-writer.js';
import { asStorageError, type StorageError } from './storage-error.js';
import { type StorageLog, silentLog } from './storage-log.js';

/** How often a full journal tries whether writing works again. */
const PROBE_INTERVAL_MS = 500;

/** What a probe writes, at least: less room than this is not worth opening for. */
const PROBE_BYTES_MIN = 64 * 1024;

export class Journal {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: StorageLog;
  readonly #syncMode: SyncMode;
  readonly #onState: (state: JournalState) => void;
  readonly #syncTimes: SyncTimes;
  readonly #writer: JournalWriter;

  readonly #queue: CommitQueue;
  #state: JournalState = 'open';
  #failure: StorageError | undefined;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** What is to be done between two tasks: a sync, a probe, a look at the file's name. */
  readonly #between: (() => Promise<void>)[] = [];
  #isClosed = false;
  /** Told of the next sync: all that they wait for was written before it began. */
  readonly #awaitingSync: { resolve(): void; reject(error: Error): void }[] = [];
  #records = 0;
  #groups = 0;

  /**
   * Opens the journal, or creates an empty one, and hands every record to `onRecord`, oldest first. A torn tail is cut
   * off; when the promise resolves, everything that was handed on is on disk. Where the disk has no room for a new
   * journal, it is `full` from the start, and made when there is room.
   *
   * @throws StorageError CORRUPT (the file is left as it is), INACCESSIBLE; when the file is new also WRITE_FAILED, but not for
   *   want of room, and SYNC_FAILED
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const fileSystem = options.fileSystem ?? nodeFileSystem;
    const log = options.log ?? silentLog;
    const guarded = await GuardedFile.open({ path: options.path, fileSystem, log });
    try {
      const opened = await openJournalFile(guarded, fileSystem, log, options.onRecord);
      return new Journal(options, guarded, log, opened);
    } catch (error) {
      await guarded.close(false).catch(() => undefined);
      throw error;
    }
  }

  private constructor(options: JournalOptions, guarded: GuardedFile, log: StorageLog, opened: OpenedJournal) {
    this.#path = options.path;
    this.#clock = options.clock ?? systemClock;
    this.#log = log;
    this.#syncMode = options.syncMode;
    this.#onState = options.onState ?? (() => undefined);
    this.#syncTimes = new SyncTimes(this.#clock, log, options.path);
    this.#writer = new JournalWriter(guarded, this.#syncTimes, opened, options.syncMode === 'commit');
    this.#queue = new CommitQueue(opened.nextSequence);
    if (opened.missing === undefined) return;
    this.#failure = opened.missing;
    this.#state = 'full';
    this.#probeSoon(PROBE_BYTES_MIN);
  }

  /** Size of the file in bytes, as far as it is written. */
  get bytes(): number {
    return this.#writer.end;
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
    this.#queue.append(payload);
    return this.#queue.nextSequence - 1;
  }

  /**
   * Resolves when everything appended so far is on disk (with a sync period: written).
   *
   * @throws StorageError WRITE_FAILED: nothing that was appended since the last commit that resolved is in the journal,
   *   and all of it must be undone; sequence numbers go on from before. SYNC_FAILED: some of it may be in the journal.
   */
  commit(): Promise<void> {
    if (this.#state !== 'open' || this.#queue.isDropUntold) return Promise.reject(this.#tellFailure());
    const committed = this.#queue.lastFinished();
    if (committed === undefined) return Promise.resolve();
    this.#wake();
    return committed;
  }

  /**
   * Resolves when everything that is committed now is on disk too.
   *
   * @throws StorageError SYNC_FAILED: some of it may be on disk
   */
  synced(): Promise<void> {
    if (this.#state === 'failed') return Promise.reject(this.#failure);
    if (this.#writer.isSynced) return Promise.resolve();
    return new Promise((resolve, reject) => this.#awaitingSync.push({ resolve, reject }));
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
    if (this.#state !== 'open' || this.#queue.isDropUntold) return Promise.reject(this.#tellFailure());
    const restarted = this.#queue.restart(Array.from(firstRecords, (payload) => Buffer.from(payload)));
    this.#wake();
    return restarted;
  }

  /**
   * Compares what the path names with this journal, and gives the journal its name back: see GuardedFile. One that was cut
   * or is gone is healed by restart() alone.
   *
   * @throws StorageError INACCESSIBLE
   */
  check(): Promise<FileCheck> {
    assert(!this.#isClosed, 'a journal that was closed is not looked after');
    return new Promise((resolve, reject) => {
      this.#between.push(() => this.#writer.check().then(resolve, reject));
      this.#wake();
    });
  }

  /**
   * Commits what was appended and closes the file. If that goes well it was a clean end, and the file has one name.
   *
   * @throws StorageError if that commit fails; the file is closed all the same
   */
  async close(): Promise<void> {
    assert(!this.#isClosed, 'a journal is closed once');
    const committed = this.#state === 'open' && !this.#queue.isDropUntold ? this.commit() : Promise.resolve();
    this.#isClosed = true;
    this.#timer?.cancel();
    try {
      await committed;
    } finally {
      await this.#running;
      if (this.#state === 'open' && !this.#writer.isSynced) await this.#sync();
      await this.#writer.close(this.#state === 'open');
    }
    if (this.#state === 'failed') throw this.#tellFailure();
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'nothing is appended to a journal that was closed');
    if (this.#state !== 'open') throw this.#tellFailure();
  }

  /** The failure that ended the state `open`; with it, all that was not committed is dropped. */
  #tellFailure(): StorageError {
    if (this.#queue.isDropUntold) this.#queue.dropTail();
    return this.#failure!;
  }

  #wake(): void {
    this.#running ??= this.#run();
  }

  /** Does what there is to do, one thing after the other, and ends when there is nothing. It never rejects. */
  async #run(): Promise<void> {
    // What else is appended in this turn of the event loop joins the first group.
    await undefined;
    while (true) {
      const between = this.#between.shift();
      if (between !== undefined) {
        await between();
        continue;
      }
      const task = this.#queue.next();
      if (task === undefined) break;
      if (task instanceof GroupBuffer) await this.#writeGroup(task);
      else await this.#switchFile(task);
    }
    this.#running = undefined;
  }

  async #writeGroup(group: GroupBuffer): Promise<void> {
    try {
      await this.#writer.write(group);
    } catch (error) {
      await this.#takeBack(error as StorageError, group.bytes.length);
      return;
    }
    this.#records += group.records;
    this.#groups++;
    if (this.#syncMode !== 'commit') this.#setTimer(this.#syncMode.periodMs, () => this.#syncPeriod());
    else if (!(await this.#sync())) return;
    this.#queue.finish();
  }

  /** Whether the sync went well; if not, the journal has failed. */
  async #sync(): Promise<boolean> {
    try {
      await this.#writer.sync();
      this.#tellSynced();
      return true;
    } catch (error) {
      this.#fail(error as StorageError);
      return false;
    }
  }

  #tellSynced(): void {
    for (const waiter of this.#awaitingSync.splice(0)) waiter.resolve();
  }

  async #syncPeriod(): Promise<void> {
    if (this.#state === 'open' && !this.#writer.isSynced) await this.#sync();
  }

  /** After a failed write: removes what it may have left, then tells everybody that nothing is in the file. */
  async #takeBack(failure: StorageError, lostBytes: number): Promise<void> {
    this.#failure = failure;
    this.#changeState('full');
    try {
      await this.#writer.takeBack();
    } catch (error) {
      this.#fail(error as StorageError);
      return;
    }
    this.#log.error('journal: a write failed; nothing is taken until writing works again', {
      path: this.#path,
      error: failure,
    });
    this.#queue.dropAll(failure);
    // A periodic sync may have been due; all is synced now.
    this.#tellSynced();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#probeSoon(Math.max(PROBE_BYTES_MIN, lostBytes));
  }

  #probeSoon(byteCount: number): void {
    this.#setTimer(PROBE_INTERVAL_MS, () => this.#probe(byteCount));
  }

  /** Opens the journal again if as much as was refused can be written now. */
  async #probe(byteCount: number): Promise<void> {
    try {
      if (!(await this.#writer.canWrite(byteCount))) return this.#probeSoon(byteCount);
    } catch (error) {
      this.#fail(error as StorageError);
      return;
    }
    this.#log.info('journal: writing works again', { path: this.#path });
    this.#changeState('open');
  }

  async #switchFile(restart: Restart): Promise<void> {
    try {
      await this.#writer.replace(restart.openingRecords, restart.firstSequence);
    } catch (error) {
      const failure = asStorageError(error, 'WRITE_FAILED', 'beginning a new journal', this.#path);
      if (failure.code === 'SYNC_FAILED') this.#fail(failure);
      else this.#queue.fail(failure);
      return;
    }
    this.#tellSynced();
    this.#queue.finish();
  }

  #fail(failure: StorageError): void {
    this.#failure = failure;
    this.#log.error('journal: what is on disk is unknown; nothing is taken until the next start', {
      path: this.#path,
      error: failure,
    });
    this.#timer?.cancel();
    this.#changeState('failed');
    for (const waiter of this.#awaitingSync.splice(0)) waiter.reject(failure);
    this.#queue.dropAll(failure);
  }

  /** Does `due` after that time, when nothing else is being done; unless a timer is set already. */
  #setTimer(delayMs: number, due: () => Promise<void>): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#between.push(due);
      this.#wake();
    });
  }

  #changeState(state: JournalState): void {
    this.#state = state;
    this.#onState(state);
  }
}
