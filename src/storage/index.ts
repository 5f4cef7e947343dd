// storage: what a service keeps on disk. An append-only journal with group commit, files replaced whole, and one process
// per directory. It knows nothing of what the bytes mean.

export { replaceFile, writeChunks } from './atomic-file.js';
export { createDirectory } from './directories.js';
export { type DirectoryLock, lockDirectory } from './directory-lock.js';
export { secondNameOf } from './file-names.js';
export {
  type FileStat,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
  type OpenMode,
  readFully,
  readWholeFile,
  writeAll,
} from './file-system.js';
export { type FileCheck, type FileFinding, GuardedFile } from './guarded-file.js';
export { Journal } from './journal.js';
export type { JournalOptions, JournalState, SyncMode } from './journal-options.js';
export type { OnRecord } from './journal-reader.js';
export { type JournalStats, SyncTimes } from './journal-stats.js';
export { PAYLOAD_BYTES_MAX } from './record-format.js';
export { isOutOfRoom, StorageError, type StorageErrorCode } from './storage-error.js';
export { type StorageLog, silentLog } from './storage-log.js';
