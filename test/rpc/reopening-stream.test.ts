import { setImmediate as nextTurn } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import test from 'ava';
import { ReopeningStream } from '../../src/rpc/reopening-stream.js';
import { RpcError } from '../../src/rpc/rpc-error.js';
import { FakeChannel } from './fake-stream.js';

function reopening(backoffMaxMs = 0) {
  const events: string[] = [];
  const channel = new FakeChannel<string, string>();
  const stream = new ReopeningStream<string, string>({
    open: channel.open,
    backoffMaxMs,
    onUp: () => events.push('up'),
    onMessage: (message) => events.push(message),
    onDown: ({ code }) => events.push(`down ${code}`),
  });
  stream.open();
  return { stream, channel, events };
}

test('it is up from the headers on, and opened again when it breaks', async (t) => {
  const { stream, channel, events } = reopening();
  t.false(stream.isUp);
  channel.newest.comeUp();
  t.true(stream.isUp);
  channel.newest.break();
  t.false(stream.isUp);
  (await channel.usable()).comeUp();
  t.true(stream.isUp);
  t.deepEqual(events, ['up', 'down UNAVAILABLE', 'up']);
  stream.cancel();
});

test('a peer that ends the stream in order has gone as well', async (t) => {
  const { stream, channel, events } = reopening();
  channel.newest.comeUp();
  channel.newest.state = 'over';
  channel.newest.emit('end');
  await channel.usable();
  t.deepEqual(events, ['up', 'down UNAVAILABLE']);
  t.is(channel.streams.length, 2);
  stream.cancel();
});

test('what a stream says after it was given up is not heard', async (t) => {
  const { stream, channel, events } = reopening();
  const stale = channel.newest;
  stale.comeUp();
  stream.break(new RpcError('INTERNAL', 'nonsense'));
  t.is(stale.state, 'over', 'it was cancelled');
  const fresh = await channel.usable();
  stale.answer('from the grave');
  stale.break(status.CANCELLED);
  stale.comeUp();
  t.false(stream.isUp);
  fresh.comeUp();
  fresh.answer('alive');
  t.deepEqual(events, ['up', 'down INTERNAL', 'up', 'alive']);
  stream.cancel();
});

test('downSince is when it went down, not when it was last tried', async (t) => {
  const { stream, channel } = reopening();
  channel.newest.comeUp();
  const before = stream.downSince;
  channel.newest.break();
  const since = stream.downSince;
  t.true(since > before);
  (await channel.usable()).break();
  await channel.usable();
  t.is(stream.downSince, since);
  stream.cancel();
});

test('an open() that throws is one more failed attempt', (t) => {
  const events: string[] = [];
  const stream = new ReopeningStream<string, string>({
    open: () => {
      throw new Error('the channel is closed');
    },
    backoffMaxMs: 1000,
    onUp: () => events.push('up'),
    onMessage: () => {},
    onDown: ({ code, message }) => events.push(`${code}: ${message}`),
  });
  stream.open();
  t.deepEqual(events, ['INTERNAL: the channel is closed']);
  stream.cancel();
});

test('the pause grows with each break, and begins anew once the peer has done its work', async (t) => {
  // Pauses are doubled from 10 ms to more than a minute; the test looks at the first two and the one after progress.
  const { stream, channel } = reopening(100_000);
  channel.newest.comeUp();
  channel.newest.break();
  (await channel.usable()).comeUp();
  const startedAt = performance.now();
  channel.newest.break();
  (await channel.usable()).comeUp();
  t.true(performance.now() - startedAt >= 9, 'the second attempt waits');
  for (let attempt = 0; attempt < 3; attempt++) {
    channel.newest.break();
    (await channel.usable()).comeUp();
  }
  const slowAt = performance.now();
  channel.newest.break();
  (await channel.usable()).comeUp();
  const slowMs = performance.now() - slowAt;
  t.true(slowMs >= 150, 'the sixth attempt waits long');
  stream.noteProgress();
  const freshAt = performance.now();
  channel.newest.break();
  await channel.usable();
  t.true(performance.now() - freshAt < slowMs, 'after progress it does not');
  stream.cancel();
});

test('end() half-closes a stream that is up, and cancels one that is not; no other follows', async (t) => {
  const up = reopening();
  up.channel.newest.comeUp();
  up.stream.end();
  t.true(up.channel.newest.isHalfClosed);
  t.is(up.channel.newest.state, 'up');
  const opening = reopening();
  opening.stream.end();
  t.is(opening.channel.newest.state, 'over');
  const down = reopening();
  down.channel.newest.break();
  down.stream.end();
  await nextTurn();
  for (const { channel } of [up, opening, down]) t.is(channel.streams.length, 1);
});
