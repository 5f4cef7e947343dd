// `npm run test:postgres`: over a real PostgreSQL, which the tests start by themselves, and what is
// deployed with it; not part of `npm test`.
// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/postgres/**/*.postgres.js', 'dist/test/deploy/*.deploy.js'],
  timeout: '5m',
  workerThreads: false,
  concurrency: 2,
};
