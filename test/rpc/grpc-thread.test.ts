import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import test, { type ExecutionContext } from 'ava';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { createChannelOptions, GrpcThread, HealthCheck, serveBatches } from '../../src/rpc/index.js';
import {
  connectToShelf,
  Gate,
  type LookOnceAnswer,
  lengthsOf,
  lookOnce,
  lookStream,
  openLook,
  Shelf,
  type ShelfHandlers,
  shelfDefinition,
} from './shelf-service.js';

const REPOSITORY = new URL('../../..', import.meta.url);
const DEADLINE_MS = 20_000;

const warnings: Error[] = [];
process.on('warning', (warning) => warnings.push(warning));
test.after.always('no warning was given', (t) => t.deepEqual(warnings, []));

const handlers: ShelfHandlers = { look: (call) => serveBatches(call, lengthsOf) };

async function started(t: ExecutionContext, own: Partial<ShelfHandlers> = {}) {
  const shelf = await Shelf.start({ ...handlers, ...own });
  const client = connectToShelf(shelf.port);
  t.teardown(async () => {
    client.close();
    await shelf.kill();
  });
  return { shelf, client };
}

/** A stock client for a service of a .proto file, with methods made at run time. */
function stockClient(protoPath: string, packageName: string, service: string, port: number): Client & StockMethods {
  let found: unknown = loadPackageDefinition(loadSync(protoPath, { enums: String }));
  for (const part of [...packageName.split('.'), service]) found = (found as Record<string, unknown>)[part];
  const StockClient = found as ServiceClientConstructor;
  return new StockClient(
    `127.0.0.1:${port}`,
    credentials.createInsecure(),
    createChannelOptions(),
  ) as unknown as Client & StockMethods;
}

type StockMethods = Record<
  string,
  (...parameters: unknown[]) => NodeJS.EventEmitter & { write(message: unknown): void; end(): void }
>;

const healthClient = (port: number) => stockClient(healthProtoPath, 'grpc.health.v1', 'Health', port);

test('unary calls and streams are served, and counted', async (t) => {
  const { shelf, client } = await started(t);
  t.deepEqual(await lookOnce(client, { names: ['Tux', 'Whale'] }), { lengths: [3, 5] });
  const stream = lookStream(client);
  t.is(await stream.call('Elephant'), 8);
  t.deepEqual(shelf.thread.stats(), { sessions: 1, activeCalls: 1 });
  await stream.close();
  client.close();
  await shelf.thread.drain();
  t.deepEqual(shelf.thread.stats(), { sessions: 0, activeCalls: 0 });
});

test('the standard health service says SERVING, for the whole, by service, and by part', async (t) => {
  const { shelf } = await started(t);
  const client = healthClient(shelf.port);
  const check = (service: string) =>
    new Promise((resolve) => {
      client.check!({ service }, (error: { code: number } | null, answer: { status: string }) =>
        resolve(error?.code ?? answer.status),
      );
    });
  t.is(await check(''), 'SERVING');
  t.is(await check('test.Shelf'), 'SERVING');
  t.is(await check('test.Shelf/sell'), status.NOT_FOUND);
  shelf.thread.setHealth('test.Shelf/sell', false);
  t.is(await check('test.Shelf/sell'), 'NOT_SERVING');
  t.is(await check('test.Shelf'), 'SERVING');
  client.close();
});

test('HealthCheck asks for it; no answer is a no', async (t) => {
  const { shelf } = await started(t);
  const health = new HealthCheck(`127.0.0.1:${shelf.port}`);
  t.true(await health.isServing('test.Shelf', DEADLINE_MS));
  t.false(await health.isServing('test.Unknown', DEADLINE_MS));
  shelf.thread.setHealth('test.Shelf', false);
  t.false(await health.isServing('test.Shelf', DEADLINE_MS));
  await shelf.kill();
  t.false(await health.isServing('', DEADLINE_MS));
  health.close();
});

test('a health watcher is told NOT_SERVING by a drain, and does not hold it up', async (t) => {
  const { shelf } = await started(t);
  shelf.thread.setHealth('test.Shelf/sell', true);
  const client = healthClient(shelf.port);
  const seen: string[] = [];
  const watch = client.watch!({ service: 'test.Shelf/sell' });
  watch.on('data', (answer: { status: string }) => seen.push(answer.status));
  watch.on('error', () => {});
  await once(watch, 'data');
  await shelf.thread.drain();
  t.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
  client.close();
});

test('reflection lists the services of the .proto files, and the health service', async (t) => {
  const protoFolder = fileURLToPath(new URL('proto', REPOSITORY));
  const thread = new GrpcThread({
    services: [{ definition: shelfDefinition, implementation: { look: () => {}, lookOnce: () => {} } }],
    protoFiles: ['toystore/v1/catalog.proto', 'toystore/v1/order.proto'],
    protoFolders: [protoFolder],
  });
  const listener = net.createServer({ pauseOnConnect: true }, (socket) => thread.serve(socket)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as net.AddressInfo;
  const reflectionProto = fileURLToPath(
    import.meta.resolve('@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto'),
  );
  const client = stockClient(reflectionProto, 'grpc.reflection.v1', 'ServerReflection', port);
  const call = client.serverReflectionInfo!();
  call.write({ listServices: '*' });
  const [answer] = (await once(call, 'data')) as [{ listServicesResponse: { service: { name: string }[] } }];
  const names = answer.listServicesResponse.service.map(({ name }) => name);
  for (const name of ['toystore.v1.Catalog', 'toystore.v1.Order', 'grpc.health.v1.Health'])
    t.true(names.includes(name), name);
  // The open stream of a curious client does not hold up a drain.
  await thread.drain();
  client.close();
  listener.close();
});

test('drain() waits for the answer of a unary call', async (t) => {
  const asked = new Gate();
  let answer: LookOnceAnswer = () => {};
  const { shelf, client } = await started(t, {
    lookOnce: (_call, callback) => {
      answer = callback;
      asked.open();
    },
  });
  const call = lookOnce(client, { names: ['Tux'] });
  await asked.opened;
  let isDrained = false;
  const drained = shelf.thread.drain().then(() => {
    isDrained = true;
  });
  await new Promise(setImmediate);
  t.false(isDrained);
  answer(null, { lengths: [3] });
  t.deepEqual(await call, { lengths: [3] });
  await drained;
});

test('drain() waits for the work of a unary call whose client has gone', async (t) => {
  const asked = new Gate();
  const cancelled = new Gate();
  let answer: LookOnceAnswer = () => {};
  const { shelf, client } = await started(t, {
    lookOnce: (call, callback) => {
      answer = callback;
      call.on('cancelled', () => cancelled.open());
      asked.open();
    },
  });
  const call = lookOnce(client, { names: ['Tux'] });
  await asked.opened;
  shelf.breakConnections();
  await t.throwsAsync(call);
  await cancelled.opened;
  let isDrained = false;
  const drained = shelf.thread.drain().then(() => {
    isDrained = true;
  });
  do await new Promise(setImmediate);
  while (shelf.thread.stats().sessions > 0);
  t.is(shelf.thread.stats().activeCalls, 1);
  t.false(isDrained);
  answer(null, { lengths: [3] });
  await drained;
  t.is(shelf.thread.stats().activeCalls, 0);
});

test('drain() lets a batch stream answer what it has read, and ends it', async (t) => {
  const asked = new Gate();
  const gate = new Gate();
  const { shelf, client } = await started(t, {
    look: (call) =>
      serveBatches(call, async (request) => {
        asked.open();
        await gate.opened;
        return lengthsOf(request);
      }),
  });
  const call = openLook(client);
  call.write({ names: ['Tux'] });
  await asked.opened;
  const drained = shelf.thread.drain();
  const [answer] = await Promise.all([once(call, 'data'), gate.open()]);
  t.deepEqual(answer, [{ lengths: [3] }]);
  const [ended] = await once(call, 'status');
  t.is(ended.code, status.OK);
  await drained;
});

test('a thread that drains takes no more connections', async (t) => {
  const { shelf } = await started(t);
  await shelf.thread.drain();
  const socket = net.connect(shelf.port, '127.0.0.1').on('error', () => {});
  await once(socket, 'close');
  t.deepEqual(shelf.thread.stats(), { sessions: 0, activeCalls: 0 });
});

test('close() ends calls and connections at once, and a drain with them', async (t) => {
  const asked = new Gate();
  const { shelf, client } = await started(t, { lookOnce: () => asked.open() });
  const call = lookOnce(client, { names: ['Tux'] });
  await asked.opened;
  const drained = shelf.thread.drain();
  shelf.thread.close();
  await t.throwsAsync(call);
  await drained;
});

const NONSENSE: [name: string, bytes: string][] = [
  ['an HTTP/1.1 request', 'GET / HTTP/1.1\r\nHost: toys\r\n\r\n'],
  ['a broken preface', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'],
  ['frames of garbage', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(100)}`],
  ['nothing but zeros', '\0'.repeat(1000)],
];

for (const [name, bytes] of NONSENSE) {
  test(`${name} ends that connection alone`, async (t) => {
    const { shelf, client } = await started(t);
    const socket = net.connect(shelf.port, '127.0.0.1').on('error', () => {});
    socket.resume();
    socket.write(bytes, 'latin1');
    await once(socket, 'close');
    t.deepEqual(await lookOnce(client, { names: ['Tux'] }), { lengths: [3] });
  });
}

test('a connection that never says a word does not hold up a drain', async (t) => {
  const { shelf } = await started(t);
  const socket = net.connect(shelf.port, '127.0.0.1').on('error', () => {});
  socket.resume();
  await once(socket, 'data');
  await shelf.thread.drain();
  t.is(shelf.thread.stats().sessions, 0);
});

test('a handler that throws fails its call, and is not counted as active for good', async (t) => {
  const { shelf, client } = await started(t, {
    lookOnce: () => {
      throw new Error('a bug');
    },
  });
  const error = await t.throwsAsync(lookOnce(client, { names: [] }));
  t.like(error, { code: status.UNKNOWN });
  await shelf.thread.drain();
});
