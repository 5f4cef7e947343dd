// storage-error.ts: everything that can go wrong with a disk, as a closed list of codes.
//
// The code says what the caller should do; the message says, in one line, what happened to which file. Node's own error
// is kept as `cause` for the log. Wrong use of this package (a record past the limit, use after close) is our own
// mistake and throws an AssertionError instead.

/**
 * What happened, and what the caller should do about it:
 *
 * - `CORRUPT`: a file does not check out and no crash explains it. Do not start; the file is left as it is for a person
 *   to look at (`path`, `offset`, and the reason in the message).
 * - `WRITE_FAILED`: a write was refused (disk full, quota, i/o error). Nothing of what was being committed is in the
 *   file: undo it, answer "not now", and go on when `Journal.state` is `open` again.
 * - `SYNC_FAILED`: a sync failed, and what is on disk is unknown. Neither confirm nor deny what was being committed;
 *   accept nothing more. Only a new start of the process, which reads the file again, ends this state.
 * - `LOCKED`: another living process uses the directory; the message names it. Stop that one first.
 * - `INACCESSIBLE`: a file or directory cannot be opened, read, created or renamed. Correct the path, the rights or the
 *   disk, and start again.
 * - `NO_SOCKETS`: a data directory lies on a file system without Unix-domain sockets. Use one on another.
 * - `MOUNTED_FILE`: a file is mounted by itself, so it cannot be replaced whole. Mount its directory.
 */
export type StorageErrorCode =
  | 'CORRUPT'
  | 'WRITE_FAILED'
  | 'SYNC_FAILED'
  | 'LOCKED'
  | 'INACCESSIBLE'
  | 'NO_SOCKETS'
  | 'MOUNTED_FILE';

export interface StorageErrorDetails {
  /** The file or directory concerned. */
  readonly path: string;
  /** Where in the file, in bytes from its start; only with CORRUPT. */
  readonly offset?: number;
  readonly cause?: unknown;
}

/** An expected failure of the disk or of what lies on it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly path: string;
  readonly offset: number | undefined;

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    details: StorageErrorDetails,
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.path = details.path;
    this.offset = details.offset;
  }
}

/** The operating system's code (`ENOSPC`, `EACCES`, …), or undefined if `error` is none of its errors. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** Whether a write failed for want of room: on the disk, in the quota, or in what the process may write. */
export function isOutOfRoom(error: unknown): boolean {
  const code = systemCode(error instanceof StorageError ? error.cause : error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** `error` as a StorageError with that code; one that already is a StorageError stays what it is. */
export function asStorageError(error: unknown, code: StorageErrorCode, doing: string, path: string): StorageError {
  if (error instanceof StorageError) return error;
  return new StorageError(code, `${path}: ${doing} failed (${systemCode(error) ?? String(error)})`, {
    path,
    cause: error,
  });
}

/** As asStorageError(), for an error of the file system; one that somebody else's code threw is passed on as it is. */
export function translated(error: unknown, code: StorageErrorCode, doing: string, path: string): unknown {
  return systemCode(error) === undefined ? error : asStorageError(error, code, doing, path);
}
