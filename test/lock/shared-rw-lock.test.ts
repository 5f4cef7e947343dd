// The lock's face: modes, time-outs, waiting, misuse, several locks in one buffer, and repair. What happens
// between threads is in lock-explorer.test.ts (every schedule) and lock-stress.test.ts (real threads).

import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { LockError, type LockErrorCode, SharedRwLock } from '../../src/lock/index.js';
import {
  IMPATIENT_READERS,
  IMPATIENT_WRITERS,
  STATE_WORD,
  WAITING_READER,
  WAITING_READERS,
  WAITING_WRITERS,
} from '../../src/lock/lock-layout.js';
import { WaitingThread } from './fixtures/waiting-thread.js';

const SHORT_MS = 5;
/** The patience of a thread that lets everybody go before it. */
const FOREVER_MS = 1e9;
/** Owner ids for holders of threads that exist only in these tests. */
const SOME_THREAD = 71;

function newWords(locks = 1): Int32Array {
  return new Int32Array(new SharedArrayBuffer(locks * SharedRwLock.WORDS * Int32Array.BYTES_PER_ELEMENT));
}

/** Two holders of one lock. */
function twoHolders(): [SharedRwLock, SharedRwLock] {
  return twoHoldersOf(newWords());
}

function twoHoldersOf(words: Int32Array): [SharedRwLock, SharedRwLock] {
  return [new SharedRwLock(words), new SharedRwLock(words)];
}

test('readers share', (t) => {
  const [first, second] = twoHolders();
  t.true(first.acquireRead());
  t.true(second.acquireRead());
  first.releaseRead();
  second.releaseRead();
});

test('a writer shares with nobody', (t) => {
  const [first, second] = twoHolders();
  t.true(first.acquireWrite());
  t.false(second.tryAcquireRead());
  t.false(second.tryAcquireWrite());
  first.releaseWrite();
  t.true(second.tryAcquireWrite());
  t.false(first.tryAcquireRead());
});

test('a reader keeps writers out', (t) => {
  const [first, second] = twoHolders();
  t.true(first.tryAcquireRead());
  t.false(second.tryAcquireWrite());
  first.releaseRead();
  t.true(second.tryAcquireWrite());
});

test('acquiring times out, and the lock is as it was', (t) => {
  const [first, second] = twoHolders();
  first.acquireWrite();
  const since = performance.now();
  t.false(second.acquireRead(SHORT_MS));
  t.false(second.acquireWrite(SHORT_MS));
  t.true(performance.now() - since >= 2 * SHORT_MS - 1);
  t.is(second.stats().timeouts, 2);
  first.releaseWrite();
  t.true(second.acquireWrite(0));
  second.releaseWrite();
  t.true(first.acquireRead(0));
});

/** Resolves when the lock's state has all of these bits, or any of them. */
async function stateHas(words: Int32Array, ...bits: number[]): Promise<void> {
  while (!bits.every((some) => (Atomics.load(words, STATE_WORD) & some) !== 0)) await nextTurn();
}

test('a reader and then a writer get the lock when it is given back', async (t) => {
  const words = newWords();
  const holder = new SharedRwLock(words);
  const order: string[] = [];
  holder.acquireWrite();
  const reader = new WaitingThread(words, 'read');
  const writer = new WaitingThread(words, 'write');
  const reading = reader.acquired.then((has) => order.push(`reader ${has}`));
  const writing = writer.acquired.then((has) => order.push(`writer ${has}`));
  await stateHas(words, IMPATIENT_READERS, IMPATIENT_WRITERS);
  t.deepEqual(order, []);
  holder.releaseWrite();
  await reading;
  t.deepEqual(order, ['reader true']);
  await reader.release();
  await writing;
  t.deepEqual(order, ['reader true', 'writer true']);
  await writer.release();
});

test('a reader that comes while a patient writer waits goes in', async (t) => {
  const words = newWords();
  const [early, late] = [new SharedRwLock(words), new SharedRwLock(words)];
  early.acquireRead();
  const writer = new WaitingThread(words, 'write', FOREVER_MS);
  await stateHas(words, WAITING_WRITERS);
  t.true(late.tryAcquireRead());
  late.releaseRead();
  early.releaseRead();
  t.true(await writer.acquired);
  await writer.release();
});

test('once a writer has lost patience no reader goes in before it', async (t) => {
  const words = newWords();
  const [early, late] = [new SharedRwLock(words), new SharedRwLock(words)];
  early.acquireRead();
  const writer = new WaitingThread(words, 'write');
  await stateHas(words, IMPATIENT_WRITERS);
  t.false(late.acquireRead(0));
  const reader = new WaitingThread(words, 'read');
  await stateHas(words, WAITING_READERS);
  early.releaseRead();
  t.true(await writer.acquired, 'the lock is handed over to it');
  t.false(early.tryAcquireRead());
  await writer.release();
  t.true(await reader.acquired);
  t.true(early.tryAcquireRead());
  await reader.release();
});

test('an impatient reader goes in before another writer does', async (t) => {
  const words = newWords();
  const first = new SharedRwLock(words);
  const order: string[] = [];
  first.acquireWrite();
  const writer = new WaitingThread(words, 'write');
  const reader = new WaitingThread(words, 'read');
  const writing = writer.acquired.then(() => order.push('writer'));
  const reading = reader.acquired.then(() => order.push('reader'));
  await stateHas(words, IMPATIENT_READERS, IMPATIENT_WRITERS);
  first.releaseWrite();
  t.false(first.tryAcquireWrite(), 'who has just released it may not grab it');
  await reading;
  t.deepEqual(order, ['reader']);
  await reader.release();
  await writing;
  await writer.release();
});

test('readers that take turns without a pause do not keep a writer out', async (t) => {
  const words = newWords();
  let [current, next] = twoHoldersOf(words);
  current.acquireRead();
  const writer = new WaitingThread(words, 'write');
  // One of the two is always reading.
  while (next.tryAcquireRead()) {
    current.releaseRead();
    [current, next] = [next, current];
    await nextTurn();
  }
  current.releaseRead();
  t.true(await writer.acquired);
  await writer.release();
});

test('a patient waiter does not keep others from grabbing a free lock', async (t) => {
  const words = newWords();
  const first = new SharedRwLock(words);
  let grabs = 0;
  for (let round = 0; round < 20 && grabs === 0; round++) {
    first.acquireWrite();
    const writer = new WaitingThread(words, 'write', FOREVER_MS);
    await stateHas(words, WAITING_WRITERS);
    first.releaseWrite();
    // The other one has yet to wake up, unless this thread is held up just here.
    if (first.tryAcquireWrite()) {
      grabs++;
      first.releaseWrite();
    }
    t.true(await writer.acquired);
    await writer.release();
  }
  t.is(grabs, 1);
});

test('locks in one buffer know nothing of each other', (t) => {
  const words = newWords(3);
  const locks = [0, 1, 2].map((index) => new SharedRwLock(words.subarray(index * SharedRwLock.WORDS)));
  for (const lock of locks) t.true(lock.tryAcquireWrite());
  for (const lock of locks) lock.releaseWrite();
});

const misuses: { name: string; code: LockErrorCode; misuse: (lock: SharedRwLock) => void }[] = [
  { name: 'release read without lock', code: 'NOT_HELD', misuse: (lock) => lock.releaseRead() },
  { name: 'release write without lock', code: 'NOT_HELD', misuse: (lock) => lock.releaseWrite() },
  {
    name: 'release read while writing',
    code: 'NOT_HELD',
    misuse: (lock) => {
      lock.acquireWrite();
      lock.releaseRead();
    },
  },
  {
    name: 'release write while reading',
    code: 'NOT_HELD',
    misuse: (lock) => {
      lock.acquireRead();
      lock.releaseWrite();
    },
  },
  {
    name: 'recursive write',
    code: 'ALREADY_HELD',
    misuse: (lock) => {
      lock.acquireWrite();
      lock.acquireWrite();
    },
  },
  {
    name: 'recursive read',
    code: 'ALREADY_HELD',
    misuse: (lock) => {
      lock.acquireRead();
      lock.acquireRead();
    },
  },
  {
    name: 'write while reading',
    code: 'ALREADY_HELD',
    misuse: (lock) => {
      lock.acquireRead();
      lock.tryAcquireWrite();
    },
  },
  {
    name: 'dispose while reading',
    code: 'ALREADY_HELD',
    misuse: (lock) => {
      lock.acquireRead();
      lock[Symbol.dispose]();
    },
  },
  {
    name: 'acquire after dispose',
    code: 'DISPOSED',
    misuse: (lock) => {
      lock[Symbol.dispose]();
      lock.acquireRead();
    },
  },
  {
    name: 'release after dispose',
    code: 'DISPOSED',
    misuse: (lock) => {
      lock[Symbol.dispose]();
      lock.releaseRead();
    },
  },
];

for (const { name, code, misuse } of misuses) {
  test(`misuse is a LockError and changes nothing: ${name}`, (t) => {
    const words = newWords();
    const lock = new SharedRwLock(words);
    let before = new Int32Array();
    const spy = new Proxy(lock, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]) => {
          before = words.slice();
          return value.apply(target, parameters);
        };
      },
    });
    t.is(t.throws(() => misuse(spy), { instanceOf: LockError })?.code, code);
    t.deepEqual([...words], [...before]);
  });
}

test('words that cannot carry a lock', (t) => {
  const bad: [string, () => SharedRwLock][] = [
    ['not shared', () => new SharedRwLock(new Int32Array(SharedRwLock.WORDS))],
    ['too short', () => new SharedRwLock(newWords().subarray(1))],
  ];
  for (const [name, make] of bad) t.is(t.throws(make, { instanceOf: LockError }, name)?.code, 'BAD_WORDS', name);
});

test('holders are bounded, and disposing of one makes room', (t) => {
  const words = newWords();
  const holders: SharedRwLock[] = [];
  const error = t.throws(
    () => {
      for (;;) holders.push(new SharedRwLock(words));
    },
    { instanceOf: LockError },
  );
  t.is(error?.code, 'TOO_MANY_HOLDERS');
  t.is(holders.length, 56);
  for (const holder of holders) t.true(holder.tryAcquireRead());
  for (const holder of holders) holder.releaseRead();
  holders[7]![Symbol.dispose]();
  holders[7]![Symbol.dispose]();
  t.true(new SharedRwLock(words).tryAcquireWrite());
});

test('repair ends a dead writer, after the data has been restored', (t) => {
  const words = newWords();
  const dead = new SharedRwLock(words, undefined, SOME_THREAD);
  const live = new SharedRwLock(words);
  dead.acquireWrite();
  let couldWriteMeanwhile: boolean | undefined;
  const repaired = live.repair(SOME_THREAD, () => {
    couldWriteMeanwhile = live.tryAcquireWrite();
  });
  t.deepEqual(repaired, { readsEnded: 0, wasWriting: true, waitsEnded: 0 });
  t.false(couldWriteMeanwhile);
  t.true(live.tryAcquireWrite());
});

test('a restore that throws is heard of, and nobody waits for the dead writer any more', async (t) => {
  const words = newWords();
  const dead = new SharedRwLock(words, undefined, SOME_THREAD);
  const live = new SharedRwLock(words);
  dead.acquireWrite();
  const waiting = new WaitingThread(words, 'write');
  await stateHas(words, WAITING_WRITERS);
  const restore = () => {
    throw new Error('cannot be put right');
  };
  t.throws(() => live.repair(SOME_THREAD, restore), { message: 'cannot be put right' });
  t.true(await waiting.acquired);
  t.deepEqual(live.repair(SOME_THREAD, restore), { readsEnded: 0, wasWriting: false, waitsEnded: 0 });
  await waiting.release();
  t.true(live.tryAcquireWrite());
});

test('repair ends all holders of a dead thread and no other', (t) => {
  const words = newWords();
  const dead = [1, 2, 3].map(() => new SharedRwLock(words, undefined, SOME_THREAD));
  const live = new SharedRwLock(words);
  for (const holder of dead) holder.acquireRead();
  live.acquireRead();
  t.deepEqual(live.repair(SOME_THREAD), { readsEnded: 3, wasWriting: false, waitsEnded: 0 });
  live.releaseRead();
  t.true(live.tryAcquireWrite());
  t.deepEqual(live.repair(SOME_THREAD), { readsEnded: 0, wasWriting: false, waitsEnded: 0 });
  t.deepEqual(live.repair(SOME_THREAD + 1), { readsEnded: 0, wasWriting: false, waitsEnded: 0 });
});

test('repair lets in those who waited behind the dead', async (t) => {
  const words = newWords();
  const dead = new SharedRwLock(words, undefined, SOME_THREAD);
  dead.acquireWrite();
  const threads = [new WaitingThread(words, 'read'), new WaitingThread(words, 'read')];
  while ((Atomics.load(words, STATE_WORD) & WAITING_READERS) !== 2 * WAITING_READER) await nextTurn();
  new SharedRwLock(words).repair(SOME_THREAD);
  t.deepEqual(await Promise.all(threads.map((thread) => thread.acquired)), [true, true]);
  await Promise.all(threads.map((thread) => thread.release()));
});
