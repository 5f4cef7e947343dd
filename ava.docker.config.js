// `npm run test:docker`: the images and the compose file on a real Docker engine; not part of `npm test`.
// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/docker/*.docker.js'],
  timeout: '10m',
  workerThreads: false,
  serial: true,
  // Both stories build the same images.
  concurrency: 1,
};
