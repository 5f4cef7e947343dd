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

import { copyBytes, type FileSystem, type OpenFile } from './file-system.js';
import type { Replay } from './journal-reader.js';
import type { StorageLog } from './storage-log.js';

/** Where a torn tail is kept. */
function tornPath(path: string): string {
  return `${path}.torn`;
}

interface FoundJournal {
  readonly file: OpenFile;
  readonly path: string;
  readonly found: Replay;
}

/** Cuts off a torn tail, and makes sure of what lies before it. Errors are the file's own. */
export async function repair(journal: FoundJournal, fileSystem: FileSystem, log: StorageLog): Promise<void> {
  const { file, found } = journal;
  if (found.isTorn) {
    await keepTail(journal, fileSystem, log);
    await file.truncate(found.end);
  }
  await copyBytes(file, found.unsyncedFrom, found.end, file, found.unsyncedFrom);
  await file.datasync();
}

async function keepTail({ file, path, found }: FoundJournal, fileSystem: FileSystem, log: StorageLog): Promise<void> {
  const fields = { path, offset: found.end, bytes: found.size - found.end };
  try {
    const kept = await fileSystem.open(tornPath(path), 'create');
    if (kept === undefined) return;
    try {
      await copyBytes(file, found.end, found.size, kept, 0);
    } finally {
      await kept.close();
    }
    log.warn('journal: a torn tail was cut off', { ...fields, keptAs: tornPath(path) });
  } catch (error) {
    // A full disk must not keep the service from starting: nothing in the tail was ever confirmed.
    log.warn('journal: a torn tail was cut off and could not be kept', { ...fields, error });
  }
}
