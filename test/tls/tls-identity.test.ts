// Certificates as openssl makes them, right and wrong in every way that is known: what is wrong with them is said in one
// line, before anything is started.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import ava from 'ava';
import { requireCertificates } from '../../src/certificates.js';
import { parseSettings } from '../../src/settings.js';
import { type IdentityFiles, readIdentity, validUntilMs } from '../../src/tls/tls-identity.js';
import { CertificateFolder, dateOf, hasOpenssl, identityFiles, WHY_SKIPPED } from '../support/certificates.js';

const test = hasOpenssl ? ava : ava.skip;
const skipped = hasOpenssl ? '' : ` (${WHY_SKIPPED})`;
const folder = hasOpenssl ? new CertificateFolder() : undefined;
ava.after.always(() => folder?.[Symbol.dispose]());

type Make = (folder: CertificateFolder) => IdentityFiles;

const SOUND: readonly [what: string, make: Make][] = [
  ['a certificate that an authority signed', (made) => identityFiles(made.issue(made.authority()))],
  [
    'one that signs itself',
    (made) => {
      const own = made.authority();
      return identityFiles(own, own.certificate);
    },
  ],
  [
    'of a known authority',
    (made) => {
      const authority = made.authority();
      return identityFiles(made.issue(authority), authority.certificate);
    },
  ],
  [
    'of one of several known authorities',
    (made) => {
      const [one, other] = [made.authority('One'), made.authority('Other')];
      return identityFiles(made.issue(other), made.join(one.certificate, other.certificate));
    },
  ],
  [
    'with the certificates in between behind it, in whatever order',
    (made) => {
      const root = made.authority();
      const upper = made.issue(root, { isAuthority: true });
      const lower = made.issue(upper, { isAuthority: true });
      const own = made.issue(lower);
      const certificate = made.join(own.certificate, upper.certificate, lower.certificate);
      return identityFiles({ ...own, certificate }, root.certificate);
    },
  ],
  [
    'made for servers and clients',
    (made) =>
      identityFiles(made.issue(made.authority(), { extendedKeyUsage: 'serverAuth,clientAuth' }), undefined, [
        'serverAuth',
        'clientAuth',
      ]),
  ],
  ['an RSA key', (made) => identityFiles(made.issue(made.authority(), { keyType: ['rsa:2048'] }))],
];

for (const [what, make] of SOUND) {
  test(`taken: ${what}${skipped}`, (t) => {
    const identity = readIdentity(make(folder!));
    t.is(identity.ticketKeys.length, 48);
    t.true(validUntilMs(identity) > Date.now());
  });
}

const UNSOUND: readonly [what: string, make: Make, message: RegExp][] = [
  [
    'a certificate that is not there',
    (made) => identityFiles({ ...made.authority(), certificate: '/nowhere/cert.pem' }),
    /^TEST_CERT: \/nowhere\/cert.pem does not exist: set it to a PEM file$/,
  ],
  [
    'a key that is not there',
    (made) => identityFiles({ ...made.authority(), key: '/nowhere/key.pem' }),
    /^TEST_KEY: \/nowhere\/key.pem does not exist/,
  ],
  [
    'authorities that are not there',
    (made) => identityFiles(made.authority(), '/nowhere/ca.pem'),
    /^TEST_CA: \/nowhere\/ca.pem does not exist/,
  ],
  [
    'a directory',
    (made) => {
      const path = join(made.path, 'directory');
      mkdirSync(path);
      return identityFiles({ ...made.authority(), certificate: path });
    },
    /^TEST_CERT: .+ cannot be read \(EISDIR\): let the user who runs this read it$/,
  ],
  [
    'a certificate that is not PEM',
    (made) => identityFiles({ ...made.authority(), certificate: made.write('\x30\x82\x01\x0a') }),
    /^TEST_CERT: .+ has no certificate in it: it must be PEM, which begins with -----BEGIN CERTIFICATE-----$/,
  ],
  [
    'a key in place of the certificate',
    (made) => identityFiles({ ...made.authority(), certificate: made.authority().key }),
    /^TEST_CERT: .+ has no certificate in it/,
  ],
  [
    'a damaged certificate',
    (made) =>
      identityFiles({
        ...made.authority(),
        certificate: made.write('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      }),
    /^TEST_CERT: .+ has a damaged certificate in it \(.+\): make it anew$/,
  ],
  [
    'a certificate in place of the key',
    (made) => identityFiles({ ...made.authority(), key: made.authority().certificate }),
    /^TEST_KEY: .+ has no private key in it \(.+\): it must be PEM, which begins with -----BEGIN PRIVATE KEY-----$/,
  ],
  [
    'a key with a passphrase',
    (made) => identityFiles({ ...made.authority(), key: made.write('-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA') }),
    /^TEST_KEY: .+ is encrypted, .+ without one, as by openssl pkey/,
  ],
  [
    'the key of another certificate',
    (made) => identityFiles({ ...made.authority(), key: made.authority().key }),
    /^TEST_KEY: .+ is not the key of the certificate in .+ \(TEST_CERT\): set both to files that were made together$/,
  ],
  [
    'an expired certificate',
    (made) => identityFiles(made.issue(made.authority(), { from: dateOf(-2), until: dateOf(-1) })),
    /^TEST_CERT: .+: the certificate of CN=test \d+ expired on 20[-\dT:.]+Z: put one there that is valid$/,
  ],
  [
    'one that is not valid yet',
    (made) => identityFiles(made.issue(made.authority(), { from: dateOf(1), until: dateOf(2) })),
    /^TEST_CERT: .+ is valid from 20[-\dT:.]+Z on: wait until then, or set the clock$/,
  ],
  [
    'an expired certificate in between',
    (made) => {
      const root = made.authority();
      const between = made.issue(root, { isAuthority: true, from: dateOf(-2), until: dateOf(-1) });
      const own = made.issue(between);
      return identityFiles({ ...own, certificate: made.join(own.certificate, between.certificate) }, root.certificate);
    },
    /^TEST_CERT: .+ expired on/,
  ],
  [
    'one of an authority that is not known',
    (made) => identityFiles(made.issue(made.authority('Same Name')), made.authority('Same Name').certificate),
    /^TEST_CERT: .+ is not signed by an authority in .+ \(TEST_CA\): put the authority there, and certificates in between/,
  ],
  [
    'one whose certificates in between are missing',
    (made) => {
      const root = made.authority();
      return identityFiles(made.issue(made.issue(root, { isAuthority: true })), root.certificate);
    },
    /^TEST_CERT: .+ is not signed by an authority in/,
  ],
  [
    'one for servers, where it is to be shown by a client too',
    (made) =>
      identityFiles(made.issue(made.authority(), { extendedKeyUsage: 'serverAuth' }), undefined, [
        'serverAuth',
        'clientAuth',
      ]),
    /^TEST_CERT: .+ is not made for clientAuth: make one with extendedKeyUsage=serverAuth,clientAuth$/,
  ],
  [
    'a key that is too short',
    (made) => identityFiles(made.issue(made.authority(), { keyType: ['rsa:512'] })),
    /^TEST_CERT: .+ cannot be used with .+ \(ee key too small\): make both anew$/,
  ],
];

for (const [what, make, message] of UNSOUND) {
  test(`refused: ${what}${skipped}`, (t) => {
    const files = make(folder!);
    const { message: said } = t.throws(() => readIdentity(files), { name: 'IdentityError', message })!;
    t.false(said.includes('\n'));
  });
}

test(`each service asks of the certificate of GRPC_TLS_CERT what it does itself${skipped}`, (t) => {
  const authority = folder!.authority();
  const settingsWith = (extendedKeyUsage: string) => {
    const { certificate, key } = folder!.issue(authority, { extendedKeyUsage });
    const env = { GRPC_TLS_CERT: certificate, GRPC_TLS_KEY: key, GRPC_TLS_CA: authority.certificate };
    return parseSettings([], env);
  };
  const [forServers, forClients] = [settingsWith('serverAuth'), settingsWith('clientAuth')];
  t.notThrows(() => requireCertificates(forServers, ['catalog']));
  t.notThrows(() => requireCertificates(forClients, ['frontend']));
  for (const [settings, services, role] of [
    [forServers, ['order'], 'clientAuth'],
    [forServers, ['frontend'], 'clientAuth'],
    [forClients, ['catalog'], 'serverAuth'],
    [forClients, ['catalog', 'order', 'frontend'], 'serverAuth'],
  ] as const) {
    t.throws(() => requireCertificates(settings, services), {
      name: 'StartError',
      message: new RegExp(`^GRPC_TLS_CERT: .+ is not made for ${role}: `),
    });
  }
});
