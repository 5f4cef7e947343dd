// The page's figures where the services know each other by certificates: they come, and however often the page is opened and
// left, the front end has opened its credentials once.

import { get, type IncomingMessage } from 'node:http';
import ava from 'ava';
import { StoreSources } from '../../src/frontend/live/live-sources.js';
import { startFrontend } from '../../src/frontend/start-frontend.js';
import type { LiveFigures } from '../../src/live-figures.js';
import { Log } from '../../src/log.js';
import { parseSettings } from '../../src/settings.js';
import { WatchedIdentity } from '../../src/tls/watched-identity.js';
import { CertificateFolder, hasOpenssl, WHY_SKIPPED } from '../support/certificates.js';
import { StoreProcess } from '../support/store-process.js';

const test = hasOpenssl ? ava.serial : ava.skip;
const skipped = hasOpenssl ? '' : ` (${WHY_SKIPPED})`;

/** Counts the calls of a method from now on; they do what they did. */
function counted<Name extends string>(prototype: Record<Name, (...given: never[]) => unknown>, name: Name) {
  const counts = { calls: 0 };
  const original = prototype[name];
  prototype[name] = function (this: unknown, ...given) {
    counts.calls++;
    return original.apply(this, given);
  };
  return counts;
}

/** Watches until all three services are seen to be up and selling, and goes. */
async function watch(address: string): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${address}/live`, { agent: false }, resolve).on('error', reject);
  });
  let received = '';
  for await (const bytes of answer) {
    received += bytes;
    const events = received.match(/(?<=data: )\{"atMs".*\}(?=\n\n)/g) ?? [];
    const { services } = JSON.parse(events.at(-1) ?? '{"services":[]}') as LiveFigures;
    const areWell = services.length === 3 && services.every(({ isUp, isSelling }) => isUp && isSelling);
    if (areWell && received.includes('"name":"Tux"')) break; // which ends the connection
  }
}

test(`figures and toys come over mutual TLS; a later watcher opens no credentials of its own${skipped}`, async (t) => {
  using folder = new CertificateFolder();
  const authority = folder.authority();
  const { certificate, key } = folder.issue(authority, { extendedKeyUsage: 'serverAuth,clientAuth' });
  const env = { GRPC_TLS_CERT: certificate, GRPC_TLS_KEY: key, GRPC_TLS_CA: authority.certificate };
  await using store = await StoreProcess.start('start', { env });
  const settings = parseSettings([], {
    ...env,
    THREADS: '1',
    LOG_LEVEL: 'silent',
    FRONTEND_PORT: '0',
    CATALOG_ADDRESS: store.serviceAddress('catalog'),
    ORDER_ADDRESS: store.serviceAddress('order'),
  });
  const told = counted(WatchedIdentity.prototype, 'onChange');
  const closed = counted(StoreSources.prototype, 'close');
  const frontend = await startFrontend(settings, new Log('silent'));
  t.teardown(() => frontend.stop());
  for (const watchers of [1, 2, 3]) {
    await watch(frontend.address);
    // The sources are closed behind the last watcher: the next one has new ones.
    while (closed.calls < watchers) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.is(told.calls, 1);
});
