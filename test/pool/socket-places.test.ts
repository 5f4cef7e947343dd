// Where the Unix-domain sockets lie by which the ipc handoff makes its channels: whatever TMPDIR says, a pool starts or
// says why it cannot, and leaves nothing behind.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { PoolError, ThreadPool } from '../../src/pool/index.js';
import { ChangedCode } from '../support/changed-code.js';
import { isThorough } from '../support/effort.js';
import { LineClient } from './support/line-client.js';
import { ECHO_THREAD, startPool } from './support/pools.js';

const POOL_PROCESS = fileURLToPath(new URL('./fixtures/pool-process.js', import.meta.url));
const SOCKET_PLACE = new URL('../../src/pool/socket-place.js', import.meta.url).href;
const THREADS = isThorough ? 4 : 2;

function scratch(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'places-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A directory whose path has so many bytes. */
function directoryOf(t: ExecutionContext, bytes: number): string {
  let path = scratch(t);
  while (path.length < bytes) path = join(path, 'd'.repeat(Math.max(1, Math.min(100, bytes - path.length - 1))));
  mkdirSync(path, { recursive: true });
  return path;
}

const leftIn = (path: string): string[] => readdirSync(path).filter((name) => /^pool-|^s$/.test(name));

const PLACES: [name: string, tmpDir: (t: ExecutionContext) => string][] = [
  ['short', (t) => scratch(t)],
  ...[84, 92, 95, 96, 97, 107, 108, 300].map((bytes): [string, (t: ExecutionContext) => string] => [
    `of ${bytes} bytes`,
    (t) => directoryOf(t, bytes),
  ]),
  ['missing', (t) => join(scratch(t), 'missing')],
  [
    'a file',
    (t) => {
      const path = join(scratch(t), 'file');
      writeFileSync(path, '');
      return path;
    },
  ],
  // As a file system looks that has no Unix-domain sockets: a directory can be made, a socket cannot.
  ['one where nothing can be made', () => '/proc'],
];

for (const [name, tmpDir] of PLACES) {
  test(`TMPDIR is ${name}: every thread serves, and nothing is left behind`, async (t) => {
    const path = tmpDir(t);
    const args = [POOL_PROCESS, 'ipc', String(THREADS)];
    const child = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: path } });
    t.teardown(() => child.kill('SIGKILL'));
    const stderr = text(child.stderr);
    const line = (await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value;
    if (line === undefined) return t.fail(await stderr);
    const clients = await LineClient.connectMany(Number(line), THREADS);
    const answers = await Promise.all(clients.map((client) => client.ask('who')));
    t.is(new Set(answers).size, THREADS, answers.join());
    await Promise.all(clients.map((client) => client.close()));
    child.stdin.end();
    const [code] = await once(child, 'exit');
    t.is(code, 0);
    t.is(await stderr, '');
    if (existsSync(path) && path !== '/proc' && name !== 'a file') t.deepEqual(leftIn(path), []);
  });
}

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

const leavesWithoutDescriptors = async (t: ExecutionContext): Promise<void> => {
  const path = scratch(t);
  const script = `
    import { listenInPrivate } from ${JSON.stringify(SOCKET_PLACE)};
    const listener = listenInPrivate();
    console.log('listening');
    process.stdin.once('data', () => {
      listener.close();
      process.exit();
    });`;
  const env = { ...process.env, TMPDIR: path };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
  t.teardown(() => child.kill('SIGKILL'));
  const stderr = text(child.stderr);
  await once(child.stdout, 'data');
  t.is(leftIn(path).length, 1);
  // Below what is open: closing one makes no room for another.
  execFileSync('prlimit', [`--pid=${child.pid}`, '--nofile=8:8']);
  child.stdin.end('close');
  t.deepEqual(await once(child, 'exit'), [0, null], await stderr);
  t.deepEqual(leftIn(path), []);
};
const left = 'a place is left where no descriptor is to be had: nothing is thrown';
if (hasPrlimit) test(left, leavesWithoutDescriptors);
else test.skip(`${left}; skipped: there is no prlimit (util-linux) here`, leavesWithoutDescriptors);

test('where no place is fit, the error says what is the matter with each', async (t) => {
  const file = join(scratch(t), 'file');
  writeFileSync(file, '');
  const code = new ChangedCode({
    file: 'pool/socket-place.js',
    from: '[tmpdir(), ...USUAL_PLACES]',
    to: JSON.stringify([file, '/proc', directoryOf(t, 120)]),
  });
  t.teardown(() => code.remove());
  const module = (await code.import('pool/thread-pool.js')) as { ThreadPool: typeof ThreadPool };
  const pool = new module.ThreadPool({ module: ECHO_THREAD, threads: 1, handoff: 'ipc' });
  const error = await t.throwsAsync(pool.start(), { name: 'PoolError' });
  t.is((error as PoolError).code, 'HANDOFF_FAILED');
  t.regex(
    error!.message,
    /file: ENOTDIR.*; \/proc: ENO.*; \/.*: a socket's path of 13\d bytes is too long.*: set TMPDIR/,
  );
});

test('a thread that is to come and finds no place for its socket is tried again, and the pool serves on', async (t) => {
  const place = join(scratch(t), 'place');
  mkdirSync(place);
  const code = new ChangedCode({
    file: 'pool/socket-place.js',
    from: '[tmpdir(), ...USUAL_PLACES]',
    to: JSON.stringify([place]),
  });
  t.teardown(() => code.remove());
  const module = (await code.import('pool/thread-pool.js')) as { ThreadPool: typeof ThreadPool };
  const options = { handoff: 'ipc', threads: 1, maxThreads: 2, sessionsPerThread: 1 } as const;
  const { pool, port } = await startPool(t, options, undefined, module.ThreadPool);
  const first = await LineClient.connect(port);
  t.is(await first.ask('who'), 'thread 0');
  rmSync(place, { recursive: true });
  const failed = once(pool, 'exit');
  const second = await LineClient.connect(port);
  const answer = second.ask('who');
  t.like((await failed)[0], { reason: 'failed', threadId: -1, connectionsLost: 0 });
  t.is(await first.ask('who'), 'thread 0');
  mkdirSync(place);
  t.is(await answer, 'thread 1');
});
