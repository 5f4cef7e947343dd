// A standby where the services know each other by certificates: it tells members that it does not serve, and nobody else
// anything; it takes new certificates, and leaves nothing behind. No database is needed: it stands by until there is one.

import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { credentials, Metadata } from '@grpc/grpc-js';
import ava from 'ava';
import { HealthClient } from '../../proto/gen/grpc/health/v1/health.js';
import { Log } from '../../src/log.js';
import { startPostgresOrder } from '../../src/order/start-postgres-order.js';
import { PeerCredentials } from '../../src/rpc/peer-credentials.js';
import { parseSettings } from '../../src/settings.js';
import { CertificateFolder, hasOpenssl, type Signed, uncheckedIdentity, WHY_SKIPPED } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';

const test = hasOpenssl ? ava.serial : ava.skip;
const skipped = hasOpenssl ? '' : ` (${WHY_SKIPPED})`;
const ROLES = { extendedKeyUsage: 'serverAuth,clientAuth' };

/** What the health service says of the order service: `2` is NOT_SERVING; or why it says nothing. */
function healthOf(address: string, channelCredentials = credentials.createInsecure()): Promise<string> {
  const client = new HealthClient(address, channelCredentials);
  return new Promise<string>((resolve) => {
    client.check({ service: 'toystore.v1.Order' }, new Metadata(), { deadline: Date.now() + 5_000 }, (error, answer) =>
      resolve(error === null ? String(answer.status) : error.message),
    );
  }).finally(() => client.close());
}

/** The serial number of the certificate that a new connection is shown. */
async function serialOf(address: string, { certificate, key }: Signed): Promise<string> {
  const [host, port] = address.split(':');
  const own = { cert: readFileSync(certificate), key: readFileSync(key) };
  const socket = connect({ host, port: Number(port), ...own, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test(`a standby with certificates: members are told that it does not serve, strangers nothing${skipped}`, async (t) => {
  using folder = new CertificateFolder();
  const authority = folder.authority();
  const member = folder.issue(authority, ROLES);
  const at = { certificate: join(folder.path, 'used.pem'), key: join(folder.path, 'used.key') };
  const use = (signed: Signed): void => {
    copyFileSync(signed.key, at.key);
    copyFileSync(signed.certificate, at.certificate);
  };
  use(member);
  const hangUpListeners = process.listenerCount('SIGHUP');
  const settings = parseSettings([], {
    DATABASE_URL: `postgres://nobody@127.0.0.1:${await freePort()}/nowhere`,
    ORDER_PORT: '0',
    GRPC_TLS_CERT: at.certificate,
    GRPC_TLS_KEY: at.key,
    GRPC_TLS_CA: authority.certificate,
  });
  const standby = await startPostgresOrder(settings, new Log('silent'));
  t.teardown(() => standby.stop());
  const shown = (signed: Signed) => new PeerCredentials(uncheckedIdentity(signed, authority.certificate));
  t.is(await healthOf(standby.address, shown(member)), '2');
  t.regex(await healthOf(standby.address), /^14 UNAVAILABLE/);
  t.regex(await healthOf(standby.address, shown(folder.issue(folder.authority(), ROLES))), /^14 UNAVAILABLE/);

  const before = await serialOf(standby.address, member);
  use(folder.issue(authority, ROLES));
  process.emit('SIGHUP');
  t.not(await serialOf(standby.address, member), before);
  t.is(await healthOf(standby.address, shown(member)), '2');
  await standby.stop();
  t.is(process.listenerCount('SIGHUP'), hangUpListeners);
});
