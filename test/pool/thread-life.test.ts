// Threads beyond the first ones, as they come and go: none is ended while it is used, and one that is on its way out
// stands in nobody's way.

import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { EchoData } from './fixtures/echo-thread.js';
import { LineClient } from './support/line-client.js';
import { forEachHandoff, startPool, until } from './support/pools.js';

/** A thread that retires is there for this long, since its service never comes to an end by itself. */
const RETIRING_MS = 300;
const RETIRES_SLOWLY = { idleThreadTimeoutMs: 20, drainTimeoutMs: RETIRING_MS };
const ignoresDrain: EchoData = { ignoresDrain: true };

forEachHandoff(test, 'a connection that comes while an extra thread retires gets another', async (t, handoff) => {
  const options = { threads: 1, maxThreads: 2, sessionsPerThread: 1, ...RETIRES_SLOWLY, data: ignoresDrain };
  const { pool, port } = await startPool(t, { handoff, ...options });
  const [first, second] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
  t.deepEqual(await Promise.all([first.ask('who'), second.ask('who')]), ['thread 0', 'thread 1']);
  await second.close();
  await until(() => pool.stats().threads.some(({ state }) => state === 'draining'));
  const third = await LineClient.connect(port);
  t.is(await third.ask('who'), 'thread 1');
  t.like(pool.stats(), { threadsSpawned: 3, refused: 0 });
});

forEachHandoff(test, 'the pool grows for those who come next also where nobody may wait', async (t, handoff) => {
  const { pool, port } = await startPool(t, {
    ...{ handoff, threads: 1, maxThreads: 2, sessionsPerThread: 1, queueMax: 0 },
    onRefused: (socket) => socket.end('busy\n'),
  });
  const first = await LineClient.connect(port);
  t.is(await first.ask('who'), 'thread 0');
  const refused = await LineClient.connect(port);
  t.is(await refused.read(), 'busy');
  await until(() => pool.stats().threads.filter(({ state }) => state === 'ready').length === 2);
  const second = await LineClient.connect(port);
  t.is(await second.ask('who'), 'thread 1');
});

forEachHandoff(test, 'a thread that dies while an extra one retires is replaced at once', async (t, handoff) => {
  const options = { threads: 1, maxThreads: 2, sessionsPerThread: 1, ...RETIRES_SLOWLY, data: ignoresDrain };
  const { pool, port } = await startPool(t, { handoff, ...options });
  const [first, second] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
  await Promise.all([first.ask('who'), second.ask('who')]);
  await second.close();
  await until(() => pool.stats().threads.some(({ state }) => state === 'draining'));
  first.send('exit');
  await until(() => pool.stats().threads.some(({ state }) => state === 'ready') && pool.stats().threadsFailed === 1);
  t.is(pool.stats().threadsSpawned, 3);
});

forEachHandoff(test, 'an extra thread is idle only from its last session on', async (t, handoff) => {
  const idleThreadTimeoutMs = 200;
  const options = { threads: 1, maxThreads: 2, sessionsPerThread: 1, idleThreadTimeoutMs };
  const { pool, port } = await startPool(t, { handoff, ...options });
  const first = await LineClient.connect(port);
  await first.ask('who');
  let lastSessionAtMs = 0;
  const idleForMs: number[] = [];
  pool.on('exit', () => idleForMs.push(performance.now() - lastSessionAtMs));
  // Short sessions and longer pauses, so that a look at the threads now and then hardly ever sees a session.
  for (const until = performance.now() + 5 * idleThreadTimeoutMs; performance.now() < until; ) {
    const client = await LineClient.connect(port);
    await client.ask('who');
    lastSessionAtMs = performance.now();
    await client.close();
    await delay(idleThreadTimeoutMs / 5);
  }
  await until(() => pool.stats().threadsRetired > 0);
  t.true(Math.min(...idleForMs) >= idleThreadTimeoutMs, `idle for ${idleForMs.join(', ')} ms`);
});
