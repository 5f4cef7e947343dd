// commit-queue.ts: what waits for the disk, in order: groups of records, and now and then a restart between two groups.
//
//   append ──> tail ──> tasks: group, restart, group … ──next()──> current ──> finish()
//
// The tail takes what is appended; it becomes a task when there is nothing before it, or when a restart follows it. It
// knows the numbers of the records too, because what is dropped gives its numbers back.

import { GroupBuffer } from './group-buffer.js';

/** A new journal that is to take the place of the present one. */
export interface Restart {
  readonly openingRecords: readonly Uint8Array[];
  /** Number of the first record that is appended after it. */
  readonly firstSequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export type Task = GroupBuffer | Restart;

export class CommitQueue {
  /** Records were dropped for which nobody waited: whoever commits next must be told. */
  isDropUntold = false;
  #nextSequence: number;
  /** Never among the tasks. */
  #tail = new GroupBuffer();
  /** Two buffers take turns; a third is made when a restart comes between. */
  #spare: GroupBuffer | undefined = new GroupBuffer();
  readonly #tasks: Task[] = [];
  #current: Task | undefined;

  constructor(nextSequence: number) {
    this.#nextSequence = nextSequence;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  append(payload: Uint8Array): void {
    this.#tail.append(payload, this.#nextSequence);
    this.#nextSequence++;
  }

  /** Resolves with everything appended so far; undefined if all of that is done already. */
  lastFinished(): Promise<void> | undefined {
    if (this.#tail.records > 0) return this.#tail.finished();
    for (const task of [...this.#tasks.toReversed(), this.#current]) {
      if (task instanceof GroupBuffer) return task.finished();
    }
    return undefined;
  }

  /** A restart, after all that was appended so far; resolves with it. */
  restart(openingRecords: readonly Uint8Array[]): Promise<void> {
    if (this.#tail.records > 0) this.#sealTail();
    return new Promise((resolve, reject) => {
      this.#tasks.push({ openingRecords, firstSequence: this.#nextSequence, resolve, reject });
    });
  }

  /** What is to be done now, until finish() or dropAll(). */
  next(): Task | undefined {
    if (this.#tasks.length === 0 && this.#tail.isAwaited) this.#sealTail();
    this.#current = this.#tasks.shift();
    return this.#current;
  }

  /** The present task is done: those who wait for it are told. */
  finish(): void {
    const task = this.#current;
    // First, because they may commit again at once, and must not find a group that is done.
    this.#current = undefined;
    if (task instanceof GroupBuffer) {
      task.finish();
      this.#spare ??= task;
    } else task?.resolve();
  }

  /** The present task alone has failed. */
  fail(failure: Error): void {
    const task = this.#current;
    this.#current = undefined;
    if (!(task instanceof GroupBuffer)) task?.reject(failure);
  }

  /** Rejects everything that waits; all records after the last task that was finished are gone. */
  dropAll(failure: Error): void {
    const dropped = [this.#current, ...this.#tasks.splice(0), this.#tail];
    this.#current = undefined;
    for (const task of dropped) {
      if (task instanceof GroupBuffer) {
        if (task.records > 0 && !task.isAwaited) this.isDropUntold = true;
        this.#nextSequence -= task.records;
        task.finish(failure);
      } else task?.reject(failure);
    }
  }

  /** Drops what was appended since dropAll() by somebody who had not been told of it. */
  dropTail(): void {
    this.isDropUntold = false;
    this.#nextSequence -= this.#tail.records;
    this.#tail.finish();
  }

  #sealTail(): void {
    this.#tasks.push(this.#tail);
    this.#tail = this.#spare ?? new GroupBuffer();
    this.#spare = undefined;
  }
}
