// lock-explorer.ts: runs every schedule of a few threads over one lock, and says what went wrong in which of them.
//
// A schedule is a sequence of choices: which thread takes its next atomic step; which sleeper a notify wakes; whether
// a sleeper wakes for no reason or times out; and, where asked for, after which step a thread dies. Situations that
// were reached before, by another sequence of choices, are not explored again.
//
// What must hold:
//   exclusion       a writer inside is alone
//   no lost wake    when nobody can go on, nobody is asleep; that a sleeper would wake when it loses patience, or when
//                   its time is over, does not count
//   phase-fair      from when a waiter has lost patience until it goes in, nobody goes in who has just come along.
//                   While an impatient reader waits, at most one writer goes in. While an impatient writer waits,
//                   readers are let in together with an impatient one only, and not twice without a writer between;
//                   and no patient writer goes in
//   clean end       when all have finished, nobody is counted in the state any more
//
// Events: nothing but their changing matters, so not their values are kept, only who has read one that has not changed
// since.
//
// Fused reads: the lock changes its state by reading it and then exchanging what it read, again and again until that
// succeeds. A round that fails has no effect, so every outcome is also reached by schedules where read and exchange
// are one step. With `fuseReads` only those are run; small cases are run without it too.

import {
  AWAITING_WRITE,
  DOING,
  IMPATIENT_READERS,
  IMPATIENT_WRITER,
  PHASE,
  STATE_WORD,
  WOKEN as WOKEN_BIT,
} from '../../../src/lock/lock-layout.js';
import { checkFairness, Violation } from './fairness.js';
import { type LockClass, ModelThread, type Script, type Step, TIMED_OUT, WOKEN } from './model-thread.js';
import { forgetWait, keyOf, type Situation } from './situation.js';

export interface Exploration {
  readonly scripts: readonly Script[];
  readonly lockClass: LockClass;
  readonly fuseReads?: boolean;
  /** How often threads may wake for no reason, all together. */
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

export function explore(exploration: Exploration): Findings {
  const { scripts, lockClass, fuseReads = true, spuriousWakes = 0, mortalThreads = 0 } = exploration;
  // Threads with the same script share their model, and trading places makes no difference: of situations that differ by
  // that alone one is explored. But repair tells threads apart.
  const twins = scripts.map((script, index) => (mortalThreads === 0 ? scripts.indexOf(script) : index));
  const models = scripts.map((script, index) => new ModelThread(index, scripts.length, script, lockClass));
  for (const [index, twin] of twins.entries()) models[index] = models[twin]!;
  const seen = new Set<string>();
  const trace: { readonly thread: number; readonly did: Step | string }[] = [];
  let schedulesEnded = 0;

  const first: Situation = {
    state: 0,
    spuriousLeft: spuriousWakes,
    threads: scripts.map(() => ({
      place: 0,
      asleep: false,
      isDead: false,
      inside: '',
      seenEvent: 0,
      writersPassed: -1,
      crowdsPassed: -1,
    })),
  };
  for (const [index] of scripts.entries()) settle(first, index);

  try {
    visit(first);
    return { situations: seen.size, schedulesEnded, violation: undefined };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { situations: seen.size, schedulesEnded, violation: { what: error.message, trace: trace.map(describe) } };
  }

  function visit(situation: Situation): void {
    const key = keyOf(situation, twins);
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
          forgetWait(next.threads[index]!);
        });
      }
      if (step.kind === 'awaitDeath' && !situation.threads.some((other) => other.isDead)) continue;
      if (thread.asleep) {
        if (situation.spuriousLeft > 0) {
          follow(situation, index, 'wakes for no reason', (next) => {
            next.spuriousLeft -= 1;
            wake(next, index, WOKEN);
          });
        }
        if (step.kind === 'wait' && step.timeoutMs !== Number.POSITIVE_INFINITY) {
          follow(situation, index, 'times out', (next) => wake(next, index, TIMED_OUT));
        }
        continue;
      }
      canSomebodyGoOn = true;
      if (step.kind === 'notify' && step.count === 1) notifyOne(situation, index, step.word);
      else follow(situation, index, step, (next) => take(next, index, step));
    }
    if (!canSomebodyGoOn) endSchedule(situation);
  }

  function follow(situation: Situation, index: number, did: Step | string, change: (next: Situation) => void): void {
    const next: Situation = {
      state: situation.state,
      spuriousLeft: situation.spuriousLeft,
      threads: situation.threads.map((thread) => ({ ...thread })),
    };
    trace.push({ thread: index, did });
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
      case 'read':
        if (step.word !== STATE_WORD) {
          thread.seenEvent = step.word;
          advance(next, index, 0);
          break;
        }
        advance(next, index, next.state);
        if (fuseReads) {
          const then = models[index]!.place(thread.place).next;
          if (then.kind === 'compareExchange') take(next, index, then);
        }
        break;
      case 'compareExchange': {
        const before = next.state;
        if (before === step.expected) {
          next.state = step.replacement;
          checkChange(next, index, before, step.replacement);
        }
        advance(next, index, before);
        break;
      }
      case 'add':
        for (const other of next.threads) if (other.seenEvent === step.word) other.seenEvent = -step.word;
        advance(next, index, 0);
        break;
      case 'notify':
        for (const sleeper of sleepersOn(next, step.word)) wake(next, sleeper, WOKEN);
        advance(next, index, 0);
        break;
      case 'wait':
        if (Math.abs(thread.seenEvent) !== step.word)
          throw new Violation('lost wake: it sleeps on what it did not read');
        if (thread.seenEvent === step.word) thread.asleep = true;
        else wake(next, index, WOKEN);
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
    next.threads[index]!.seenEvent = 0;
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
    thread.seenEvent = 0;
    forgetWait(thread);
    if (mode === 'write') {
      checkAlone(next, index);
      for (const other of next.threads) {
        if (other.crowdsPassed >= 0) other.crowdsPassed = 0;
        if (other.writersPassed < 0) continue;
        other.writersPassed += 1;
        if (other.writersPassed > 1) {
          throw new Violation('not phase-fair: a second writer went in while an impatient reader waited');
        }
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

  /** Looks at one change of the state word: who has left, who has lost patience, who may not have gone in. */
  function checkChange(next: Situation, index: number, before: number, after: number): void {
    const thread = next.threads[index]!;
    const { holderWord } = models[index]!.place(thread.place);
    const isWaiting = (holderWord & DOING) >= AWAITING_WRITE;
    const isPatientWriter = (holderWord & DOING) === AWAITING_WRITE;
    if (isWaiting && isPatientWriter && after - before === IMPATIENT_WRITER) thread.crowdsPassed = 0;
    else if (isWaiting && !isPatientWriter && after === (before | IMPATIENT_READERS)) thread.writersPassed = 0;
    else if (thread.inside !== '') thread.inside = '';
    else if (before - after !== WOKEN_BIT) forgetWait(thread);
    // Repair acts for the dead.
    const dead = next.threads.find((other) => other.isDead);
    if (dead !== undefined && index >= mortalThreads) dead.inside = '';

    checkFairness(next.threads, isWaiting, before, after);
  }

  function endSchedule(situation: Situation): void {
    schedulesEnded += 1;
    const asleep = situation.threads.findIndex((thread) => thread.asleep && !thread.isDead);
    if (asleep >= 0) throw new Violation('lost wake: a thread is asleep and nobody can wake it');
    if ((situation.state & ~PHASE) !== 0) {
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

function describe({ thread, did }: { readonly thread: number; readonly did: Step | string }): string {
  return `thread ${thread} ${typeof did === 'string' ? did : JSON.stringify(did).replaceAll('"', '')}`;
}
