// server-process.ts: a server under measurement, in a process of its own: started, waited for, stopped.
//
// It is ready when it prints a line `<name> ready on http://host:port` (or host:port alone) on stdout, which the store,
// each of its services and every peer in bench/peers do. The name counts: `npm start` shows its services' lines too. What it writes to stderr is kept, and shown only if it does not come up or dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const READY = /^(\S+) ready on (?:http:\/\/)?(\S+):(\d+)\s*$/;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 12_000;
const STDERR_KEPT_CHARACTERS = 2000;

/** Where a load can be sent. */
export interface Target {
  /** As it is called in tables: `toystore`, `fastify`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The process to watch for memory; undefined where it was not started here. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** What to start. */
export interface ServerCommand {
  /** As it calls itself in its ready line. */
  readonly name: string;
  /** Arguments of this same Node: options, the file, its flags. */
  readonly args: readonly string[];
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

/** @throws Error with the last of what the process said, when it ends or stays silent instead of getting ready */
export async function startServer(command: ServerCommand): Promise<Target> {
  // A group of its own: Ctrl-C ends the measurement first, and only then, in order, the servers.
  const child = spawn(process.execPath, command.args, {
    env: { ...process.env, LOG_LEVEL: 'warn', ...command.env },
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
    return { name: command.name, host, port, pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw new Error(`${command.name}: ${(error as Error).message}${said === '' ? '' : `: ${said.trim()}`}`);
  }
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
