// journal-writer.ts: the end of a journal's file. What is done to the file is here, what it means is journal.ts's affair.
//
//   ... | record | record |                    end: behind the last record that stays
//                 ^ isSynced: all before `end` is on disk
//
// Calls are made one after the other. Each throws a StorageError that says what is known of the file afterwards:
// WRITE_FAILED: something may stand behind `end`, and takeBack() removes it; SYNC_FAILED: nothing is known.

import { type FileSystem, type OpenFile, writeAll, writeAtOnce } from './file-system.js';
import type { GroupBuffer } from './group-buffer.js';
import { createJournalFile, type OpenedJournal } from './journal-file.js';
import type { SyncTimes } from './journal-stats.js';
import { asStorageError } from './storage-error.js';

export class JournalWriter {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  readonly #syncTimes: SyncTimes;
  #file: OpenFile;
  #end: number;
  #isSynced = true;

  /** @param opened a journal that is whole and on disk up to its end */
  constructor(path: string, fileSystem: FileSystem, syncTimes: SyncTimes, opened: OpenedJournal) {
    this.#path = path;
    this.#fileSystem = fileSystem;
    this.#syncTimes = syncTimes;
    this.#file = opened.file;
    this.#end = opened.end;
  }

  /** Behind the last record, in bytes from the start of the file. */
  get end(): number {
    return this.#end;
  }

  /** Whether everything before `end` is on disk. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Writes a group behind all others, in one call. Throws WRITE_FAILED. */
  async write(group: GroupBuffer): Promise<void> {
    if (this.#isSynced) group.markAfterSync();
    const { bytes } = group;
    try {
      await writeAtOnce(this.#file, bytes, this.#end);
    } catch (error) {
      throw asStorageError(error, 'WRITE_FAILED', 'writing', this.#path);
    }
    this.#end += bytes.length;
    this.#isSynced = false;
  }

  /** Brings all that was written to the disk. Throws SYNC_FAILED. */
  async sync(): Promise<void> {
    try {
      await this.#syncTimes.measure(() => this.#file.datasync());
    } catch (error) {
      throw asStorageError(error, 'SYNC_FAILED', 'fdatasync', this.#path);
    }
    this.#isSynced = true;
  }

  /** Cuts off what a write that failed may have left behind `end`. Throws SYNC_FAILED. */
  async takeBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#end);
      await this.#file.datasync();
    } catch (error) {
      throw asStorageError(error, 'SYNC_FAILED', 'taking back a failed write', this.#path);
    }
    this.#isSynced = true;
  }

  /**
   * Whether that many bytes can be written and synced. They are zeros, which mean nothing to a reader, and are taken back.
   * Throws SYNC_FAILED.
   */
  async canWrite(byteCount: number): Promise<boolean> {
    const isWritable = await writeAll(this.#file, Buffer.alloc(byteCount), this.#end).then(
      () => true,
      () => false,
    );
    if (isWritable) await this.sync();
    await this.takeBack();
    return isWritable;
  }

  /**
   * Goes on in a new file that has taken the place of this one.
   *
   * @throws StorageError WRITE_FAILED: this file stays in use. SYNC_FAILED: it is not known which one would be found.
   */
  async replace(openingRecords: readonly Uint8Array[], firstSequence: number): Promise<void> {
    const old = this.#file;
    const opened = await createJournalFile(this.#path, this.#fileSystem, openingRecords, firstSequence);
    this.#file = opened.file;
    this.#end = opened.end;
    this.#isSynced = true;
    // It has no name any more: how its closing ends is nobody's concern.
    await old.close().catch(() => undefined);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
