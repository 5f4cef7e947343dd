// lock-explorer.ts: runs every schedule of a few threads over one lock, and says what went wrong in which of them.
//
// A schedule is a sequence of choices: which thread takes its next atomic step; which sleeper a notify wakes; whether
// a sleeper wakes for no reason or times out; and, where asked for, after which step a thread dies. Situations that
// were reached before, by another sequence of choices, are not explored again.
//
// What must hold:
//   exclusion       a writer inside is alone
//   no lost wake    when nobody can go on, nobody is asleep
//   phase-fair      while a reader waits at most one writer goes in; while a writer waits no reader goes in but those
//                   let in by a writer that left
//   clean end       when all have finished, nobody is counted in the state any more
//
// Fused reads: the lock changes its state by reading it and then exchanging what it read, again and again until that
// succeeds. A round that fails has no effect, so every outcome is also reached by schedules where read and exchange
// are one step. With `fuseReads` only those are run; small cases are run without it too.

import {
  GRANTED,
  PHASE,
  READERS,
  STATE_WORD,
  WAITING_READER,
  WAITING_READERS,
  WAITING_WRITERS,
  WRITER,
} from '../../../src/pool/lock-layout.js';
import { type LockClass, ModelThread, type Script, type Step, TIMED_OUT, WOKEN } from './model-thread.js';

export interface Exploration {
  readonly scripts: readonly Script[];
  readonly lockClass: LockClass;
  readonly fuseReads?: boolean;
  /** How often each thread may wake for no reason. */
  readonly spuriousWakes?: number;
  /** Any one of the threads before this index may die, once, after any step. */
  readonly mortalThreads?: number;
}

export interface Findings {
  readonly situations: number;
  readonly schedulesEnded: number;
  /** The first violation: what, and the steps that led there; undefined if every schedule is fine. */
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined;
}

interface ThreadSituation {
  place: number;
  asleep: boolean;
  spuriousLeft: number;
  isDead: boolean;
  inside: 'read' | 'write' | '';
  /** -1, or how many writers went in since this thread began to wait for reading. */
  writersPassed: number;
}

interface Situation {
  words: number[];
  threads: ThreadSituation[];
}

class Violation extends Error {}

export function explore(exploration: Exploration): Findings {
  const { scripts, lockClass, fuseReads = true, spuriousWakes = 0, mortalThreads = 0 } = exploration;
  const models = scripts.map((script, index) => new ModelThread(index, scripts.length, script, lockClass));
  const seen = new Set<string>();
  const trace: string[] = [];
  let schedulesEnded = 0;

  const first: Situation = {
    words: [0, 0, 0],
    threads: scripts.map(() => ({
      place: 0,
      asleep: false,
      spuriousLeft: spuriousWakes,
      isDead: false,
      inside: '',
      writersPassed: -1,
    })),
  };
  for (const [index] of scripts.entries()) settle(first, index);

  try {
    visit(first);
    return { situations: seen.size, schedulesEnded, violation: undefined };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { situations: seen.size, schedulesEnded, violation: { what: error.message, trace: [...trace] } };
  }

  function visit(situation: Situation): void {
    const key = keyOf(situation);
    if (seen.has(key)) return;
    seen.add(key);
    let canSomebodyGoOn = false;
    for (let index = 0; index < models.length; index += 1) {
      const thread = situation.threads[index]!;
      const step = models[index]!.place(thread.place).next;
      if (thread.isDead || step.kind === 'end') continue;
      if (index < mortalThreads && !situation.threads.some((other) => other.isDead)) {
        follow(situation, index, 'dies', (next) => {
          next.threads[index]!.isDead = true;
          next.threads[index]!.writersPassed = -1;
        });
      }
      if (step.kind === 'awaitDeath' && !situation.threads.some((other) => other.isDead)) continue;
      if (thread.asleep) {
        if (thread.spuriousLeft > 0) {
          follow(situation, index, 'wakes for no reason', (next) => {
            next.threads[index]!.spuriousLeft -= 1;
            wake(next, index, WOKEN);
          });
        }
        if (step.kind === 'wait' && step.canTimeOut) {
          follow(situation, index, 'times out', (next) => wake(next, index, TIMED_OUT));
        }
        continue;
      }
      canSomebodyGoOn = true;
      if (step.kind === 'notify' && step.count === 1) notifyOne(situation, index, step.word);
      else follow(situation, index, describe(step), (next) => take(next, index, step));
    }
    if (!canSomebodyGoOn) endSchedule(situation);
  }

  function follow(situation: Situation, index: number, what: string, change: (next: Situation) => void): void {
    const next: Situation = {
      words: [...situation.words],
      threads: situation.threads.map((thread) => ({ ...thread })),
    };
    trace.push(`thread ${index} ${what}`);
    change(next);
    visit(next);
    trace.pop();
  }

  /** Any one of the sleepers may be the one that is woken: the order in which they fell asleep is not relied upon. */
  function notifyOne(situation: Situation, index: number, word: number): void {
    const sleepers = sleepersOn(situation, word);
    if (sleepers.length === 0) follow(situation, index, 'notifies nobody', (next) => advance(next, index, 0));
    for (const sleeper of sleepers) {
      follow(situation, index, `notifies thread ${sleeper}`, (next) => {
        wake(next, sleeper, WOKEN);
        advance(next, index, 1);
      });
    }
  }

  function take(next: Situation, index: number, step: Step): void {
    const thread = next.threads[index]!;
    switch (step.kind) {
      case 'read': {
        advance(next, index, next.words[step.word]!);
        const then = models[index]!.place(thread.place).next;
        if (fuseReads && step.word === STATE_WORD && then.kind === 'compareExchange') take(next, index, then);
        break;
      }
      case 'compareExchange': {
        const before = next.words[step.word]!;
        if (before === step.expected) {
          next.words[step.word] = step.replacement;
          checkChange(next, index, before, step.replacement);
        }
        advance(next, index, before);
        break;
      }
      case 'add':
        next.words[step.word]! += step.value;
        advance(next, index, 0);
        break;
      case 'notify':
        for (const sleeper of sleepersOn(next, step.word)) wake(next, sleeper, WOKEN);
        advance(next, index, 0);
        break;
      case 'wait':
        if (next.words[step.word] === step.value) thread.asleep = true;
        else advance(next, index, WOKEN);
        break;
      case 'awaitDeath':
        advance(
          next,
          index,
          next.threads.findIndex((other) => other.isDead),
        );
        break;
      default:
        throw new Error(`${step.kind} is not a step of its own`);
    }
  }

  function wake(next: Situation, index: number, answer: number): void {
    next.threads[index]!.asleep = false;
    advance(next, index, answer);
  }

  function advance(next: Situation, index: number, answer: number): void {
    next.threads[index]!.place = models[index]!.advance(next.threads[index]!.place, answer);
    settle(next, index);
  }

  /** Takes the steps that concern nobody else at once: marks, and repair's look at a dead thread. */
  function settle(next: Situation, index: number): void {
    const thread = next.threads[index]!;
    for (;;) {
      const step = models[index]!.place(thread.place).next;
      let answer = 0;
      if (step.kind === 'section') enter(next, index, step.mode);
      else if (step.kind === 'restore')
        checkAlone(
          next,
          next.threads.findIndex((other) => other.isDead),
        );
      else if (step.kind === 'peek') answer = models[step.thread]!.place(next.threads[step.thread]!.place).holderWord;
      else if (step.kind !== 'begin') return;
      thread.place = models[index]!.advance(thread.place, answer);
    }
  }

  function enter(next: Situation, index: number, mode: 'read' | 'write'): void {
    const thread = next.threads[index]!;
    thread.inside = mode;
    thread.writersPassed = -1;
    if (mode === 'write') {
      checkAlone(next, index);
      for (const other of next.threads) {
        if (other.writersPassed < 0) continue;
        other.writersPassed += 1;
        if (other.writersPassed > 1)
          throw new Violation('not phase-fair: a second writer went in while a reader waited');
      }
    } else if (next.threads.some((other) => other.inside === 'write')) {
      throw new Violation('no exclusion: a reader is inside with a writer');
    }
  }

  function checkAlone(next: Situation, writer: number): void {
    if (next.threads.some((other, index) => index !== writer && other.inside !== '')) {
      throw new Violation('no exclusion: a writer is not alone');
    }
  }

  /** Looks at one change of the state word: who has left, who has begun to wait, who may not have gone in. */
  function checkChange(next: Situation, index: number, before: number, after: number): void {
    const thread = next.threads[index]!;
    const beganToWait = (after & WAITING_READERS) - (before & WAITING_READERS) === WAITING_READER;
    if (beganToWait) thread.writersPassed = 0;
    else if (thread.inside !== '') thread.inside = '';
    else if (thread.writersPassed >= 0) thread.writersPassed = -1;
    // Repair acts for the dead.
    const dead = next.threads.find((other) => other.isDead);
    if (dead !== undefined && index >= mortalThreads) dead.inside = '';
    const readersCameIn = (after & READERS) > (before & READERS);
    if (readersCameIn && (before & WRITER) === 0 && (before & WAITING_WRITERS) !== 0) {
      throw new Violation('not phase-fair: a reader went in past a waiting writer');
    }
    // Readers that are let in wait no more, though they may not know it yet.
    if (((before ^ after) & PHASE) !== 0) {
      for (const other of next.threads) if (other.writersPassed >= 0) other.writersPassed = -1;
    }
    if ((after & GRANTED) !== 0 && (after & WRITER) === 0) throw new Violation('granted without a writer');
  }

  function endSchedule(situation: Situation): void {
    schedulesEnded += 1;
    const asleep = situation.threads.findIndex((thread) => thread.asleep && !thread.isDead);
    if (asleep >= 0) throw new Violation('lost wake: a thread is asleep and nobody can wake it');
    if ((situation.words[STATE_WORD]! & ~PHASE) !== 0) {
      throw new Violation('unclean end: somebody is still counted in the state');
    }
  }

  function sleepersOn(situation: Situation, word: number): number[] {
    return situation.threads.flatMap((thread, index) => {
      const step = models[index]!.place(thread.place).next;
      return thread.asleep && !thread.isDead && step.kind === 'wait' && step.word === word ? [index] : [];
    });
  }
}

function keyOf({ words, threads }: Situation): string {
  let key = words.join(',');
  for (const thread of threads) {
    const { place, asleep, spuriousLeft, isDead, inside, writersPassed } = thread;
    key += `;${place},${asleep ? 1 : 0},${spuriousLeft},${isDead ? 1 : 0},${inside},${writersPassed}`;
  }
  return key;
}

function describe(step: Step): string {
  return JSON.stringify(step).replaceAll('"', '');
}
