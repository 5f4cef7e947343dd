// Refused connections: told, bounded, and in the end closed, whether or not their peer goes.

import { once } from 'node:events';
import { Socket } from 'node:net';
import test from 'ava';
import { LINGERING_MAX, LINGERING_RESERVED, Refusals } from '../../src/pool/refusals.js';

for (const { reason, max } of [
  { reason: 'queue-full', max: LINGERING_MAX },
  { reason: 'descriptor-limit', max: LINGERING_RESERVED },
] as const) {
  test(`${reason}: ${max} at a time are told; those beyond are closed without a word; all in the end`, async (t) => {
    const told: string[] = [];
    const refusals = new Refusals((_, toldReason) => told.push(toldReason));
    const sockets = Array.from({ length: max + 6 }, () => new Socket());
    for (const socket of sockets) refusals.refuse(socket, reason);
    t.deepEqual(told, new Array(max).fill(reason));
    t.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      sockets.map((_, index) => index >= max),
    );
    t.is(refusals.lingering, max);
    t.is(refusals.total, max + 6);
    await Promise.all(sockets.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, 'close')));
    t.is(refusals.lingering, 0);
    refusals.refuse(
      new Socket().on('error', () => {}),
      'closing',
    );
    t.is(told.at(-1), 'closing', 'there is room for the next one');
  });
}

test("an error of a refused connection is nobody else's", async (t) => {
  const refusals = new Refusals((socket) => socket.emit('error', new Error('reset by peer')));
  const socket = new Socket();
  refusals.refuse(socket, 'queue-full');
  t.true(socket.destroyed);
});
