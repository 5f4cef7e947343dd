// front-steps.ts: the steps of a front end in the model: its threads' queries, and its main thread. The rules F1 to F8 are
// in protocol-state.ts.

import { isAnswering } from './front-order-steps.js';
import type { Mistakes } from './mistakes.js';
import type { Front, State, Task, Thread } from './protocol-state.js';
import { Violation } from './violation.js';

/** What may happen next, and the change that it makes to a copy of the state. */
export type AddStep = (what: string, change: (next: State) => void) => void;

export function addThreadSteps(state: State, mistakes: Mistakes, frontIndex: number, add: AddStep): void {
  const front = state.fronts[frontIndex]!;
  for (const [threadIndex, thread] of front.threads.entries()) {
    if (isAnswering(state, frontIndex, threadIndex)) continue;
    const step = (what: string, change: (thread: Thread, front: Front, next: State) => void): void =>
      add(`front ${frontIndex} thread ${threadIndex} ${what}`, (next) => {
        const nextFront = next.fronts[frontIndex]!;
        change(nextFront.threads[threadIndex]!, nextFront, next);
      });
    switch (thread.place) {
      case 'idle':
        if (thread.queriesLeft > 0) {
          for (const toy of state.known.keys()) {
            step(`begins to ask for toy ${toy}, and looks at the lease`, (own, { left }, next) => {
              own.queriesLeft -= 1;
              own.toy = toy;
              own.known = next.known[toy]!;
              own.generation = -1;
              own.number = 0;
              own.version = 0;
              own.isHoldable = false;
              own.place = left > 0 ? 'leased' : 'unleased';
              if (mistakes.has('the generation is looked at before the lease')) {
                own.generation = front.generation;
                const held = own.held[toy];
                own.place = held?.generation === front.generation ? 'found held' : 'unleased';
                if (held !== undefined) own.version = held.version;
              }
            });
          }
        }
        break;
      case 'found held':
        step('looks at the lease', (own, { left }, next) => {
          if (left > 0) answer(next, own, own.version);
          else own.place = 'noted';
        });
        break;
      case 'leased':
      case 'unleased':
        step('looks at the generation', (own, { generation }, next) => {
          const held = own.held[own.toy];
          if (own.place === 'leased' && held?.generation === generation) return answer(next, own, held.version);
          own.generation = generation;
          own.place = 'noted';
        });
        break;
      case 'noted':
        step('asks', (own, { number }) => {
          own.number = number;
          own.place = 'asked';
        });
        break;
      case 'told':
        step('is told', (own, current, next) => {
          if (own.isHoldable) hold(own, current, mistakes);
          answer(next, own, own.version);
        });
        break;
      case 'asked':
      case 'read':
        break;
    }
  }
}

function hold(thread: Thread, front: Front, mistakes: Mistakes): void {
  const isLate = mistakes.has('the generation is noted after asking');
  thread.held[thread.toy] = { version: thread.version, generation: isLate ? front.generation : thread.generation };
  if (mistakes.has('a toy that is held sets the word that it shares to what it was') && thread.generation >= 0) {
    front.generation = thread.generation;
  }
}

/** The query ends: what it shows must not be older than what was known when it began. */
function answer(next: State, thread: Thread, version: number): void {
  if (version < thread.known) {
    throw new Violation(`stale: a query shows version ${version}, and ${thread.known} was known when it began`);
  }
  next.known[thread.toy] = Math.max(next.known[thread.toy]!, version);
  thread.place = 'idle';
  // What it holds will never be asked for.
  if (thread.queriesLeft === 0) thread.held.fill(undefined);
}

export function addMainSteps(state: State, mistakes: Mistakes, lease: number, frontIndex: number, add: AddStep): void {
  const front = state.fronts[frontIndex]!;
  const step = (what: string, change: (front: Front, next: State) => void): void =>
    add(`front ${frontIndex} ${what}`, (next) => change(next.fronts[frontIndex]!, next));
  const task = front.tasks[0];
  if (task !== undefined) {
    step(`does: ${JSON.stringify(task)}`, (own) => {
      own.tasks.shift();
      carryOut(own, task, mistakes, lease);
    });
    return;
  }
  if (front.hasStopped) return;
  if (front.link === 0 && state.catalog.run === 'up' && state.connectsLeft > 0) {
    step('connects and asks for a place', (own, next) => {
      next.connectsLeft -= 1;
      own.link = ++next.links;
      own.isCut = false;
      own.up = [{ kind: 'renew' }];
      own.down = [];
      own.renewals = [lease];
    });
  }
  if (front.link !== 0 && front.isCut) {
    step('sees its stream end', (own) => {
      own.link = 0;
      own.down = [];
      own.renewals = [];
      own.tasks = tasksOf({ kind: 'ended' }, mistakes);
    });
  }
  const message = front.down[0];
  if (front.link !== 0 && message !== undefined) {
    step(`gets: ${JSON.stringify(message)}`, (own) => {
      own.down.shift();
      if (message.kind === 'ended') {
        own.link = 0;
        own.down = [];
        own.renewals = [];
      }
      own.tasks = tasksOf(message, mistakes);
    });
  }
  if (front.link === 0 || front.isCut) return;
  if (front.number !== 0 && state.renewalsLeft > 0) {
    step('sends a renewal', (own, next) => {
      next.renewalsLeft -= 1;
      own.renewals.push(lease);
      own.up.push({ kind: 'renew' });
    });
  }
  if (state.goodbyesLeft > 0 && front.number !== 0) {
    step('begins to stop', (own, next) => {
      next.goodbyesLeft -= 1;
      own.tasks = [
        { kind: 'end lease' },
        { kind: 'number', number: 0 },
        { kind: 'send', message: { kind: 'goodbye' } },
        { kind: 'leave' },
      ];
      if (mistakes.has('goodbye is said before the lease is given up')) own.tasks.push(own.tasks.shift()!);
    });
  }
}

const EARLIER_NUMBER = 'the number of an earlier registration goes with a new generation';

function tasksOf(message: Front['down'][number], mistakes: Mistakes): Task[] {
  switch (message.kind) {
    case 'registered': {
      const { number } = message;
      const tasks: Task[] = [
        { kind: 'number', number: 0 },
        { kind: 'bump' },
        { kind: 'number', number },
        { kind: 'lease' },
      ];
      if (mistakes.has('what is held is kept over a new registration'))
        return tasks.filter(({ kind }) => kind !== 'bump');
      if (mistakes.has('the lease begins before the generation is counted up'))
        return [tasks[3]!, ...tasks.slice(0, 3)];
      if (mistakes.has(EARLIER_NUMBER)) return tasks.slice(1);
      return tasks;
    }
    case 'renewed':
      return [{ kind: 'lease' }];
    case 'invalid': {
      const { toy, version } = message;
      const tasks: Task[] = [{ kind: 'bump' }, { kind: 'send', message: { kind: 'confirm', toy, version } }];
      return mistakes.has('confirmed before all threads see the generation') ? tasks.reverse() : tasks;
    }
    case 'ended':
      return mistakes.has(EARLIER_NUMBER) ? [] : [{ kind: 'number', number: 0 }];
  }
}

function carryOut(front: Front, task: Task, mistakes: Mistakes, lease: number): void {
  switch (task.kind) {
    case 'number':
      front.number = task.number;
      return;
    case 'bump':
      countUp(front);
      return;
    case 'lease': {
      const left = front.renewals.shift() ?? 0;
      front.left = mistakes.has('a lease is counted from the receipt of its renewal') ? lease : left;
      return;
    }
    case 'end lease':
      front.left = 0;
      return;
    case 'send':
      if (!front.isCut) front.up.push(task.message);
      return;
    case 'leave':
      front.hasStopped = true;
  }
}

export function countUp(front: Front): void {
  front.generation = 1 + Math.max(front.generation, ...front.threads.flatMap(generationsOf));
}

function generationsOf({ generation, held }: Thread): number[] {
  return [generation, ...held.map((one) => one?.generation ?? -1)];
}
