// Tests are compiled with the sources: what is tested is what runs.

import { availableParallelism } from 'node:os';

/** What takes longest begins first, so that no core is left with it at the end. */
const LONGEST = [
  'held-finds/protocol-explorer',
  'held-finds/held-finds',
  'lock/lock-explorer',
  'system/start-and-stop',
  'catalog/catalog-large',
  'catalog/catalog-life',
  'linearizability/real-histories',
  'simulation/store-mutations',
  'simulation/store',
  'simulation/journal',
  'system/stop',
];

const placeOf = (/** @type {string} */ file) => {
  const place = LONGEST.findIndex((name) => file.endsWith(`${name}.test.js`));
  return place === -1 ? LONGEST.length : place;
};

// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/**/*.test.js'],
  timeout: '2m',
  workerThreads: false,
  // Many start services of several threads: more at a time would only take turns.
  concurrency: Math.min(4, availableParallelism()),
  sortTestFiles: (/** @type {string} */ one, /** @type {string} */ other) =>
    placeOf(one) - placeOf(other) || (one < other ? -1 : 1),
};
