// HTTPS at the front end, with openssl as the stranger, on both ways of handing a socket to its thread: which versions,
// protocols and sessions are taken, and how those end that are not.

import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import ava, { type ExecutionContext } from 'ava';
import { hasNativeHandoff } from '../../src/pool/index.js';
import { CertificateFolder, hasOpenssl, WHY_SKIPPED } from '../support/certificates.js';
import { isThorough } from '../support/effort.js';
import { OpensslClient } from '../support/openssl-client.js';
import { exchangeUntilClose, parseAnswer } from '../support/raw-http.js';
import { StoreProcess } from '../support/store-process.js';

const folder = hasOpenssl ? new CertificateFolder() : undefined;
ava.after.always(() => folder?.[Symbol.dispose]());
const authority = folder?.authority();
const own = folder?.issue(authority!);

const GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LAST_GET = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const ALIVE = /\{"data":\{"status":"alive"\}\}/;
const THREADS = isThorough ? 3 : 2;

type Run = (t: ExecutionContext, port: number, frontend: StoreProcess) => Promise<void>;

function startFrontend(handoff: 'ipc' | 'native', env: Record<string, string>): Promise<StoreProcess> {
  return StoreProcess.start('frontend', {
    env: {
      TLS_CERT: own!.certificate,
      TLS_KEY: own!.key,
      HANDOFF: handoff,
      THREADS: String(THREADS),
      PACKED_SESSIONS: '1',
      CATALOG_ADDRESS: '127.0.0.1:1',
      ORDER_ADDRESS: '127.0.0.1:1',
      ...env,
    },
  });
}

/** One front end for each way of handing sockets over, without backends: `/healthz` needs none. */
const shared = new Map<string, Promise<StoreProcess>>();
ava.after.always(async () => {
  for (const frontend of shared.values()) await (await frontend)[Symbol.asyncDispose]();
});

/** @param env for a front end of its own */
function onEachHandoff(title: string, run: Run, env?: Record<string, string>): void {
  for (const handoff of ['ipc', 'native'] as const) {
    const why = [
      ...(hasOpenssl ? [] : [WHY_SKIPPED]),
      ...(handoff === 'native' && !hasNativeHandoff() ? ['this Node.js has no native handoff'] : []),
    ];
    if (why.length > 0) {
      ava.skip(`${handoff}: ${title}: ${why.join(', ')}`, () => {});
      continue;
    }
    ava.serial(`${handoff}: ${title}`, async (t) => {
      const started = env === undefined ? shared.get(handoff) : undefined;
      const starting = started ?? startFrontend(handoff, env ?? {});
      if (env === undefined) shared.set(handoff, starting);
      const frontend = await starting;
      t.regex(frontend.address, /^https:\/\/127\.0\.0\.1:\d+$/);
      await run(t, frontend.port, frontend);
      t.false(frontend.logs.some(({ message }) => message === 'a thread failed and is replaced'));
      if (env !== undefined) await frontend[Symbol.asyncDispose]();
    });
  }
}

/** A connection whose handshake is done. */
async function open(port: number, options: { session?: Buffer; minVersion?: 'TLSv1.3' } = {}): Promise<TLSSocket> {
  const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

/** The counts of failed handshakes, those that are not 0, since `before`. */
async function failures(port: number, before: Record<string, number> = {}): Promise<Record<string, number>> {
  const socket = await open(port);
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const bytes of socket) text += String(bytes);
  if (!text.includes('toystore_tls_')) return failures(port, before); // its threads were too busy to answer
  const rows = text.matchAll(/^toystore_tls_handshakes_failed_total\{service="frontend",reason="([a-z-]+)"\} (\d+)/gm);
  const grown = [...rows].map(([, reason, count]) => [reason!, Number(count) - (before[reason!] ?? 0)] as const);
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

onEachHandoff(
  'TLS 1.2 and 1.3 are taken, each with the certificate of TLS_CERT and HTTP/1.1 inside',
  async (t, port) => {
    for (const [flag, version] of [
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ] as const) {
      await using client = new OpensslClient(
        port,
        ...[
          flag,
          '-alpn',
          'http/1.1',
          '-CAfile',
          authority!.certificate,
          '-verify_return_error',
          '-quiet',
          '-no_ign_eof',
        ],
        ...['-brief'],
      );
      await client.until(/Verification: OK/);
      client.write(LAST_GET);
      const output = await client.rest();
      t.regex(output, new RegExp(`Protocol version: ${version}`));
      t.regex(output, ALIVE);
    }
  },
);

const REFUSED: [what: string, flags: string[], alert: RegExp, reason: string][] = [
  ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL@SECLEVEL=0'], /alert protocol version/, 'version'],
  ['TLS 1.0', ['-tls1', '-cipher', 'ALL@SECLEVEL=0'], /alert protocol version/, 'version'],
  ['another protocol inside (ALPN)', ['-alpn', 'h2'], /alert no application protocol/, 'alpn'],
  ['a cipher without encryption', ['-tls1_2', '-cipher', 'eNULL@SECLEVEL=0'], /alert handshake failure/, 'cipher'],
];

onEachHandoff(
  'what is refused in the handshake is told by an alert, counted and not logged',
  async (t, port, frontend) => {
    const before = await failures(port);
    const expected: Record<string, number> = {};
    for (const [what, flags, alert, reason] of REFUSED) {
      await using client = new OpensslClient(port, ...flags);
      t.regex(await client.rest(), alert, what);
      expected[reason] = (expected[reason] ?? 0) + 1;
    }
    t.deepEqual(await failures(port, before), expected);
    t.deepEqual(
      frontend.logs.filter(({ message }) => /handshake/.test(String(message))),
      [],
    );
  },
);

onEachHandoff('whoever begins with plain HTTP is told what is spoken here; noise is ended', async (t, port) => {
  const before = await failures(port);
  const answer = parseAnswer(await exchangeUntilClose(port, GET));
  t.is(answer.status, 400);
  t.is(answer.body, '{"error":{"code":400,"message":"this port speaks HTTPS: ask with https://"}}');
  t.false((await exchangeUntilClose(port, Buffer.alloc(64))).includes('HTTP'));
  t.deepEqual(await failures(port, before), { 'plain-http': 1, 'not-tls': 1 });
});

onEachHandoff(
  'a session is resumed on whichever thread',
  async (t, port) => {
    const session = join(folder!.path, `${port}.session`);
    for (const flag of ['-tls1_2', '-tls1_3']) {
      // With strict sessions each connection that stays has a thread of its own.
      await using first = new OpensslClient(port, flag, '-sess_out', session);
      first.write(GET);
      await first.until(ALIVE);
      t.regex(first.output, /New, TLS/);
      for (let count = 1; count < THREADS; count++) {
        const next = new OpensslClient(port, flag, '-sess_in', session);
        t.teardown(() => next[Symbol.asyncDispose]());
        next.write(GET);
        await next.until(ALIVE);
        t.regex(next.output, /Reused, TLS/, `${flag}, thread ${count}`);
        if (count === THREADS - 1) await next[Symbol.asyncDispose]();
      }
      await first[Symbol.asyncDispose]();
    }
  },
  { SESSIONS_PER_THREAD: '1', MAX_THREADS: String(2 * THREADS) },
);

onEachHandoff('renegotiation ends the connection; a new key of TLS 1.3 does not', async (t, port) => {
  await using old = new OpensslClient(port, '-tls1_2');
  old.write(GET);
  await old.until(ALIVE);
  old.write('R\n');
  await old.until(/RENEGOTIATING/);
  await old.rest();
  await using modern = new OpensslClient(port, '-tls1_3');
  modern.write(GET);
  await modern.until(ALIVE);
  modern.write('K\n');
  await modern.until(/KEYUPDATE/);
  modern.write(LAST_GET);
  t.is((await modern.rest()).match(/"alive"/g)?.length, 2);
});

onEachHandoff('a request is answered though its peer closes without close_notify', async (t, port) => {
  for (const request of [GET, 'GET /healthz HTTP/1.1\r\nHo']) {
    const accepted = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = connectSecurely({ socket: accepted, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes;
    });
    socket.on('error', () => {});
    socket.write(request, () => accepted.end()); // under TLS: it says no word of its own
    await once(socket, 'end');
    socket.destroy();
    t.is(parseAnswer(text).status, request === GET ? 200 : 400);
  }
});

onEachHandoff(
  'peers that go away or fall silent in the middle of a handshake leave nothing behind',
  async (t, port) => {
    const before = await failures(port);
    const hello = Buffer.from('16030100050100000100', 'hex');
    for (let length = 1; length <= hello.length; length++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await once(socket, 'connect');
      await new Promise((resolve) => socket.write(hello.subarray(0, length), resolve));
      if (length % 2 === 0) socket.resetAndDestroy();
      else socket.end();
      await once(socket.resume(), 'close');
    }
    // One may still be on its way to its thread.
    for (;;) {
      const { closed = 0, other = 0, 'not-tls': noise = 0 } = await failures(port, before);
      if (closed + other + noise === hello.length) break;
      await delay(20);
    }
    t.pass();
  },
);

onEachHandoff(
  'a connection that is turned away hears it in the language of TLS',
  async (t, port) => {
    const first = await open(port);
    first.write(GET);
    await once(first, 'data');
    await using second = new OpensslClient(port);
    t.regex(await second.rest(), /alert internal error/);
    first.destroy();
  },
  { SESSIONS_PER_THREAD: '1', THREADS: '1', QUEUE_MAX: '0' },
);
