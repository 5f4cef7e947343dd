// `npm run test:page`: the page in a real Chromium; not part of `npm test`.

import { existsSync } from 'node:fs';

const chromium = process.env.CHROMIUM || '/usr/bin/chromium';
if (!existsSync(chromium)) {
  process.stderr.write(`no Chromium at ${chromium}: install Debian's package chromium, or name another in CHROMIUM\n`);
  process.exit(1);
}

// biome-ignore lint/style/noDefaultExport: ava reads nothing else
export default {
  files: ['dist/test/page/*.page.js'],
  timeout: '5m',
  workerThreads: false,
  // A browser and a store of three services each: more at a time would only take turns.
  concurrency: 1,
};
