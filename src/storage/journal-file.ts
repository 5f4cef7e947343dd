// journal-file.ts: where a journal's file comes from: opened and repaired, or created whole under its name at once.

import { dirname } from 'node:path';
import { asidePath, createInPlace } from './atomic-file.js';
import { type FileSystem, type OpenFile, writeAll } from './file-system.js';
import { type OnRecord, replay } from './journal-reader.js';
import { repair } from './journal-repair.js';
import { encodeHeader, encodeRecord, HEADER_BYTES, recordBytes } from './record-format.js';
import { asStorageError, translated } from './storage-error.js';
import type { StorageLog } from './storage-log.js';

export interface OpenedJournal {
  readonly file: OpenFile;
  /** Where the next record goes. */
  readonly end: number;
  /** Up to here the file reaches: zeros, behind `end`. */
  readonly allocated: number;
  readonly nextSequence: number;
}

const FIRST_SEQUENCE = 1;

/**
 * The journal at `path`, replayed, repaired and on disk; or a new one.
 *
 * @throws StorageError CORRUPT, INACCESSIBLE; when created, also as replaceFile does
 */
export async function openJournalFile(
  path: string,
  fileSystem: FileSystem,
  log: StorageLog,
  onRecord: OnRecord,
): Promise<OpenedJournal> {
  let file: OpenFile | undefined;
  try {
    file = await fileSystem.open(path, 'update');
    // Left by a crash while a new journal was being written.
    await fileSystem.remove(asidePath(path));
  } catch (error) {
    throw asStorageError(error, 'INACCESSIBLE', 'opening', path);
  }
  if (file === undefined) return createJournalFile(path, fileSystem, [], FIRST_SEQUENCE);
  try {
    const found = await replay(file, path, onRecord);
    await repair(fileSystem, file, path, found, log);
    // The crash may have come between the rename that gave the file its name and the sync of that name.
    await fileSystem.syncDirectory(dirname(path));
    const allocated = found.isTorn ? found.end : found.size;
    return { file, end: found.end, allocated, nextSequence: found.nextSequence };
  } catch (error) {
    await file.close().catch(() => undefined);
    // What onRecord threw is the caller's own.
    throw translated(error, 'INACCESSIBLE', 'reading and repairing', path);
  }
}

/**
 * Puts a new journal in the place of `path`.
 *
 * @param openingRecords payloads that stand for everything before
 * @throws StorageError as replaceFile does
 */
export async function createJournalFile(
  path: string,
  fileSystem: FileSystem,
  openingRecords: readonly Uint8Array[],
  firstSequence: number,
): Promise<OpenedJournal> {
  const end = openingRecords.reduce((sum, payload) => sum + recordBytes(payload.length), HEADER_BYTES);
  const bytes = Buffer.allocUnsafe(end);
  bytes.set(encodeHeader({ openingCount: openingRecords.length, firstSequence }));
  let offset = HEADER_BYTES;
  for (const [index, payload] of openingRecords.entries()) offset = encodeRecord(bytes, offset, payload, index + 1);
  const file = await createInPlace(path, fileSystem, (aside) => writeAll(aside, bytes, 0));
  return { file, end, allocated: end, nextSequence: firstSequence };
}
