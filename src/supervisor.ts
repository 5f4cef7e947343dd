// supervisor.ts: the whole store on this machine: catalog, order and front end, each a process of its own.
//
// They are started in that order and stopped in the reverse one, so that no service loses the one below it while it
// still has work. Each would do without: any order of starts is right, this one only saves refusals.

import { wantsHelp } from './flags.js';
import { Log } from './log.js';
import { EXIT_OK, waitForStop } from './process-end.js';
import { parseSettings, type ServiceName, type Settings, settingsEnvironment, settingsHelp } from './settings.js';
import { waitUntilReady } from './store-readiness.js';
import { ServiceStartError, SupervisedService } from './supervised-service.js';

/** Together they stay below the 10 s in which the contract wants the store stopped. */
const STOP_TIMEOUTS_MS = { frontend: 5_000, order: 2_000, catalog: 2_000 } as const;

/** Runs the whole store until it is stopped; returns the exit code. */
export async function runStore(program: string, argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write('Usage: npm start -- [flags]\n\nRuns the whole store: catalog, order and front end.\n\n');
    process.stdout.write(`Flags (environment; default):\n${settingsHelp()}\n`);
    return EXIT_OK;
  }
  const settings = parseSettings(argv, process.env);
  const log = new Log(settings.logLevel, { service: 'supervisor' });
  const services: SupervisedService[] = [];
  // Without a supervisor they would end by themselves, but take their time, and hold their ports meanwhile.
  const stopRequested = waitForStop(() => {
    for (const service of services) service.kill();
  });
  // A start that is cut short by a signal fails with the service it was waiting for: that is not an error to report.
  const stop = new AbortController();
  const starting = startAll(program, settings, log, services, stop.signal);
  const failedToStart = starting.then(
    () => new Promise<never>(() => {}),
    (error: unknown) => error,
  );

  const end = await Promise.race([stopRequested, failedToStart]);
  stop.abort();
  if (typeof end === 'string') log.info('stopping', { reason: end });
  for (const service of services.toReversed()) await service.stop(STOP_TIMEOUTS_MS[service.name as ServiceName]);
  if (typeof end === 'string') return EXIT_OK;
  // What was wrong stands on stderr already, in the words of the service that found it.
  if (end instanceof ServiceStartError) return end.exitCode;
  throw end;
}

/** Starts the three and prints the line that says where the store is. */
async function startAll(
  program: string,
  settings: Settings,
  log: Log,
  services: SupervisedService[],
  signal: AbortSignal,
): Promise<void> {
  const env = { ...process.env, ...settingsEnvironment(settings) };
  const onLine = (line: string): void => void process.stdout.write(`${line}\n`);
  const start = async (name: ServiceName, more: Record<string, string>): Promise<string> => {
    signal.throwIfAborted();
    const service = new SupervisedService({ name, program, env: { ...env, ...more }, log, onLine });
    services.push(service);
    const address = await service.start();
    // A port that the system chose must stay the same over restarts, for the others know it.
    service.pin({ [`${name.toUpperCase()}_PORT`]: portOf(address) });
    return address;
  };

  const catalogAddress = await start('catalog', {});
  const catalog = { CATALOG_ADDRESS: localAddress(settings.catalogPort, settings.catalogAddresses, catalogAddress) };
  const orderAddress = await start('order', catalog);
  const order = { ORDER_ADDRESS: localAddress(settings.orderPort, settings.orderAddresses, orderAddress) };
  const url = await start('frontend', { ...catalog, ...order });
  if (!(await waitUntilReady(url))) log.warn('the store is not ready to sell yet: see /readyz');
  process.stdout.write(`toystore ready on ${url}\n`);
}

/** Where the others find a service of this store: as set, unless the system chose its port. */
function localAddress(port: number, configured: readonly string[], actual: string): string {
  return port === 0 ? actual : configured.join(',');
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
