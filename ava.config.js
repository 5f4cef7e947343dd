// Tests are compiled with the sources: what is tested is what runs.

import { availableParallelism } from 'node:os';

// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/**/*.test.js'],
  timeout: '2m',
  workerThreads: false,
  // Many start services of several threads: more at a time would only take turns.
  concurrency: Math.min(4, availableParallelism()),
};
