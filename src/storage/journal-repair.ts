// journal-repair.ts: makes a journal that was read to its end fit to be appended to.
//
//   torn tail       kept as <path>.torn (the newest one alone), then cut off, then synced
//   zeros           stay: room for what comes next
//   unsynced part   written again as it is, then synced
//
// Why again: if the process before this one died after a failed sync, what it wrote may lie in the cache as if all were
// well, and neither be on disk nor ever go there, because the failure was reported once and the pages count as clean.
// What is written again is dirty again, so the sync that follows means what it says. Only then may anybody act on these
// records.

import { type FileSystem, type OpenFile, readFully, writeAll } from './file-system.js';
import type { Replay } from './journal-reader.js';
import type { StorageLog } from './storage-log.js';

const COPY_BYTES = 1024 * 1024;

/** Where a torn tail is kept. */
export function tornPath(path: string): string {
  return `${path}.torn`;
}

/** Cuts off a torn tail, and makes sure of what lies before it. Errors are the file's own. */
export async function repair(
  fileSystem: FileSystem,
  file: OpenFile,
  path: string,
  found: Replay,
  log: StorageLog,
): Promise<void> {
  if (found.isTorn) {
    await keepTail(fileSystem, file, path, found, log);
    await file.truncate(found.end);
  }
  await copy(file, found.unsyncedFrom, file, found.unsyncedFrom, found.end);
  await file.datasync();
}

async function keepTail(
  fileSystem: FileSystem,
  file: OpenFile,
  path: string,
  found: Replay,
  log: StorageLog,
): Promise<void> {
  const fields = { path, offset: found.end, bytes: found.size - found.end };
  try {
    const kept = await fileSystem.open(tornPath(path), 'create');
    if (kept === undefined) return;
    try {
      await copy(file, found.end, kept, 0, found.size);
    } finally {
      await kept.close();
    }
    log.warn('journal: a torn tail was cut off', { ...fields, keptAs: tornPath(path) });
  } catch (error) {
    // A full disk must not keep the service from starting: nothing in the tail was ever confirmed.
    log.warn('journal: a torn tail was cut off and could not be kept', { ...fields, error });
  }
}

/** Copies bytes `start` to `end` of one file to `position` of another, or of the same one. */
async function copy(from: OpenFile, start: number, to: OpenFile, position: number, end: number): Promise<void> {
  const chunk = Buffer.allocUnsafe(Math.min(COPY_BYTES, end - start));
  for (let done = 0; start + done < end; ) {
    const length = await readFully(from, chunk.subarray(0, Math.min(chunk.length, end - start - done)), start + done);
    if (length === 0) break;
    await writeAll(to, chunk.subarray(0, length), position + done);
    done += length;
  }
}
