// run-service.ts: one service in the foreground, from its flags to its exit code.
//
// It starts the service, says that it is ready, and waits for the first of: a signal, the end of the process that
// started it (under `npm start`), or a failure that the service cannot outlive. Exit codes: 0 stopped, 1 failed at run
// time, 2 wrong usage. stdout has the ready line; stderr JSON log lines, or the one line of a fatal error.

import { setFlagsFromString } from 'node:v8';
import { UsageError, wantsHelp } from './flags.js';
import { Log, messageOf } from './log.js';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, waitForStop } from './process-end.js';
import type { StartService } from './running-service.js';
import { parseSettings, type ServiceName, settingsHelp } from './settings.js';

/** A start that cannot go on, with a message for the user: one line that says what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * MiB that a thread allocates before a scavenge. V8 begins with 1 and goes up to 16 where much survives. Next to nothing
 * does here, so it would stay near 1 and scavenge fifty times a second; each takes a millisecond, mostly for waking its
 * helper threads. 16 give no more than 8, and cost memory with each thread.
 */
const SEMI_SPACE_MIB = 8;
/** A service that has not stopped by then is ended: the contract allows 10 s. */
const STOP_TIMEOUT_MS = 9_000;

/**
 * Runs a service until it is stopped.
 *
 * @param name as in the ready line
 * @param argv the flags behind the command
 * @returns the exit code
 */
export async function runService(name: ServiceName, start: StartService, argv: readonly string[]): Promise<number> {
  if (wantsHelp(argv)) {
    process.stdout.write(`Usage: npm run ${name} -- [flags]\n\nRuns the ${name} service in the foreground.\n\n`);
    process.stdout.write(`Flags (environment; default):\n${settingsHelp(name)}\n`);
    return EXIT_OK;
  }
  const settings = parseSettings(argv, process.env);
  const log = new Log(settings.logLevel, { service: name });
  endOnUnexpectedErrors(log);
  // For the threads to come: this one has its heap already.
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MIB}`);
  const stopRequested = waitForStop();

  const starting = start(settings, log).catch((error: unknown) => {
    throw explainStartError(error, name);
  });
  const service = await Promise.race([starting, stopRequested.then(() => giveUpStart(name))]);
  log.info('started', { address: service.address, node: process.version, pid: process.pid });
  process.stdout.write(`${name} ready on ${service.address}\n`);

  const end = await Promise.race([stopRequested, service.failed]);
  if (end instanceof Error) {
    log.error('failed', { error: end });
  } else {
    log.info('stopping', { reason: end });
  }
  const stopped = await Promise.race([service.stop().then(() => true), delay(STOP_TIMEOUT_MS).then(() => false)]);
  if (!stopped) log.error('did not stop in time', { timeoutMs: STOP_TIMEOUT_MS });
  log.info('stopped');
  return end instanceof Error || !stopped ? EXIT_FAILED : EXIT_OK;
}

/** Prints the one line of an error that ends a command; returns the exit code. */
export function reportFatal(error: unknown): number {
  process.stderr.write(`${messageOf(error).replaceAll(/\s*\n\s*/g, ' ')}\n`);
  return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}

function explainStartError(error: unknown, name: string): Error {
  if (!(error instanceof Error)) return new StartError(`${name}: ${String(error)}`);
  const { code, address, port, hostname } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    hostname?: string;
  };
  const setting = `${name.toUpperCase()}_PORT`;
  switch (code) {
    case 'EADDRINUSE':
      return new StartError(
        `${name}: port ${port} on ${address} is in use: stop what listens there, or set ${setting}`,
      );
    case 'EADDRNOTAVAIL':
      return new StartError(`${name}: this machine has no address ${address}: set HOST to one that it has`);
    case 'EACCES':
      if (port === undefined) break;
      return new StartError(`${name}: no permission to listen on port ${port}: set ${setting} to 1024 or above`);
    case 'ENOTFOUND':
      return new StartError(`${name}: this machine has no address ${hostname}: set HOST to one that it has`);
    case 'INACCESSIBLE':
      return new StartError(`${name}: ${messageOf(error)}: set DATA_DIR to a directory that can be written`);
    case 'CORRUPT':
      return new StartError(`${name}: ${messageOf(error)}; put the right file back, or move its directory away`);
    case 'HANDOFF_UNSUPPORTED':
      return new StartError(`${name}: this Node.js has no native handoff: set HANDOFF to ipc or auto`);
  }
  return new StartError(`${name}: ${messageOf(error)}`);
}

/** A start may take its time with large files, but nobody who asks for a stop waits for it longer than for a stop. */
async function giveUpStart(name: string): Promise<never> {
  await delay(STOP_TIMEOUT_MS);
  throw new StartError(`${name}: stopped before it had started`);
}

function endOnUnexpectedErrors(log: Log): void {
  const end = (error: unknown): void => {
    log.error('unexpected error', { error, stack: error instanceof Error ? error.stack : undefined });
    process.exit(EXIT_FAILED);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
