// postgres-server.ts: a real PostgreSQL for tests and benchmarks: in a temporary directory, as an unprivileged user, on a
// free port of loopback, with fsync on as in life. It can be killed, paused and started again over the same data.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../support/free-port.js';
import { giveToUnprivileged, postgresProgram, runUnprivileged, unprivileged } from './postgres-binaries.js';

/** A fresh server answers within a second; one that repairs itself after a kill, within a few. */
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 25;

export const ADMIN = 'admin';
/** With what an URL must escape, so that every test also tests that. */
export const PASSWORD = 'p@ss:w/rd%';

export interface PostgresOptions {
  /** Lines of postgresql.conf, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A certificate and its key, as PEM: the server then takes TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export class PostgresServer implements AsyncDisposable {
  #child: ChildProcess | undefined;
  #log = '';
  #databases = 0;

  private constructor(
    readonly directory: string,
    readonly port: number,
    readonly options: PostgresOptions,
  ) {}

  /** Makes a new server with no data, and starts it. Throws MissingProgramError where there is no PostgreSQL. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const initdb = postgresProgram('initdb');
    const directory = await mkdtemp(join(tmpdir(), 'toystore-postgres-'));
    await giveToUnprivileged(directory);
    const server = new PostgresServer(directory, await freePort(), options);
    const passwordFile = join(directory, 'password');
    await writeFile(passwordFile, PASSWORD, { mode: 0o644 });
    const methods = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, `--username=${ADMIN}`];
    await runUnprivileged([initdb, '-D', server.#data, '--no-sync', '--encoding=UTF8', '--locale=C.UTF-8', ...methods]);
    if (options.tls !== undefined) await server.#writeTls(options.tls);
    await server.resume();
    return server;
  }

  get #data(): string {
    return join(this.directory, 'data');
  }

  /** The process that is the server; its children are its sessions. */
  get pid(): number {
    return this.#child!.pid!;
  }

  /** What the server wrote to its log. */
  get log(): string {
    return this.#log;
  }

  url(database = 'postgres', { user = ADMIN, password = PASSWORD, port = this.port } = {}): string {
    return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  }

  /** A new, empty database; returns its URL. */
  async createDatabase(): Promise<string> {
    const name = `store_${++this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.url(name);
  }

  /** Runs SQL as the administrator, over a connection of its own. */
  async query(sql: string, url = this.url()): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts the server over the data that it has, and waits until it takes statements. */
  async resume(): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    // Sessions of a killed server take a moment to notice; until then the next one finds the shared memory in use.
    for (;;) {
      this.#spawn();
      if (await this.#becomesReady(giveUpAt)) return;
      if (performance.now() > giveUpAt) throw new Error(`PostgreSQL did not start: ${this.#log}`);
      await pause(POLL_MS);
    }
  }

  /** Ends the server at once, as a power failure would: nothing is written any more. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops the server as its administrator would who does not wait for the sessions. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT');
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #spawn(): void {
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: this.directory,
      max_connections: '200',
      log_min_messages: 'warning',
      ...(this.options.tls === undefined ? {} : { ssl: 'on' }),
      ...this.options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const [program, ...args] = unprivileged([
      postgresProgram('postgres'),
      '-D',
      this.#data,
      '-p',
      `${this.port}`,
      ...flags,
    ]);
    // A group of its own: Ctrl-C ends a run, and the database only after it. It does not outlive this process either way.
    const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/', detached: true });
    child.stderr!.on('data', (text: Buffer) => {
      this.#log = (this.#log + text.toString()).slice(-100_000);
    });
    this.#child = child;
  }

  async #becomesReady(giveUpAt: number): Promise<boolean> {
    while (performance.now() < giveUpAt) {
      if (this.#child!.exitCode !== null || this.#child!.signalCode !== null) return false;
      try {
        await this.query('SELECT 1');
        return true;
      } catch {
        await pause(POLL_MS);
      }
    }
    return false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async #writeTls(tls: { readonly certificate: string; readonly key: string }): Promise<void> {
    const paths = { certificate: join(this.#data, 'server.crt'), key: join(this.#data, 'server.key') };
    await writeFile(paths.certificate, tls.certificate);
    await writeFile(paths.key, tls.key, { mode: 0o600 });
    await giveToUnprivileged(paths.certificate);
    await giveToUnprivileged(paths.key);
  }
}
