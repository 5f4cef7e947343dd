// shelf-pool.ts: what clients of a pool of shelf threads can count on, however they are connected.

import type { Client } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import type { ThreadPool } from '../../src/pool/index.js';
import { lookOnce, lookStream } from './shelf-service.js';

/** So many threads serve the clients, calls and streams are answered, and the pool's end lets the streams end in order. */
export async function checkServedAndDrained(
  t: ExecutionContext,
  pool: ThreadPool,
  clients: readonly Client[],
  threads: number,
): Promise<void> {
  // A thread answers a look at nothing with its number.
  const answers = await Promise.all(clients.map((client) => lookOnce(client, { names: [] })));
  t.is(new Set(answers.map(({ lengths }) => lengths[0])).size, threads);
  const streams = clients.map((client) => lookStream(client));
  const calls = streams.flatMap((stream) => ['Tux', 'Whale', 'Fox'].map((toy) => stream.call(toy)));
  t.deepEqual(
    await Promise.all(calls),
    streams.flatMap(() => [3, 5, 3]),
  );
  await pool.close();
  await Promise.all(streams.map((stream) => stream.close()));
  for (const client of clients) client.close();
}
