// atomic-file.ts: a file that is replaced whole or not at all.
//
//   write <path>.new  ->  fsync  ->  rename to <path>  ->  fsync the folder
//
// A crash before the rename leaves the old file, and perhaps a <path>.new that the next replacement writes over. A crash
// after it leaves the old or the new one, whole in either case, until the folder is synced; from then on the new one.

import { dirname } from 'node:path';
import { type FileSystem, nodeFileSystem, type OpenFile, writeAll } from './file-system.js';
import { asStorageError, StorageError, translated } from './storage-error.js';

/** Chunks are gathered up to this many bytes before they are written: a write call per row would cost more than the rows. */
const WRITE_BYTES = 256 * 1024;

/** Where a file is written before it takes the place of `path`. */
export function asidePath(path: string): string {
  return `${path}.new`;
}

/**
 * Replaces the content of `path`, which need not exist yet. When the promise resolves, the new content is on disk under
 * that name.
 *
 * @param chunks the new content, in order; strings as UTF-8
 * @throws StorageError WRITE_FAILED, or what `chunks` threw: the old file is in place as before. SYNC_FAILED: either the old or the new file is
 *   in place, and it is unknown which one a crash would leave.
 */
export async function replaceFile(
  path: string,
  chunks: Iterable<string | Uint8Array>,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const file = await createInPlace(path, fileSystem, (aside) => writeChunks(aside, chunks));
  await file.close();
}

/** Writes chunks one behind the other, from the beginning of the file on. */
export async function writeChunks(file: OpenFile, chunks: Iterable<string | Uint8Array>): Promise<void> {
  let position = 0;
  for (const batch of gathered(chunks)) {
    await writeAll(file, batch, position);
    position += batch.length;
  }
}

/**
 * Creates `path`, or puts a new file in its place, with what `fill` writes; returns it still open.
 *
 * @param clear called when the new file is on disk as asidePath(path), and again where somebody has put another file at the path
 *   since; returns the identity of what the path names and may be lost, undefined if it names nothing. Left out: anything may.
 *   If it throws, what is at the path stays
 * @throws StorageError as replaceFile does
 */
export async function createInPlace(
  path: string,
  fileSystem: FileSystem,
  fill: (file: OpenFile) => Promise<void>,
  clear?: () => Promise<string | undefined>,
): Promise<OpenFile> {
  const aside = asidePath(path);
  let file: OpenFile | undefined;
  /** The old file or the new one: nobody knows which. */
  let isInDoubt = false;
  try {
    file = await fileSystem.open(aside, 'create');
    if (file === undefined) throw new StorageError('INACCESSIBLE', `${aside}: cannot be created`, { path: aside });
    await fill(file);
    await file.sync();
    while (!isInDoubt) {
      const old = await clear?.();
      isInDoubt = true;
      if (clear === undefined) await fileSystem.rename(aside, path);
      else isInDoubt = await fileSystem.renameOver(aside, path, old);
    }
    await fileSystem.syncDirectory(dirname(path));
    return file;
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (isInDoubt) throw asStorageError(error, 'SYNC_FAILED', 'putting the new version in place', path);
    await fileSystem.remove(aside).catch(() => undefined);
    throw translated(error, 'WRITE_FAILED', 'writing a new version aside', path);
  }
}

function* gathered(chunks: Iterable<string | Uint8Array>): Iterable<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const piece =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    batch.push(piece);
    bytes += piece.length;
    if (bytes >= WRITE_BYTES) {
      yield Buffer.concat(batch, bytes);
      batch = [];
      bytes = 0;
    }
  }
  if (bytes > 0) yield Buffer.concat(batch, bytes);
}
