// postgres-binaries.ts: where the programs of PostgreSQL are on this machine, and as whom they may run.
//
// Debian keeps one directory for each major version, outside the path. The server refuses to run as root, so a test that
// runs as root (in a container) gives it to the user that Debian's package has made for it.

import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DEBIAN_VERSIONS = '/usr/lib/postgresql';
const UNPRIVILEGED_USER = 'postgres';

/** Told to whoever runs the tests on a machine without the programs. */
export class MissingProgramError extends Error {
  override readonly name = 'MissingProgramError';
}

/** The path of `postgres`, `initdb`, `pgbench`, …: of the newest version that is installed. */
export function postgresProgram(name: string): string {
  const versions = existsSync(DEBIAN_VERSIONS) ? readdirSync(DEBIAN_VERSIONS).map(Number).filter(Number.isInteger) : [];
  const directories = versions
    .sort((left, right) => right - left)
    .map((version) => join(DEBIAN_VERSIONS, `${version}`, 'bin'));
  const found = [...directories, ...(process.env.PATH ?? '').split(':')]
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MissingProgramError(
    `there is no ${name} on this machine, and these tests need a real PostgreSQL: apt-get install postgresql`,
  );
}

/** The path of a program of Patroni or etcd. */
export function clusterProgram(name: string): string {
  const found = (process.env.PATH ?? '')
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MissingProgramError(
    `there is no ${name} on this machine, and a cluster needs it: apt-get install postgresql patroni etcd-server`,
  );
}

/**
 * A command line that runs a program without privileges, and ends it with `signal` when this process ends, however it ends.
 * `setpriv` is of util-linux, which every Debian has.
 */
export function unprivileged(command: readonly string[], signal: 'QUIT' | 'KILL' = 'QUIT'): string[] {
  const identity = isRoot() ? [`--reuid=${UNPRIVILEGED_USER}`, `--regid=${UNPRIVILEGED_USER}`, '--clear-groups'] : [];
  return ['setpriv', ...identity, `--pdeathsig=${signal}`, ...command];
}

/** Makes a directory the unprivileged user's own. */
export async function giveToUnprivileged(path: string): Promise<void> {
  if (!isRoot()) return;
  const { stdout } = await run('id', ['-u', UNPRIVILEGED_USER]);
  await chown(path, Number(stdout), Number(stdout));
}

/** Runs a program of PostgreSQL's to its end, unprivileged; what it said stands in the error. */
export async function runUnprivileged(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const [program, ...args] = unprivileged(command);
  const { stdout } = await run(program!, args, {
    env: { ...process.env, LC_ALL: 'C.UTF-8', ...env },
    cwd: '/',
    maxBuffer: 1 << 24,
  });
  return stdout;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether a process of that id still runs (and is no zombie that waits for its parent). */
export function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}
