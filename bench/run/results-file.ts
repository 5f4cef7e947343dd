// results-file.ts: reads a results.json that an earlier run wrote.

import { readFile } from 'node:fs/promises';
import { BenchUsageError } from './bench-options.js';
import type { BenchResults } from './results.js';

/** @throws BenchUsageError when the file cannot be read or is no results.json */
export async function readResults(file: string): Promise<BenchResults> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new BenchUsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const { rows, figures, machine } = (value ?? {}) as Partial<BenchResults>;
  if (!Array.isArray(rows) || !Array.isArray(figures) || machine === undefined) {
    throw new BenchUsageError(`${file} is not a results.json of \`npm run bench\``);
  }
  return value as BenchResults;
}
