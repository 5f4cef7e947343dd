// The directory lock between real processes.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { lockDirectory, StorageError } from '../../src/storage/index.js';
import { ChangedCode } from '../support/changed-code.js';
import { scratchDirectory } from './journal-helpers.js';

interface Holder {
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** What it printed first. */
  readonly answer: Promise<string>;
}

/** Starts a process that takes the lock and keeps it. */
function startHolder(t: ExecutionContext, path: string): Holder {
  const script = fileURLToPath(new URL('./lock-holder.js', import.meta.url));
  const holder = spawn(process.execPath, [script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => holder.kill('SIGKILL'));
  const answer = new Promise<string>((resolve) => {
    holder.stdout.setEncoding('utf8').once('data', resolve);
    holder.once('close', (code, signal) => resolve(`ended without a word (${code ?? signal})`));
  });
  return { process: holder, answer };
}

async function end(holder: Holder, how: 'quietly' | 'SIGKILL'): Promise<void> {
  const ended = once(holder.process, 'exit');
  if (how === 'quietly') holder.process.stdin.end();
  else holder.process.kill('SIGKILL');
  await ended;
}

test('a second process is refused, and told who holds the directory', async (t) => {
  const path = await scratchDirectory(t);
  const first = startHolder(t, path);
  t.is(await first.answer, 'held\n');
  const second = startHolder(t, path);
  const answer = await second.answer;
  t.true(answer.startsWith(`LOCKED ${path}: in use by process ${first.process.pid} on `), answer);
  await end(first, 'quietly');
  t.deepEqual(await readdir(path), [], 'nothing is left');
  const third = startHolder(t, path);
  t.is(await third.answer, 'held\n');
  await end(third, 'quietly');
});

test('what a killed process leaves does not block, and is cleared away', async (t) => {
  const path = await scratchDirectory(t);
  for (let round = 0; round < 3; round++) {
    const holder = startHolder(t, path);
    t.is(await holder.answer, 'held\n');
    await end(holder, 'SIGKILL');
    t.is((await readdir(path)).length, 1);
  }
  const lock = await lockDirectory(path);
  t.is((await readdir(path)).length, 1);
  await lock.release();
  t.deepEqual(await readdir(path), []);
});

test('a process that is stopped holds its lock', async (t) => {
  const path = await scratchDirectory(t);
  const holder = startHolder(t, path);
  t.is(await holder.answer, 'held\n');
  holder.process.kill('SIGSTOP');
  await t.throwsAsync(lockDirectory(path), { code: 'LOCKED', message: /a process that does not answer/ });
  holder.process.kill('SIGCONT');
  await end(holder, 'SIGKILL');
  await (await lockDirectory(path)).release();
});

test('of many that start at once over the remains of a killed one, exactly one gets the lock', async (t) => {
  const path = await scratchDirectory(t);
  const killed = startHolder(t, path);
  await killed.answer;
  await end(killed, 'SIGKILL');
  const starters = Array.from({ length: 6 }, () => startHolder(t, path));
  const answers = await Promise.all(starters.map((starter) => starter.answer));
  t.is(answers.filter((answer) => answer === 'held\n').length, 1, answers.join(''));
  t.is(answers.filter((answer) => answer.startsWith('LOCKED')).length, 5, answers.join(''));
});

test('within one process too: twenty at once, one wins each round', async (t) => {
  const path = await scratchDirectory(t);
  for (let round = 0; round < 5; round++) {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(path)));
    const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    t.is(locks.length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.is((outcome.reason as StorageError).code, 'LOCKED');
    }
    await locks[0]!.release();
  }
});

test('a directory deeper than a socket name may be long', async (t) => {
  const path = join(await scratchDirectory(t), 'very-long-name-of-a-directory'.repeat(4), 'and-another-one'.repeat(5));
  await mkdir(path, { recursive: true });
  const holder = startHolder(t, path);
  t.is(await holder.answer, 'held\n');
  await t.throwsAsync(lockDirectory(path), { code: 'LOCKED' });
  await end(holder, 'quietly');
  await (await lockDirectory(path)).release();
});

test('two names of one directory are one directory', async (t) => {
  const path = await scratchDirectory(t);
  const other = join(await mkdtemp(join(tmpdir(), 'toystore-other-')), 'name');
  t.teardown(() => rm(join(other, '..'), { recursive: true, force: true }));
  await symlink(path, other);
  const lock = await lockDirectory(path);
  await t.throwsAsync(lockDirectory(other), { code: 'LOCKED' });
  await lock.release();
});

test('other files in the directory are left alone', async (t) => {
  const path = await scratchDirectory(t);
  await writeFile(join(path, 'catalog.csv'), 'name,price,quantity\n');
  await writeFile(join(path, 'lock-notes.txt'), 'mine');
  const lock = await lockDirectory(path);
  await lock.release();
  t.deepEqual((await readdir(path)).sort(), ['catalog.csv', 'lock-notes.txt']);
});

test('whoever answers nonsense on a lock socket is alive, and that is enough', async (t) => {
  const path = await scratchDirectory(t);
  const server = createServer((socket) => socket.end('hello'));
  server.listen(join(path, 'lock-00.socket'));
  await once(server, 'listening');
  await t.throwsAsync(lockDirectory(path), { code: 'LOCKED', message: /does not answer/ });
  server.close();
  await once(server, 'close');
  await (await lockDirectory(path)).release();
});

test('a missing directory is a clear error', async (t) => {
  const path = join(await scratchDirectory(t), 'missing');
  await t.throwsAsync(lockDirectory(path), { instanceOf: StorageError, code: 'INACCESSIBLE', message: /ENOENT/ });
});

test('a file system without sockets is named as such, and not as one that cannot be written', async (t) => {
  // As Windows' shares do it: files can be made, a socket cannot.
  const code = new ChangedCode({
    file: 'storage/directory-lock.js',
    from: '.listen(unfinished, listening)',
    to: ".listen('/proc/unfinished', listening)",
  });
  t.teardown(() => code.remove());
  const module = (await code.import('storage/directory-lock.js')) as { lockDirectory: typeof lockDirectory };
  const path = await scratchDirectory(t);
  const error = await t.throwsAsync(module.lockDirectory(path), { code: 'NO_SOCKETS' });
  t.regex(
    error!.message,
    /its file system has no Unix-domain sockets \(E[A-Z]+\).*use a directory on another file system/,
  );
  t.deepEqual(await readdir(path), []);
  // Where nothing can be made it is not the sockets.
  await t.throwsAsync(module.lockDirectory('/proc'), { code: 'INACCESSIBLE' });
});

test('of two that want it, the one with the higher id gives up and the other waits for that', async (t) => {
  const path = await scratchDirectory(t);
  const answers = { state: 'wants', pid: 7, host: 'elsewhere', since: 'now' };
  const others: Server[] = [];
  const show = async (name: string): Promise<void> => {
    const server = createServer((socket) => socket.end(JSON.stringify(answers)));
    others.push(server.listen(join(path, name)));
    await once(server, 'listening');
  };
  await show('lock-ffffffffffffffffffffffff.socket');
  const winning = lockDirectory(path);
  others[0]!.close();
  const lock = await winning;
  await lock.release();
  await show('lock-00.socket');
  await t.throwsAsync(lockDirectory(path), { code: 'LOCKED', message: /in use by process 7 on elsewhere/ });
  others[1]!.close();
});
