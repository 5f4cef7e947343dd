// Threads that die: who goes with them, who does not, and who takes their place.

import { once } from 'node:events';
import test from 'ava';
import { PoolError, type ThreadExit, ThreadPool } from '../../src/pool/index.js';
import type { EchoData } from './fixtures/echo-thread.js';
import { LineClient } from './support/line-client.js';
import { ECHO_THREAD, forEachHandoff, Gate, startPool, until } from './support/pools.js';

for (const { command, error } of [
  { command: 'crash', error: 'crashed as told' },
  { command: 'exit', error: undefined },
]) {
  forEachHandoff(
    test,
    `${command}: a thread takes only its own sessions with it, and is replaced`,
    async (t, handoff) => {
      const { pool, port } = await startPool(t, { handoff, threads: 2 });
      const clients = await LineClient.connectMany(port, 4);
      const names = (await Promise.all(clients.map((client) => client.ask('who')))) as string[];
      const [doomed, ...others] = clients as [LineClient, ...LineClient[]];
      const exited = once(pool, 'exit') as Promise<[ThreadExit]>;
      doomed.send(command);
      const [exit] = await exited;
      t.like(exit, { reason: 'failed', connectionsLost: 2 });
      t.is(`thread ${exit.threadIndex}`, names[0]!);
      t.is(exit.error?.message, error);
      for (const [index, client] of others.entries()) {
        if (names[index + 1] === names[0]) await client.closed;
        else t.is(await client.ask('who'), names[index + 1]!);
      }
      await until(() => pool.stats().threads.filter(({ state }) => state === 'ready').length === 2);
      // The replacement takes the index over, and has the fewest sessions.
      const next = await LineClient.connect(port);
      t.is(await next.ask('who'), names[0]);
      t.like(pool.stats(), { threadsFailed: 1, threadsSpawned: 3, lost: 2 });
    },
  );
}

forEachHandoff(
  test,
  'a thread that dies before it takes a socket: the loss is counted, the client told',
  async (t, handoff) => {
    const gate = new Gate();
    const data: EchoData = { gate: gate.word };
    const { pool, port } = await startPool(t, { handoff, threads: 1, data });
    const first = await LineClient.connect(port);
    await first.ask('who');
    const exited = once(pool, 'exit') as Promise<[ThreadExit]>;
    first.send('crash\nhold');
    await until(() => pool.stats().accepted === 1);
    const onTheWay = await LineClient.connectMany(port, 10);
    await until(() => pool.stats().accepted === 11);
    gate.open();
    const [exit] = await exited;
    // Which of the ten had been taken when the thread threw is chance; that each ended, or is served by the next, is
    // not.
    const ends = await Promise.all(
      onTheWay.map(async (client) => ((await client.ask('who')) === undefined ? 'lost' : 'served')),
    );
    t.is(ends.filter((end) => end === 'lost').length, exit.connectionsLost - 1);
    t.is(pool.stats().lost, exit.connectionsLost);
  },
);

forEachHandoff(test, 'connections that come while no thread lives wait for the next one', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 1 });
  const first = await LineClient.connect(port);
  const exited = once(pool, 'exit');
  first.send('exit');
  await exited;
  const [second] = await LineClient.connectMany(port, 1);
  t.is(await second!.ask('who'), 'thread 0');
});

forEachHandoff(test, 'a thread that dies again and again is replaced each time', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 1 });
  for (let death = 1; death <= 4; death += 1) {
    const client = await LineClient.connect(port);
    t.is(await client.ask('who'), 'thread 0');
    client.send('exit');
    await client.closed;
    await until(() => pool.stats().threadsFailed === death);
  }
  const client = await LineClient.connect(port);
  t.is(await client.ask('who'), 'thread 0');
});

for (const threads of [0, 2]) {
  test(`threads: ${threads}: a module that cannot be loaded fails the start and leaves nothing behind`, async (t) => {
    const pool = new ThreadPool({ module: new URL('./no-such-module.js', ECHO_THREAD), threads });
    const error = await t.throwsAsync(pool.start(), { instanceOf: PoolError });
    t.is(error?.code, 'THREAD_FAILED');
    t.regex(String(error?.cause), /no-such-module/);
    t.is(pool.stats().threads.length, 0);
  });
}
