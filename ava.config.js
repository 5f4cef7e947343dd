// Tests are compiled with the sources: what is tested is what runs.

import { availableParallelism } from 'node:os';

/** What takes longest begins first, so that no core is left with it at the end. */
const LONGEST = [
  'system/start-and-stop',
  'held-finds/two-front-ends',
  'system/touched-files',
  'chaos/chaos',
  'pool/pool-load',
  'held-finds/held-finds',
  'system/full-disk',
  'exercises',
  'system/stop',
  'system/both-books',
  'system/traces-trouble',
  'tls/https',
  'held-finds/delegated-sales',
  'held-finds/protocol-explorer',
  'simulation/store',
  'system/tls-store',
  'system/grpc-stock-client',
  'linearizability/real-histories',
  'simulation/delegations',
  'catalog/catalog-life',
  'catalog/touched-files',
  'lock/lock-explorer',
  'pool/descriptor-limit',
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
  // More than there are cores: many tests wait, for a deadline, a lease, a service that starts or stops.
  concurrency: Math.min(8, availableParallelism() + 3),
  sortTestFiles: (/** @type {string} */ one, /** @type {string} */ other) =>
    placeOf(one) - placeOf(other) || (one < other ? -1 : 1),
};
