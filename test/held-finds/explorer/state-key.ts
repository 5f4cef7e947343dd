// state-key.ts: tells whether two states of the protocol are the same: one short string for each.

import type { Downward, Front, State, Task, Upward } from './protocol-state.js';

const UP = ['renew', 'confirm', 'goodbye'];
const DOWN = ['registered', 'renewed', 'invalid', 'ended'];
const TASKS = ['number', 'bump', 'lease', 'end lease', 'send', 'leave'];
const PLACES = ['idle', 'leased', 'unleased', 'noted', 'asked', 'read', 'told', 'found held'];
const RUNS = ['up', 'stopping', 'stopped', 'dead'];

/** Small numbers from -1 on become characters. */
const OFFSET = 1;

export function keyOf(state: State): string {
  const { catalog } = state;
  const all: number[] = [...state.known, RUNS.indexOf(catalog.run), catalog.predecessor];
  for (const { journaled, shown, settled, isUnsure, bits } of catalog.toys) {
    all.push(journaled, shown, settled, Number(isUnsure), bits.length, ...bits);
  }
  all.push(catalog.holders.length);
  for (const { number, front, link, isOpen, left } of catalog.holders)
    all.push(number, front, link, Number(isOpen), left);
  all.push(catalog.sales.length);
  for (const { toy, version, isSynced, awaits } of catalog.sales) {
    all.push(toy, version, Number(isSynced), awaits.length, ...awaits);
  }
  for (const front of state.fronts) addFront(all, front);
  all.push(state.salesLeft, state.callsLeft, state.cutsLeft, state.crashesLeft, state.stopsLeft);
  all.push(state.goodbyesLeft, state.frontKillsLeft, state.connectsLeft, state.renewalsLeft);
  for (let index = 0; index < all.length; index++) all[index]! += OFFSET;
  // In one go: what is joined piece by piece is taken to pieces again to be compared.
  return String.fromCharCode(...all);
}

function addFront(all: number[], front: Front): void {
  // Of generations nothing matters but which are the same.
  const names = new Map<number, number>();
  const name = (generation: number): number => {
    if (!names.has(generation)) names.set(generation, names.size);
    return names.get(generation)!;
  };
  all.push(name(front.generation), front.number, front.left, front.link, Number(front.isCut), Number(front.hasStopped));
  all.push(front.renewals.length, ...front.renewals, front.up.length);
  for (const message of front.up) addUpward(all, message);
  all.push(front.down.length);
  for (const message of front.down) addDownward(all, message);
  all.push(front.tasks.length);
  for (const task of front.tasks) addTask(all, task);
  for (const thread of front.threads) {
    all.push(PLACES.indexOf(thread.place), thread.queriesLeft);
    for (const held of thread.held) all.push(held === undefined ? -1 : held.version);
    for (const held of thread.held) all.push(held === undefined ? -1 : name(held.generation));
    if (thread.place === 'idle') continue;
    all.push(thread.toy, thread.known, thread.number, thread.version, Number(thread.isHoldable));
    all.push(thread.generation < 0 ? -1 : name(thread.generation));
  }
}

function addUpward(all: number[], message: Upward): void {
  all.push(UP.indexOf(message.kind));
  if (message.kind === 'confirm') all.push(message.toy, message.version);
}

function addDownward(all: number[], message: Downward): void {
  all.push(DOWN.indexOf(message.kind));
  if (message.kind === 'registered') all.push(message.number);
  if (message.kind === 'invalid') all.push(message.toy, message.version);
}

function addTask(all: number[], task: Task): void {
  all.push(TASKS.indexOf(task.kind));
  if (task.kind === 'number') all.push(task.number);
  if (task.kind === 'send') addUpward(all, task.message);
}

/** A copy that may be changed without the other. */
export function copyOf(state: State): State {
  const { catalog } = state;
  return {
    ...state,
    known: [...state.known],
    catalog: {
      ...catalog,
      toys: catalog.toys.map((toy) => ({ ...toy, bits: [...toy.bits] })),
      holders: catalog.holders.map((holder) => ({ ...holder })),
      sales: catalog.sales.map((sale) => ({ ...sale, awaits: [...sale.awaits] })),
    },
    fronts: state.fronts.map((front) => ({
      ...front,
      renewals: [...front.renewals],
      up: [...front.up],
      down: [...front.down],
      tasks: [...front.tasks],
      threads: front.threads.map((thread) => ({ ...thread, held: [...thread.held] })),
    })),
  };
}
