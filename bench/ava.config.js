// The benchmarks' own tests: `npm run bench -- test`. They need bench/'s packages, so `npm test` leaves them out.
// biome-ignore lint/style/noDefaultExport: ava reads its configuration from there
export default {
  files: ['dist/bench/test/**/*.test.js'],
  timeout: '1m',
  workerThreads: false,
  concurrency: 2,
};
