// one-process-store.ts: the whole store as one program in one process, for tests of what it keeps on the disk. It says and does
// what `npm start` does, but for restarts: a service that fails ends it. A start takes half the processor time.

import { startCatalog } from '../../src/catalog/start-catalog.js';
import { startFrontend } from '../../src/frontend/start-frontend.js';
import { waitUntilReady } from '../../src/http-probe.js';
import { Log } from '../../src/log.js';
import { startOrder } from '../../src/order/start-order.js';
import { waitForStop } from '../../src/process-end.js';
import type { RunningService, StartService } from '../../src/running-service.js';
import { parseSettings, type ServiceName } from '../../src/settings.js';

const running: RunningService[] = [];

async function startService(
  name: ServiceName,
  start: StartService,
  places: Record<string, string> = {},
): Promise<string> {
  const settings = parseSettings([], { ...process.env, ...places });
  const log = new Log(settings.logLevel, { service: name });
  const service = await start(settings, log);
  log.info('started', { address: service.address, pid: process.pid });
  void service.failed.then((error) => {
    throw error;
  });
  running.unshift(service);
  return service.address;
}

const stopRequested = waitForStop();
const CATALOG_ADDRESS = await startService('catalog', startCatalog);
const ORDER_ADDRESS = await startService('order', startOrder, { CATALOG_ADDRESS });
const url = await startService('frontend', startFrontend, { CATALOG_ADDRESS, ORDER_ADDRESS });
void waitUntilReady(url).then(() => process.stdout.write(`toystore ready on ${url}\n`));
await stopRequested;
for (const service of running) await service.stop();
process.exit(0);
