// The heap that a service's threads begin with: large enough that they seldom scavenge. V8's flag for it must do in every
// version of Node.js what it says.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';

const RUN_SERVICE = new URL('../../src/run-service.js', import.meta.url).href;

/** Allocates 3 MiB that nobody keeps, and says how often the collector ran meanwhile. */
const THREAD = `
  const { PerformanceObserver } = require('node:perf_hooks');
  const { parentPort } = require('node:worker_threads');
  let collections = 0;
  new PerformanceObserver((list) => { collections += list.getEntries().length; }).observe({ entryTypes: ['gc'] });
  let last;
  for (let index = 0; index < 384; index++) last = new Array(1024).fill(index + 0.5);
  setTimeout(() => parentPort.postMessage(last.length > 0 ? collections : -1), 20);
`;

/** A service that tells what such a thread has said, and is done. */
const SERVICE = `
  import { Worker } from 'node:worker_threads';
  import { runService } from '${RUN_SERVICE}';
  await runService('catalog', async () => {
    const thread = new Worker(${JSON.stringify(THREAD)}, { eval: true, execArgv: [] });
    const collections = await new Promise((resolve) => thread.once('message', resolve));
    return { address: String(collections), failed: Promise.resolve(new Error('done')), stop: async () => {} };
  }, []);
`;

test('a thread of a service allocates 3 MiB without a scavenge', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SERVICE], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  await once(child, 'close');
  t.is(output, 'catalog ready on 0\n');
});
