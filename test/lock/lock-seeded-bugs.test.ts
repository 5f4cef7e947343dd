// Proof that the lock explorer sees bugs: the lock's own compiled code is changed in one place, and schedules are run.

import test from 'ava';
import { type Change, ChangedCode } from '../support/changed-code.js';
import { explore } from './explorer/lock-explorer.js';
import type { LockClass } from './explorer/model-thread.js';
import {
  type Case,
  hastyWriter,
  reader,
  readerTwice,
  repairer,
  timedReader,
  timedWriter,
  writer,
} from './explorer/scripts.js';

interface Mutant extends Change {
  readonly name: string;
  readonly caughtAs: RegExp;
  readonly exploration: Case;
}

const mutants: Mutant[] = [
  {
    name: 'the event is read only when going to sleep, after the look at the state',
    file: 'shared-rw-lock.js',
    from: 'this.#holder.sleep(this.#seenEvent, ',
    to: 'this.#holder.sleep(this.#holder.event(), ',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader, writer] },
  },
  {
    name: 'a waiter is woken without counting the event up',
    file: 'lock-events.js',
    from: 'this.#machine.add(this.#words, event, 1);',
    to: '',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer, writer] },
  },
  {
    name: 'a lock that comes free wakes nobody',
    file: 'lock-events.js',
    from: '(next & ~state & WOKEN) !== 0',
    to: 'false',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader, writer] },
  },
  {
    name: 'a waiter goes to sleep and is still thought awake',
    file: 'lock-holder.js',
    from: 'compareExchange(this.#words, STATE_WORD, state, state - WOKEN)',
    to: 'compareExchange(this.#words, STATE_WORD, state, state)',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer, writer] },
  },
  {
    name: 'the one who was woken gives up and wakes nobody in its place',
    file: 'lock-layout.js',
    from: 'return canReadersEnter(left) || canWriterEnter(left) ? left | WOKEN : left & ~WOKEN;',
    to: 'return left;',
    caughtAs: /^lost wake|^unclean end/,
    exploration: { scripts: [writer, writer, hastyWriter] },
  },
  {
    name: 'the one who was woken to write wakes no reader when it gives up',
    file: 'lock-events.js',
    from: `if (canReadersEnter(state))
            this.#wake(READER_EVENT_WORD, Number.POSITIVE_INFINITY);
        else `,
    to: '',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader, writer, hastyWriter] },
  },
  {
    name: 'the lock is granted and only patient writers are woken',
    file: 'lock-events.js',
    from: 'this.#wake(IMPATIENT_EVENT_WORD, 1);',
    to: 'this.#wake(WRITER_EVENT_WORD, 1);',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer, writer] },
  },
  {
    name: 'one reader is woken where all were let in',
    file: 'lock-events.js',
    from: '(((next ^ state) & PHASE) !== 0) {\n            this.#wake(READER_EVENT_WORD, Number.POSITIVE_INFINITY)',
    to: '(((next ^ state) & PHASE) !== 0) {\n            this.#wake(READER_EVENT_WORD, 1)',
    caughtAs: /^lost wake/,
    exploration: { scripts: [reader, reader, writer] },
  },
  {
    name: 'an impatient writer gives up although the lock has just been granted',
    file: 'lock-holder.js',
    from: 'if (isLetIn(state, doing))\n                return false;',
    to: 'if (!toWrite && isLetIn(state, doing))\n                return false;',
    caughtAs: /./,
    exploration: { scripts: [writer, timedWriter] },
  },
  {
    name: 'a reader gives up although it has just been let in',
    file: 'lock-holder.js',
    from: 'if (isLetIn(state, doing))\n                return false;',
    to: 'if (toWrite && isLetIn(state, doing))\n                return false;',
    caughtAs: /./,
    exploration: { scripts: [timedReader, writer] },
  },
  {
    name: 'the state is written without looking at what it was meanwhile',
    file: 'lock-holder.js',
    from: `if (this.#machine.compareExchange(this.#words, STATE_WORD, state, state + WRITER) === state) {`,
    to: `if (this.#machine.compareExchange(this.#words, STATE_WORD, this.#machine.load(this.#words, STATE_WORD), state + WRITER) >= 0) {`,
    caughtAs: /^no exclusion|^unclean end|^granted/,
    exploration: { scripts: [writer, writer], fuseReads: false },
  },
  {
    name: 'writers do not mind readers',
    file: 'lock-layout.js',
    from: 'KEEPS_WRITERS_OUT = WRITER | READERS',
    to: 'KEEPS_WRITERS_OUT = WRITER',
    caughtAs: /^no exclusion/,
    exploration: { scripts: [reader, writer] },
  },
  {
    name: 'readers that come along do not mind impatient waiters',
    file: 'lock-layout.js',
    from: 'KEEPS_READERS_OUT = WRITER | STRICT',
    to: 'KEEPS_READERS_OUT = WRITER',
    caughtAs: /^not phase-fair: one who came along/,
    exploration: { scripts: [reader, reader, writer] },
  },
  {
    name: 'readers that wait do not mind impatient writers',
    file: 'lock-layout.js',
    from: 'KEEPS_WAITING_READERS_OUT = WRITER | IMPATIENT_WRITERS',
    to: 'KEEPS_WAITING_READERS_OUT = WRITER',
    caughtAs: /^not phase-fair: a patient waiter/,
    exploration: { scripts: [reader, reader, writer] },
  },
  {
    name: 'a writer hands over to the next impatient writer first',
    file: 'lock-layout.js',
    from: 'if ((left & IMPATIENT_READERS) !== 0)',
    to: 'if ((left & IMPATIENT_READERS) !== 0 && (left & IMPATIENT_WRITERS) === 0)',
    caughtAs: /^not phase-fair: a second writer/,
    exploration: { scripts: [reader, writer, writer, writer] },
  },
  {
    name: 'the last reader hands over to readers first',
    file: 'lock-layout.js',
    from: `if ((left & IMPATIENT_WRITERS) !== 0)
        return granted(left);`,
    to: `if ((left & IMPATIENT_WRITERS) !== 0 && (left & IMPATIENT_READERS) === 0)
        return granted(left);`,
    caughtAs: /^not phase-fair: readers were let in twice/,
    exploration: { scripts: [readerTwice, reader, writer, writer] },
  },
  {
    name: 'the last reader does not hand over',
    file: 'lock-layout.js',
    from: `if ((left & IMPATIENT_WRITERS) !== 0)
        return granted(left);`,
    to: '',
    caughtAs: /^not phase-fair: free/,
    exploration: { scripts: [reader, writer] },
  },
  {
    name: 'a lock that comes free is not handed to those who are impatient',
    file: 'lock-layout.js',
    from: `if ((left & IMPATIENT_READERS) !== 0)
        return allReadersLetIn(left);
    return`,
    to: 'return',
    caughtAs: /^not phase-fair: free|^lost wake/,
    exploration: { scripts: [reader, writer] },
  },
  {
    name: 'patience is lost without a word',
    file: 'lock-holder.js',
    from: 'const next = toWrite ? state + IMPATIENT_WRITER : state | IMPATIENT_READERS;',
    to: 'const next = state;',
    caughtAs: /./,
    exploration: { scripts: [writer, writer] },
  },
  {
    name: 'repair forgets that a dead writer may have been granted the lock',
    file: 'lock-repair.js',
    from: '(state & GRANTED) !== 0 && others === 0',
    to: 'false',
    caughtAs: /./,
    exploration: { scripts: [writer, writer, repairer], mortalThreads: 2 },
  },
  {
    name: 'repair forgets that the dead may have been awake',
    file: 'lock-repair.js',
    from: 'change((state) => state & ~WOKEN);',
    to: '',
    caughtAs: /^lost wake|^unclean end/,
    exploration: { scripts: [writer, writer, repairer], mortalThreads: 2 },
  },
  {
    name: 'repair wakes nobody',
    file: 'shared-rw-lock.js',
    from: 'this.#holder.wakeAll();',
    to: '',
    caughtAs: /^lost wake/,
    exploration: { scripts: [writer, writer, repairer], mortalThreads: 2 },
  },
];

for (const mutant of mutants) {
  test(`the explorer sees a seeded bug: ${mutant.name}`, async (t) => {
    const code = new ChangedCode({ ...mutant, file: `lock/${mutant.file}` });
    const { SharedRwLock: lockClass } = (await code.import('lock/shared-rw-lock.js')) as { SharedRwLock: LockClass };
    code.remove();
    const { violation } = explore({ ...mutant.exploration, lockClass });
    t.truthy(violation, 'the bug went unseen');
    t.regex(violation!.what, mutant.caughtAs);
    t.log(`${violation!.what}, after ${violation!.trace.length} steps`);
  });
}
