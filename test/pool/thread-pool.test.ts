// Placing, waiting, growing and retiring, over real sockets and real threads, by both ways of handoff.

import { once } from 'node:events';
import { Socket } from 'node:net';
import { type MessagePort, threadId } from 'node:worker_threads';
import test from 'ava';
import type { RefusalReason } from '../../src/pool/index.js';
import { call } from '../../src/port-calls.js';
import type { EchoCalls, EchoData } from './fixtures/echo-thread.js';
import { LineClient } from './support/line-client.js';
import { forEachHandoff, Gate, startPool, until } from './support/pools.js';

forEachHandoff(test, 'a connection stays on its thread, and connections spread evenly', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 3 });
  const clients = await LineClient.connectMany(port, 9);
  const first = await Promise.all(clients.map((client) => client.ask('who')));
  for (let round = 0; round < 3; round += 1) {
    t.deepEqual(await Promise.all(clients.map((client) => client.ask('who'))), first);
  }
  for (const thread of ['thread 0', 'thread 1', 'thread 2']) t.is(first.filter((name) => name === thread).length, 3);
  const stats = pool.stats();
  t.is(stats.handoff, handoff);
  t.deepEqual(
    stats.threads.map(({ sessions }) => sessions),
    [3, 3, 3],
  );
  t.is(stats.waitTimeUs.count, 9);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => pool.stats().sessions === 0);
  t.pass();
});

forEachHandoff(test, 'the thread with the fewest sessions gets the next one', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 2 });
  const clients = await LineClient.connectMany(port, 6);
  const names = await Promise.all(clients.map((client) => client.ask('who')));
  const ofThread0 = clients.filter((_, index) => names[index] === 'thread 0');
  await Promise.all(ofThread0.map((client) => client.close()));
  await until(() => pool.stats().sessions === 3);
  const next = await LineClient.connectMany(port, 3);
  t.deepEqual(await Promise.all(next.map((client) => client.ask('who'))), ['thread 0', 'thread 0', 'thread 0']);
});

forEachHandoff(test, 'packed: a thread that has begun gets so many before another one begins', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 3, packedSessions: 3 });
  const { clients, served } = await connectInTurn(port, 11);
  t.deepEqual(countsOf(served.slice(0, 3)), [3]);
  t.deepEqual(countsOf(served.slice(0, 6)), [3, 3]);
  t.deepEqual(countsOf(served.slice(0, 9)), [3, 3, 3]);
  t.deepEqual(countsOf(served), [3, 4, 4]);

  // Of two that are not packed the fuller one: the other may come to rest.
  const leaving = (thread: string, left: number): LineClient[] =>
    clients.filter((_, index) => served[index] === thread).slice(left);
  const [fuller, emptier] = [served[0]!, served[3]!];
  const gone = [...leaving(fuller, 2), ...leaving(emptier, 1)];
  await Promise.all(gone.map((client) => client.close()));
  await until(() => pool.stats().sessions === clients.length - gone.length);
  t.is(await (await LineClient.connect(port)).ask('who'), fuller);
});

test('packed: no more than a thread may serve', async (t) => {
  const { port } = await startPool(t, { threads: 2, packedSessions: 3, sessionsPerThread: 2 });
  const { served } = await connectInTurn(port, 4);
  t.deepEqual(countsOf(served.slice(0, 2)), [2]);
  t.deepEqual(countsOf(served), [2, 2]);
});

forEachHandoff(test, 'a busy thread does not hold up the other', async (t, handoff) => {
  const gate = new Gate();
  const data: EchoData = { gate: gate.word };
  const { port } = await startPool(t, { handoff, threads: 2, data });
  const [busy, free] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
  const busyThread = await busy.ask('who');
  const held = busy.ask('hold');
  for (let round = 0; round < 5; round += 1) t.not(await free.ask('who'), busyThread);
  gate.open();
  t.is(await held, busyThread);
});

forEachHandoff(test, 'strict: one session per thread, the rest served in the order they came', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 1, sessionsPerThread: 1 });
  const clients = await LineClient.connectMany(port, 6);
  await until(() => pool.stats().queueLength === 5);
  t.is(pool.stats().sessions, 1);
  const served: number[] = [];
  const answers = clients.map(async (client, index) => {
    await client.ask('who');
    served.push(index);
  });
  for (const [index, client] of clients.entries()) {
    await answers[index];
    await client.close();
  }
  t.deepEqual(served, [0, 1, 2, 3, 4, 5]);
});

forEachHandoff(test, 'under pressure idle sessions give their place up', async (t, handoff) => {
  const data: EchoData = { idleTimeoutMs: 10 };
  const { pool, port } = await startPool(t, { handoff, threads: 1, sessionsPerThread: 1, data });
  const idle = await LineClient.connect(port);
  t.is(await idle.ask('who'), 'thread 0');
  t.is(await idle.ask('who'), 'thread 0');
  const next = await LineClient.connect(port);
  t.is(await next.ask('who'), 'thread 0');
  t.is(await idle.closed, 'ended');
  t.is(pool.stats().refused, 0);
});

forEachHandoff(test, 'grows while all places are taken, and retires what is idle again', async (t, handoff) => {
  const { pool, port } = await startPool(t, {
    handoff,
    threads: 1,
    maxThreads: 3,
    sessionsPerThread: 1,
    idleThreadTimeoutMs: 20,
  });
  const exits: string[] = [];
  pool.on('exit', ({ reason }) => exits.push(reason));
  const clients = await LineClient.connectMany(port, 3);
  t.deepEqual((await Promise.all(clients.map((client) => client.ask('who')))).sort(), [
    'thread 0',
    'thread 1',
    'thread 2',
  ]);
  t.is(pool.stats().threads.length, 3);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => exits.length === 2);
  t.deepEqual(exits, ['retired', 'retired']);
  t.is(pool.stats().threads.length, 1);
  t.is(pool.stats().threadsRetired, 2);
  const again = await LineClient.connect(port);
  t.regex((await again.ask('who'))!, /^thread [012]$/);
});

forEachHandoff(test, "past the queue connections are refused in the service's own words", async (t, handoff) => {
  const reasons: RefusalReason[] = [];
  const { pool, port } = await startPool(t, {
    handoff,
    threads: 1,
    sessionsPerThread: 1,
    queueMax: 1,
    onRefused: (socket, reason) => {
      reasons.push(reason);
      socket.end('busy\n');
    },
  });
  const [served, waiting, refused] = (await LineClient.connectMany(port, 3)) as [LineClient, LineClient, LineClient];
  t.is(await refused.read(), 'busy');
  t.is(await refused.closed, 'ended');
  t.deepEqual(reasons, ['queue-full']);
  t.is(await served.ask('who'), 'thread 0');
  await served.close();
  t.is(await waiting.ask('who'), 'thread 0');
  t.is(pool.stats().refused, 1);
  t.is(pool.stats().accepted, 3);
});

forEachHandoff(test, 'who has waited too long is refused, and the others keep their order', async (t, handoff) => {
  const reasons: RefusalReason[] = [];
  const queueTimeoutMs = 100;
  const { pool, port } = await startPool(t, {
    handoff,
    threads: 1,
    sessionsPerThread: 1,
    queueTimeoutMs,
    onRefused: (socket, reason) => {
      reasons.push(reason);
      socket.end('too long\n');
    },
  });
  const served = await LineClient.connect(port);
  t.is(await served.ask('who'), 'thread 0');
  const since = performance.now();
  const late = await LineClient.connectMany(port, 3);
  t.deepEqual(await Promise.all(late.map((client) => client.read())), ['too long', 'too long', 'too long']);
  t.true(performance.now() - since >= queueTimeoutMs);
  t.deepEqual(await Promise.all(late.map((client) => client.closed)), ['ended', 'ended', 'ended']);
  t.deepEqual(reasons, ['queue-timeout', 'queue-timeout', 'queue-timeout']);
  t.like(pool.stats(), { queueLength: 0, refused: 3, sessions: 1 });
  t.is(await served.ask('who'), 'thread 0');
});

forEachHandoff(
  test,
  'a connection that is closed when it comes to be placed is counted as lost',
  async (t, handoff) => {
    const { pool, port } = await startPool(t, { handoff, threads: 1 });
    const socket = new Socket();
    socket.destroy();
    pool.accept(socket);
    t.like(pool.stats(), { accepted: 1, lost: 1, sessions: 0, queueLength: 0 });
    const client = await LineClient.connect(port);
    t.is(await client.ask('who'), 'thread 0');
  },
);

forEachHandoff(test, 'a peer that is gone before it is placed costs nothing', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 1, sessionsPerThread: 1 });
  const [served, gone, waiting] = (await LineClient.connectMany(port, 3)) as [LineClient, LineClient, LineClient];
  await until(() => pool.stats().queueLength === 2);
  gone.socket.resetAndDestroy();
  await served.close();
  t.is(await waiting.ask('who'), 'thread 0');
  await waiting.close();
  await until(() => pool.stats().sessions === 0);
});

forEachHandoff(test, 'a thread that is behind gets no more than it can take, and none are lost', async (t, handoff) => {
  const gate = new Gate();
  const data: EchoData = { gate: gate.word };
  const { pool, port } = await startPool(t, { handoff, threads: 1, queueMax: 400, data });
  const first = await LineClient.connect(port);
  await first.ask('who');
  const held = first.ask('hold');
  const clients = await Promise.all(Array.from({ length: 300 }, () => LineClient.connect(port)));
  await until(() => pool.stats().accepted === 301);
  // It may be behind by 128; the line before took effect while some of those were still being accepted.
  t.true(pool.stats().queueLength > 0);
  t.is(pool.stats().queueLength + pool.stats().sessions, 301);
  gate.open();
  await held;
  t.deepEqual(new Set(await Promise.all(clients.map((client) => client.ask('who')))), new Set(['thread 0']));
  t.is(pool.stats().lost, 0);
});

test('inline: the same service on the accepting thread', async (t) => {
  const { pool, port } = await startPool(t, { threads: 0, sessionsPerThread: 2 });
  const clients = await LineClient.connectMany(port, 3);
  t.is(await clients[0]!.ask('who'), 'thread 0');
  t.is(await clients[1]!.ask('who'), 'thread 0');
  await until(() => pool.stats().queueLength === 1);
  await clients[0]!.close();
  t.is(await clients[2]!.ask('who'), 'thread 0');
  t.is(pool.stats().handoff, 'inline');
});

/** Connects one after the other, and says which thread serves each. */
async function connectInTurn(port: number, count: number): Promise<{ clients: LineClient[]; served: string[] }> {
  const clients: LineClient[] = [];
  const served: string[] = [];
  for (let index = 0; index < count; index++) {
    const client = await LineClient.connect(port);
    clients.push(client);
    served.push((await client.ask('who'))!);
  }
  return { clients, served };
}

/** How many connections each thread serves, fewest first. */
function countsOf(served: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const thread of served) counts.set(thread, (counts.get(thread) ?? 0) + 1);
  return [...counts.values()].sort();
}

forEachHandoff(test, 'the accepting thread serves the first connections where it is told to', async (t, handoff) => {
  const { pool, port } = await startPool(t, { handoff, threads: 3, acceptorSessions: 2 });
  const { clients, served } = await connectInTurn(port, 6);
  t.deepEqual(served.slice(0, 2), ['thread 0', 'thread 0']);
  t.deepEqual(served.slice(2).sort(), ['thread 1', 'thread 1', 'thread 2', 'thread 2']);
  t.is(pool.stats().threads[0]!.threadId, threadId);
  t.is(pool.stats().threads.length, 3);

  await clients[1]!.close();
  await until(() => pool.stats().sessions === 5);
  t.is(await (await LineClient.connect(port)).ask('who'), 'thread 0');
});

test('the accepting thread takes more than its share only where no other has a place', async (t) => {
  const options = { threads: 2, acceptorSessions: 1, sessionsPerThread: 2 };
  const { pool, port } = await startPool(t, options);
  const { served } = await connectInTurn(port, 4);
  t.deepEqual(served, ['thread 0', 'thread 1', 'thread 1', 'thread 0']);
  await LineClient.connect(port);
  await until(() => pool.stats().queueLength === 1);

  const alone = await startPool(t, { threads: 1, acceptorSessions: 1 });
  for (const client of await LineClient.connectMany(alone.port, 3)) t.is(await client.ask('who'), 'thread 0');
});

test('a pool whose accepting thread serves: workers come and go beside it, and a drain waits for all', async (t) => {
  const options = { threads: 2, maxThreads: 3, acceptorSessions: 1, sessionsPerThread: 1, idleThreadTimeoutMs: 20 };
  const { pool, port } = await startPool(t, options);
  const clients: LineClient[] = [];
  for (let count = 0; count < 3; count++) {
    clients.push(await LineClient.connect(port));
    t.is(await clients[count]!.ask('who'), `thread ${count}`);
  }
  const [own, first, extra] = clients as [LineClient, LineClient, LineClient];
  await own.close();
  // Longer than an idle worker would be kept.
  await first.ask('later 60');
  await extra.close();
  await until(() => pool.stats().threadsRetired === 1);
  t.deepEqual(
    pool.stats().threads.map(({ threadIndex }) => threadIndex),
    [0, 1],
  );

  const failed = once(pool, 'exit');
  first.send('crash');
  t.like(await failed, [{ threadIndex: 1, reason: 'failed' }]);
  await until(() => pool.stats().threads.filter(({ state }) => state === 'ready').length === 2);
  const [here, there] = [await LineClient.connect(port), await LineClient.connect(port)];
  // The answer to the second line says that the first one has arrived.
  t.deepEqual(await Promise.all([here.ask('later 20\nwho'), there.ask('later 20\nwho')]), ['thread 0', 'thread 1']);
  await pool.close();
  t.deepEqual(await Promise.all([here.read(), there.read()]), ['thread 0', 'thread 1']);
  t.is(pool.stats().threads.length, 0);
});

for (const threads of [0, 1]) {
  test(`threads: ${threads}: pressure is told and taken back, as the thread says over its port`, async (t) => {
    const ports: MessagePort[] = [];
    const { pool, port } = await startPool(t, { threads, sessionsPerThread: 1 }, (pool) =>
      pool.on('spawn', (spawned) => ports.push(spawned.port)),
    );
    const isUnderPressure = () => call<EchoCalls, 'isUnderPressure'>(ports[0]!, 'isUnderPressure', undefined);
    t.false(await isUnderPressure());
    const [first, second] = (await LineClient.connectMany(port, 2)) as [LineClient, LineClient];
    await until(() => pool.stats().queueLength === 1);
    t.true(await isUnderPressure());
    await first.close();
    t.is(await second.ask('who'), 'thread 0');
    while (await isUnderPressure()) await new Promise((resolve) => setImmediate(resolve));
    t.is(ports.length, 1);
  });
}
