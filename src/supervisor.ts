// supervisor.ts: the whole store on this machine: catalog, order and front end, each a process of its own.
//
// They are started side by side and stopped one after the other, front end first, so that no service loses the one below
// it while it still has work. Only where the system is to choose a port does a service wait for the one that it must know.

import { requireCertificates, usesCertificates } from './certificates.js';
import { wantsHelp } from './flags.js';
import { waitUntilReady } from './http-probe.js';
import { Log } from './log.js';
import { EXIT_FAILED, EXIT_OK, waitForStop } from './process-end.js';
import {
  parseSettings,
  SERVICES,
  type ServiceName,
  type Settings,
  settingsEnvironment,
  settingsHelp,
} from './settings.js';
import { requireDistinctPorts, requireFreeAddress, requireOpenFiles } from './start-checks.js';
import { KILL_MARGIN_MS, STOP_BUDGETS } from './stop-budgets.js';
import { SupervisedService } from './supervised-service.js';
import { requireTracing } from './tracing/index.js';

/** From the one that needs the others to the one that needs none. */
const STOP_ORDER = ['frontend', 'order', 'catalog'] as const;

type Services = Readonly<Record<ServiceName, SupervisedService>>;

/**
 * Runs the whole store until it is stopped; returns the exit code.
 *
 * @throws UsageError, StartError, ServiceStartError: each message is one line for the user
 */
export async function runStore(program: string, argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write('Usage: npm start -- [flags]\n\nRuns the whole store: catalog, order and front end.\n\n');
    process.stdout.write(`Flags (environment; default):\n${settingsHelp()}\n`);
    return EXIT_OK;
  }
  const settings = parseSettings(argv, process.env);
  requireDistinctPorts(settings);
  requireOpenFiles(settings);
  requireTracing(process.env);
  requireCertificates(settings, SERVICES);
  for (const service of SERVICES) await requireFreeAddress(service, settings);

  const log = new Log(settings.logLevel, { service: 'supervisor' });
  const services = createServices(program, settings, log);
  if (usesCertificates(settings)) {
    process.on('SIGHUP', () => {
      for (const service of Object.values(services)) service.hangUp();
    });
  }
  // Without a supervisor they would end by themselves, but take their time, and hold their ports meanwhile.
  const stopRequested = waitForStop(() => {
    for (const service of Object.values(services)) service.kill();
  });
  // A start that is cut short by a signal fails with the service it was waiting for: that is not an error to report.
  const failedToStart = startAll(services, settings, log).then(
    () => new Promise<never>(() => {}),
    (error: unknown) => ({ error }),
  );
  const end = await Promise.race([stopRequested, failedToStart]);
  if (typeof end === 'string') log.info('stopping', { reason: end });
  const isClean = await stopAll(services);
  if (typeof end !== 'string') throw end.error;
  return isClean ? EXIT_OK : EXIT_FAILED;
}

function createServices(program: string, settings: Settings, log: Log): Services {
  const env = { ...process.env, ...settingsEnvironment(settings) };
  const onLine = (line: string): void => void process.stdout.write(`${line}\n`);
  const create = (name: ServiceName): SupervisedService => new SupervisedService({ name, program, env, log, onLine });
  return { catalog: create('catalog'), order: create('order'), frontend: create('frontend') };
}

/** Starts the three and prints the line that says where the store is. */
async function startAll({ catalog, order, frontend }: Services, settings: Settings, log: Log): Promise<void> {
  const { catalogPort, orderPort, catalogAddresses, orderAddresses } = settings;
  const catalogStarted = start(catalog, {});
  // A port that the system chooses is known when the service listens.
  const CATALOG_ADDRESS = catalogPort === 0 ? catalogStarted : catalogAddresses.join(',');
  const orderStarted = start(order, { CATALOG_ADDRESS });
  const ORDER_ADDRESS = orderPort === 0 ? orderStarted : orderAddresses.join(',');
  const frontendStarted = start(frontend, { CATALOG_ADDRESS, ORDER_ADDRESS });
  const [url] = await Promise.all([frontendStarted, orderStarted, catalogStarted]);
  if (!(await waitUntilReady(url))) log.warn('the store is not ready to sell yet: see /readyz');
  process.stdout.write(`toystore ready on ${url}\n`);
}

/** Starts a service when the places of the others are known; returns its own. */
async function start(service: SupervisedService, places: Record<string, string | Promise<string>>): Promise<string> {
  for (const [name, place] of Object.entries(places)) service.pin({ [name]: await place });
  const address = await service.start();
  // A port that the system chose must stay the same over restarts, for the others know it.
  service.pin({ [`${service.name.toUpperCase()}_PORT`]: address.slice(address.lastIndexOf(':') + 1) });
  return address;
}

/** Whether each stopped by itself, in its time, with all written. */
async function stopAll(services: Services): Promise<boolean> {
  let areClean = true;
  for (const name of STOP_ORDER) {
    if (!(await services[name].stop(STOP_BUDGETS[name].stopMs + KILL_MARGIN_MS))) areClean = false;
  }
  return areClean;
}
