// Refused connections: told, bounded, and in the end closed, whether or not their peer goes.

import { once } from 'node:events';
import { Socket } from 'node:net';
import test from 'ava';
import { REFUSALS_MAX, Refusals } from '../../src/pool/refusals.js';

test('so many at a time are told; those beyond are closed without a word; all are closed in the end', async (t) => {
  const told: string[] = [];
  const refusals = new Refusals((_, reason) => told.push(reason));
  const sockets = Array.from({ length: REFUSALS_MAX + 6 }, () => new Socket());
  for (const socket of sockets) refusals.refuse(socket, 'queue-full');
  t.deepEqual(told, new Array(REFUSALS_MAX).fill('queue-full'));
  t.deepEqual(
    sockets.map(({ destroyed }) => destroyed),
    sockets.map((_, index) => index >= REFUSALS_MAX),
  );
  t.is(refusals.total, REFUSALS_MAX + 6);
  await Promise.all(sockets.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, 'close')));
  refusals.refuse(
    new Socket().on('error', () => {}),
    'closing',
  );
  t.is(told.at(-1), 'closing', 'there is room for the next one');
});

test("an error of a refused connection is nobody else's", async (t) => {
  const refusals = new Refusals((socket) => socket.emit('error', new Error('reset by peer')));
  const socket = new Socket();
  refusals.refuse(socket, 'queue-full');
  t.true(socket.destroyed);
});
