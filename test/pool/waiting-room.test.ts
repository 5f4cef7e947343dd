// Where connections wait: in the order of their accept, whoever is put back too; and not longer than the time-out.

import { Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { monotonicUs } from '../../src/clock.js';
import { type Waiting, WaitingRoom } from '../../src/pool/waiting-room.js';

const NEVER = Number.POSITIVE_INFINITY;

function acceptedAt(acceptedAtUs: number): Waiting {
  return { socket: new Socket(), acceptedAtUs };
}

function leaveOneByOne(room: WaitingRoom): number[] {
  const times: number[] = [];
  for (let waiting = room.shift(); waiting !== undefined; waiting = room.shift()) times.push(waiting.acceptedAtUs);
  return times;
}

test('handoffs that come back take the places that they had', (t) => {
  const room = new WaitingRoom(8, NEVER, () => t.fail());
  for (const time of [40, 50]) t.true(room.push(acceptedAt(time)));
  // In the order in which they were sent, as a channel returns them; and one that had been sent on before.
  for (const time of [10, 20, 30, 15, 45]) t.true(room.putBack(acceptedAt(time)));
  t.deepEqual(leaveOneByOne(room), [10, 15, 20, 30, 40, 45, 50]);
});

test('there is room for so many, put back or not', (t) => {
  const room = new WaitingRoom(2, NEVER, () => t.fail());
  t.true(room.push(acceptedAt(1)));
  t.true(room.putBack(acceptedAt(2)));
  t.false(room.push(acceptedAt(3)));
  t.false(room.putBack(acceptedAt(0)));
  t.deepEqual(leaveOneByOne(room), [1, 2]);
});

type Action = { readonly kind: 'push' | 'putBack'; readonly item: number } | { readonly kind: 'shift' };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('push' as const), item: fc.nat() }),
  fc.record({ kind: fc.constant('putBack' as const), item: fc.nat() }),
  fc.record({ kind: fc.constant('shift' as const) }),
);

test('behaves as a bounded array', (t) => {
  fc.assert(
    fc.property(fc.nat({ max: 5 }), fc.array(action, { maxLength: 60 }), (capacity, actions) => {
      const room = new WaitingRoom(capacity, NEVER, () => t.fail());
      const model: number[] = [];
      for (const action of actions) {
        const hasRoom = model.length < capacity;
        switch (action.kind) {
          case 'push':
            if (hasRoom) model.push(action.item);
            if (room.push(acceptedAt(action.item)) !== hasRoom) return false;
            break;
          case 'putBack':
            if (hasRoom) model.splice(model.findLastIndex((other) => other <= action.item) + 1, 0, action.item);
            if (room.putBack(acceptedAt(action.item)) !== hasRoom) return false;
            break;
          case 'shift':
            if (room.shift()?.acceptedAtUs !== model.shift()) return false;
            break;
        }
        if (room.length !== model.length) return false;
      }
      return true;
    }),
  );
  t.pass();
});

test('each is sent away when its own time is over, counted from its accept', async (t) => {
  const timeoutMs = 60;
  const gone: { acceptedAtUs: number; waitedMs: number }[] = [];
  let onAllGone = () => {};
  const allGone = new Promise<void>((resolve) => {
    onAllGone = resolve;
  });
  const room = new WaitingRoom(8, timeoutMs, ({ acceptedAtUs }) => {
    gone.push({ acceptedAtUs, waitedMs: (monotonicUs() - acceptedAtUs) / 1e3 });
    if (gone.length === 3) onAllGone();
  });
  const now = monotonicUs();
  const later = now + 1e9;
  const times = [now - 50_000, now - 30_000, now, later];
  for (const time of times) room.push(acceptedAt(time));
  // Its leaving must not take the others' time-out with it.
  t.is(room.shift()?.acceptedAtUs, times[0]!);
  room.putBack(acceptedAt(now - 40_000));
  await allGone;
  t.deepEqual(
    gone.map(({ acceptedAtUs }) => acceptedAtUs),
    [now - 40_000, now - 30_000, now],
  );
  for (const { waitedMs } of gone) t.true(waitedMs >= timeoutMs, `${waitedMs} ms`);
  t.is(room.shift()?.acceptedAtUs, later);
  t.is(room.length, 0);
});

test('a time-out beyond what a timer can be set to is no time-out', async (t) => {
  // Node.js warns of a timer that is set for too long, and fires it after a millisecond.
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const room = new WaitingRoom(1, 2 ** 40, () => t.fail());
  room.push(acceptedAt(monotonicUs()));
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('warning', onWarning);
  t.deepEqual(warnings, []);
  t.is(room.length, 1);
  room.shift();
});
