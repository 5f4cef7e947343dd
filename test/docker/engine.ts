// engine.ts: the Docker engine and docker-compose as the tests speak to them: by their command lines.

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** A build downloads packages; nothing else takes long. */
const COMMAND_TIMEOUT_MS = 300_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const env = { ...process.env, DOCKER_BUILDKIT: process.env.DOCKER_BUILDKIT ?? '0', ...options.env };
  const limits = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: OUTPUT_BYTES_MAX };
  return new Promise((resolve) => {
    execFile(program, [...args], { cwd: options.cwd ?? REPOSITORY, env, ...limits }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      const late = error?.killed === true ? `it was ended after ${COMMAND_TIMEOUT_MS} ms; ` : '';
      resolve({ code, stdout, stderr: late + (stderr === '' && error !== null ? error.message : stderr) });
    });
  });
}

/** The output of a docker command that must succeed. */
export async function docker(...args: string[]): Promise<string> {
  return output(await run('docker', args), `docker ${args.join(' ')}`);
}

/** Throws one line that says what to do when there is no engine to test on. */
async function requireEngine(): Promise<void> {
  const info = await run('docker', ['info', '--format', '{{.ServerVersion}}']);
  if (info.code === 0 && info.stdout.trim() !== '') return;
  throw new Error('no Docker engine answers: start one, or set DOCKER_HOST to one that runs');
}

/** A compose project of its own: a name, and a new directory that holds nothing but docker-compose.yml. */
export class Compose {
  private constructor(
    readonly project: string,
    readonly directory: string,
    readonly env: Record<string, string>,
    readonly command: readonly string[],
  ) {}

  /**
   * With Compose v2 where the engine's client has it, else with docker-compose.
   *
   * @param name what the project's name and the directory's begin with; @param file of the repository
   */
  static async create(name: string, file: string, env: Record<string, string>): Promise<Compose> {
    await requireEngine();
    const project = `${name}-${process.pid}`;
    const directory = await mkdtemp(join(tmpdir(), `${project}-`));
    await copyFile(join(REPOSITORY, file), join(directory, 'docker-compose.yml'));
    const hasV2 = (await run('docker', ['compose', 'version'])).code === 0;
    return new Compose(project, directory, env, hasV2 ? ['docker', 'compose'] : ['docker-compose']);
  }

  /** The output of a compose command that must succeed. */
  async do(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const [program = '', ...first] = this.command;
    const result = await run(program, [...first, '-p', this.project, ...args], {
      cwd: this.directory,
      env: { ...this.env, ...env },
    });
    return output(result, `${this.command.join(' ')} ${args.join(' ')}`);
  }

  /** Removes its containers, networks and volumes. */
  async down(): Promise<void> {
    await this.do(['down', '--volumes', '--remove-orphans', '--timeout', '1']);
  }

  /** The ids of a service's containers, stopped ones too. */
  async containers(service: string): Promise<string[]> {
    const labels = [`com.docker.compose.project=${this.project}`, `com.docker.compose.service=${service}`];
    const ids = await docker('ps', '-aq', '--no-trunc', ...labels.flatMap((label) => ['--filter', `label=${label}`]));
    return ids.split('\n').filter((id) => id !== '');
  }

  /** The one container of a service. */
  async container(service: string): Promise<string> {
    const [id, ...others] = await this.containers(service);
    if (id === undefined || others.length > 0)
      throw new Error(`${service}: not one container but ${others.length + 1}`);
    return id;
  }
}

/** One field of what the engine knows about a container or an image, as text. */
export async function inspect(id: string, format: string): Promise<string> {
  return (await docker('inspect', '--format', format, id)).trim();
}

function output(result: Result, command: string): string {
  if (result.code !== 0) throw new Error(`${command}: exit code ${result.code}: ${result.stderr.trim().slice(-2_000)}`);
  return result.stdout;
}
