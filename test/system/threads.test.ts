// Threads are real: HTTP sessions on the pool, with both ways of handing a socket over.

import test from 'ava';
import { ClientConnection } from '../../src/http/index.js';
import { hasNativeHandoff, ThreadPool } from '../../src/pool/index.js';
import { NO_NATIVE_HANDOFF } from '../pool/support/pools.js';
import type { ThreadIdData } from '../support/thread-id-service.js';

const THREADS = 3;
const CONNECTIONS_PER_THREAD = 4;
const REQUESTS_PER_CONNECTION = 20;
/** How long a thread is kept busy, at least. */
const BUSY_MS = 200;

async function withPool(
  handoff: 'native' | 'ipc',
  use: (port: number, gate: Int32Array) => Promise<void>,
): Promise<void> {
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  await using pool = new ThreadPool({
    module: new URL('../support/thread-id-service.js', import.meta.url),
    data: { gate } satisfies ThreadIdData,
    threads: THREADS,
    handoff,
  });
  await pool.start();
  await use((await pool.listen({ host: '127.0.0.1', port: 0 })).port, gate);
}

function connect(port: number): ClientConnection {
  return new ClientConnection({ host: '127.0.0.1', port });
}

async function threadOf(connection: ClientConnection): Promise<string> {
  return (await connection.request('GET', '/thread')).body.toString();
}

for (const handoff of ['native', 'ipc'] as const) {
  // The runtime is asked, not its version: whoever has the transfer must pass.
  const isLacking = handoff === 'native' && !hasNativeHandoff();
  const run = isLacking ? test.skip : test;
  const why = isLacking ? NO_NATIVE_HANDOFF : '';

  run(
    `${handoff}: all requests of a connection are served by one thread, and connections spread evenly${why}`,
    async (t) => {
      await withPool(handoff, async (port) => {
        const connections = Array.from({ length: THREADS * CONNECTIONS_PER_THREAD }, () => connect(port));
        const perThread = new Map<string, number>();
        await Promise.all(
          connections.map(async (connection) => {
            const thread = await threadOf(connection);
            for (let request = 1; request < REQUESTS_PER_CONNECTION; request++)
              t.is(await threadOf(connection), thread);
            perThread.set(thread, (perThread.get(thread) ?? 0) + 1);
          }),
        );
        t.deepEqual([...perThread.keys()].sort(), ['0', '1', '2']);
        t.deepEqual([...perThread.values()], Array(THREADS).fill(CONNECTIONS_PER_THREAD));
        for (const connection of connections) connection.close();
      });
    },
  );

  run(`${handoff}: a busy thread does not delay a connection on another one${why}`, async (t) => {
    await withPool(handoff, async (port, gate) => {
      const busy = connect(port);
      const busyThread = await threadOf(busy);
      const other = connect(port);
      t.not(await threadOf(other), busyThread);

      let isBusy = true;
      const busyAnswer = busy.request('GET', '/busy').then((answer) => {
        isBusy = false;
        return answer.body.toString();
      });
      // The thread is let go only after the other one has answered: if that one had to wait, nobody would ever go on.
      const since = performance.now();
      for (let answers = 0; answers < REQUESTS_PER_CONNECTION || performance.now() - since < BUSY_MS; answers++) {
        await threadOf(other);
      }
      t.true(isBusy);
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      t.not(await busyAnswer, 'timed-out');
      busy.close();
      other.close();
    });
  });
}
