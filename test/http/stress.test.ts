// Many at once, small enough for every run: what a hostile or a clumsy peer does must cost the others nothing, and memory
// must not grow with what it sends. docs of the library say what the large forms of these cost.
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Router } from '../../src/http/index.js';
import { get, RawClient, testEveryWayInTurn } from './served.js';

const MIB = 1024 * 1024;

function testRouter(): Router {
  return new Router().add('GET', '/echo/:text', (exchange) => exchange.send(200, exchange.parameter('text')!));
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in the heap and outside of it that are in use, of both ends of all connections. */
function heldBytes(): number {
  collectGarbage();
  collectGarbage(); // memory outside of the heap is given back by the collection after the one that finds it unused
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

testEveryWayInTurn(
  '10,000 requests in one write are answered in order, while another connection is served',
  async (t, serve) => {
    await using served = await serve({ router: testRouter() });
    using client = new RawClient(served.port);
    using other = new RawClient(served.port);
    const count = 10_000;
    const requests = Array.from({ length: count }, (_, index) => get(`/echo/${index}`));
    client.write(`${requests.join('')}${get('/echo/last', 'Connection: close\r\n')}`);
    other.write(get('/echo/other'));
    t.is((await other.answer()).body, 'other');
    const bodies = (await client.rest()).split(/HTTP\/1\.1 200 OK[\s\S]*?\r\n\r\n/).slice(1);
    t.is(bodies.length, count + 1);
    t.is(bodies.pop(), 'last');
    t.true(bodies.every((body, index) => body === String(index)));
  },
);

testEveryWayInTurn('hundreds of idle connections cost little, and others are served', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  const before = heldBytes();
  const idle = await Promise.all(
    Array.from({ length: 300 }, async () => {
      const client = new RawClient(served.port);
      await once(client.socket, 'connect');
      return client;
    }),
  );
  using client = new RawClient(served.port);
  for (let index = 0; index < 100; index++) {
    client.write(get(`/echo/${index}`));
    t.is((await client.answer()).body, String(index));
  }
  t.is(served.server.stats().idleSessions, 301);
  t.true(heldBytes() - before < 16 * MIB, `${heldBytes() - before} bytes for both ends of 300 connections`);
  for (const one of idle) one.socket.destroy();
});

testEveryWayInTurn(
  'an endless chunked upload is refused when it passes the limit, and its sender told',
  async (t, serve) => {
    await using served = await serve({ router: testRouter() });
    using client = new RawClient(served.port, { allowHalfOpen: true });
    using other = new RawClient(served.port);
    client.write('POST /echo/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    const before = heldBytes();
    for (let sent = 0; sent < 32 * MIB; sent += chunk.length) {
      if (!client.socket.write(chunk)) await once(client.socket, 'drain');
    }
    t.is((await client.answer()).status, 413);
    t.true(heldBytes() - before < 16 * MIB, `${heldBytes() - before} bytes after 32 MiB`);
    other.write(get('/echo/other'));
    t.is((await other.answer()).body, 'other');
  },
);

testEveryWayInTurn('endless empty lines are refused', async (t, serve) => {
  await using served = await serve({ router: testRouter() });
  using client = new RawClient(served.port);
  client.write('\r\n'.repeat(100_000));
  t.is((await client.answer()).status, 400);
  t.is(await client.rest(), '');
});

testEveryWayInTurn('slow senders and peers that read nothing do not hold up the others', async (t, serve) => {
  const router = testRouter().add('GET', '/large', (exchange) => exchange.send(200, 'x'.repeat(MIB)));
  await using served = await serve({ router });
  const slow = Array.from({ length: 50 }, (_, index) => {
    const client = new RawClient(served.port);
    client.socket.pause();
    if (index % 2 === 0) client.write(get('/large').repeat(50));
    else client.write('GET /slow');
    return client;
  });
  while (served.server.stats().sessions < 50) await setTimeout(1);
  using client = new RawClient(served.port);
  for (let index = 0; index < 200; index++) {
    client.write(get(`/echo/${index}`));
    t.is((await client.answer()).body, String(index));
  }
  for (const one of slow) one.socket.destroy();
});
