// Deadlines in order of due time: compared with a list that looks at everybody, which is what the queue is there to avoid.
import test from 'ava';
import fc from 'fast-check';
import { Deadline, DeadlineQueue } from '../../src/http/server/deadline-queue.js';

/** What happens to one of a few deadlines, or to the clock. */
type Step = { readonly kind: 'restart' | 'cancel' | 'tick'; readonly which: number; readonly queue: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('restart', 'cancel', 'tick'),
  which: fc.nat(5),
  queue: fc.nat(1),
});
const LIMIT_MS = 10;
const TICK_MS = 4;

test('who has waited too long is told once, in the order in which they began, and nobody else', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, beginAgain) => {
      const queues = [new DeadlineQueue(), new DeadlineQueue()];
      const told: number[] = [];
      const expected: number[] = [];
      let nowMs = 0;
      const waiting: { which: number; queue: number; sinceMs: number }[] = [];
      const owner = {
        timedOut: (deadline: Deadline, queue: DeadlineQueue) => {
          told.push(deadlines.indexOf(deadline));
          if (beginAgain) queue.restart(deadline, nowMs);
        },
      };
      const deadlines = Array.from({ length: 6 }, () => new Deadline(owner));
      const forget = (which: number) => {
        const at = waiting.findIndex((one) => one.which === which);
        if (at >= 0) waiting.splice(at, 1);
      };
      for (const { kind, which, queue } of steps) {
        if (kind === 'restart') {
          const before = waiting.find((one) => one.which === which);
          queues[queue]!.restart(deadlines[which]!, nowMs);
          if (before?.queue === queue && before.sinceMs === nowMs) continue;
          forget(which);
          waiting.push({ which, queue, sinceMs: nowMs });
        } else if (kind === 'cancel') {
          deadlines[which]!.cancel();
          forget(which);
        } else {
          nowMs += TICK_MS;
          for (const place of [0, 1]) {
            queues[place]!.expire(nowMs, LIMIT_MS);
            const due = waiting.filter((one) => one.queue === place && nowMs - one.sinceMs > LIMIT_MS);
            for (const one of due) {
              expected.push(one.which);
              forget(one.which);
              if (beginAgain) waiting.push({ ...one, sinceMs: nowMs });
            }
          }
        }
        t.deepEqual(told, expected);
      }
      for (const [which, deadline] of deadlines.entries()) {
        const queue = waiting.find((one) => one.which === which)?.queue;
        t.is(deadline.queue, queue === undefined ? undefined : queues[queue]);
      }
    }),
  );
});
