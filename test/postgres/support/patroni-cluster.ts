// patroni-cluster.ts: three PostgreSQL servers on loopback under Patroni, with etcd as the place where they agree on the
// leader, in synchronous mode: what people run in earnest, as far as one machine can show it.
//
//   etcd ◄── patroni ── postgres (leader)  ──► postgres (synchronous standby)
//                                          ──► postgres (asynchronous standby)

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../support/free-port.js';
import { clusterProgram, giveToUnprivileged, isRunning, postgresProgram, unprivileged } from './postgres-binaries.js';
import { ADMIN, PASSWORD } from './postgres-server.js';

/** The shortest that Patroni takes: a dead leader's place is free after it. */
const TTL_S = 20;
const LOOP_WAIT_S = 1;
const RETRY_TIMEOUT_S = 3;
const NODES = ['one', 'two', 'three'] as const;
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 100;

interface Node {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  readonly restPort: number;
  patroni: ChildProcess;
  log: string;
}

interface Member {
  readonly name: string;
  readonly role: string;
  readonly state: string;
  readonly lag?: number | string;
}

export class PatroniCluster implements AsyncDisposable {
  readonly #directory: string;
  readonly #etcd: ChildProcess;
  readonly #etcdPort: number;
  readonly #nodes: Node[] = [];

  private constructor(directory: string, etcd: ChildProcess, etcdPort: number) {
    this.#directory = directory;
    this.#etcd = etcd;
    this.#etcdPort = etcdPort;
  }

  /** Resolves when there is a leader, with a synchronous and an asynchronous standby. Throws MissingProgramError. */
  static async start(): Promise<PatroniCluster> {
    const patroni = clusterProgram('patroni');
    postgresProgram('postgres');
    const directory = await mkdtemp(join(tmpdir(), 'toystore-cluster-'));
    await giveToUnprivileged(directory);
    const [etcdPort, peerPort] = [await freePort(), await freePort()];
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const clientUrl = `http://127.0.0.1:${etcdPort}`;
    const etcd = start([
      clusterProgram('etcd'),
      ...['--data-dir', join(directory, 'etcd'), '--name', 'etcd', '--enable-v2=true', '--log-level', 'error'],
      ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...[
        '--listen-peer-urls',
        peerUrl,
        '--initial-advertise-peer-urls',
        peerUrl,
        '--initial-cluster',
        `etcd=${peerUrl}`,
      ],
    ]);
    const cluster = new PatroniCluster(directory, etcd, etcdPort);
    try {
      for (const name of NODES) await cluster.#add(name, patroni);
      await cluster.untilHealthy();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL that names all three. */
  url(database = 'postgres'): string {
    const hosts = this.#nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `postgresql://${ADMIN}:${encodeURIComponent(PASSWORD)}@${hosts}/${database}`;
  }

  /** The log of one of them, for evidence. */
  get logs(): string {
    return this.#nodes.map(({ name, log }) => `== ${name}\n${log}`).join('\n');
  }

  /**
   * Kills the leader's Patroni and PostgreSQL, as if its machine had lost its power.
   *
   * @returns its name; to be given to revive()
   */
  async killLeader(): Promise<string> {
    const leader = (await this.#members()).find(({ role }) => role === 'leader' || role === 'master');
    const node = this.#nodes.find(({ name }) => name === leader?.name);
    if (node === undefined) throw new Error('the cluster has no leader to kill');
    const postmaster = Number((await readFile(join(node.directory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    const exited = once(node.patroni, 'exit');
    node.patroni.kill('SIGKILL');
    process.kill(postmaster, 'SIGKILL');
    await exited;
    while (isRunning(postmaster)) await pause(POLL_MS);
    return node.name;
  }

  /** Resolves when another node than that leads. */
  async untilAnotherLeads(name: string): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < giveUpAt) {
      const members = await this.#members().catch(() => []);
      if (members.some((one) => one.role === 'leader' && one.name !== name && one.state === 'running')) return;
      await pause(POLL_MS);
    }
    throw new Error(`nobody leads in the place of ${name}\n${this.logs}`);
  }

  /** Starts Patroni on a node that was killed: it becomes a standby of whoever leads by then. */
  revive(name: string): void {
    this.#startPatroni(this.#nodes.find((node) => node.name === name)!);
  }

  /** Resolves when there is a leader and a synchronous standby, and all three run. */
  async untilHealthy(): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS;
    let members: readonly Member[] = [];
    while (performance.now() < giveUpAt) {
      members = await this.#members().catch(() => []);
      const roles = members.map(({ role }) => role);
      const areRunning = members.filter(({ state }) => state === 'running' || state === 'streaming').length;
      if (areRunning === NODES.length && roles.includes('leader') && roles.includes('sync_standby')) return;
      await pause(POLL_MS);
    }
    throw new Error(`the cluster did not come up: ${JSON.stringify(members)}\n${this.logs}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Patroni stops its PostgreSQL when it is asked to stop.
    for (const { patroni } of this.#nodes) patroni.kill('SIGTERM');
    for (const { patroni } of this.#nodes)
      if (patroni.exitCode === null && patroni.signalCode === null) await once(patroni, 'exit');
    this.#etcd.kill('SIGKILL');
    if (this.#etcd.exitCode === null && this.#etcd.signalCode === null) await once(this.#etcd, 'exit');
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async #add(name: string, patroni: string): Promise<void> {
    const [port, restPort] = [await freePort(), await freePort()];
    const node: Node = { name, directory: join(this.#directory, name), port, restPort, patroni: this.#etcd, log: '' };
    await writeFile(`${node.directory}.yml`, this.#configuration(node));
    await mkdir(node.directory, { mode: 0o700 });
    await giveToUnprivileged(node.directory);
    this.#nodes.push(node);
    this.#startPatroni(node, patroni);
  }

  #startPatroni(node: Node, patroni = clusterProgram('patroni')): void {
    node.patroni = start([patroni, `${node.directory}.yml`]);
    node.patroni.stderr!.on('data', (text: Buffer) => {
      node.log = (node.log + text.toString()).slice(-50_000);
    });
  }

  async #members(): Promise<readonly Member[]> {
    for (const { restPort } of this.#nodes) {
      try {
        const answer = await fetch(`http://127.0.0.1:${restPort}/cluster`, { signal: AbortSignal.timeout(2_000) });
        return ((await answer.json()) as { members: Member[] }).members;
      } catch {
        // That one is down: the next one knows as much.
      }
    }
    throw new Error('no Patroni answers');
  }

  /** JSON is YAML. */
  #configuration({ name, directory, port, restPort }: Node): string {
    const users = {
      superuser: { username: ADMIN, password: PASSWORD },
      replication: { username: 'replicator', password: PASSWORD },
    };
    return JSON.stringify({
      scope: 'store',
      name,
      restapi: { listen: `127.0.0.1:${restPort}`, connect_address: `127.0.0.1:${restPort}` },
      etcd3: { host: `127.0.0.1:${this.#etcdPort}` },
      bootstrap: {
        dcs: {
          ttl: TTL_S,
          loop_wait: LOOP_WAIT_S,
          retry_timeout: RETRY_TIMEOUT_S,
          maximum_lag_on_failover: 1_048_576,
          synchronous_mode: true,
          postgresql: {
            use_pg_rewind: true,
            parameters: { max_connections: 200, wal_keep_size: '256MB', synchronous_commit: 'on' },
          },
        },
        initdb: [{ encoding: 'UTF8' }, { locale: 'C.UTF-8' }],
      },
      postgresql: {
        listen: `127.0.0.1:${port}`,
        connect_address: `127.0.0.1:${port}`,
        data_dir: directory,
        bin_dir: dirname(postgresProgram('postgres')),
        pgpass: `${directory}.pgpass`,
        authentication: users,
        pg_hba: ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all 127.0.0.1/32 scram-sha-256'],
        parameters: { unix_socket_directories: this.#directory, log_min_messages: 'warning' },
      },
    });
  }
}

function start(command: readonly string[]): ChildProcess {
  const [program, ...args] = unprivileged(command, 'KILL');
  return spawn(program!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    // As postgres-server.ts does.
    detached: true,
  });
}
