// A stop under bad luck: it ends within 10 s, clean, or with an exit code that says that it was not; and nothing is lost.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import ava from 'ava';
import { STOP_MS } from '../../src/stop-budgets.js';
import { booksOf, stopTimed } from '../support/stopped-store.js';
import { buy } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

// One after the other: each starts up to five processes.
const test = ava.serial;

test('a catalog that stands still is killed in its time, the exit code says so, and nothing is lost', async (t) => {
  await using store = await StoreProcess.start('start');
  t.is((await buy(store.port, 'Tux', 3)).status, 200);
  const catalog = store.servicePid('catalog');
  process.kill(catalog, 'SIGSTOP');
  // On its way when the stop begins: the order service cannot learn what became of it.
  const open = buy(store.port, 'Tux', 2, 'open').catch(() => undefined);
  await delay(100);
  const { code, seconds } = await stopTimed(store);
  await open;
  t.is(code, 1);
  t.true(seconds < STOP_MS / 1_000, `${seconds} s`);
  t.true(store.logs.some(({ message, of }) => message === 'service did not stop in time: killed' && of === 'catalog'));
  const { stock, nextOrder } = await booksOf(store.dataDir);
  // The open order reached the catalog or it did not: either way both books say the same.
  t.true([97, 95].includes(stock), String(stock));
  t.is(nextOrder, `{"data":{"order_number":${stock === 97 ? 1 : 2}}}`);
});

/** Runs a made-up service under the name of the front end, whose time is the shortest, and asks it to stop. */
async function stopService(stop: string): Promise<{ code: number; logs: string }> {
  const runService = new URL('../../src/run-service.js', import.meta.url).href;
  const program = `
    import { runService } from '${runService}';
    const service = { address: 'nowhere', failed: new Promise(() => {}), stop: ${stop} };
    setInterval(() => {}, 1000);
    process.exit(await runService('frontend', async () => service, []));
  `;
  const env = { ...process.env, FRONTEND_PORT: '0' };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env });
  const logs = text(child.stderr);
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  return { code, logs: await logs };
}

test('a service that is not done in its time gives up by itself, and its exit code says so', async (t) => {
  const { code, logs } = await stopService('() => new Promise(() => {})');
  t.is(code, 1);
  t.regex(logs, /"level":"error".*"message":"did not stop in time: what was under way is given up"/);
});

test('a service that could not write what it had to says so with its exit code', async (t) => {
  const { code, logs } = await stopService('() => Promise.reject(new Error("no space left on device"))');
  t.is(code, 1);
  t.regex(logs, /"level":"error".*"message":"stopped, but not cleanly","error":"no space left on device"/);
});
