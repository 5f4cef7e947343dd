// run-service.ts: one service in the foreground, from its flags to its exit code.
//
// It starts the service, says that it is ready, and waits for the first of: a signal, the end of the process that
// started it (under `npm start`), or a failure that the service cannot outlive. Exit codes: 0 stopped, 1 failed at run
// time, 2 wrong usage. stdout has the ready line; stderr JSON log lines, or the one line of a fatal error.

import { setFlagsFromString } from 'node:v8';
import { requireCertificates, usesCertificates } from './certificates.js';
import { UsageError, wantsHelp } from './flags.js';
import { Log, messageOf } from './log.js';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, waitForStop } from './process-end.js';
import type { RunningService, StartService } from './running-service.js';
import { parseSettings, type ServiceName, settingsHelp } from './settings.js';
import { requireFreeAddress, requireOpenFiles } from './start-checks.js';
import { explainStartError, StartError } from './start-error.js';
import { STOP_BUDGETS } from './stop-budgets.js';
import { isSupervised, tellSupervisor } from './supervised.js';
import { requireTracing } from './tracing/index.js';

/**
 * MiB that a thread allocates before a scavenge. V8 begins with 1 and goes up to 16 where much survives. Next to nothing
 * does here, so it would stay near 1 and scavenge fifty times a second; each takes a millisecond, mostly for waking its
 * helper threads. 16 give no more than 8, and cost memory with each thread.
 */
const SEMI_SPACE_MIB = 8;

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
  requireOpenFiles(settings);
  requireTracing(process.env);
  // Under `npm start` this was done for all three before the first of them was started.
  if (!isSupervised()) {
    requireCertificates(settings, [name]);
    await requireFreeAddress(name, settings);
  }
  // A service that has none may share the environment, and the signal, with one that has.
  if (usesCertificates(settings)) process.on('SIGHUP', () => {});
  const log = new Log(settings.logLevel, { service: name });
  endOnUnexpectedErrors(log);
  // For the threads to come: this one has its heap already.
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MIB}`);
  const stopRequested = waitForStop();
  const { stopMs } = STOP_BUDGETS[name];

  const starting = start(settings, log).catch((error: unknown) => {
    throw explainStartError(error, name);
  });
  // A start may take its time with large files, but nobody who asks for a stop waits for it longer than for a stop.
  const givenUp = stopRequested
    .then(() => delay(stopMs))
    .then(() => {
      throw new StartError(`${name}: stopped before it had started`);
    });
  const service = await Promise.race([starting, givenUp]);
  log.info('started', { address: service.address, node: process.version, pid: process.pid });
  process.stdout.write(`${name} ready on ${service.address}\n`);

  const end = await Promise.race([stopRequested, service.failed]);
  if (end instanceof Error) log.error('failed', { error: end });
  else log.info('stopping', { reason: end });
  const isClean = await stopWithin(service, stopMs, log);
  log.info('stopped');
  return isClean && typeof end === 'string' ? EXIT_OK : EXIT_FAILED;
}

/** Prints the one line of an error that ends a command, or lets the supervisor print it; returns the exit code. */
export async function reportFatal(error: unknown): Promise<number> {
  const line = messageOf(error).replaceAll(/\s*\n\s*/g, ' ');
  if (isSupervised()) await tellSupervisor(line);
  else process.stderr.write(`${line}\n`);
  return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
}

/** Whether all that had to be written was, in time. */
async function stopWithin(service: RunningService, stopMs: number, log: Log): Promise<boolean> {
  try {
    const inTime = await Promise.race([service.stop().then(() => true), delay(stopMs).then(() => false)]);
    if (!inTime) log.error('did not stop in time: what was under way is given up', { stopMs });
    return inTime;
  } catch (error) {
    log.error('stopped, but not cleanly', { error });
    return false;
  }
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
