// Tests are compiled with the sources: what is tested is what runs.
// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/**/*.test.js'],
  timeout: '2m',
  workerThreads: false,
  concurrency: 2,
};
