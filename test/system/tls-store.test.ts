// The whole store over TLS: HTTPS for customers, certificates among the services, and new ones while it runs.

import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import ava from 'ava';
import { CertificateFolder, dateOf, hasOpenssl, type Signed, WHY_SKIPPED } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { parseAnswer } from '../support/raw-http.js';
import { StoreProcess } from '../support/store-process.js';

const test = hasOpenssl ? ava.serial : ava.skip;
const skipped = hasOpenssl ? '' : ` (${WHY_SKIPPED})`;
const folder = hasOpenssl ? new CertificateFolder() : undefined;
ava.after.always(() => folder?.[Symbol.dispose]());
const authority = folder?.authority();

const ORDER = '{"name":"Tux","quantity":1}';
const READY = 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** The files that the settings name, to be put there and replaced. */
function place(name: string, signed: Signed): Signed {
  const at = { certificate: join(folder!.path, `${name}.pem`), key: join(folder!.path, `${name}.key`) };
  copyFileSync(signed.key, at.key);
  copyFileSync(signed.certificate, at.certificate);
  return at;
}

function environment(https: Signed, peers: Signed): Record<string, string> {
  return {
    TLS_CERT: https.certificate,
    TLS_KEY: https.key,
    GRPC_TLS_CERT: peers.certificate,
    GRPC_TLS_KEY: peers.key,
    GRPC_TLS_CA: authority!.certificate,
  };
}

/** One request on a connection that stays. */
async function ask(socket: TLSSocket, request = READY): Promise<string> {
  socket.write(request);
  const [bytes] = await once(socket, 'data');
  return String(bytes);
}

/** A connection that trusts the authority. */
async function open(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ca: readFileSync(authority!.certificate) });
  await once(socket, 'secureConnect');
  return socket;
}

/** The serial number of the certificate that a new connection is shown. */
async function serialOf(port: number): Promise<string> {
  const socket = await open(port);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

async function status(port: number, path: string): Promise<number> {
  const ca = readFileSync(authority!.certificate);
  const [answer] = await once(httpsGet({ host: '127.0.0.1', port, path, ca, agent: false }), 'response');
  answer.resume();
  return answer.statusCode;
}

async function run(command: string, env: Record<string, string>, flags: string[]): Promise<[number | null, string]> {
  await using asked = await StoreProcess.spawn(command, { env }, flags);
  const { code } = await asked.exited;
  return [code, [...asked.stdout, ...asked.stderr].join('\n')];
}

const newCertificate = (): Signed => folder!.issue(authority!, { extendedKeyUsage: 'serverAuth,clientAuth' });

/** One for all tests that leave it whole. */
let sharedStore: Promise<StoreProcess> | undefined;
ava.after.always(async () => (await sharedStore)?.[Symbol.asyncDispose]());

function startedStore(): { env: Record<string, string>; starting: Promise<StoreProcess> } {
  const at = (name: string): Signed => ({
    certificate: join(folder!.path, `${name}.pem`),
    key: join(folder!.path, `${name}.key`),
  });
  const env = environment(at('https'), at('peers'));
  if (sharedStore === undefined) {
    for (const name of ['https', 'peers']) place(name, newCertificate());
    sharedStore = StoreProcess.start('start', { env });
  }
  return { env, starting: sharedStore };
}

test(`over HTTPS and with certificates among its services the store is ready, sells, and is well${skipped}`, async (t) => {
  const { env, starting } = startedStore();
  const store = await starting;
  t.regex(store.address, /^https:/);
  const socket = await open(store.port);
  t.is(parseAnswer(await ask(socket)).status, 200);
  const head = `POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${ORDER.length}`;
  t.is(parseAnswer(await ask(socket, `${head}\r\n\r\n${ORDER}`)).body, '{"data":{"order_number":0}}');
  socket.destroy();

  const flags = ['--url', store.address, '--requests', '20', '--clients', '2'];
  const [code, output] = await run('client', { NODE_EXTRA_CA_CERTS: authority!.certificate }, flags);
  t.is(code, 0, output);
  const [distrusting, line] = await run('client', {}, flags);
  t.is(distrusting, 1);
  t.regex(line, /^https:\S+ has a certificate that nobody known has signed: set NODE_EXTRA_CA_CERTS/);

  for (const service of ['catalog', 'order', 'frontend']) {
    const port = service === 'frontend' ? String(store.port) : (store.serviceAddress(service).split(':')[1] as string);
    const well = await run('health', { ...env, [`${service.toUpperCase()}_PORT`]: port }, [service]);
    t.deepEqual(well, [0, `${service} is well`]);
    if (service === 'frontend') continue;
    const [stranger] = await run('health', { [`${service.toUpperCase()}_PORT`]: port }, [service]);
    t.is(stranger, 1, `${service}, asked without a certificate`);
  }
  t.deepEqual(
    store.stderr.filter((line) => !line.startsWith('{')),
    [],
  );
});

test(`new certificates are used on SIGHUP, by all services, and connections that there are stay${skipped}`, async (t) => {
  const store = await startedStore().starting;
  const kept = await open(store.port);
  const before = await serialOf(store.port);
  place('https', newCertificate());
  place('peers', newCertificate());
  store.child.kill('SIGHUP');
  const isUsed = (service: string, setting: string): boolean =>
    store.logs.some(
      (log) => log.message === 'a new certificate is used' && log.service === service && log.setting === setting,
    );
  const all = [
    ['frontend', 'TLS_CERT'],
    ['frontend', 'GRPC_TLS_CERT'],
    ['order', 'GRPC_TLS_CERT'],
    ['catalog', 'GRPC_TLS_CERT'],
  ] as const;
  await store.until(() => all.every(([service, setting]) => isUsed(service, setting)), 'the new certificates');
  while ((await serialOf(store.port)) === before) await delay(20);
  t.is(parseAnswer(await ask(kept)).status, 200, 'the connection from before');
  // Connections among the services are made anew with the new certificates.
  process.kill(store.servicePid('catalog'), 'SIGKILL');
  await store.until(() => store.logs.some(({ message }) => message === 'service is back'), 'the catalog');
  while ((await status(store.port, '/readyz')) !== 200) await delay(50);
  t.is(parseAnswer(await ask(kept)).status, 200);
  kept.destroy();
});

test(`a new certificate is used without a signal; one that is unsound is not, and said to be so${skipped}`, async (t) => {
  const [first, second] = [newCertificate(), newCertificate()];
  const at = place('polled', first);
  const env = {
    TLS_CERT: at.certificate,
    TLS_KEY: at.key,
    CATALOG_ADDRESS: '127.0.0.1:1',
    ORDER_ADDRESS: '127.0.0.1:1',
  };
  await using frontend = await StoreProcess.start('frontend', { env });
  const before = await serialOf(frontend.port);
  const refusals = (): unknown[] =>
    frontend.logs.filter((log) => log.message === 'a new certificate is not used, the one before stays');
  place('polled', folder!.issue(authority!, { from: dateOf(-2), until: dateOf(-1) }));
  await frontend.until(() => refusals().length === 1, 'the refusal');
  t.regex(JSON.stringify(refusals()[0]), /expired on/);
  t.is(await serialOf(frontend.port), before);
  // Key and certificate of different pairs, as in the middle of a replacement that has stopped.
  copyFileSync(second.key, at.key);
  copyFileSync(first.certificate, at.certificate);
  await frontend.until(() => refusals().length === 2, 'the refusal');
  t.regex(JSON.stringify(refusals()[1]), /is not the key of the certificate/);
  t.is(await serialOf(frontend.port), before);
  copyFileSync(second.certificate, at.certificate);
  await frontend.until(
    () => frontend.logs.some(({ message }) => message === 'a new certificate is used'),
    'the new one',
  );
  while ((await serialOf(frontend.port)) === before) await delay(20);
  t.is(refusals().length, 2);
});

const START_ERRORS: [what: string, env: () => Record<string, string>, code: number, line: RegExp][] = [
  [
    'a certificate without its key',
    () => ({ TLS_CERT: '/x' }),
    2,
    /^TLS_CERT without TLS_KEY: set TLS_CERT and TLS_KEY/,
  ],
  [
    'two of three',
    () => ({ GRPC_TLS_CERT: '/x', GRPC_TLS_CA: '/y' }),
    2,
    /^GRPC_TLS_CERT and GRPC_TLS_CA without GRPC_/,
  ],
  [
    'missing files',
    () => ({ TLS_CERT: '/x', TLS_KEY: '/y' }),
    1,
    /^TLS_CERT: \/x does not exist: set it to a PEM file$/,
  ],
  [
    'a foreign certificate',
    () => ({ ...environment(newCertificate(), folder!.issue(folder!.authority())) }),
    1,
    /^GRPC_TLS_CERT: \S+ is not signed by an authority in \S+ \(GRPC_TLS_CA\): put/,
  ],
];

for (const command of ['start', 'frontend']) {
  for (const [what, env, code, line] of START_ERRORS) {
    test(`${command}: ${what} is one line at the start${skipped}`, async (t) => {
      const port = String(await freePort());
      const [exitCode, output] = await run(command, { ...env(), FRONTEND_PORT: port }, []);
      t.is(exitCode, code);
      t.regex(output, line);
      t.false(output.includes('\n'));
    });
  }
}
