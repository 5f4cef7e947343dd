// server-process.ts: a server under measurement, in a process of its own: started, waited for, stopped. The only way in
// which bench starts a store, one of its services, or a peer.
//
// It is ready when it prints a line `<name> ready on http://host:port` (or host:port alone) on stdout, which the store,
// each of its services and every program in bench do. The name counts: `npm start` shows its services' lines too. What it
// writes to stderr is kept, and shown only if it does not come up.

import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { COMPILED_FOLDER } from '../run/paths.js';

const READY = /^(\S+) ready on (?:http:\/\/)?(\S+):(\d+)\s*$/;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 12_000;
const STDERR_KEPT_CHARACTERS = 2000;
/** All that a server gets from the environment of whoever runs bench: what finds programs and temporary files. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR'] as const;

/** Where a load can be sent. */
export interface Target {
  /** As it is called in tables: `toystore`, `fastify`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The process to watch for memory and processor time; undefined where it was not started here. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** What to start. */
export interface ServerCommand {
  /** As it calls itself in its ready line. */
  readonly name: string;
  /** What it is called in tables, if not that. */
  readonly label?: string | undefined;
  /** Default: this same Node. */
  readonly program?: string | undefined;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  /** Its settings. Nothing else reaches it but what `serverEnvironment` lets through. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** After the process has ended. */
  readonly cleanUp?: (() => Promise<void>) | undefined;
  /** Every line that it prints on stdout. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** How it is asked to stop: SIGTERM to the process if left out; a program around a server needs Ctrl-C to both. */
  readonly stopBy?: 'ctrl-c' | undefined;
  /** When it is killed instead. Default: a little more than a service may take. */
  readonly stopTimeoutMs?: number | undefined;
}

/** Those that have not ended. */
const running = new Set<ChildProcess>();

/** Asks all to stop and waits for none: for a process that must end at once. What they wrote stays. */
export function endServers(): void {
  for (const child of running) child.kill('SIGTERM');
}

/** The environment of a server: a setting that happens to be in the user's own would change what is measured. */
export function serverEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const passedOn = PASSED_ON.map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(passedOn), LOG_LEVEL: 'warn', ...settings };
}

/** Starts a program of bench's own. @param file its path among the compiled benchmarks */
export function startProgram(
  name: string,
  file: string,
  flags: readonly string[] = [],
  more: Partial<ServerCommand> = {},
): Promise<Target> {
  return startServer({ name, args: [path.join(COMPILED_FOLDER, file), ...flags], ...more });
}

/** @throws Error with the last of what the process said, when it ends or stays silent instead of getting ready */
export async function startServer(command: ServerCommand): Promise<Target> {
  const { program = process.execPath, args, cwd, env = {}, label = command.name } = command;
  // A group of its own: Ctrl-C ends the measurement first, and only then, in order, the servers.
  const child = spawn(program, args, {
    cwd,
    env: serverEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_KEPT_CHARACTERS);
  });
  const stop = async (): Promise<void> => {
    await endProcess(child, command);
    await command.cleanUp?.();
  };
  try {
    const { host, port } = await waitUntilReady(child, command);
    return { name: label, host, port, pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw new Error(`${label}: ${(error as Error).message}${said === '' ? '' : `: ${said.trim()}`}`);
  }
}

/**
 * Several servers at once, since most of starting is waiting. All of them come up, or none stays.
 *
 * @throws what the first that did not come up throws, when the others have been stopped
 */
export async function startAll(starting: readonly Promise<Target>[]): Promise<Target[]> {
  const started = await Promise.allSettled(starting);
  const targets = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return targets;
  await stopAll(targets);
  throw failed.reason;
}

/** Resolves when all have ended. */
export async function stopAll(targets: readonly Target[]): Promise<void> {
  await Promise.all(targets.map((target) => target.stop()));
}

function waitUntilReady(child: ChildProcess, { name, onLine }: ServerCommand): Promise<{ host: string; port: number }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${START_TIMEOUT_MS} ms`)), START_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`ended before it was ready (${signal ?? `exit code ${code}`})`)),
    );
    // Reading goes on after the ready line, so that a server that prints more never blocks on a full pipe.
    createInterface({ input: child.stdout! }).on('line', (line) => {
      onLine?.(line);
      const match = READY.exec(line);
      if (match?.[1] !== name) return;
      clearTimeout(timer);
      resolve({ host: match[2]!.replace(/^\[|\]$/g, ''), port: Number(match[3]) });
    });
  });
}

/** Asks, and after a while kills the whole group. Resolves when the process is gone. */
function endProcess(child: ChildProcess, { stopBy, stopTimeoutMs = STOP_TIMEOUT_MS }: ServerCommand): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
      resolve();
      return;
    }
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), stopTimeoutMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (stopBy === 'ctrl-c') process.kill(-child.pid, 'SIGINT');
    else child.kill('SIGTERM');
  });
}
