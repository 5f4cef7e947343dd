// The lock between real threads: a million sections over plain shared memory, and threads that are ended inside one.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { type LockStats, SharedRwLock } from '../../src/lock/index.js';
import type { LockWork } from './fixtures/lock-worker.js';

const THREADS = 4;
const SECTIONS = 500_000;
/** Fewer where each wait is a sleep. */
const SECTIONS_HASTY = 200_000;

interface LockReport {
  readonly writes: number;
  readonly tornReads: number;
  readonly stats: LockStats;
}

function longestMs(stats: LockStats): number {
  return Math.max(stats.longestReadWaitMs, stats.longestWriteWaitMs);
}

function shared(words: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT));
}

function startWorker(work: LockWork): Worker {
  return new Worker(new URL('./fixtures/lock-worker.js', import.meta.url), { workerData: work });
}

for (const { name, writeEvery, isHasty } of [
  { name: 'all write', writeEvery: 1, isHasty: false },
  { name: 'one in two writes', writeEvery: 2, isHasty: false },
  { name: 'one in ten writes', writeEvery: 10, isHasty: false },
  { name: 'all write, nobody is patient', writeEvery: 1, isHasty: true },
  { name: 'one in two writes, nobody is patient', writeEvery: 2, isHasty: true },
  { name: 'one in ten writes, nobody is patient', writeEvery: 10, isHasty: true },
]) {
  const sections = isHasty ? SECTIONS_HASTY : SECTIONS;
  test.serial(
    `${THREADS} threads, ${sections} sections, ${name}: nothing is lost and nothing is seen half done`,
    async (t) => {
      const work: LockWork = {
        lockWords: shared(SharedRwLock.WORDS),
        cells: shared(2),
        sections: sections / THREADS,
        writeEvery,
        isHasty,
        task: 'work',
      };
      const workers = Array.from({ length: THREADS }, () => startWorker(work));
      const reports = await Promise.all(
        workers.map(async (worker) => (await once(worker, 'message'))[0] as LockReport),
      );
      await Promise.all(workers.map((worker) => worker.terminate()));
      const writes = reports.reduce((sum, report) => sum + report.writes, 0);
      t.is(
        reports.reduce((sum, report) => sum + report.tornReads, 0),
        0,
      );
      t.deepEqual([...work.cells], [writes, writes]);
      t.log(
        reports
          .map(
            ({ stats }) => `waits ${stats.readWaits} + ${stats.writeWaits}, longest ${longestMs(stats).toFixed(1)} ms`,
          )
          .join('; '),
      );
    },
  );
}

test.serial('a thread that is ended while it writes locks nobody out for long', async (t) => {
  const work: LockWork = {
    lockWords: shared(SharedRwLock.WORDS),
    cells: shared(2),
    sections: 100,
    writeEvery: 2,
    isHasty: false,
    task: 'work',
  };
  const holder = startWorker({ ...work, task: 'hold' });
  const { threadId } = holder;
  await once(holder, 'message');
  const lock = new SharedRwLock(work.lockWords);
  t.false(lock.tryAcquireRead());
  // Others sleep behind it when it dies.
  const waiter = startWorker(work);
  const report = once(waiter, 'message');
  await holder.terminate();
  t.false(lock.tryAcquireRead(), 'the lock is still held by the dead thread');
  const repaired = lock.repair(threadId, () => {
    work.cells[1] = work.cells[0]!;
  });
  t.true(repaired.wasWriting);
  const { tornReads } = (await report)[0] as LockReport;
  t.is(tornReads, 0);
  await waiter.terminate();
  t.true(lock.tryAcquireWrite());
  t.deepEqual([...work.cells], [51, 51]);
});

test.serial('threads ended anywhere in their work leave a lock that can be repaired', async (t) => {
  const work: LockWork = {
    lockWords: shared(SharedRwLock.WORDS),
    cells: shared(2),
    sections: Number.MAX_SAFE_INTEGER,
    writeEvery: 3,
    isHasty: false,
    task: 'work',
  };
  const lock = new SharedRwLock(work.lockWords);
  let writersDied = 0;
  for (let round = 0; round < 6; round += 1) {
    const some = { ...work, isHasty: round % 2 === 1 };
    const workers = [startWorker(some), startWorker(some)];
    const ids = workers.map((worker) => worker.threadId);
    // Both are at work once the counter moves on.
    const before = Atomics.load(work.cells, 0);
    while (Atomics.load(work.cells, 0) - before < 2_000) await new Promise((resolve) => setImmediate(resolve));
    for (const [index, worker] of workers.entries()) {
      await worker.terminate();
      const { wasWriting } = lock.repair(ids[index]!, () => {
        work.cells[1] = work.cells[0]!;
      });
      if (wasWriting) writersDied += 1;
    }
    t.true(lock.acquireWrite(1_000), `round ${round}: the lock is free again`);
    t.is(work.cells[0], work.cells[1]);
    lock.releaseWrite();
  }
  t.log(`${writersDied} of 12 threads died while writing`);
});
