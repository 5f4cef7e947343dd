// journal-options.ts: the words in which a journal is asked for and speaks of itself.

import type { Clock } from '../clock.js';
import type { FileSystem } from './file-system.js';
import type { OnRecord } from './journal-reader.js';
import type { StorageLog } from './storage-log.js';

/**
 * `commit`: commit() waits for the sync. With a period: commit() waits for the write; a sync follows that soon, and synced()
 * waits for it.
 */
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
