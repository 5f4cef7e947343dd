// Closing: what is in flight is answered, what is idle is closed, what does not end is ended; and what a pool may be
// told.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import {
  PoolError,
  type PoolErrorCode,
  type RefusalReason,
  ThreadPool,
  type ThreadPoolOptions,
} from '../../src/pool/index.js';
import type { EchoData } from './fixtures/echo-thread.js';
import { LineClient } from './support/line-client.js';
import { ECHO_THREAD, forEachHandoff, Gate, startPool, until } from './support/pools.js';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

forEachHandoff(test, 'close answers what is in flight and closes what is idle', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff });
  const exits: string[] = [];
  pool.on('exit', ({ reason, connectionsLost }) => exits.push(`${reason} ${connectionsLost}`));
  const clients = await LineClient.connectMany(port, 6);
  await Promise.all(clients.map((client) => client.ask('who')));
  const [idle, ...busy] = clients as [LineClient, ...LineClient[]];
  const answers = busy.map((client) => client.ask('later 50'));
  const closed = pool.close();
  t.is(await idle.closed, 'ended');
  for (const answer of answers) t.regex((await answer)!, /^thread/);
  for (const client of busy) t.is(await client.closed, 'ended');
  await closed;
  t.deepEqual(exits, ['drained 0', 'drained 0']);
  await t.throwsAsync(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
});

forEachHandoff(test, 'connections accepted just before the close are not forgotten', async (t, handoff) => {
  const gate = new Gate();
  const data: EchoData = { gate: gate.word };
  const { pool, port } = await startPool(t, { handoff, threads: 1, data });
  const first = await LineClient.connect(port);
  await first.ask('who');
  const held = first.ask('hold');
  const late = await LineClient.connectMany(port, 20);
  await until(() => pool.stats().accepted === 21);
  const closed = pool.close();
  gate.open();
  await held;
  t.deepEqual(new Set(await Promise.all(late.map((client) => client.ask('who')))), new Set(['thread 0']));
  await closed;
  t.is(pool.stats().lost, 0);
});

forEachHandoff(test, 'past the deadline sessions are ended with their threads', async (t, handoff) => {
  const data: EchoData = { ignoresDrain: true };
  const { pool, port } = await startPool(t, { handoff, threads: 1, data });
  const client = await LineClient.connect(port);
  await client.ask('who');
  const answer = client.ask('later 60000');
  const exited = once(pool, 'exit');
  await pool.close({ drainTimeoutMs: 20 });
  t.is(await answer, undefined);
  t.like((await exited)[0], { reason: 'terminated', connectionsLost: 1 });
});

forEachHandoff(test, 'connections that still wait get their turn while the pool closes', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 1, sessionsPerThread: 1 });
  const [served, waiting] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
  await until(() => pool.stats().queueLength === 1);
  const answer = waiting.ask('who');
  const closed = pool.close();
  await served.close();
  t.is(await answer, 'thread 0');
  t.is(await waiting.closed, 'ended');
  await closed;
});

forEachHandoff(test, 'connections whose turn does not come before the deadline are refused', async (t, handoff) => {
  const reasons: RefusalReason[] = [];
  const { pool, port } = await startPool(t, {
    handoff,
    threads: 1,
    sessionsPerThread: 1,
    onRefused: (socket, reason) => {
      reasons.push(reason);
      socket.end('closing\n');
    },
  });
  const [served, waiting] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
  await until(() => pool.stats().queueLength === 1);
  const answer = served.ask('later 60000');
  const closed = pool.close({ drainTimeoutMs: 40 });
  t.is(await waiting.read(), 'closing');
  t.deepEqual(reasons, ['closing']);
  await closed;
  t.is(await answer, undefined);
});

test('inline: close drains, and past the deadline ends', async (t) => {
  for (const { ignoresDrain, reason } of [
    { ignoresDrain: false, reason: 'drained' },
    { ignoresDrain: true, reason: 'terminated' },
  ]) {
    const data: EchoData = { ignoresDrain };
    const { pool, port } = await startPool(t, { threads: 0, data });
    const client = await LineClient.connect(port);
    const answer = client.ask('later 20');
    await client.ask('who');
    const exited = once(pool, 'exit');
    await pool.close({ drainTimeoutMs: 200 });
    t.is(await answer, 'thread 0');
    await client.closed;
    t.like((await exited)[0], { reason });
  }
});

for (const threads of [0, 2]) {
  test(`threads: ${threads}: a pool that is closed while it starts says so, at once`, async (t) => {
    const pool = new ThreadPool({ module: ECHO_THREAD, threads, drainTimeoutMs: 60_000 });
    const started = t.throwsAsync(pool.start(), { instanceOf: PoolError, code: 'NOT_RUNNING' });
    await t.throwsAsync(pool.listen(ANYWHERE), {
      instanceOf: PoolError,
      message: 'cannot listen: the pool is starting, not running',
    });
    await pool.close();
    await started;
    t.is(pool.stats().threads.length, 0);
  });
}

test('a pool that is closed while it begins to listen does not listen', async (t) => {
  for (let turns = 0; turns < 6; turns++) {
    const pool = new ThreadPool({ module: ECHO_THREAD, threads: 0 });
    await pool.start();
    const listening = pool.listen(ANYWHERE).then(
      ({ port }) => port,
      (error: PoolError) => error.code,
    );
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    await pool.close();
    const outcome = await listening;
    if (outcome !== 'NOT_RUNNING')
      await t.throwsAsync(once(connect(Number(outcome), '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  }
  t.pass();
});

test('closes by itself at the end of its scope', async (t) => {
  const { pool } = await startPool(t, { threads: 1 });
  await pool[Symbol.asyncDispose]();
  t.is(pool.stats().threads.length, 0);
});

test('calls at the wrong time reject by code', async (t) => {
  const code = async (promise: Promise<unknown>): Promise<PoolErrorCode | undefined> =>
    (await t.throwsAsync(promise, { instanceOf: PoolError }))?.code;
  const pool = new ThreadPool({ module: ECHO_THREAD, threads: 0 });
  t.is(await code(pool.listen(ANYWHERE)), 'NOT_RUNNING');
  await pool.start();
  t.is(await code(pool.start()), 'NOT_RUNNING');
  const { port } = await pool.listen(ANYWHERE);
  t.is(await code(pool.listen(ANYWHERE)), 'ALREADY_LISTENING');
  const other = new ThreadPool({ module: ECHO_THREAD, threads: 0 });
  await other.start();
  await t.throwsAsync(other.listen({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  t.truthy(await other.listen(ANYWHERE), 'a failed listen can be repeated');
  await Promise.all([pool.close(), other.close()]);
  t.is(await code(pool.listen(ANYWHERE)), 'NOT_RUNNING');
});

const badOptions: Partial<ThreadPoolOptions>[] = [
  { threads: -1 },
  { threads: 1.5 },
  { threads: 2, maxThreads: 1 },
  { sessionsPerThread: 0 },
  { sessionsPerThread: Number.NaN },
  { queueMax: -1 },
  { queueMax: Number.POSITIVE_INFINITY },
  { queueTimeoutMs: -1 },
  { queueTimeoutMs: Number.NaN },
  { drainTimeoutMs: -1 },
  { idleThreadTimeoutMs: Number.NaN },
];

for (const options of badOptions) {
  const [name, value] = Object.entries(options).at(-1)!;
  test(`option out of range: ${name} ${value}`, (t) => {
    const error = t.throws(() => new ThreadPool({ module: ECHO_THREAD, ...options }), { instanceOf: PoolError });
    t.is(error?.code, 'INVALID_OPTION');
    t.true(error?.message.startsWith(name));
  });
}
