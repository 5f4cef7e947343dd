// deadline-queue.ts: what waits for its time, in order of due time, without a timer, a visit or an object for each.
//
//   first → … → last       all in one queue wait equally long, so they are due in the order in which they began to wait:
//                          whoever begins anew goes to the end, and only the first are ever looked at
//
// The clock is coarse: it stands still between two ticks. So one that begins anew a thousand times in a tick, like a
// connection that is busy, is moved once.

/** Who is told that it has waited too long. */
export interface DeadlineOwner {
  /** @param queue in which it waited, and is no longer */
  timedOut(deadline: Deadline, queue: DeadlineQueue): void;
}

/** One thing that somebody waits for; in one queue at a time, or in none. */
export class Deadline {
  /** Where it waits. The queue's own business, as are the others below. */
  queue: DeadlineQueue | undefined;
  sinceMs = 0;
  before: Deadline | undefined;
  after: Deadline | undefined;

  constructor(readonly owner: DeadlineOwner) {}

  cancel(): void {
    this.queue?.remove(this);
  }
}

/** All that wait for one kind of thing. */
export class DeadlineQueue {
  private first: Deadline | undefined;
  private last: Deadline | undefined;

  /** Begins to wait, or begins anew, here and nowhere else. */
  restart(deadline: Deadline, nowMs: number): void {
    if (deadline.queue === this && deadline.sinceMs === nowMs) return;
    deadline.queue?.remove(deadline);
    deadline.queue = this;
    deadline.sinceMs = nowMs;
    deadline.before = this.last;
    if (this.last === undefined) this.first = deadline;
    else this.last.after = deadline;
    this.last = deadline;
  }

  remove(deadline: Deadline): void {
    const { before, after } = deadline;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    deadline.before = undefined;
    deadline.after = undefined;
    deadline.queue = undefined;
  }

  /** Tells the owners of all that have waited longer than `limitMs`. They may begin anew. */
  expire(nowMs: number, limitMs: number): void {
    while (this.first !== undefined && nowMs - this.first.sinceMs > limitMs) {
      const due = this.first;
      this.remove(due);
      due.owner.timedOut(due, this);
    }
  }
}
