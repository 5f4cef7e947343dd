// journal-file.ts: where a journal's file comes from: opened and repaired, or created whole under its name at once.

import { dirname } from 'node:path';
import { type FileSystem, writeAll } from './file-system.js';
import type { GuardedFile } from './guarded-file.js';
import { type OnRecord, replay } from './journal-reader.js';
import { repair } from './journal-repair.js';
import { encodeHeader, encodeRecord, HEADER_BYTES, recordBytes } from './record-format.js';
import { isOutOfRoom, type StorageError, translated } from './storage-error.js';
import type { StorageLog } from './storage-log.js';

export interface OpenedJournal {
  /** Where the next record goes. */
  readonly end: number;
  /** Up to here the file reaches: zeros, behind `end`. */
  readonly allocated: number;
  readonly nextSequence: number;
  /** Why there is no file: the disk has no room for a new one. */
  readonly missing?: StorageError;
}

export const FIRST_SEQUENCE = 1;

/**
 * The journal of that file, replayed, repaired and on disk; or a new one.
 *
 * @throws StorageError CORRUPT, INACCESSIBLE; when created, also as replaceFile does, but for a disk without room
 */
export async function openJournalFile(
  guarded: GuardedFile,
  fileSystem: FileSystem,
  log: StorageLog,
  onRecord: OnRecord,
): Promise<OpenedJournal> {
  const { file, path } = guarded;
  if (file === undefined) return createFirst(guarded);
  try {
    const found = await replay(file, path, onRecord);
    await repair({ file, path, found }, fileSystem, log);
    // The crash may have come between the rename that gave the file its name and the sync of that name.
    await fileSystem.syncDirectory(dirname(path));
    const allocated = found.isTorn ? found.end : found.size;
    return { end: found.end, allocated, nextSequence: found.nextSequence };
  } catch (error) {
    // What onRecord threw is the caller's own.
    throw translated(error, 'INACCESSIBLE', 'reading and repairing', path);
  }
}

async function createFirst(guarded: GuardedFile): Promise<OpenedJournal> {
  try {
    return await createJournalFile(guarded, [], FIRST_SEQUENCE);
  } catch (error) {
    if (!isOutOfRoom(error)) throw error;
    return { end: 0, allocated: 0, nextSequence: FIRST_SEQUENCE, missing: error as StorageError };
  }
}

/**
 * Puts a new journal in the place of the file.
 *
 * @param openingRecords payloads that stand for everything before
 * @throws StorageError as replaceFile does
 */
export async function createJournalFile(
  guarded: GuardedFile,
  openingRecords: readonly Uint8Array[],
  firstSequence: number,
): Promise<OpenedJournal> {
  const end = openingRecords.reduce((sum, payload) => sum + recordBytes(payload.length), HEADER_BYTES);
  const bytes = Buffer.allocUnsafe(end);
  bytes.set(encodeHeader({ openingCount: openingRecords.length, firstSequence }));
  let offset = HEADER_BYTES;
  for (const [index, payload] of openingRecords.entries()) offset = encodeRecord(bytes, offset, payload, index + 1);
  await guarded.replace((aside) => writeAll(aside, bytes, 0));
  return { end, allocated: end, nextSequence: firstSequence };
}
