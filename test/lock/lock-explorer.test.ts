// Every schedule of a few threads over one lock. That the explorer sees bugs is shown in lock-seeded-bugs.test.ts.

import test, { type ExecutionContext } from 'ava';
import { SharedRwLock } from '../../src/lock/index.js';
import { isThorough } from '../support/effort.js';
import { explore } from './explorer/lock-explorer.js';
import {
  type Case,
  hastyReader,
  hastyWriter,
  reader,
  readerTwice,
  readerWithoutWaiting,
  repairer,
  timedReader,
  timedWriter,
  writer,
  writerTwice,
  writerWithoutWaiting,
} from './explorer/scripts.js';

const cases: Record<string, Case> = {
  '2 readers, 1 writer, each of which may time out, and any of which may wake for no reason': {
    scripts: [timedReader, timedReader, timedWriter],
    spuriousWakes: 1,
  },
  '1 reader, 2 writers, each of which may time out, and any of which may wake for no reason': {
    scripts: [timedReader, timedWriter, timedWriter],
    spuriousWakes: 1,
  },
  '2 readers, 2 writers, whose time is over at once': {
    scripts: [hastyReader, hastyReader, hastyWriter, hastyWriter],
  },
  '3 writers, waking for no reason and timing out': {
    scripts: [timedWriter, timedWriter, timedWriter],
    spuriousWakes: 3,
  },
  '3 writers, only one of which may time out': { scripts: [writer, writer, timedWriter] },
  'a reader that comes back, 2 writers': { scripts: [readerTwice, writer, writer] },
  'a reader and a writer that come back, 1 writer': { scripts: [readerTwice, writerTwice, writer] },
  'waiting and non-waiting threads': {
    scripts: [reader, writer, readerWithoutWaiting, writerWithoutWaiting],
  },
  '1 reader, 1 writer with time-outs, reads and exchanges as two steps': {
    scripts: [timedReader, timedWriter],
    fuseReads: false,
  },
  '1 reader, 1 writer, one of which dies anywhere and is repaired': {
    scripts: [reader, writer, repairer],
    mortalThreads: 2,
  },
  '2 writers, one of which dies anywhere and is repaired': { scripts: [writer, writer, repairer], mortalThreads: 2 },
};

/** 400,000 situations and more each: a minute for all of them. */
const largeCases: Record<string, Case> = {
  '2 readers, 2 writers, each of which may time out': {
    scripts: [timedReader, timedReader, timedWriter, timedWriter],
  },
  '3 writers, reads and exchanges as two steps': { scripts: [writer, writer, writer], fuseReads: false },
  '2 readers, 2 writers, each of which may time out, and any of which may wake for no reason': {
    scripts: [timedReader, timedReader, timedWriter, timedWriter],
    spuriousWakes: 1,
  },
  '2 readers, 1 writer, one of which dies anywhere and is repaired': {
    scripts: [reader, reader, writer, repairer],
    mortalThreads: 3,
  },
  '1 reader, 2 writers, one of which dies anywhere and is repaired': {
    scripts: [reader, writer, writer, repairer],
    mortalThreads: 3,
  },
};

function everyScheduleIsFine(t: ExecutionContext, exploration: Case): void {
  const { situations, schedulesEnded, violation } = explore({ ...exploration, lockClass: SharedRwLock });
  t.is(violation, undefined, JSON.stringify(violation, undefined, 2));
  t.true(schedulesEnded > 0);
  t.log(`${situations} situations, ${schedulesEnded} ways to end`);
}

for (const [name, exploration] of Object.entries(cases)) {
  test(`every schedule is fine: ${name}`, everyScheduleIsFine, exploration);
}

for (const [name, exploration] of Object.entries(largeCases)) {
  if (isThorough) test(`every schedule is fine: ${name}`, everyScheduleIsFine, exploration);
  else test.skip(`every schedule is fine: ${name}; skipped: it takes TEST_EFFORT=10`, everyScheduleIsFine, exploration);
}
