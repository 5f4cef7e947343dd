// The client's connection against a server that says what the test wants, byte for byte, and against our own server.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ClientConnection, HttpError, type HttpErrorCode, Router } from '../../src/http/index.js';
import { serve } from './served.js';

interface Scripted extends AsyncDisposable {
  readonly port: number;
  /** All that has been received on all connections. */
  received(): string;
}

/** A server that answers the first bytes of each connection with `script`. */
async function scripted(script: (socket: Socket) => void): Promise<Scripted> {
  const sockets = new Set<Socket>();
  let text = '';
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
    });
    socket.once('data', () => script(socket));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    received: () => text,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function open(port: number, timeoutMs = 10_000): ClientConnection & Disposable {
  const connection = new ClientConnection({ host: '127.0.0.1', port, timeoutMs });
  return Object.assign(connection, { [Symbol.dispose]: () => connection.close() });
}

async function fails(t: ExecutionContext, code: HttpErrorCode, promise: Promise<unknown>): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: HttpError });
  t.is((error as HttpError).code, code);
}

const OK = 'HTTP/1.1 200 OK\r\n';

test('a request is what a server expects, with Host and length added', async (t) => {
  await using server = await scripted((socket) =>
    socket.write(`${OK}Content-Length: 2\r\nX-Name: a\r\nX-Name: b\r\n\r\nhi`),
  );
  using connection = open(server.port);
  const answer = await connection.request('POST', '/orders?x=%20', {
    headers: { 'Idempotency-Key': 'k1' },
    body: '{"ü":1}',
  });
  t.is(
    Buffer.from(server.received(), 'latin1').toString(),
    `POST /orders?x=%20 HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nIdempotency-Key: k1\r\nContent-Length: 8\r\n\r\n{"ü":1}`,
  );
  t.is(answer.status, 200);
  t.is(answer.body.toString(), 'hi');
  t.is(answer.header('x-name'), 'a, b');
  t.is(answer.header('x-other'), undefined);
  t.true(answer.isKeepAlive);
  t.true(connection.isOpen);
});

test('requests sent ahead get their answers in order, from our own server', async (t) => {
  const router = new Router()
    .add('GET', '/echo/:text', (exchange) => exchange.send(200, exchange.parameter('text')!))
    .add('POST', '/echo', (exchange) => exchange.send(200, exchange.body));
  await using served = await serve({ router });
  using connection = open(served.port);
  const asked = Array.from({ length: 100 }, (_, index) =>
    index % 3 === 0
      ? connection.request('POST', '/echo', { body: `p${index}` })
      : connection.request('GET', `/echo/g${index}`),
  );
  const answers = await Promise.all(asked);
  t.deepEqual(
    answers.map(({ body }) => body.toString()),
    answers.map((_, index) => (index % 3 === 0 ? `p${index}` : `g${index}`)),
  );
  t.is((await connection.request('HEAD', '/echo/x')).body.length, 0);
  t.is((await connection.request('OPTIONS', '*')).status, 204);
  t.is(served.server.stats().sessionsTotal, 1);
});

test('interim answers are passed over', async (t) => {
  await using server = await scripted((socket) =>
    socket.write(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n${OK}Content-Length: 0\r\n\r\n`),
  );
  using connection = open(server.port);
  t.is((await connection.request('GET', '/')).status, 200);
});

test('a body until close is whole when the server closes, and the connection is over', async (t) => {
  await using server = await scripted((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
  using connection = open(server.port);
  const answer = await connection.request('GET', '/');
  t.is(answer.body.toString(), 'all of it');
  t.false(answer.isKeepAlive);
  t.false(connection.isOpen);
  await fails(t, 'CONNECTION_LOST', connection.request('GET', '/'));
});

test('Connection: close ends the connection after its answer; what was sent ahead is lost', async (t) => {
  await using server = await scripted((socket) => socket.write(`${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`));
  using connection = open(server.port);
  const first = connection.request('GET', '/1');
  const second = connection.request('GET', '/2');
  t.false((await first).isKeepAlive);
  await fails(t, 'CONNECTION_LOST', second);
});

const BROKEN: [name: string, code: HttpErrorCode, script: (socket: Socket) => void][] = [
  ['it closes without an answer', 'CONNECTION_LOST', (socket) => socket.end()],
  ['it resets the connection', 'CONNECTION_LOST', (socket) => socket.resetAndDestroy()],
  ['it closes in the middle of a head', 'CUT_SHORT', (socket) => socket.end('HTTP/1.1 200 OK\r\nConte')],
  ['it closes in the middle of a body', 'CUT_SHORT', (socket) => socket.end(`${OK}Content-Length: 5\r\n\r\nhel`)],
  ['it talks something else', 'STATUS_LINE', (socket) => socket.write('220 smtp.example ESMTP\r\n')],
  [
    'its answer is framed twice',
    'FRAMING_CONFLICT',
    (socket) => socket.write(`${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`),
  ],
  [
    'it switches protocols',
    'PROTOCOL_SWITCH',
    (socket) => socket.write('HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n'),
  ],
];

for (const [name, code, script] of BROKEN) {
  test(`when ${name}, all that waits is rejected with ${code}`, async (t) => {
    await using server = await scripted(script);
    using connection = open(server.port);
    const first = connection.request('GET', '/');
    const second = connection.request('GET', '/');
    await Promise.all([fails(t, code, first), fails(t, code, second)]);
    t.false(connection.isOpen);
    await fails(t, code, connection.request('GET', '/'));
  });
}

test('an answer that nobody asked for drops an idle connection', async (t) => {
  const answer = `${OK}Content-Length: 0\r\n\r\n`;
  await using server = await scripted((socket) => socket.write(answer + answer));
  using connection = open(server.port);
  t.is((await connection.request('GET', '/')).status, 200);
  await fails(t, 'RESPONSE_UNASKED', connection.request('GET', '/'));
});

test('no answer in time is RESPONSE_TIMEOUT', async (t) => {
  await using server = await scripted(() => {});
  using connection = open(server.port, 50);
  await fails(t, 'RESPONSE_TIMEOUT', connection.request('GET', '/'));
});

test('where nobody listens it is CONNECT_FAILED', async (t) => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  using connection = open(port);
  await fails(t, 'CONNECT_FAILED', connection.request('GET', '/'));
});

test('closing rejects what still waits', async (t) => {
  await using server = await scripted(() => {});
  using connection = open(server.port);
  const waiting = connection.request('GET', '/');
  connection.close();
  await fails(t, 'CONNECTION_LOST', waiting);
});

test('requests that would not be one request are a mistake of ours', (t) => {
  const connection = new ClientConnection({ host: '127.0.0.1', port: 1 });
  for (const [method, target, headers] of [
    ['GET', '/a b', {}],
    ['GET', '/\r\nHost: b', {}],
    ['G T', '/', {}],
    ['GET', '/', { 'X\r\nY': 'z' }],
    ['GET', '/', { X: 'a\r\nb' }],
    ['GET', '/', { X: '€' }],
  ] as const) {
    t.throws(() => void connection.request(method, target, { headers: headers as Record<string, string> }), {
      message: /malformed/,
    });
  }
  connection.close();
});
