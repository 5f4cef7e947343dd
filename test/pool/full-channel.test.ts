// The channel of the ipc handoff when it is full, and when it breaks. The kernel's buffer is really filled: 278 messages
// fit by default, and the pool stops at 128 on their way, so for most of this that bound is lifted.

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { PoolError, type ThreadExit, type ThreadPool } from '../../src/pool/index.js';
import { connectChannel, IpcHandoffSender, IpcRendezvous, receiveByIpc } from '../../src/pool/ipc-handoff.js';
import type { RawPipe } from '../../src/pool/raw-pipe.js';
import { type Change, ChangedCode } from '../support/changed-code.js';
import type { EchoData } from './fixtures/echo-thread.js';
import { LineClient } from './support/line-client.js';
import { Gate, startPool, until } from './support/pools.js';

const NO_BOUND: Change = { file: 'pool/pool-options.js', from: 'ON_THE_WAY_MAX = 128', to: 'ON_THE_WAY_MAX = 1e6' };
/** How many sockets are to be left over when the channel is full. */
const LEFT_OVER = 100;
const AT_A_TIME = 40;

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

async function changedPoolClass(t: ExecutionContext, change: Change): Promise<typeof ThreadPool> {
  const code = new ChangedCode(change);
  t.teardown(() => code.remove());
  const module = (await code.import('pool/thread-pool.js')) as { ThreadPool: typeof ThreadPool };
  return module.ThreadPool;
}

interface FullPool {
  readonly pool: ThreadPool;
  readonly first: LineClient;
  readonly gate: Gate;
  readonly clients: LineClient[];
  readonly descriptorsBefore: number;
}

/** A pool whose one thread does not read its channel, and clients until that is full. `first` holds the thread up. */
async function fillChannel(t: ExecutionContext, whileHeld: string): Promise<FullPool> {
  const poolClass = await changedPoolClass(t, NO_BOUND);
  const gate = new Gate();
  const data: EchoData = { gate: gate.word };
  const { pool, port } = await startPool(t, { handoff: 'ipc', threads: 1, data }, undefined, poolClass);
  const first = await LineClient.connect(port);
  await first.ask('who');
  const descriptorsBefore = openDescriptors();
  first.send(whileHeld);
  const clients: LineClient[] = [];
  // A client's own descriptor is one; a second one is still open here while its handoff has not left.
  const leftOver = () => openDescriptors() - descriptorsBefore - clients.length;
  do {
    clients.push(...(await Promise.all(Array.from({ length: AT_A_TIME }, () => LineClient.connect(port)))));
    await until(() => pool.stats().accepted === 1 + clients.length);
    // What has left is closed on this side within a few turns.
    for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  } while (leftOver() < LEFT_OVER);
  t.log(`${clients.length} handoffs sent, ${leftOver()} of which did not fit`);
  return { pool, first, gate, clients, descriptorsBefore };
}

test.serial('a full channel: what does not fit goes later, and nobody is lost', async (t) => {
  const { pool, gate, clients, descriptorsBefore } = await fillChannel(t, 'hold');
  t.is(pool.stats().sessions, 1 + clients.length);
  gate.open();
  t.deepEqual(new Set(await Promise.all(clients.map((client) => client.ask('who')))), new Set(['thread 0']));
  t.like(pool.stats(), { lost: 0, refused: 0, threadsSpawned: 1 });
  await Promise.all(clients.map((client) => client.close()));
  await until(() => pool.stats().sessions === 1 && openDescriptors() <= descriptorsBefore);
  t.is(openDescriptors(), descriptorsBefore);
});

test.serial('a thread dies with a full channel: what had not left is served by the next one', async (t) => {
  const { pool, first, gate, clients, descriptorsBefore } = await fillChannel(t, 'hold\nexit');
  const exited = once(pool, 'exit') as Promise<[ThreadExit]>;
  gate.open();
  const [exit] = await exited;
  const answers = await Promise.all(clients.map((client) => client.ask('who')));
  const lost = answers.filter((answer) => answer === undefined).length;
  const served = answers.filter((answer) => answer === 'thread 0').length;
  t.is(served + lost, clients.length, 'each was served, or saw its connection end');
  // A thread on its way out may still take a few messages from the channel, which makes room for as many.
  t.true(served > 0, `${served} served`);
  t.true(lost > 0, 'those in the channel went with the thread');
  t.is(exit.connectionsLost, lost + 1, 'and are counted, with the session it had');
  t.like(pool.stats(), { lost: lost + 1, sessions: served, refused: 0, queueLength: 0 });
  await Promise.all([first, ...clients].map((client) => client.close()));
  // One fewer: the first client's. A new thread may have fewer than one that has run for a while.
  await until(() => pool.stats().sessions === 0 && openDescriptors() < descriptorsBefore);
  t.pass();
});

test.serial('the pool closes with a full channel: each connection is ended, and counted', async (t) => {
  const { pool, first, gate, clients } = await fillChannel(t, 'hold');
  await pool.close({ drainTimeoutMs: 0 });
  gate.open();
  const { refused, lost } = pool.stats();
  t.is(refused + lost, 1 + clients.length);
  t.log(`${refused} refused, ${lost} ended with the thread`);
  await Promise.all([first, ...clients].map((client) => client.closed));
});

test.serial('a thread whose channel breaks is replaced', async (t) => {
  const breaks: Change = {
    file: 'pool/ipc-handoff.js',
    from: 'const length = readBytesOrError();',
    to: 'const length = (globalThis.reads = (globalThis.reads ?? 0) + 1) === 3 ? -71 : readBytesOrError();',
  };
  const poolClass = await changedPoolClass(t, breaks);
  const { pool, port } = await startPool(t, { handoff: 'ipc', threads: 1 }, undefined, poolClass);
  const exited = once(pool, 'exit') as Promise<[ThreadExit]>;
  const clients = await LineClient.connectMany(port, 3);
  const [exit] = await exited;
  t.like(exit, { reason: 'failed', connectionsLost: 3 });
  t.regex(String(exit.error), /channel to this thread broke: EPROTO/);
  await Promise.all(clients.map((client) => client.closed));
  const next = await LineClient.connect(port);
  t.is(await next.ask('who'), 'thread 0');
});

interface Channel {
  readonly sender: IpcHandoffSender;
  /** The thread's end, which nobody reads. */
  readonly unread: RawPipe;
  readonly returned: Socket[];
  /** Accepted sockets, paused; each is the other end of a client's. */
  accept(): Promise<{ socket: Socket; client: Socket }>;
}

async function openChannel(t: ExecutionContext): Promise<Channel> {
  const rendezvous = new IpcRendezvous();
  const [channel, unread] = await Promise.all([rendezvous.channel, connectChannel(rendezvous.path)]);
  rendezvous.close();
  const returned: Socket[] = [];
  const sender = new IpcHandoffSender(channel, (socket) => returned.push(socket));
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients: Socket[] = [];
  t.teardown(() => {
    unread.close();
    void sender.close();
    for (const socket of [...returned, ...clients]) socket.destroy();
    server.close();
  });
  return { sender, unread, returned, accept };

  async function accept(): Promise<{ socket: Socket; client: Socket }> {
    const { port } = server.address() as { port: number };
    const client = connect(port, '127.0.0.1').on('error', () => {});
    clients.push(client);
    const [socket] = (await once(server, 'connection')) as [Socket];
    return { socket, client };
  }
}

for (const { name, end } of [
  { name: 'the thread closes its end', end: async ({ unread }: Channel) => unread.close() },
  { name: 'the pool closes its own', end: ({ sender }: Channel) => sender.close() },
]) {
  test.serial(`${name} while sockets do not fit: those, and only those, come back, and still work`, async (t) => {
    const channel = await openChannel(t);
    const { sender, returned } = channel;
    const pairs: { socket: Socket; client: Socket }[] = [];
    const waiting = () => pairs.filter(({ socket }) => !socket.destroyed).map(({ socket }) => socket);
    while (waiting().length < LEFT_OVER) {
      const pair = await channel.accept();
      pairs.push(pair);
      t.is(sender.send(pair.socket, 1), 'sent');
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.deepEqual(returned, []);
    const left = waiting();
    await end(channel);
    await until(() => returned.length === left.length);
    t.deepEqual(returned, left, 'in the order in which they were sent');
    await sender.close();
    t.is(sender.send(returned[0]!, 1), 'thread-gone');
    const { client } = pairs.find(({ socket }) => socket === returned[0])!;
    client.on('data', () => {});
    returned[0]!.end('refused');
    const [bytes] = (await once(client, 'data')) as [Buffer];
    t.is(String(bytes), 'refused');
  });
}

test('what cannot be sent, or not received, is told', async (t) => {
  const { sender, accept } = await openChannel(t);
  const { socket } = await accept();
  socket.destroy();
  t.is(sender.send(socket, 1), 'socket-gone');
  const error = await t.throwsAsync(
    receiveByIpc('/no/such/path', true, () => {}),
    { instanceOf: PoolError },
  );
  t.is(error?.code, 'HANDOFF_FAILED');
});
