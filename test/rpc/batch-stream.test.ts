// The batch stream against real servers over loopback. What must hold in any order of events is in
// batch-stream-model.test.ts.

import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type BatchStreamOptions, RpcError, serveBatches } from '../../src/rpc/index.js';
import {
  connectToShelf,
  Gate,
  type LookRequest,
  type LookResponse,
  type LookStream,
  lengthsOf,
  lookStream,
  Shelf,
  type ShelfHandlers,
} from './shelf-service.js';

/** For calls that are to expire: half of it is long enough for a busy machine to send and answer a call. */
const SHORT_DEADLINE_MS = 4_000;

const answering = (
  handle: (request: LookRequest) => LookResponse | Promise<LookResponse> = lengthsOf,
): ShelfHandlers => ({
  look: (call) => serveBatches(call, handle),
});

type StreamOptions = Partial<BatchStreamOptions<string, number, LookRequest, LookResponse>>;

/** A shelf, and a stream to it that is up; all of it is gone after the test. */
async function connected(t: ExecutionContext, handlers: ShelfHandlers, options: StreamOptions = {}) {
  const shelf = await Shelf.start(handlers);
  const stream = await streamTo(t, shelf.port, options);
  t.teardown(() => shelf.kill());
  return { shelf, stream };
}

async function streamTo(t: ExecutionContext, port: number, options: StreamOptions = {}): Promise<LookStream> {
  const client = connectToShelf(port);
  const isUp = new Gate();
  const stream = lookStream(client, {
    ...options,
    onStateChange: (isConnected, reason) => {
      if (isConnected) isUp.open();
      options.onStateChange?.(isConnected, reason);
    },
  });
  t.teardown(async () => {
    await stream.close();
    client.close();
  });
  await isUp.opened;
  return stream;
}

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function failureOf(outcome: Promise<unknown>): Promise<{ code: string; sent: boolean }> {
  const error = await outcome.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RpcError)) throw error;
  return { code: error.code, sent: error.sent };
}

test('100,000 calls get the outcomes of their items, with a full window', async (t) => {
  const { stream } = await connected(t, answering(), { batchItemsMax: 128 });
  const outcomes: Promise<number>[] = [];
  for (let index = 0; index < 100_000; index++) outcomes.push(stream.call('x'.repeat(index % 61)));
  const lengths = await Promise.all(outcomes);
  t.true(lengths.every((length, index) => length === index % 61));
  const { answered, items, batches, batchItems, roundTripMs, waitingCalls, inFlightBatches } = stream.stats();
  t.deepEqual(
    { answered, items, waitingCalls, inFlightBatches },
    { answered: 100_000, items: 100_000, waitingCalls: 0, inFlightBatches: 0 },
  );
  t.is(batchItems.max, 128);
  t.is(roundTripMs.count, batches);
});

test('a batch carries all that came while the window was full', async (t) => {
  const seen: string[][] = [];
  const gate = new Gate();
  const { stream } = await connected(
    t,
    answering(async (request) => {
      seen.push(request.names);
      if (seen.length === 1) await gate.opened;
      return lengthsOf(request);
    }),
    { windowMax: 1, batchItemsMax: 3 },
  );
  const first = stream.call('Tux');
  while (seen.length === 0) await new Promise(setImmediate);
  const others = ['Whale', 'Fox', 'Python', 'Dolphin'].map((name) => stream.call(name));
  gate.open();
  t.deepEqual(await Promise.all([first, ...others]), [3, 5, 3, 6, 7]);
  t.deepEqual(seen, [['Tux'], ['Whale', 'Fox', 'Python'], ['Dolphin']]);
});

test('no more than windowMax messages are unanswered at a time', async (t) => {
  const gate = new Gate();
  let handled = 0;
  let handledMax = 0;
  const { stream } = await connected(
    t,
    answering(async (request) => {
      handledMax = Math.max(handledMax, ++handled);
      await gate.opened;
      handled--;
      return lengthsOf(request);
    }),
    { windowMax: 3, batchItemsMax: 1 },
  );
  const answers = Promise.all(Array.from({ length: 200 }, () => stream.call('Tux')));
  while (handled < 3) await new Promise(setImmediate);
  t.is(stream.stats().inFlightBatches, 3);
  gate.open();
  await answers;
  t.is(handledMax, 3);
});

test('equal items that wait together share an entry, and never join a batch that has left', async (t) => {
  const seen: string[][] = [];
  const gate = new Gate();
  let stock = 100;
  const { stream } = await connected(
    t,
    answering(async ({ names }) => {
      seen.push(names);
      const lengths = names.map(() => stock--);
      if (seen.length === 1) await gate.opened;
      return { lengths };
    }),
    { windowMax: 1, keyOf: (name) => name },
  );
  const first = stream.call('Tux');
  while (seen.length === 0) await new Promise(setImmediate);
  const later = ['Tux', 'Fox', 'Tux'].map((name) => stream.call(name));
  gate.open();
  t.is(await first, 100);
  t.deepEqual(await Promise.all(later), [99, 98, 99]);
  t.deepEqual(seen, [['Tux'], ['Tux', 'Fox']]);
});

test('one call more than the queue holds is refused, and was not sent', async (t) => {
  const gate = new Gate();
  const { stream } = await connected(
    t,
    answering(async (request) => {
      await gate.opened;
      return lengthsOf(request);
    }),
    { queueItemsMax: 3 },
  );
  const waiting = ['Tux', 'Fox', 'Whale'].map((name) => stream.call(name));
  t.deepEqual(await failureOf(stream.call('Python')), { code: 'RESOURCE_EXHAUSTED', sent: false });
  gate.open();
  t.deepEqual(await Promise.all(waiting), [3, 3, 5]);
  t.is(stream.stats().refused, 1);
});

test('a deadline ends the wait of its call alone, whether it was sent or still waits', async (t) => {
  const gate = new Gate();
  const { stream } = await connected(
    t,
    answering(async (request) => {
      await gate.opened;
      return lengthsOf(request);
    }),
    { windowMax: 1, batchItemsMax: 1, deadlineMs: SHORT_DEADLINE_MS },
  );
  const late = [stream.call('Tux'), stream.call('Fox')];
  await delay(SHORT_DEADLINE_MS / 2);
  const inTime = stream.call('Whale');
  t.deepEqual(await failureOf(late[1]!), { code: 'DEADLINE_EXCEEDED', sent: false });
  t.deepEqual(await failureOf(late[0]!), { code: 'DEADLINE_EXCEEDED', sent: true });
  gate.open();
  t.is(await inTime, 5);
});

test('a peer that has stopped answering does not block the window for good', async (t) => {
  let streams = 0;
  const { stream } = await connected(
    t,
    {
      look: (call) => {
        const isStuck = streams++ === 0;
        serveBatches(call, (request) => (isStuck ? new Promise<never>(() => {}) : lengthsOf(request)));
      },
    },
    { windowMax: 1, batchItemsMax: 1, deadlineMs: SHORT_DEADLINE_MS },
  );
  const stuck = stream.call('Tux');
  await delay(SHORT_DEADLINE_MS / 2);
  const behind = stream.call('Whale');
  t.deepEqual(await failureOf(stuck), { code: 'DEADLINE_EXCEEDED', sent: true });
  t.is(await behind, 5);
});

test('a peer out of reach: calls fail after failFastMs, later ones at once, never sent', async (t) => {
  const client = connectToShelf(await freePort());
  t.teardown(() => client.close());
  const states: boolean[] = [];
  const failed = new Gate();
  const onStateChange = (isConnected: boolean): void => {
    states.push(isConnected);
    failed.open();
  };
  const stream = lookStream(client, { failFastMs: 100, onStateChange });
  t.deepEqual(await failureOf(stream.call('Tux')), { code: 'UNAVAILABLE', sent: false });
  t.deepEqual(await failureOf(stream.call('Tux')), { code: 'UNAVAILABLE', sent: false });
  t.is(stream.stats().waitingCalls, 0);
  await failed.opened;
  t.deepEqual(states, [false]);
  await stream.close();
});

test('calls made before the peer has started are answered once it has', async (t) => {
  const port = await freePort();
  const client = connectToShelf(port);
  const failed = new Gate();
  const stream = lookStream(client, { onStateChange: () => failed.open() });
  const call = stream.call('Tux');
  await failed.opened;
  const shelf = await Shelf.start(answering(), port);
  t.is(await call, 3);
  await stream.close();
  client.close();
  await shelf.kill();
});

test('after a restart of the peer, what was in flight is sent again first, in the same order', async (t) => {
  const before: string[][] = [];
  const { shelf, stream } = await connected(
    t,
    answering(({ names }) => {
      before.push(names);
      return new Promise<never>(() => {});
    }),
    { windowMax: 2, batchItemsMax: 2 },
  );
  const names = ['Tux', 'Whale', 'Fox', 'Python', 'Dolphin', 'Elephant'];
  const calls = names.map((name) => stream.call(name));
  while (before.length < 2) await new Promise(setImmediate);
  const { port } = shelf;
  await shelf.kill();
  const after: string[][] = [];
  const restarted = await Shelf.start(
    answering((request) => {
      after.push(request.names);
      return lengthsOf(request);
    }),
    port,
  );
  t.teardown(() => restarted.kill());
  t.deepEqual(
    await Promise.all(calls),
    names.map((name) => name.length),
  );
  t.deepEqual(before, [
    ['Tux', 'Whale'],
    ['Fox', 'Python'],
  ]);
  t.deepEqual(after, [...before, ['Dolphin', 'Elephant']]);
  t.is(stream.stats().connects, 2);
});

test('an item past its deadline is left out when its batch is sent again, and says that it was sent', async (t) => {
  const seen: string[][] = [];
  const gate = new Gate();
  const { shelf, stream } = await connected(
    t,
    answering(async (request) => {
      seen.push(request.names);
      if (seen.length === 1) await gate.opened;
      return seen.length === 2 ? new Promise<never>(() => {}) : lengthsOf(request);
    }),
    { windowMax: 1, deadlineMs: SHORT_DEADLINE_MS },
  );
  const first = stream.call('Python');
  while (seen.length === 0) await new Promise(setImmediate);
  const late = stream.call('Tux');
  await delay(SHORT_DEADLINE_MS / 2);
  const patient = stream.call('Whale');
  gate.open();
  t.is(await first, 6);
  t.deepEqual(await failureOf(late), { code: 'DEADLINE_EXCEEDED', sent: true });
  shelf.breakConnections();
  t.is(await patient, 5);
  t.deepEqual(seen, [['Python'], ['Tux', 'Whale'], ['Whale']]);
});

// The connection breaks at each point of a batch's way, once; every call must still get its outcome.
const BREAKING_POINTS: [name: string, isBroken: (breakNow: () => void) => ShelfHandlers['look']][] = [
  ['before the headers', (breakNow) => breakNow],
  [
    'after the headers',
    (breakNow) => (call) => {
      serveBatches(call, lengthsOf);
      setImmediate(breakNow);
    },
  ],
  [
    'when the message has come',
    (breakNow) => (call) =>
      serveBatches(call, () => {
        breakNow();
        return new Promise<never>(() => {});
      }),
  ],
  [
    'when the work is done and the answer not sent',
    (breakNow) => (call) =>
      serveBatches(call, async (request) => {
        const response = lengthsOf(request);
        await new Promise(setImmediate);
        breakNow();
        return response;
      }),
  ],
  [
    'right after the answer',
    (breakNow) => (call) =>
      serveBatches(call, (request) => {
        setImmediate(() => setImmediate(breakNow));
        return lengthsOf(request);
      }),
  ],
];

for (const [name, breaking] of BREAKING_POINTS) {
  test(`a connection that breaks ${name} costs no call`, async (t) => {
    let breaks = 3;
    const shelf: Shelf = await Shelf.start({
      look: (call) => {
        if (breaks-- > 0) breaking(() => shelf.breakConnections())(call);
        else serveBatches(call, lengthsOf);
      },
    });
    const client = connectToShelf(shelf.port);
    const stream = lookStream(client, { batchItemsMax: 4 });
    const names = Array.from({ length: 50 }, (_, index) => 'x'.repeat(index));
    const lengths = await Promise.all(names.map((item) => stream.call(item)));
    t.deepEqual(
      lengths,
      names.map((item) => item.length),
    );
    await stream.close();
    client.close();
    await shelf.kill();
  });
}

const WRONG_ANSWERS: [name: string, answer: LookResponse][] = [
  ['one outcome too few', { lengths: [] }],
  ['one outcome too many', { lengths: [3, 3] }],
  ['something that cannot be read', {} as LookResponse],
];

for (const [name, wrong] of WRONG_ANSWERS) {
  test(`an answer with ${name} fails its batch and ends the stream, and the next one works`, async (t) => {
    let answers = 0;
    const { stream } = await connected(
      t,
      answering((request) => (answers++ === 0 ? wrong : lengthsOf(request))),
      { batchItemsMax: 1 },
    );
    const failing = stream.call('Tux');
    const next = stream.call('Whale');
    t.deepEqual(await failureOf(failing), { code: 'INTERNAL', sent: true });
    t.is(await next, 5);
    t.is(stream.stats().connects, 2);
  });
}

test('an answer that nobody asked for ends the stream, and the next one works', async (t) => {
  let streams = 0;
  const { stream } = await connected(t, {
    look: (call) => {
      serveBatches(call, lengthsOf);
      if (streams++ === 0) call.write({ lengths: [1] });
    },
  });
  t.is(await stream.call('Tux'), 3);
  while (stream.stats().connects < 2) t.is(await stream.call('Whale'), 5);
});

test('a refusal fails what was in flight with its code; what waits is sent on the next stream', async (t) => {
  let requests = 0;
  const { stream } = await connected(
    t,
    answering((request) => {
      if (requests++ === 0) throw new RpcError('FAILED_PRECONDITION', 'a newer incarnation sells');
      return lengthsOf(request);
    }),
    { windowMax: 1, batchItemsMax: 1 },
  );
  const refused = stream.call('Tux');
  const waiting = stream.call('Whale');
  const error = await t.throwsAsync(refused, { instanceOf: RpcError, message: 'a newer incarnation sells' });
  t.like(error, { code: 'FAILED_PRECONDITION', sent: true });
  t.is(await waiting, 5);
});

test('a failing handler is not a refusal: its batch is sent again', async (t) => {
  let requests = 0;
  const { stream } = await connected(
    t,
    answering((request) => {
      if (requests++ < 2) throw new Error('a bug');
      return lengthsOf(request);
    }),
  );
  t.is(await stream.call('Tux'), 3);
  t.is(requests, 3);
});

test('an item that cannot be packed fails its batch, unsent, and nothing else', async (t) => {
  const { stream } = await connected(t, answering(), {
    batchItemsMax: 1,
    pack: (names) => {
      if (names.includes('Fox')) throw new Error('no foxes');
      return { names };
    },
  });
  const calls = ['Tux', 'Fox', 'Whale'].map((name) => stream.call(name));
  t.deepEqual(await failureOf(calls[1]!), { code: 'INTERNAL', sent: false });
  t.deepEqual(await Promise.all([calls[0], calls[2]]), [3, 5]);
});

test('close() rejects at once, and says what was sent', async (t) => {
  const arrived = new Gate();
  const { stream } = await connected(
    t,
    answering(() => {
      arrived.open();
      return new Promise<never>(() => {});
    }),
    { windowMax: 1, batchItemsMax: 1 },
  );
  const calls = ['Tux', 'Whale'].map((name) => failureOf(stream.call(name)));
  await arrived.opened;
  await stream.close();
  t.deepEqual(await Promise.all(calls), [
    { code: 'CANCELLED', sent: true },
    { code: 'CANCELLED', sent: false },
  ]);
});

test('a peer that drains answers what it has read; the rest is sent to its successor', async (t) => {
  const gate = new Gate();
  const arrived = new Gate();
  const { shelf, stream } = await connected(
    t,
    answering(async (request) => {
      arrived.open();
      await gate.opened;
      return { lengths: request.names.map(() => -1) };
    }),
    { windowMax: 1, batchItemsMax: 2 },
  );
  const calls = ['Tux', 'Whale', 'Fox', 'Python'].map((name) => stream.call(name));
  await arrived.opened;
  const { port } = shelf;
  shelf.stopListening();
  const drained = shelf.thread.drain();
  gate.open();
  await drained;
  const successor = await Shelf.start(answering(), port);
  t.teardown(() => successor.kill());
  t.deepEqual(await Promise.all(calls), [-1, -1, 3, 6]);
});

test('states and reasons are reported once each', async (t) => {
  const states: string[] = [];
  const { shelf, stream } = await connected(t, answering(), {
    onStateChange: (isConnected, reason) => states.push(isConnected ? 'up' : `down ${reason?.code}`),
  });
  t.true(stream.isConnected);
  shelf.breakConnections();
  while (states.length < 3) await new Promise(setImmediate);
  t.deepEqual(states, ['up', 'down UNAVAILABLE', 'up']);
  t.is(await stream.call('Tux'), 3);
});
