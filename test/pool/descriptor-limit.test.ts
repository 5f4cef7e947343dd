// A process with few descriptors: connections beyond them are refused in words, and those before and after are
// served. Where there are none left at all, connections wait. And a pool's process says nothing on stderr.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { PoolStats } from '../../src/pool/index.js';
import { isThorough } from '../support/effort.js';
import { LineClient } from './support/line-client.js';
import { forEachHandoff } from './support/pools.js';

const POOL_PROCESS = fileURLToPath(new URL('./fixtures/pool-process.js', import.meta.url));
/** Enough for the process, its threads, the pool's reserve, and some hundred connections. */
const DESCRIPTORS = 280;
const CLIENTS = 300;
/** How long a process without descriptors is watched, and how busy it may be: one that spins is at it all the time. */
const WATCHED_MS = 1_000;
const CPU_SHARE_MAX = 0.3;

interface Report extends PoolStats {
  /** Processor time of all its threads, and time since its start. */
  readonly cpuMs: number;
  readonly upMs: number;
  /** Code of the last acceptError. */
  readonly lastError?: string;
}

interface PoolProcess {
  readonly pid: number;
  readonly port: number;
  /** See fixtures/pool-process.ts. */
  tell(command: 'stats' | 'hog' | 'free'): Promise<Report>;
  /** Ends it in good order; nothing may have gone to its stderr. */
  end(): Promise<void>;
}

async function startProcess(t: ExecutionContext, handoff: string): Promise<PoolProcess> {
  const limited = `ulimit -n ${DESCRIPTORS} && exec "$0" "$@"`;
  const child = spawn('sh', ['-c', limited, process.execPath, POOL_PROCESS, handoff]);
  t.teardown(() => child.kill('SIGKILL'));
  const stderr = text(child.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  return {
    pid: child.pid!,
    port,
    tell: async (command) => {
      child.stdin.write(`${command}\n`);
      return JSON.parse((await lines.next()).value);
    },
    end: async () => {
      child.stdin.end();
      const [code] = await once(child, 'exit');
      t.is(code, 0);
      t.is(await stderr, '');
    },
  };
}

forEachHandoff(test, `${CLIENTS} connections at a limit of ${DESCRIPTORS} descriptors`, async (t, handoff) => {
  const { port, tell, end } = await startProcess(t, handoff);
  const clients: LineClient[] = [];
  const answers: (string | undefined)[] = [];
  // One after the other: of many refused at once some may be closed without a word.
  for (let index = 0; index < CLIENTS; index += 1) {
    const client = await LineClient.connect(port);
    clients.push(client);
    const answer = await client.ask('who');
    answers.push(answer);
    if (answer === 'descriptor-limit') await client.closed;
  }
  const served = clients.filter((_, index) => answers[index]?.startsWith('thread'));
  const refused = answers.filter((answer) => answer === 'descriptor-limit').length;
  t.is(served.length + refused, CLIENTS, 'every connection is answered, one way or the other');
  t.true(served.length >= 50 && refused >= CLIENTS - DESCRIPTORS, `${served.length} served, ${refused} refused`);
  t.like(await tell('stats'), { accepted: CLIENTS, refused, lost: 0, sessions: served.length });

  // Those that were served still are, and when they leave there is room again.
  for (const client of served) t.regex((await client.ask('who'))!, /^thread/);
  await Promise.all(served.map((client) => client.close()));
  while ((await tell('stats')).sessions > 0) await delay(5);
  const [next] = await LineClient.connectMany(port, 1);
  t.regex((await next!.ask('who'))!, /^thread/);
  await next!.close();

  await end();
});

/** Ways to leave a process without a descriptor to accept with. */
const shortages = {
  'something else has taken all descriptors': {
    begin: ({ tell }: PoolProcess) => tell('hog'),
    end: ({ tell }: PoolProcess) => tell('free'),
  },
  // Here libuv's own way out is blocked: the one descriptor that it keeps back cannot be opened again.
  'the limit is lowered below what is open': {
    begin: async ({ pid }: PoolProcess) => setLimit(pid, 8),
    end: async ({ pid }: PoolProcess) => setLimit(pid, DESCRIPTORS),
  },
};

function setLimit(pid: number, descriptors: number): void {
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${descriptors}:${DESCRIPTORS}`]);
}

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

for (const [name, shortage] of Object.entries(shortages)) {
  const isLacking = shortage === shortages['the limit is lowered below what is open'] && !hasPrlimit;
  const title = `${name}: nothing spins, nobody is turned away, and it goes on`;
  const why = isLacking ? '; skipped: there is no prlimit (util-linux) here' : '';
  forEachHandoff(isLacking ? test.skip : test, `${title}${why}`, async (t, handoff) => {
    const process = await startProcess(t, handoff);
    const { port, tell, end } = process;
    const served = await LineClient.connect(port);
    t.regex((await served.ask('who'))!, /^thread/);

    await shortage.begin(process);
    let report = await tell('stats');
    for (; report.acceptErrors === 0; report = await tell('stats')) await delay(5);
    t.like(report, { acceptErrors: 1, lastError: 'NO_DESCRIPTORS' });
    // The kernel takes them, and lets them wait.
    const clients = await LineClient.connectMany(port, 20);
    const answers = clients.map((client) => client.ask('who'));
    const before = await tell('stats');
    await delay(WATCHED_MS);
    const after = await tell('stats');
    const share = (after.cpuMs - before.cpuMs) / (after.upMs - before.upMs);
    t.true(share < CPU_SHARE_MAX, `${share} of the time on the processor`);
    t.log(`${share.toFixed(3)} of the time on the processor`);
    t.like(after, { accepted: 1, acceptErrors: 1 }, 'said once');
    t.regex((await served.ask('who'))!, /^thread/, 'those that are connected are served on');

    await shortage.end(process);
    for (const answer of await Promise.all(answers)) t.regex(answer!, /^thread/);
    const [next] = await LineClient.connectMany(port, 1);
    t.regex((await next!.ask('who'))!, /^thread/);
    t.like(await tell('stats'), { accepted: 22, refused: 0, lost: 0 });
    await Promise.all([served, ...clients, next!].map((client) => client.close()));

    // And a second time: it has a spare handle again.
    await shortage.begin(process);
    while ((await tell('stats')).acceptErrors < 2) await delay(5);
    await shortage.end(process);
    const last = await LineClient.connect(port);
    t.regex((await last.ask('who'))!, /^thread/);
    await last.close();
    await end();
  });
}

const STARTS = 8;

test(`${STARTS} threads at every limit of descriptors: they serve, or one line says why not`, async (t) => {
  const said: string[] = [];
  for (let descriptors = 48; descriptors <= 176; descriptors += isThorough ? 8 : 32) {
    const limited = `ulimit -n ${descriptors} && exec "$0" "$@"`;
    const child = spawn('sh', ['-c', limited, process.execPath, POOL_PROCESS, 'ipc', String(STARTS)]);
    t.teardown(() => child.kill('SIGKILL'));
    const [ready, stderr] = await Promise.all([
      createInterface({ input: child.stdout })
        [Symbol.asyncIterator]()
        .next()
        .then(({ value }) => {
          child.stdin.end();
          return value as string | undefined;
        }),
      text(child.stderr),
    ]);
    if (ready !== undefined) said.push('ready');
    else {
      said.push(stderr);
      t.regex(
        stderr,
        new RegExp(
          `^NO_DESCRIPTORS: (thread \\d cannot start|cannot listen): .*only ${descriptors} files.*ulimit -n.*\\n$`,
        ),
      );
    }
  }
  t.true(said.length > 2 && said[0] !== 'ready' && said.at(-1) === 'ready');
});
