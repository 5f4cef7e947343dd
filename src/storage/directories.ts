// directories.ts: directories and the names in them, made so that a power failure does not take them away with all that was
// synced in them.

import { constants } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { StorageError, systemCode } from './storage-error.js';

/** Puts the names in a directory on disk: those created, renamed and removed. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems have no such call for directories; their renames are durable in their own way.
    if (systemCode(error) !== 'EINVAL') throw error;
  } finally {
    await directory.close();
  }
}

/**
 * Makes a directory with all its parents, on disk; it is fine if it exists.
 *
 * Not with mkdir's own `recursive`: where a directory can be looked at but nothing be made in it, as in /proc, Node 20 to 26
 * try again for ever.
 *
 * @throws StorageError INACCESSIBLE
 */
export async function createDirectory(path: string): Promise<void> {
  try {
    await create(resolve(path));
  } catch (cause) {
    throw new StorageError('INACCESSIBLE', `${path} cannot be created`, { path, cause });
  }
}

async function create(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const parent = dirname(path);
  await create(parent);
  try {
    await mkdir(path);
  } catch (error) {
    // Another service may make the directory that both have theirs in.
    if (systemCode(error) === 'EEXIST' && (await isDirectory(path))) return;
    throw error;
  }
  await syncDirectory(parent);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
