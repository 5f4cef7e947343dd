// Several processes, one seat: who gets it, how soon after what, and what becomes of the one that had it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { FaultProxy } from './support/fault-proxy.js';
import { notesMigrations } from './support/notes-database.js';
import { PostgresServer } from './support/postgres-server.js';

const PROGRAM = fileURLToPath(new URL('./fixtures/seat-process.js', import.meta.url));
/** How soon another one must write (contract: sells within 3 s of a kill, 10 s of a hang). */
const AFTER_KILL_MS = 3_000;
const AFTER_HANG_MS = 10_000;

let server: PostgresServer;
let migrations: string;

test.before(async () => {
  server = await PostgresServer.start();
  migrations = await notesMigrations();
});
test.after.always(() => server[Symbol.asyncDispose]());

/** One process that wants the seat. */
class Writer implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];

  constructor(url: string) {
    this.#child = spawn(process.execPath, [PROGRAM, url, migrations], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(this.#child.stdout!).on('line', (line) => {
      this.lines.push(line);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** Resolves to the first line like that from now on, or before. */
  async until(like: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => like.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves when there are so many lines. */
  async untilLine(count: number): Promise<void> {
    while (this.lines.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** Notes are numbered without a gap, each is counted once, and every one that a writer told of is there. */
async function checkNotes(t: ExecutionContext, url: string, writers: readonly Writer[]): Promise<void> {
  const told = writers.flatMap(({ lines }) =>
    lines.filter((line) => line.startsWith('wrote')).map((line) => Number(line.slice(6))),
  );
  const [row] = await server.query(
    'SELECT count(*)::integer AS notes, max(number)::integer AS newest, (SELECT notes::integer FROM notes.total) AS counted FROM notes.notes',
    url,
  );
  t.is(row!.notes, row!.newest);
  t.is(row!.counted, row!.notes);
  t.true(Math.max(...told) <= Number(row!.newest));
  t.is(new Set(told).size, told.length, 'a note was written by two');
}

test.serial('the second waits, and says for whom', async (t) => {
  const url = await server.createDatabase();
  await using first = new Writer(url);
  await first.until(/^wrote/);
  await using second = new Writer(url);
  t.regex(await second.until(/^waiting/), /^waiting standing by: .+, process \d+ serves$/);
  t.deepEqual(
    second.lines.filter((line) => line.startsWith('seated')),
    [],
  );
});

test.serial('the holder is killed: the other one writes within 3 s', async (t) => {
  const url = await server.createDatabase();
  await using first = new Writer(url);
  await first.until(/^wrote/);
  await using second = new Writer(url);
  await second.until(/^waiting/);
  first.kill('SIGKILL');
  const killedAt = performance.now();
  await second.until(/^wrote/);
  t.true(performance.now() - killedAt < AFTER_KILL_MS);
  await checkNotes(t, url, [first, second]);
});

test.serial('the holder hangs: another one writes within 10 s, and the old one is refused when it wakes', async (t) => {
  const url = await server.createDatabase();
  await using first = new Writer(url);
  await first.until(/^wrote/);
  await using second = new Writer(url);
  await second.until(/^waiting/);
  first.kill('SIGSTOP');
  const hungAt = performance.now();
  await second.until(/^wrote/);
  t.true(performance.now() - hungAt < AFTER_HANG_MS);
  first.kill('SIGCONT');
  t.is(await first.until(/^lost/), 'lost FENCED');
  await checkNotes(t, url, [first, second]);
});

test.serial(
  'the holder is cut off in the middle of a statement, and its machine is silent: its locks are not waited for',
  async (t) => {
    const url = await server.createDatabase();
    await using proxy = await FaultProxy.start(server.port);
    await using first = new Writer(url.replace(`:${server.port}`, `:${proxy.port}`));
    await first.until(/^wrote/);
    await using second = new Writer(url);
    await second.until(/^waiting/);
    proxy.stall();
    const stalledAt = performance.now();
    await second.until(/^wrote/);
    t.true(performance.now() - stalledAt < AFTER_HANG_MS);
    proxy.pass();
    t.is(await first.until(/^lost/), 'lost FENCED');
    await checkNotes(t, url, [first, second]);
  },
);

test.serial('the holder stops: the other one has the seat at once', async (t) => {
  const url = await server.createDatabase();
  await using first = new Writer(url);
  await first.until(/^wrote/);
  await using second = new Writer(url);
  await second.until(/^waiting/);
  first.kill('SIGTERM');
  const stoppedAt = performance.now();
  await second.until(/^seated/);
  t.true(performance.now() - stoppedAt < 1_000);
  await second.until(/^wrote/);
  await checkNotes(t, url, [first, second]);
});

test.serial('a short loss of the connection does not cost the holder its seat', async (t) => {
  const url = await server.createDatabase();
  await using proxy = await FaultProxy.start(server.port);
  await using first = new Writer(url.replace(`:${server.port}`, `:${proxy.port}`));
  await first.until(/^wrote/);
  await using second = new Writer(url);
  await second.until(/^waiting/);
  for (let round = 0; round < 5; round++) {
    proxy.cut();
    await first.untilLine(first.lines.length + 20);
  }
  t.deepEqual(
    second.lines.filter((line) => line.startsWith('seated')),
    [],
  );
  await checkNotes(t, url, [first, second]);
});

test.serial('five want the seat, and whoever has it is killed: each has it once, never two at a time', async (t) => {
  const url = await server.createDatabase();
  const writers = Array.from({ length: 5 }, () => new Writer(url));
  const epochs: number[] = [];
  const left = [...writers];
  while (left.length > 0) {
    const seated = await Promise.race(left.map(async (writer) => ({ writer, line: await writer.until(/^seated/) })));
    await seated.writer.until(/^wrote/);
    epochs.push(Number(seated.line.slice('seated '.length)));
    seated.writer.kill('SIGKILL');
    left.splice(left.indexOf(seated.writer), 1);
  }
  t.deepEqual(epochs, [1, 2, 3, 4, 5]);
  await checkNotes(t, url, writers);
});
