// The exercises' own tests, red until somebody mends what they test: `npm run exercise -- 3`.

// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/exercises*/**/*.test.js'],
  timeout: '30s',
  // A thread begins in half the time of a process, and no exercise needs one.
  workerThreads: true,
};
