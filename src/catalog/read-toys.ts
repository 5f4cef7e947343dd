// read-toys.ts: the toys that a catalog in files begins with: those of catalog.csv, or of the seed where there is none yet.

import { type FileSystem, type GuardedFile, readWholeFile } from '../storage/index.js';
import { CatalogError } from './catalog-error.js';
import { type CatalogRows, parseCatalog } from './catalog-file.js';

/** Toys as a file has them, with its bytes. @throws CatalogError BAD_FILE */
export async function readToys(
  csv: GuardedFile,
  seedPath: string,
  fileSystem: FileSystem,
): Promise<{ readonly bytes: Buffer; readonly rows: CatalogRows }> {
  const path = csv.file === undefined ? seedPath : csv.path;
  const bytes = await readFile(path, fileSystem);
  if (bytes === undefined) {
    throw new CatalogError('BAD_FILE', `${path}: no such file, and there is no ${csv.path}: set SEED_CSV`);
  }
  return { bytes, rows: parseCatalog(bytes, path) };
}

/** The content of a file, or undefined if there is none. Throws CatalogError BAD_FILE that names it. */
async function readFile(path: string, fileSystem: FileSystem): Promise<Buffer | undefined> {
  try {
    return await readWholeFile(path, fileSystem);
  } catch (cause) {
    throw new CatalogError('BAD_FILE', `${path} cannot be read`, { cause });
  }
}
