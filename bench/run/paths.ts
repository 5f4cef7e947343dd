// paths.ts: where things are, seen from the compiled benchmarks (bench/dist/bench/run).

import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
/** bench/ with its sources and packages. */
export const BENCH_FOLDER = path.join(ROOT, 'bench');
/** The compiled bench/, with one folder for each of its own. */
export const COMPILED_FOLDER = path.join(BENCH_FOLDER, 'dist', 'bench');
/** Data directories of measured stores: on the disk that the store would use, not on a memory file system. */
export const DATA_FOLDER = path.join(ROOT, 'var');
/** One folder for each run. */
export const RESULTS_FOLDER = path.join(BENCH_FOLDER, 'results');
