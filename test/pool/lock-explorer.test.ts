// Every schedule of a few threads over one lock, and proof that the explorer sees bugs: the lock's own compiled code is
// changed in one place, and the schedules are run again.

import test from 'ava';
import { SharedRwLock } from '../../src/pool/index.js';
import { type Exploration, explore } from './explorer/lock-explorer.js';
import type { LockClass, Script } from './explorer/model-thread.js';
import { type Change, ChangedCode } from './support/changed-code.js';

/** Any finite time-out: in the model a sleeper may time out at every moment. */
const SOME_TIME_MS = 9;

const reader =
  (timeoutMs?: number): Script =>
  (lock, { begin, section }) => {
    begin();
    if (!lock.acquireRead(timeoutMs)) return;
    section('read');
    lock.releaseRead();
  };

const writer =
  (timeoutMs?: number): Script =>
  (lock, { begin, section }) => {
    begin();
    if (!lock.acquireWrite(timeoutMs)) return;
    section('write');
    lock.releaseWrite();
  };

const readerTwice: Script = (lock, tools) => {
  reader()(lock, tools);
  reader()(lock, tools);
};

const writerWithoutWaiting: Script = (lock, { begin, section }) => {
  begin();
  if (!lock.tryAcquireWrite()) return;
  section('write');
  lock.releaseWrite();
};

const readerWithoutWaiting: Script = (lock, { begin, section }) => {
  begin();
  if (!lock.tryAcquireRead()) return;
  section('read');
  lock.releaseRead();
};

const repairer: Script = (lock, { awaitDeath, restore }) => {
  lock.repair(awaitDeath(), restore);
};

type Case = Omit<Exploration, 'lockClass'>;

const cases: Record<string, Case> = {
  '2 readers, 2 writers': { scripts: [reader(), reader(), writer(), writer()] },
  '2 readers, 2 writers, each of which may wake once for no reason and may time out': {
    scripts: [reader(SOME_TIME_MS), reader(SOME_TIME_MS), writer(SOME_TIME_MS), writer(SOME_TIME_MS)],
    spuriousWakes: 1,
  },
  '2 readers, 2 writers, whose time is over at once': { scripts: [reader(0), reader(0), writer(0), writer(0)] },
  '3 writers, waking for no reason and timing out': {
    scripts: [writer(SOME_TIME_MS), writer(SOME_TIME_MS), writer(SOME_TIME_MS)],
    spuriousWakes: 2,
  },
  '3 writers, only one of which may time out': { scripts: [writer(), writer(), writer(SOME_TIME_MS)] },
  'a reader that comes back, 2 writers': { scripts: [readerTwice, writer(), writer()] },
  'waiting and non-waiting threads': {
    scripts: [reader(), writer(), readerWithoutWaiting, writerWithoutWaiting],
  },
  '1 reader, 1 writer, reads and exchanges as two steps': { scripts: [reader(), writer()], fuseReads: false },
  '3 writers, reads and exchanges as two steps': { scripts: [writer(), writer(), writer()], fuseReads: false },
  '2 readers, 1 writer with time-outs, reads and exchanges as two steps': {
    scripts: [reader(SOME_TIME_MS), reader(SOME_TIME_MS), writer(SOME_TIME_MS)],
    fuseReads: false,
  },
  '2 readers, 1 writer, one of which dies anywhere and is repaired': {
    scripts: [reader(), reader(), writer(), repairer],
    mortalThreads: 3,
  },
  '1 reader, 2 writers, one of which dies anywhere and is repaired': {
    scripts: [reader(), writer(), writer(), repairer],
    mortalThreads: 3,
  },
};

for (const [name, exploration] of Object.entries(cases)) {
  test(`every schedule is fine: ${name}`, (t) => {
    const { situations, schedulesEnded, violation } = explore({ ...exploration, lockClass: SharedRwLock });
    t.is(violation, undefined, JSON.stringify(violation, undefined, 2));
    t.true(schedulesEnded > 0);
    t.log(`${situations} situations, ${schedulesEnded} ways to end`);
  });
}

interface Mutant extends Change {
  readonly name: string;
  readonly caughtAs: RegExp;
  readonly exploration: Case;
}

const mutants: Mutant[] = [
  {
    name: 'the event is read only when going to sleep, after the look at the state',
    file: 'shared-rw-lock.js',
    from: 'this.#holder.sleep(toWrite, this.#seenEvent, ',
    to: 'this.#holder.sleep(toWrite, this.#holder.event(toWrite), ',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader(), writer()] },
  },
  {
    name: 'a granted writer is woken without counting the event up',
    file: 'lock-holder.js',
    from: `#wakeWriters(count) {
        this.#machine.add(this.#words, this.#writerEvent, 1);`,
    to: '#wakeWriters(count) {',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer(), writer()] },
  },
  {
    name: 'one reader is woken instead of all',
    file: 'lock-holder.js',
    from: 'this.#machine.notify(this.#words, this.#readerEvent, Number.POSITIVE_INFINITY)',
    to: 'this.#machine.notify(this.#words, this.#readerEvent, 1)',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader(), reader(), writer()] },
  },
  {
    name: 'a writer that gives up leaves the readers behind it asleep',
    file: 'lock-holder.js',
    from: 'if ((next & KEEPS_READERS_OUT) === 0 && (next & WAITING_READERS) !== 0)',
    to: 'if (false)',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader(), reader(), writer(SOME_TIME_MS)] },
  },
  {
    name: 'a writer gives up although the lock has just been granted',
    file: 'lock-holder.js',
    from: `#stopAwaitingWrite() {
        for (;;) {
            const state = this.#machine.load(this.#words, this.#state);
            if ((state & GRANTED) !== 0)
                return false;`,
    to: `#stopAwaitingWrite() {
        for (;;) {
            const state = this.#machine.load(this.#words, this.#state);`,
    caughtAs: /./,
    exploration: { scripts: [writer(), writer(SOME_TIME_MS)] },
  },
  {
    name: 'a reader gives up although it has just been let in',
    file: 'lock-holder.js',
    from: `if (awaitingReadIn(state) !== waitsSince)
                return false;`,
    to: '',
    caughtAs: /./,
    exploration: { scripts: [reader(SOME_TIME_MS), writer()] },
  },
  {
    name: 'the state is written without looking at what it was meanwhile',
    file: 'lock-holder.js',
    from: `if (this.#machine.compareExchange(this.#words, this.#state, state, state + WRITER) === state) {`,
    to: `if (this.#machine.compareExchange(this.#words, this.#state, this.#machine.load(this.#words, this.#state), state + WRITER) >= 0) {`,
    caughtAs: /^no exclusion|^unclean end/,
    exploration: { scripts: [writer(), writer()], fuseReads: false },
  },
  {
    name: 'writers do not mind readers',
    file: 'lock-layout.js',
    from: 'KEEPS_WRITERS_OUT = WRITER | READERS',
    to: 'KEEPS_WRITERS_OUT = WRITER',
    caughtAs: /^no exclusion/,
    exploration: { scripts: [reader(), writer()] },
  },
  {
    name: 'readers do not mind waiting writers',
    file: 'lock-layout.js',
    from: 'KEEPS_READERS_OUT = WRITER | WAITING_WRITERS',
    to: 'KEEPS_READERS_OUT = WRITER',
    caughtAs: /^not phase-fair/,
    exploration: { scripts: [reader(), reader(), writer()] },
  },
  {
    name: 'a writer hands over to the next writer first',
    file: 'lock-layout.js',
    from: 'if (waitingReaders > 0)',
    to: 'if (waitingReaders > 0 && (state & WAITING_WRITERS) === 0)',
    caughtAs: /^not phase-fair/,
    exploration: { scripts: [reader(), writer(), writer(), writer()] },
  },
  {
    name: 'the last reader does not hand over',
    file: 'lock-layout.js',
    from: '(left & READERS) === 0 && (left & WAITING_WRITERS) !== 0',
    to: 'false',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader(), writer()] },
  },
  {
    name: 'repair forgets that a dead writer may have been granted the lock',
    file: 'lock-repair.js',
    from: '(state & WAITING_WRITERS) !== 0 ? state - WAITING_WRITER : afterWriter(state - GRANTED)',
    to: 'state - WAITING_WRITER',
    caughtAs: /./,
    exploration: { scripts: [writer(), writer(), repairer], mortalThreads: 2 },
  },
  {
    name: 'repair wakes nobody',
    file: 'shared-rw-lock.js',
    from: 'this.#holder.wakeAll();',
    to: '',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer(), writer(), repairer], mortalThreads: 2 },
  },
];

for (const mutant of mutants) {
  test(`the explorer sees a seeded bug: ${mutant.name}`, async (t) => {
    const code = new ChangedCode(mutant);
    const { SharedRwLock: lockClass } = (await code.import('shared-rw-lock.js')) as { SharedRwLock: LockClass };
    code.remove();
    const { violation } = explore({ ...mutant.exploration, lockClass });
    t.truthy(violation, 'the bug went unseen');
    t.regex(violation!.what, mutant.caughtAs);
    t.log(`${violation!.what}, after ${violation!.trace.length} steps`);
  });
}
