// start-checks.ts: what can be known to go wrong before anything is started: nothing is open then, nothing was logged, and
// the one line of the error is all that is printed.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { UsageError } from './flags.js';
import { SERVICES, type ServiceName, type Settings } from './settings.js';
import { explainStartError, StartError } from './start-error.js';

/** What a process of ours has open by itself, at most while it loads its modules, and its files. */
const FILES_OF_A_PROCESS = 64;
/** What the pool keeps back before it counts connections (src/pool/descriptor-limit.ts). */
const FILES_KEPT_BACK = 96;
/** The same for each thread. */
const FILES_OF_A_THREAD = 16;
/** Connections without which no service is of use: each thread of a front end has one to catalog and order service. */
const CONNECTIONS_MIN = 32;

/**
 * Refuses a limit of open files (ulimit -n) with which the threads would start and then take no connections. Where the
 * limit cannot be read, outside Linux, nothing is refused.
 *
 * @throws StartError
 */
export function requireOpenFiles({ threads }: Settings): void {
  const needed = FILES_OF_A_PROCESS + FILES_KEPT_BACK + FILES_OF_A_THREAD * threads + CONNECTIONS_MIN;
  const limit = openFilesMax();
  if (limit >= needed) return;
  throw new StartError(
    `a process may open ${limit} files here and needs ${needed} for ${threads} threads: ` +
      'raise the limit with ulimit -n, or lower THREADS',
  );
}

/**
 * Refuses an address that a service cannot listen on: by listening there, for a moment.
 *
 * @throws StartError
 */
export async function requireFreeAddress(service: ServiceName, settings: Settings): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  try {
    await once(server.listen({ host: settings.host, port: portSettingOf(service, settings) }), 'listening');
  } catch (error) {
    throw explainStartError(error, service);
  }
  server.close();
  await once(server, 'close');
}

/** @throws UsageError if two services were given the same port */
export function requireDistinctPorts(settings: Settings): void {
  const owners = new Map<number, ServiceName>();
  for (const service of SERVICES) {
    const port = portSettingOf(service, settings);
    const owner = owners.get(port);
    if (port !== 0 && owner !== undefined) {
      const [one, other] = [owner, service].map((name) => `${name.toUpperCase()}_PORT`);
      throw new UsageError(`${one} and ${other} are both ${port}: give one of them another port`);
    }
    owners.set(port, service);
  }
}

function openFilesMax(): number {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function portSettingOf(service: ServiceName, settings: Settings): number {
  return { catalog: settings.catalogPort, order: settings.orderPort, frontend: settings.frontendPort }[service];
}
