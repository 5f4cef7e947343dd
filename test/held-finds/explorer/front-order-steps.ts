// front-order-steps.ts: the steps of a front end's threads with their orders in the model. The rules H1 to H3 are in
// protocol-state.ts.

import type { AddStep } from './front-steps.js';
import { countUp } from './front-steps.js';
import type { Mistakes } from './mistakes.js';
import { finish, learnOutcome, sendAgain } from './order-service-steps.js';
import type { Order } from './order-state.js';
import type { Front, State, Thread } from './protocol-state.js';
import { Violation } from './violation.js';

export function addOrderSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  for (const [index, order] of state.orders.entries()) {
    const { front, thread, place, outcome } = order;
    if (front < 0 || place === 'done') continue;
    const step = (what: string, change: (order: Order, front: Front, next: State, thread: Thread) => void): void =>
      add(`front ${front} thread ${thread} ${what}`, (next) => {
        const nextFront = next.fronts[front]!;
        change(next.orders[index]!, nextFront, next, nextFront.threads[thread]!);
      });
    const earlier = state.orders.filter((one, at) => at < index && one.front === front && one.thread === thread);
    const findPlace = state.fronts[front]!.threads[thread]!.place;
    const isLooking = findPlace === 'leased' || findPlace === 'unleased';
    const isHasty = mistakes.has('a thread sends its next message before it has the answer to the one before');
    // What is on its way may be a message of several orders.
    const mayBegin = isHasty
      ? earlier.every((one) => one.place !== 'new' && one.place !== 'noted')
      : earlier.every((one) => one.place === 'sent' || one.place === 'done');
    if (place === 'new' && mayBegin) {
      // Where numbers do not change, it makes no difference when this one is read.
      const isOneStep = state.connectsLeft === 0 && state.goodbyesLeft === 0;
      step(`begins order ${index}, and notes the generation`, (own, { generation, number }) => {
        own.generation = generation;
        own.place = isOneStep ? 'sent' : 'noted';
        if (isOneStep) own.number = number;
      });
    }
    if (place === 'noted') {
      step(`reads the number, and sends order ${index}`, (own, { number }) => {
        own.number = number;
        own.place = 'sent';
      });
    }
    if (place === 'answered' && !isLooking && earlier.every((one) => one.place === 'done')) {
      if (outcome !== 'delegated') {
        step(`tells of order ${index}`, (own, _, next) => {
          learnOutcome(next, index);
          finish(own);
        });
      } else if (mistakes.has('an answer for which nobody waits any more is thrown away')) {
        step(`throws away the answer to order ${index}`, finish);
      } else if (mistakes.has('the customer is told before the generation is counted up')) {
        step(`tells of order ${index}, which is delegated`, (own, _, next) => {
          learnOutcome(next, index);
          own.place = 'told';
        });
      } else {
        step(`counts up the generation for order ${index}`, (own, current) => count(own, current, mistakes));
      }
    }
    if (place === 'told') {
      step(`counts up the generation for order ${index}, and holds what is left`, (own, current, _, ownThread) => {
        count(own, current, mistakes);
        hold(own, ownThread);
        finish(own);
      });
    }
    if (place === 'counted') {
      step(`holds what order ${index} has left`, (own, _current, _next, ownThread) => {
        hold(own, ownThread);
        own.place = 'held';
      });
    }
    if (place === 'held') {
      step(`tells of order ${index}`, (own, _, next) => {
        learnOutcome(next, index);
        finish(own);
      });
    }
  }
  addStreamCutSteps(state, mistakes, add);
}

/** H2: only if nothing was invalidated since the message was made. */
function count(order: Order, front: Front, mistakes: Mistakes): void {
  const isCurrent = front.generation === order.generation;
  const held = front.threads[order.thread]!.held[order.toy];
  if (isCurrent && held?.generation === order.generation && held.version + 1 !== order.version) {
    throw new Violation(
      `version ${held.version} is held, and the order that was sold on top of it is ${order.version}`,
    );
  }
  countUp(front);
  const isHeldAnyway = mistakes.has('what is left is held although something else was invalidated');
  order.generation = isCurrent || isHeldAnyway ? front.generation : -1;
  order.place = order.generation < 0 ? 'held' : 'counted';
}

function hold({ toy, version, generation }: Order, thread: Thread): void {
  if (generation >= 0 && thread.queriesLeft > 0) thread.held[toy] = { version, generation };
}

/** The stream of a thread to the order service: what was answered is lost, and asked for again by a new stream. */
function addStreamCutSteps(state: State, mistakes: Mistakes, add: AddStep): void {
  if (state.streamCutsLeft === 0) return;
  const isSame = mistakes.has('a new stream of a thread counts as the one before');
  for (const [front, { threads }] of state.fronts.entries()) {
    for (const thread of threads.keys()) {
      const own = state.orders.filter((one) => one.front === front && one.thread === thread);
      const isPending = own.some(({ place }) => place === 'sent' || place === 'answered');
      if (!isPending || own.some(({ place }) => place === 'batched')) continue;
      add(`the stream of front ${front} thread ${thread} to the order service is cut`, (next) => {
        next.streamCutsLeft -= 1;
        next.streams += 1;
        for (const order of next.orders) {
          if (order.front !== front || order.thread !== thread) continue;
          if (!isSame) order.stream = next.streams;
          if (order.place === 'sent' || order.place === 'answered') sendAgain(order);
        }
      });
    }
  }
}

/** Its thread is in the middle of an answer, and does nothing else. */
export function isAnswering({ orders }: State, front: number, thread: number): boolean {
  return orders.some(
    (one) => one.front === front && one.thread === thread && ['counted', 'held', 'told'].includes(one.place),
  );
}
