// Of several addresses of one service, the one that serves is used; and what a standby says to those who call it.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { HealthCheck, ServingPeer, StandbyServer, serveBatches } from '../../src/rpc/index.js';
import { freePort } from '../support/free-port.js';
import {
  connectToShelf,
  lengthsOf,
  lookOnce,
  lookStream,
  openLook,
  Shelf,
  type ShelfHandlers,
  shelfDefinition,
} from './shelf-service.js';

const SERVICE = 'test.Shelf';
const REASON = 'standing by: another one serves';
const PROCESS = fileURLToPath(new URL('./fixtures/shelf-process.js', import.meta.url));
const handlers: ShelfHandlers = { look: (call) => serveBatches(call, lengthsOf) };

function standby(port: number): Promise<StandbyServer> {
  return StandbyServer.listen({ host: '127.0.0.1', port, definitions: [shelfDefinition], reason: () => REASON });
}

/** A stream of look-ups to whoever serves. */
function looks(t: ExecutionContext, ports: readonly number[], deadlineMs = 10_000) {
  const peer = new ServingPeer<Client>({
    addresses: ports.map((port) => `127.0.0.1:${port}`),
    service: SERVICE,
    createStub: (address) => connectToShelf(Number(address.split(':')[1])),
  });
  const stream = lookStream(peer.stub, { open: () => openLook(peer.stub), deadlineMs });
  peer.onMove(() => stream.reopen('another one serves'));
  t.teardown(async () => {
    await stream.close();
    peer.close();
  });
  return { peer, stream };
}

test('a standby says that it does not serve, and refuses every call with its reason', async (t) => {
  const server = await standby(0);
  const client = connectToShelf(server.bound.port);
  const health = new HealthCheck(`127.0.0.1:${server.bound.port}`);
  t.teardown(async () => {
    client.close();
    health.close();
    await server.close();
  });
  t.false(await health.isServing(SERVICE, 2_000));
  t.true(await health.isServing('', 2_000), 'the process itself is well');
  const refusal = (await t.throwsAsync(lookOnce(client, { names: ['Tux'] }))) as ServiceError;
  t.is(refusal.code, status.UNAVAILABLE);
  t.is(refusal.details, REASON);
  const [error] = (await once(openLook(client), 'error')) as [ServiceError];
  t.is(error.code, status.UNAVAILABLE);
  t.is(error.details, REASON);
});

test('a standby makes place for the service on its own port', async (t) => {
  const server = await standby(0);
  const { port } = server.bound;
  const client = connectToShelf(port);
  await t.throwsAsync(lookOnce(client, { names: ['Tux'] }));
  await server.close();
  await using _shelf = await Shelf.start(handlers, port);
  const stream = lookStream(client);
  t.is(await stream.call('Tux'), 3);
  await stream.close();
  client.close();
});

test('the one that serves is found, whichever it is', async (t) => {
  const idle = await standby(0);
  t.teardown(() => idle.close());
  await using shelf = await Shelf.start(handlers);
  const { peer, stream } = looks(t, [idle.bound.port, shelf.port]);
  t.is(await stream.call('Tux'), 3);
  t.is(peer.address, `127.0.0.1:${shelf.port}`);
});

test('the one that serves is killed: calls go to the one that takes over', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  await using shelf = await Shelf.start(handlers, first);
  const idle = await standby(second);
  const { peer, stream } = looks(t, [first, second]);
  t.is(await stream.call('Tux'), 3);
  await shelf.kill();
  const call = stream.call('Whale');
  await idle.close();
  await using _successor = await Shelf.start(handlers, second);
  t.is(await call, 5);
  t.is(peer.address, `127.0.0.1:${second}`);
});

test('the one that serves hangs: calls that it had go to the one that takes over, within 5 s', async (t) => {
  const child: ChildProcess = fork(PROCESS);
  t.teardown(() => child.kill('SIGKILL'));
  const [first] = (await once(child, 'message')) as [number];
  const idle = await standby(0);
  const { port } = idle.bound;
  const { stream } = looks(t, [first, port]);
  t.is(await stream.call('Tux'), 3);
  child.kill('SIGSTOP');
  const hungAt = performance.now();
  const call = stream.call('Whale');
  await idle.close();
  await using _successor = await Shelf.start(handlers, port);
  t.is(await call, 5);
  t.true(performance.now() - hungAt < 5_000);
});

test('nobody serves: calls wait, or fail in time', async (t) => {
  const servers = [await standby(0), await standby(0)];
  t.teardown(() => Promise.all(servers.map((server) => server.close())));
  const { stream } = looks(
    t,
    servers.map((server) => server.bound.port),
    300,
  );
  const error = (await t.throwsAsync(stream.call('Tux'))) as Error & { code: string };
  t.is(error.code, 'DEADLINE_EXCEEDED');
});
