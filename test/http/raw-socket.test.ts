// The way around net.Socket's streams: that it is taken where it can be, keeps the order of bytes, and ends as sockets end.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import test from 'ava';
import { type RawSocket, rawSocket } from '../../src/http/server/raw-socket.js';

/** The server's end, with all that it has been told. */
interface Ends extends AsyncDisposable {
  readonly raw: RawSocket | undefined;
  readonly accepted: Socket;
  readonly client: Socket;
  /** Bytes as text; 'drained', 'peer done' and 'closed' as they happened. */
  readonly told: string[];
}

/** A connection. @param onBytes runs inside of `received()` */
async function connected(socketPath?: string, onBytes = (_raw: RawSocket) => {}): Promise<Ends> {
  const told: string[] = [];
  let raw: RawSocket | undefined;
  const listener: Server = createServer({ pauseOnConnect: true });
  if (socketPath === undefined) listener.listen(0, '127.0.0.1');
  else listener.listen(socketPath);
  await once(listener, 'listening');
  const address = listener.address() as AddressInfo | string;
  const client = typeof address === 'string' ? connect(address) : connect(address.port, '127.0.0.1');
  client.pause();
  client.on('error', () => {});
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  raw = rawSocket(accepted, {
    received: (bytes, length) => {
      told.push(bytes.toString('latin1', 0, length));
      onBytes(raw!);
    },
    drained: () => told.push('drained'),
    ended: () => told.push('ended'),
    peerDone: () => told.push('peer done'),
    closed: () => told.push('closed'),
  });
  raw?.resume();
  return {
    raw,
    accepted,
    client,
    told,
    async [Symbol.asyncDispose]() {
      client.destroy();
      accepted.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

async function until(isReached: () => boolean): Promise<void> {
  while (!isReached()) await delay(1);
}

async function textOf(client: Socket): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of client) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('latin1');
}

const MIB = 1024 * 1024;

test('TCP connections and Unix-domain sockets are read and written raw by this Node.js', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-'));
  for (const socketPath of [undefined, path.join(folder, 'socket')]) {
    await using ends = await connected(socketPath);
    ends.client.write('ping');
    await until(() => ends.told.length > 0);
    t.deepEqual(ends.told, ['ping']);
    ends.raw!.write('p\u00f6ng');
    ends.raw!.end('!');
    ends.client.end();
    t.is(await textOf(ends.client), 'p\u00f6ng!');
    await until(() => ends.told.includes('closed'));
    t.deepEqual(ends.told.toSorted(), ['closed', 'ended', 'peer done', 'ping']);
  }
  rmSync(folder, { recursive: true });
});

test('what has no such handle, or has been read from, is left to the ordinary way', async (t) => {
  const user = { received: () => {}, drained: () => {}, ended: () => {}, peerDone: () => {}, closed: () => {} };
  t.is(rawSocket(new Socket(), user), undefined, 'not connected');
  await using ends = await connected();
  const strange = new Socket();
  Object.assign(strange, { _handle: { reading: false } });
  t.is(rawSocket(strange, user), undefined, 'a handle of another kind');
  ends.client.on('data', () => {}).resume();
  ends.accepted.unshift(Buffer.from('read before'));
  t.is(rawSocket(ends.accepted, user), undefined, 'bytes wait in the stream');
});

test('a write that the kernel does not take at once: what is written behind it stays behind it', async (t) => {
  await using ends = await connected();
  const raw = ends.raw!;
  let expected = '';
  for (let letter = 0; raw.unsentBytes === 0; letter++) {
    const text = String.fromCharCode(97 + (letter % 26)).repeat(MIB);
    raw.write(text);
    expected += text;
  }
  t.true(raw.unsentBytes >= MIB);
  for (const text of ['behind', 'the', 'others']) {
    raw.write(text);
    expected += text;
  }
  t.is(raw.unsentBytes, MIB + 'behindtheothers'.length, 'all that the kernel has not confirmed');
  raw.end('.');
  t.false(ends.told.includes('ended'));
  const text = await textOf(ends.client);
  t.true(text === `${expected}.`);
  t.true(ends.told.includes('drained'));
  t.is(raw.unsentBytes, 0);
  t.true(ends.told.includes('ended'));
});

test('a peer that resets while a write waits: closed once, and later calls do no harm', async (t) => {
  await using ends = await connected();
  const raw = ends.raw!;
  while (raw.unsentBytes === 0) raw.write('x'.repeat(MIB));
  ends.client.resetAndDestroy();
  await until(() => ends.told.includes('closed'));
  raw.write('nobody');
  raw.pause();
  raw.resume();
  raw.end('nobody');
  raw.destroySoon();
  raw.destroy();
  await setImmediate();
  t.deepEqual(ends.told, ['closed']);
});

test('a peer that has gone before we write: the connection is closed', async (t) => {
  await using ends = await connected();
  const raw = ends.raw!;
  raw.pause();
  ends.client.resetAndDestroy();
  while (!ends.accepted.destroyed) {
    raw.write('x');
    await setImmediate();
  }
  await until(() => ends.told.includes('closed'));
  t.deepEqual(ends.told, ['closed']);
});

test('a connection may be cut from inside of received()', async (t) => {
  await using ends = await connected(undefined, (raw) => raw.destroy());
  ends.client.write('x'.repeat(MIB));
  await until(() => ends.told.includes('closed'));
  t.is(ends.told.length, 2);
});

test('paused is not read from, and loses nothing', async (t) => {
  await using ends = await connected(undefined, (raw) => raw.pause());
  ends.client.write('first');
  await until(() => ends.told.length === 1);
  t.true(ends.accepted.isPaused());
  ends.client.write('second');
  ends.client.end();
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  t.deepEqual(ends.told, ['first']);
  ends.raw!.resume();
  await until(() => ends.told.length === 2);
  ends.raw!.resume();
  await until(() => ends.told.length === 3);
  t.deepEqual(ends.told, ['first', 'second', 'peer done']);
});
