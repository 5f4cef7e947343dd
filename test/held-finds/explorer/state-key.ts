// state-key.ts: tells whether two states of the protocol are the same: one short string for each.

import type { Downward, Front, State, Task, Upward } from './protocol-state.js';

const UP = ['renew', 'confirm', 'goodbye'];
const DOWN = ['registered', 'renewed', 'invalid', 'ended'];
const TASKS = ['number', 'bump', 'lease', 'end lease', 'send', 'leave'];
const PLACES = ['idle', 'leased', 'unleased', 'noted', 'asked', 'read', 'told', 'found held'];
const RUNS = ['up', 'stopping', 'stopped', 'dead'];

/** Numbers from -1 on become bytes. */
const OFFSET = 1;
const NUMBER_MAX = 0xff - OFFSET;
/** Many times what a state takes. */
const KEY_BYTES_MAX = 4096;

/** The key under way: there are hundreds of thousands, and each is made in the same place. */
const bytes = Buffer.alloc(KEY_BYTES_MAX);
let length = 0;

function add(number: number): void {
  if (number > NUMBER_MAX || length === KEY_BYTES_MAX) throw new Error('the key has no room for this state');
  bytes[length++] = number + OFFSET;
}

function addAll(numbers: readonly number[]): void {
  add(numbers.length);
  for (const number of numbers) add(number);
}

export function keyOf(state: State): string {
  const { catalog } = state;
  length = 0;
  addAll(state.known);
  add(RUNS.indexOf(catalog.run));
  add(catalog.predecessor);
  for (const { journaled, shown, settled, isUnsure, bits } of catalog.toys) {
    add(journaled);
    add(shown);
    add(settled);
    add(Number(isUnsure));
    addAll(bits);
  }
  add(catalog.holders.length);
  for (const { number, front, link, isOpen, left } of catalog.holders) {
    add(number);
    add(front);
    add(link);
    add(Number(isOpen));
    add(left);
  }
  add(catalog.sales.length);
  for (const { toy, version, isSynced, awaits } of catalog.sales) {
    add(toy);
    add(version);
    add(Number(isSynced));
    addAll(awaits);
  }
  for (const front of state.fronts) addFront(front);
  add(state.salesLeft);
  add(state.callsLeft);
  add(state.cutsLeft);
  add(state.crashesLeft);
  add(state.stopsLeft);
  add(state.goodbyesLeft);
  add(state.frontKillsLeft);
  add(state.connectsLeft);
  add(state.renewalsLeft);
  return bytes.toString('latin1', 0, length);
}

function addFront(front: Front): void {
  // Of generations nothing matters but which are the same: each is named by when it is first met.
  const met: number[] = [];
  const addGeneration = (generation: number): void => {
    if (generation < 0) return add(-1);
    const name = met.indexOf(generation);
    add(name === -1 ? met.push(generation) - 1 : name);
  };
  addGeneration(front.generation);
  add(front.number);
  add(front.left);
  add(front.link);
  add(Number(front.isCut));
  add(Number(front.hasStopped));
  addAll(front.renewals);
  add(front.up.length);
  for (const message of front.up) addUpward(message);
  add(front.down.length);
  for (const message of front.down) addDownward(message);
  add(front.tasks.length);
  for (const task of front.tasks) addTask(task);
  for (const thread of front.threads) {
    add(PLACES.indexOf(thread.place));
    add(thread.queriesLeft);
    for (const held of thread.held) {
      add(held === undefined ? -1 : held.version);
      addGeneration(held === undefined ? -1 : held.generation);
    }
    if (thread.place === 'idle') continue;
    add(thread.toy);
    add(thread.known);
    add(thread.number);
    add(thread.version);
    add(Number(thread.isHoldable));
    addGeneration(thread.generation);
  }
}

function addUpward(message: Upward): void {
  add(UP.indexOf(message.kind));
  if (message.kind !== 'confirm') return;
  add(message.toy);
  add(message.version);
}

function addDownward(message: Downward): void {
  add(DOWN.indexOf(message.kind));
  if (message.kind === 'registered') add(message.number);
  if (message.kind !== 'invalid') return;
  add(message.toy);
  add(message.version);
}

function addTask(task: Task): void {
  add(TASKS.indexOf(task.kind));
  if (task.kind === 'number') add(task.number);
  if (task.kind === 'send') addUpward(task.message);
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
