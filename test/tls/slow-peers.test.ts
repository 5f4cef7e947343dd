// Peers that keep a connection busy without saying anything: in the handshake, and after it with records that never end.
// Bytes that come one by one must not count as something that has come.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import ava from 'ava';
import { Router } from '../../src/http/index.js';
import { TlsTerminator } from '../../src/tls/tls-terminator.js';
import { serveSecurely } from '../http/served.js';
import { hasOpenssl, makeIdentity, WHY_SKIPPED } from '../support/certificates.js';

const test = hasOpenssl ? ava : ava.skip;
const skipped = hasOpenssl ? '' : ` (${WHY_SKIPPED})`;

const TIMEOUT_MS = 300;
/** Several drops within each time-out: a clock that each of them set back would never run out. */
const DRIP_MS = 20;
/** The head of a record of application data with 1 KiB in it (RFC 8446 5.1). */
const RECORD_HEAD = Buffer.from([23, 3, 3, 4, 0]);
/** The head of a record with a handshake message, and of a ClientHello of 256 bytes. */
const HELLO_HEAD = Buffer.from([22, 3, 1, 1, 4, 1, 0, 1, 0]);

/** Sends the head and then a byte at a time, until the other side closes. Resolves when it has. */
async function drip(socket: Socket, head: Buffer): Promise<void> {
  socket.write(head);
  while (!socket.closed) {
    await delay(DRIP_MS);
    if (!socket.destroyed) socket.write('x');
  }
}

test(`a handshake that drips is ended in time, and so is one that does not begin${skipped}`, async (t) => {
  const failed: string[] = [];
  const terminator = new TlsTerminator({
    identity: makeIdentity(),
    protocol: 'http/1.1',
    handshakeTimeoutMs: TIMEOUT_MS,
    onSecure: () => t.fail('no handshake has been completed'),
    onFailed: (failure) => failed.push(failure),
  });
  const listener = createServer({ pauseOnConnect: true }, (socket) => terminator.accept(socket));
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const open = (): Socket =>
    connect((listener.address() as AddressInfo).port, '127.0.0.1')
      .on('error', () => {})
      .resume();
  await Promise.all([drip(open(), HELLO_HEAD), drip(open(), HELLO_HEAD.subarray(0, 5)), once(open(), 'close')]);
  listener.close();
  while (terminator.stats().pending > 0) await delay(1);
  t.deepEqual(failed, ['timeout', 'timeout', 'timeout']);
  t.is(terminator.stats().failed.timeout, 3);
});

const UNFINISHED: [what: string, begun: string, limit: string, answer: RegExp][] = [
  ['before the first request', '', 'idleTimeoutMs', /^$/],
  ['within a head', 'GET /echo HTTP/1.1\r\nHo', 'headTimeoutMs', /^HTTP\/1\.1 408 /],
  [
    'within a body',
    'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx',
    'bodyTimeoutMs',
    /^HTTP\/1\.1 408 /,
  ],
];

for (const [what, begun, limit, answer] of UNFINISHED) {
  test(`a record that drips ${what} ends the connection after ${limit}${skipped}`, async (t) => {
    const limits = { idleTimeoutUnderPressureMs: 1, lingerTimeoutMs: TIMEOUT_MS, [limit]: TIMEOUT_MS };
    const router = new Router().add('POST', '/echo', (exchange) => exchange.send(200, exchange.body));
    await using served = await serveSecurely({ router, limits });
    const wire = connect(served.port, '127.0.0.1');
    wire.on('error', () => {});
    const socket = connectSecurely({ socket: wire, rejectUnauthorized: false });
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
    });
    await once(socket, 'secureConnect');
    // Its last message of the handshake may still be on its way: bytes must not come before it.
    while (served.server.stats().sessions === 0) await delay(1);
    if (begun !== '') await new Promise((resolve) => socket.write(begun, resolve));
    await drip(wire, RECORD_HEAD);
    t.regex(text, answer);
    while (served.server.stats().sessions > 0) await delay(1);
  });
}
