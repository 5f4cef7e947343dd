// Mutual TLS among services: who shows a certificate of the common authority is served, on whichever thread its connection
// ends up; all others get no further than the handshake, whether they are clients or servers.

import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import ava, { type ExecutionContext } from 'ava';
import { hasNativeHandoff, ThreadPool, type ThreadPoolOptions } from '../../src/pool/index.js';
import { PeerCredentials } from '../../src/rpc/peer-credentials.js';
import { checkServedAndDrained } from '../rpc/shelf-pool.js';
import { connectToShelf, lookOnce } from '../rpc/shelf-service.js';
import {
  CertificateFolder,
  dateOf,
  hasOpenssl,
  type Signed,
  uncheckedIdentity,
  WHY_SKIPPED,
} from '../support/certificates.js';
import { OpensslClient } from '../support/openssl-client.js';

const MODULE = new URL('../rpc/fixtures/shelf-thread.js', import.meta.url);
/** What an HTTP/2 client says first: RFC 9113 3.4. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

type Ways = Pick<ThreadPoolOptions, 'threads' | 'handoff'>;

const WAYS: [way: string, options: Ways][] = [
  ['ipc', { threads: 2, handoff: 'ipc' }],
  ['native', { threads: 2, handoff: 'native' }],
  ['on the accepting thread', { threads: 0 }],
];

const folder = hasOpenssl ? new CertificateFolder() : undefined;
ava.after.always(() => folder?.[Symbol.dispose]());

/** Certificates of one authority, and of others. */
function makePeople(made: CertificateFolder) {
  const authority = made.authority();
  return {
    authority,
    member: made.issue(authority, { extendedKeyUsage: 'serverAuth,clientAuth' }),
    expired: made.issue(authority, { from: dateOf(-2), until: dateOf(-1) }),
    early: made.issue(authority, { from: dateOf(1), until: dateOf(2) }),
    serverOnly: made.issue(authority, { extendedKeyUsage: 'serverAuth' }),
    clientOnly: made.issue(authority, { extendedKeyUsage: 'clientAuth' }),
    elsewhere: made.issue(authority, { names: 'DNS:catalog.example,IP:192.0.2.1' }),
    foreign: made.issue(made.authority()),
    selfSigned: made.authority('nobody'),
  };
}

const people = folder && makePeople(folder);

/** What the one of that name shows, with trust in the authority of all members. */
function shown(signed: Signed): PeerCredentials {
  return new PeerCredentials(uncheckedIdentity(signed, people!.authority.certificate));
}

async function serve(t: ExecutionContext, options: Ways, server: Signed): Promise<number> {
  const data = uncheckedIdentity(server, people!.authority.certificate);
  const pool = new ThreadPool({ module: MODULE, data, allowHalfOpen: false, ...options });
  t.teardown(() => pool.close({ drainTimeoutMs: 0 }));
  await pool.start();
  return (await pool.listen({ host: '127.0.0.1', port: 0 })).port;
}

/** Why a call is not answered; 'answered' if it is. */
async function outcome(port: number, channelCredentials: ChannelCredentials): Promise<string> {
  const client = connectToShelf(port, channelCredentials);
  try {
    await lookOnce(client, { names: [] });
    return 'answered';
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.close();
  }
}

for (const [way, options] of WAYS) {
  const why = [
    ...(hasOpenssl ? [] : [WHY_SKIPPED]),
    ...(options.handoff === 'native' && !hasNativeHandoff() ? ['this Node.js has no native handoff'] : []),
  ];
  const test = why.length === 0 ? ava : ava.skip;
  const at = [way, ...why].join(', ');

  test(`${at}: members are served on every thread, streams too, and a drain ends them in order`, async (t) => {
    const data = uncheckedIdentity(people!.member, people!.authority.certificate);
    const pool = new ThreadPool({ module: MODULE, data, allowHalfOpen: false, ...options });
    await pool.start();
    const { port } = await pool.listen({ host: '127.0.0.1', port: 0 });
    const clients = Array.from({ length: 6 }, () => connectToShelf(port, shown(people!.member)));
    await checkServedAndDrained(t, pool, clients, Math.max(1, options.threads!));
  });

  test(`${at}: clients that are strangers are refused`, async (t) => {
    const port = await serve(t, options, people!.member);
    const member = uncheckedIdentity(people!.member, people!.authority.certificate);
    const strangers: [who: string, channelCredentials: ChannelCredentials][] = [
      ['without TLS', credentials.createInsecure()],
      ['without a certificate', new PeerCredentials({ ...member, certificate: '', key: '' })],
      ['of another authority', shown(people!.foreign)],
      ['signed by itself', shown(people!.selfSigned)],
      ['expired', shown(people!.expired)],
      ['not valid yet', shown(people!.early)],
      ['for servers only', shown(people!.serverOnly)],
    ];
    for (const [who, channelCredentials] of strangers) {
      t.regex(await outcome(port, channelCredentials), /^14 UNAVAILABLE/, who);
    }
    t.is(await outcome(port, shown(people!.member)), 'answered');
  });

  test(`${at}: openssl with the certificate of a member is welcomed in HTTP/2, without one or with another it is not`, async (t) => {
    const port = await serve(t, options, people!.member);
    const { member, foreign, expired, authority } = people!;
    const flags = ['-alpn', 'h2', '-quiet', '-no_ign_eof', '-CAfile', authority.certificate];
    const rows: [who: string, signed: Signed | undefined, version: string, alert: RegExp | ''][] = [
      ['none', undefined, '-tls1_3', /alert certificate required/],
      ['none', undefined, '-tls1_2', /alert handshake failure/],
      ['foreign', foreign, '-tls1_3', ''],
      ['foreign', foreign, '-tls1_2', ''],
      ['expired', expired, '-tls1_3', ''],
    ];
    for (const [who, signed, version, alert] of rows) {
      const shows = signed === undefined ? [] : ['-cert', signed.certificate, '-key', signed.key];
      await using stranger = new OpensslClient(port, ...flags, version, ...shows);
      stranger.write(PREFACE);
      const output = await stranger.rest();
      t.false(isWelcome(output), `${who} ${version}`);
      if (alert !== '') t.regex(output, alert, `${who} ${version}`);
    }
    await using welcome = new OpensslClient(port, ...flags, '-cert', member.certificate, '-key', member.key);
    welcome.write(PREFACE);
    await welcome.until(isWelcome);
    t.pass();
  });
}

/** Whether there is a SETTINGS frame in it: three bytes of length, of which two are 0, and the type 4. */
function isWelcome(output: string): boolean {
  return output.split('\0\0').some((piece) => piece[1] === '\x04');
}

const test = hasOpenssl ? ava : ava.skip;
const IMPOSTORS: [who: keyof NonNullable<typeof people>, reason: RegExp][] = [
  ['foreign', /self-signed certificate|unable to/],
  ['selfSigned', /self-signed certificate/],
  ['expired', /certificate has expired/],
  ['early', /certificate is not yet valid/],
  ['clientOnly', /unsuitable certificate purpose|unsupported certificate purpose/],
  ['elsewhere', /127\.0\.0\.1 is not in the cert's list/],
];

for (const [who, reason] of IMPOSTORS) {
  test(`a server is refused by its clients, with the reason in the error: ${who}`, async (t) => {
    const port = await serve(t, { threads: 0 }, people![who]);
    t.regex(await outcome(port, shown(people!.member)), reason);
  });
}
