// contended-thread.ts: one of the threads that want the same lock at the same time. Waits for each round to begin,
// works until it is over, and says how often it got in.

import { parentPort, workerData } from 'node:worker_threads';
import { SharedRwLock } from '../../src/lock/index.js';
import { PlainMutex } from './plain-mutex.js';

export interface ContendedSetup {
  readonly lockWords: Int32Array;
  readonly mutexWords: Int32Array;
  /** What the lock guards. */
  readonly data: Int32Array;
  /** One word: 1 while the first round runs, 2 when it is over, 3 while the second runs, and so on. */
  readonly clock: Int32Array;
}

/** One section in ten writes. */
const WRITE_EVERY = 10;

const { lockWords, mutexWords, data, clock } = workerData as ContendedSetup;
const lock = new SharedRwLock(lockWords);
const mutex = new PlainMutex(mutexWords);

const subjects = {
  SharedRwLock: {
    read: () => void lock.acquireRead(),
    readDone: () => lock.releaseRead(),
    write: () => void lock.acquireWrite(),
    writeDone: () => lock.releaseWrite(),
  },
  'plain mutex': {
    read: () => mutex.acquire(),
    readDone: () => mutex.release(),
    write: () => mutex.acquire(),
    writeDone: () => mutex.release(),
  },
};
export type ContendedSubject = keyof typeof subjects;

/** What a thread is asked to do: one round on one subject. */
export interface ContendedOrder {
  readonly subject: ContendedSubject;
  /** The clock's word while the round runs. */
  readonly round: number;
}

parentPort!.on('message', ({ subject, round }: ContendedOrder) => parentPort!.postMessage(work(subject, round)));

function work(name: ContendedSubject, round: number): number {
  const subject = subjects[name];
  let sections = 0;
  let sum = 0;
  Atomics.wait(clock, 0, round - 1);
  while (Atomics.load(clock, 0) === round) {
    if (sections % WRITE_EVERY === 0) {
      subject.write();
      for (let index = 0; index < data.length; index += 1) data[index]! += 1;
      subject.writeDone();
    } else {
      subject.read();
      for (let index = 0; index < data.length; index += 1) sum += data[index]!;
      subject.readDone();
    }
    sections += 1;
  }
  // The sum is used, so that no compiler may leave the reading out.
  return Number.isNaN(sum) ? Number.NaN : sections;
}
