// gRPC in the threads of a pool: sockets that were accepted elsewhere.

import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ThreadPool, type ThreadPoolOptions } from '../../src/pool/index.js';
import { checkServedAndDrained } from './shelf-pool.js';
import { connectToShelf, lookOnce } from './shelf-service.js';

type Ways = Pick<ThreadPoolOptions, 'threads' | 'handoff' | 'acceptorSessions'>;
const MODULE = new URL('./fixtures/shelf-thread.js', import.meta.url);

async function startPool(t: ExecutionContext, options: Ways) {
  const pool = new ThreadPool({ module: MODULE, ...options });
  t.teardown(() => pool.close({ drainTimeoutMs: 0 }));
  await pool.start();
  const { port } = await pool.listen({ host: '127.0.0.1', port: 0 });
  return { pool, port };
}

const sessionsOf = (pool: ThreadPool): number => pool.stats().threads.reduce((sum, { sessions }) => sum + sessions, 0);

const WAYS: [name: string, options: Ways][] = [
  ['in worker threads', { threads: 2 }],
  ['in worker threads, by the handoff that works everywhere', { threads: 2, handoff: 'ipc' }],
  ['on the accepting thread', { threads: 0 }],
  ['on the accepting thread and another', { threads: 2, acceptorSessions: 3 }],
];

for (const [name, options] of WAYS) {
  test(`${name}: calls and streams are answered, and a drain ends them in order`, async (t) => {
    const { pool, port } = await startPool(t, options);
    const clients = Array.from({ length: 8 }, () => connectToShelf(port));
    await checkServedAndDrained(t, pool, clients, Math.max(1, options.threads!));
  });

  test(`${name}: the session of a client that has gone ends`, async (t) => {
    const { pool, port } = await startPool(t, options);
    const client = connectToShelf(port);
    await lookOnce(client, { names: [] });
    // One that is cut off, as when its process is killed: the end of the connection is all that is seen.
    const cut = net.connect(port, '127.0.0.1').resume();
    await once(cut, 'data');
    t.is(sessionsOf(pool), 2);
    client.close();
    cut.destroy();
    while (sessionsOf(pool) > 0) await new Promise(setImmediate);
    t.pass();
  });
}
