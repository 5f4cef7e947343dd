// file-reader.ts: someone who looks into the store's files while services are being killed.
//
// Both are promised to be readable at any time: catalog.csv is always a whole file, whose stock never rises, and
// orders.csv has whole rows, numbered from 0 without gap, and never more of a toy than there was. How fresh they are is
// another matter, and that they agree is promised only at rest.

import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/log.js';
import { readBooks } from './book-reader.js';
import type { StoreBooks } from './books.js';
import type { ChaosToy } from './shelf.js';

/** Of its time the reader spends at most one part in this many on reading, so that long files do not slow all down. */
const REST_SHARE = 10;
const REST_MS_MIN = 100;

export interface FileReaderOptions {
  readonly dataDir: string;
  readonly shelf: readonly ChaosToy[];
  /** Aborted when it is enough. */
  readonly closing: AbortSignal;
  readonly onViolation: (what: string) => void;
  /** Files are taken away and put back: then nothing is said of those that are not there, or not the newest. */
  readonly isDisturbed: boolean;
}

/** Reads again and again until closing time. */
export async function keepReading(options: FileReaderOptions): Promise<void> {
  const { dataDir, shelf, closing, onViolation, isDisturbed } = options;
  let filedLast = new Map(shelf.map(({ name, stock }) => [name, stock]));
  while (!closing.aborted) {
    const startedAt = performance.now();
    try {
      const books = await readBooks(dataDir, shelf);
      for (const violation of checkFiles(shelf, books, filedLast)) onViolation(`while selling: ${violation}`);
      if (!isDisturbed) filedLast = new Map(books.filed);
    } catch (error) {
      const isAway = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isAway || !isDisturbed) onViolation(`while selling: a file could not be read: ${messageOf(error)}`);
    }
    const restMs = Math.max(REST_MS_MIN, (performance.now() - startedAt) * REST_SHARE);
    await pause(restMs, undefined, { signal: closing }).catch(() => undefined);
  }
}

function* checkFiles(
  shelf: readonly ChaosToy[],
  { rows, filed }: StoreBooks,
  filedLast: ReadonlyMap<string, number>,
): Generator<string> {
  const broken = rows.findIndex(({ number }, index) => number !== index);
  if (broken !== -1) yield `row ${broken} of orders.csv has number ${rows[broken]?.number}`;
  for (const { name, stock } of shelf) {
    const sold = rows.reduce((sum, row) => (row.name === name ? sum + row.quantity : sum), 0);
    if (!(sold <= stock)) yield `${name}: ${sold} in orders.csv, but there were ${stock}`;
    const left = filed.get(name) ?? Number.NaN;
    const before = filedLast.get(name) ?? Number.NaN;
    if (!(left <= before)) yield `${name}: catalog.csv says ${left} after ${before}`;
  }
}
