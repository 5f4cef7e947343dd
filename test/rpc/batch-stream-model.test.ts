// What must hold of a batch stream whatever happens, in whatever order: calls, turns of the event loop, streams that come
// up, answer and break.

import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { BatchStream } from '../../src/rpc/index.js';
import { runs } from '../support/effort.js';
import { FakeChannel } from './fake-stream.js';

interface Item {
  /** Counts up with every call, so that order can be checked. */
  id: number;
  name: string;
}

type Step = { call: string } | 'turn' | 'come up' | 'answer' | 'break' | 'lose an answer';

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('Tux', 'Whale', 'Fox').map((name) => ({ call: name })) },
  { weight: 4, arbitrary: fc.constant('turn' as const) },
  { weight: 3, arbitrary: fc.constant('come up' as const) },
  { weight: 4, arbitrary: fc.constant('answer' as const) },
  { weight: 1, arbitrary: fc.constant('break' as const) },
  { weight: 1, arbitrary: fc.constant('lose an answer' as const) },
);

interface Limits {
  windowMax: number;
  batchItemsMax: number;
  isShared: boolean;
}

/** Runs the steps, then lets everything be answered. Returns what each call got, and the channel with all messages. */
async function run(steps: Step[], { windowMax, batchItemsMax, isShared }: Limits) {
  /** Per item, how many calls had been made when it was first sent. */
  const sentAfterCalls = new Map<number, number>();
  let callCount = 0;
  const channel = new FakeChannel<Item[], Item[]>((items) => {
    for (const { id } of items) if (!sentAfterCalls.has(id)) sentAfterCalls.set(id, callCount);
  });
  const stream = new BatchStream<Item, Item, Item[], Item[]>({
    open: channel.open,
    pack: (items) => items,
    unpack: (outcomes) => outcomes,
    ...(isShared ? { keyOf: ({ name }: Item) => name } : {}),
    windowMax,
    batchItemsMax,
    queueItemsMax: 1000,
    backoffMaxMs: 0,
  });
  const calls: { item: Item; outcome: Promise<Item> }[] = [];
  const answer = () => channel.newest.answer(channel.newest.unanswered[0]!);
  for (const step of steps) {
    const canAnswer = channel.newest.state === 'up' && channel.newest.unanswered.length > 0;
    if (typeof step === 'object') {
      const item = { id: callCount++, name: step.call };
      calls.push({ item, outcome: stream.call(item) });
    } else if (step === 'turn') {
      await nextTurn();
    } else if (step === 'come up') {
      if ((await channel.usable()).state === 'opening') channel.newest.comeUp();
    } else if (step === 'answer') {
      if (canAnswer) answer();
    } else if (channel.newest.state !== 'over') {
      // An answer that was on its way when the stream broke: the peer did the work, nobody heard of it.
      if (step === 'lose an answer' && canAnswer) channel.newest.answeredCount++;
      channel.newest.break();
    }
    if (channel.newest.unanswered.length > windowMax) throw new Error('the window was exceeded');
  }
  const isSettled = Promise.all(calls.map(({ outcome }) => outcome)).then(() => true);
  while (!(await Promise.race([isSettled, nextTurn(false)]))) {
    if ((await channel.usable()).state === 'opening') channel.newest.comeUp();
    while (channel.newest.unanswered.length > 0) answer();
  }
  await stream.close();
  return { calls, channel, sentAfterCalls };
}

test('property: every call gets the outcome of its item, in order, whatever breaks', async (t) => {
  const limits = fc.record({
    windowMax: fc.integer({ min: 1, max: 3 }),
    batchItemsMax: fc.integer({ min: 1, max: 4 }),
    isShared: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(limits, fc.array(anyStep, { maxLength: 60 }), async (max, steps) => {
      const { calls, channel, sentAfterCalls } = await run(steps, max);
      for (const { item, outcome } of calls) {
        const { id, name } = await outcome;
        t.is(name, item.name);
        // Without sharing it is the call's own item; with it, one that was sent after this call was made.
        if (max.isShared) t.true(sentAfterCalls.get(id)! > item.id, `call ${item.id} was answered from an older batch`);
        else t.is(id, item.id);
      }
      for (const { written } of channel.streams) {
        const ids = written.flat().map(({ id }) => id);
        t.deepEqual(
          ids,
          [...new Set(ids)].sort((a, b) => a - b),
          'a stream carries each item once, oldest first',
        );
        for (const batch of written) {
          t.true(batch.length >= 1 && batch.length <= max.batchItemsMax);
          if (max.isShared) t.is(new Set(batch.map(({ name }) => name)).size, batch.length);
        }
      }
    }),
    { numRuns: runs(100) },
  );
});

function fakeStream(options: {
  deadlineMs?: number;
  backoffMaxMs?: number;
  failFastMs?: number;
  batchItemsMax?: number;
}) {
  const channel = new FakeChannel<number[], number[]>();
  const stream = new BatchStream<number, number, number[], number[]>({
    open: channel.open,
    pack: (items) => items,
    unpack: (outcomes) => outcomes,
    windowMax: 1,
    batchItemsMax: 1,
    queueItemsMax: 10,
    ...options,
  });
  return { channel, stream };
}

test('a stream that is down forgets what was in flight once nobody waits for it', async (t) => {
  const { channel, stream } = fakeStream({ deadlineMs: 50, backoffMaxMs: 100_000 });
  channel.newest.comeUp();
  const call = stream.call(7);
  while (channel.newest.unanswered.length === 0) await nextTurn();
  channel.newest.break();
  await t.throwsAsync(call, { message: 'timed out after 50 ms waiting for the answer' });
  t.like(stream.stats(), { inFlightBatches: 0, inFlightItems: 0, failed: 1 });
  await stream.close();
});

test('calls that are refused because the peer is out of reach are counted', async (t) => {
  const { stream } = fakeStream({ failFastMs: 0 });
  await t.throwsAsync(stream.call(7), { message: 'the peer has not answered yet' });
  t.like(stream.stats(), { calls: 0, failed: 0, refused: 1 });
  await stream.close();
});

test('a stream that answered before it broke is opened again without a pause', async (t) => {
  // Without it the pauses would add up to more than ten seconds.
  const { channel, stream } = fakeStream({ backoffMaxMs: 100_000 });
  const startedAt = performance.now();
  for (let round = 0; round < 12; round++) {
    (await channel.usable()).comeUp();
    const call = stream.call(round);
    while (channel.newest.unanswered.length === 0) await nextTurn();
    channel.newest.answer([round]);
    t.is(await call, round);
    channel.newest.break();
  }
  t.true(performance.now() - startedAt < 5000);
  await stream.close();
});

test('callers who come back a little later are waited for, also when only one was answered', async (t) => {
  const { channel, stream } = fakeStream({ batchItemsMax: 10 });
  channel.newest.comeUp();
  const { written } = channel.newest;
  const ask = (item: number) => stream.call(item);
  const sent = async (count: number) => {
    while (written.length < count) await nextTurn();
  };
  const comeBack = async (item: number) => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    return ask(item);
  };
  // Two callers out of step: the second came when the first one's message had just left.
  const first = ask(1);
  await sent(1);
  const second = ask(2);
  channel.newest.answer([1]);
  await first;
  const third = comeBack(3);
  await sent(2);
  t.deepEqual(written, [[1], [2, 3]]);
  // Nobody comes back: who waits is sent all the same.
  const fourth = ask(4);
  channel.newest.answer([2, 3]);
  await Promise.all([second, third]);
  await sent(3);
  t.deepEqual(written.at(-1), [4]);
  channel.newest.answer([4]);
  t.is(await fourth, 4);
  await stream.close();
});
