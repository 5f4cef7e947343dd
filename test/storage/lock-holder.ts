// lock-holder.ts: a process of its own for the tests of the directory lock: takes the lock of the directory given,
// prints `held` or the error's code and message, and holds it until its stdin ends.

import { writeSync } from 'node:fs';
import { lockDirectory, StorageError } from '../../src/storage/index.js';

const STDOUT = 1;

try {
  const lock = await lockDirectory(process.argv[2]!);
  writeSync(STDOUT, 'held\n');
  process.stdin.on('end', () => void lock.release()).resume();
} catch (error) {
  writeSync(STDOUT, `${error instanceof StorageError ? error.code : 'unexpected'} ${(error as Error).message}\n`);
}
