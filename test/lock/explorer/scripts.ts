// scripts.ts: what the threads of the lock explorer do. One script for all threads that do the same: the explorer then
// knows that they may trade places.

import type { Exploration } from './lock-explorer.js';
import type { Script } from './model-thread.js';

/** What is explored, of whichever lock. */
export type Case = Omit<Exploration, 'lockClass'>;

/** Any finite time-out: in the model a sleeper may time out at every moment. */
const SOME_TIME_MS = 9;

const readWithin =
  (timeoutMs?: number): Script =>
  (lock, { begin, section }) => {
    begin();
    if (!lock.acquireRead(timeoutMs)) return;
    section('read');
    lock.releaseRead();
  };

const writeWithin =
  (timeoutMs?: number): Script =>
  (lock, { begin, section }) => {
    begin();
    if (!lock.acquireWrite(timeoutMs)) return;
    section('write');
    lock.releaseWrite();
  };

export const reader = readWithin();
export const writer = writeWithin();
export const timedReader = readWithin(SOME_TIME_MS);
export const timedWriter = writeWithin(SOME_TIME_MS);
export const hastyReader = readWithin(0);
export const hastyWriter = writeWithin(0);

export const readerTwice: Script = (lock, tools) => {
  reader(lock, tools);
  reader(lock, tools);
};

export const writerTwice: Script = (lock, tools) => {
  writer(lock, tools);
  writer(lock, tools);
};

export const writerWithoutWaiting: Script = (lock, { begin, section }) => {
  begin();
  if (!lock.tryAcquireWrite()) return;
  section('write');
  lock.releaseWrite();
};

export const readerWithoutWaiting: Script = (lock, { begin, section }) => {
  begin();
  if (!lock.tryAcquireRead()) return;
  section('read');
  lock.releaseRead();
};

export const repairer: Script = (lock, { awaitDeath, restore }) => {
  lock.repair(awaitDeath(), restore);
};
