// The pool under load: ten thousand connections leave nothing behind; a thread that is killed and a pool that is
// closed under load lose nobody else's work; and a full descriptor table is an answer, not an end.

import { readdirSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import test from 'ava';
import { call } from '../../src/port-calls.js';
import type { EchoCalls } from './fixtures/echo-thread.js';
import { collectedHeapBytes } from './support/heap.js';
import { LineClient } from './support/line-client.js';
import { forEachHandoff, startPool, until } from './support/pools.js';

const CONNECTIONS = 10_000;
const AT_A_TIME = 50;
/** Noise of the heap; a leak of the smallest object per connection would be more. */
const GROWTH_BYTES_MAX = CONNECTIONS * 50;

/** Opens, asks once and closes, so many times. */
async function connectAndLeave(port: number, count: number): Promise<void> {
  let left = count;
  const visit = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const client = await LineClient.connect(port);
      if ((await client.ask('who')) === undefined) throw new Error('not served');
      await client.close();
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, visit));
}

forEachHandoff(
  test.serial,
  `${CONNECTIONS} connections leave no descriptor and no memory behind`,
  async (t, handoff) => {
    const ports: MessagePort[] = [];
    const { pool, port } = await startPool(t, { handoff, threads: 2 }, (pool) =>
      pool.on('spawn', (spawned) => ports.push(spawned.port)),
    );
    const measure = async () => {
      const threadHeaps = ports.map((port) => call<EchoCalls, 'heapBytes'>(port, 'heapBytes', undefined));
      const heaps = await Promise.all([collectedHeapBytes(), ...threadHeaps]);
      return {
        heaps,
        descriptors: readdirSync('/proc/self/fd').length,
        resources: process.getActiveResourcesInfo().length,
      };
    };
    // What the first connections bring to stay: code, and pools of buffers.
    await connectAndLeave(port, CONNECTIONS / 4);
    await until(() => pool.stats().sessions === 0);
    const before = await measure();
    await connectAndLeave(port, CONNECTIONS);
    await until(() => pool.stats().sessions === 0);
    const after = await measure();
    t.is(after.descriptors, before.descriptors);
    t.is(after.resources, before.resources);
    const growth = after.heaps.map((bytes, index) => bytes - before.heaps[index]!);
    for (const bytes of growth) t.true(bytes < GROWTH_BYTES_MAX, `${bytes} bytes more`);
    t.like(pool.stats(), { accepted: CONNECTIONS * 1.25, lost: 0, refused: 0 });
    t.log(`bytes more, on the accepting thread and the others: ${growth.join(', ')}`);
  },
);

forEachHandoff(test.serial, 'a thread killed under load loses only its own sessions', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 2 });
  const clients = await LineClient.connectMany(port, 40);
  const names = await Promise.all(clients.map((client) => client.ask('who')));
  const doomed = names[0];
  let isOver = false;
  const work = clients.map(async (client) => {
    for (let answers = 0; ; answers += 1) {
      if (isOver && answers > 0) return 'served';
      if ((await client.ask('who')) === undefined) return 'lost';
    }
  });
  clients[0]!.send('crash');
  await until(
    () =>
      pool.stats().threadsFailed === 1 && pool.stats().threads.filter(({ state }) => state === 'ready').length === 2,
  );
  isOver = true;
  const ends = await Promise.all(work);
  t.deepEqual(
    ends,
    names.map((name) => (name === doomed ? 'lost' : 'served')),
  );
  t.is(pool.stats().lost, 20);
});

forEachHandoff(test.serial, 'a drain under load answers everything in flight', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 2 });
  const clients = await LineClient.connectMany(port, 60);
  let sent = 0;
  let answered = 0;
  const work = clients.map(async (client) => {
    // Each client waits for an answer before the next question, so an unanswered one was in flight.
    for (;;) {
      sent += 1;
      const answer = await client.ask('later 5');
      if (answer === undefined) return client.closed;
      answered += 1;
    }
  });
  await until(() => answered >= 300);
  await pool.close();
  const ends = await Promise.all(work);
  // The one question each may have sent after its session was closed was never in flight.
  t.true(sent - answered <= clients.length);
  t.is(pool.stats().lost, 0);
  t.true(ends.length === 60);
});
