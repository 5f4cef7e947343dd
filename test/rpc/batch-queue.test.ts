import test from 'ava';
import fc from 'fast-check';
import { BatchQueue, forEachCall, PendingCall, SHARE_MS } from '../../src/rpc/batch-queue.js';
import { bytesKeptByScavenges } from '../support/scavenged-heap.js';

type Call = PendingCall<string, number>;

/** The same for all calls, as on a stream. */
const DEADLINE_MS = 50;
const neverExpires = Number.POSITIVE_INFINITY;
const ignore = () => {};

function callFor(item: string, expiresAt = neverExpires): Call {
  return new PendingCall<string, number>(item, expiresAt, ignore, ignore);
}

/** What a batch asks for, and how many callers share each entry: `Tux*2 Whale*1`. */
function show(batch: Call[]): string {
  return batch
    .map((entry) => {
      let count = 0;
      forEachCall(entry, () => count++);
      return `${entry.item}*${count}`;
    })
    .join(' ');
}

function queueOf(items: string[], options: { batchItemsMax?: number; queueItemsMax?: number; shares?: boolean } = {}) {
  const { batchItemsMax = 10, queueItemsMax = 100, shares = false } = options;
  const keyOf = shares ? (item: string) => item : undefined;
  const queue = new BatchQueue<string, number>({ batchItemsMax, queueItemsMax, keyOf });
  for (const item of items) queue.add(callFor(item));
  return queue;
}

test('a batch holds what waits, oldest first', (t) => {
  const queue = queueOf(['Tux', 'Whale', 'Tux']);
  t.is(show(queue.take()), 'Tux*1 Whale*1 Tux*1');
  t.true(queue.isEmpty);
  t.is(show(queue.take()), '');
});

test('what does not fit stays for the next batch', (t) => {
  const queue = queueOf(['Tux', 'Whale', 'Fox', 'Python', 'Dolphin'], { batchItemsMax: 2 });
  t.is(show(queue.take()), 'Tux*1 Whale*1');
  queue.add(callFor('Elephant'));
  t.is(show(queue.take()), 'Fox*1 Python*1');
  t.is(show(queue.take()), 'Dolphin*1 Elephant*1');
  t.true(queue.isEmpty);
});

test('equal keys share an entry while they wait', (t) => {
  const queue = queueOf(['Tux', 'Whale', 'Tux', 'Tux'], { shares: true });
  t.is(queue.callCount, 4);
  t.is(show(queue.take()), 'Tux*3 Whale*1');
});

test('an entry that has been taken is not joined', (t) => {
  const queue = queueOf(['Tux', 'Whale'], { shares: true, batchItemsMax: 1 });
  const [taken] = queue.take();
  queue.add(callFor('Tux'));
  queue.add(callFor('Whale'));
  t.is(show([taken!]), 'Tux*1');
  t.is(show(queue.take()), 'Whale*2');
  t.is(show(queue.take()), 'Tux*1');
});

test('a full queue takes no call, and one again when there is room', (t) => {
  const queue = queueOf(['Tux', 'Tux'], { queueItemsMax: 2, shares: true });
  t.false(queue.add(callFor('Tux')));
  queue.take();
  t.true(queue.add(callFor('Tux')));
});

test('expire() takes out the calls whose time has come', (t) => {
  const queue = queueOf([]);
  const calls = [callFor('Tux', 10), callFor('Whale', 20), callFor('Tux', 20), callFor('Fox', 30)];
  for (const call of calls) queue.add(call);
  const expired: Call[] = [];
  queue.expire(20, (call) => expired.push(call));
  t.deepEqual(expired, calls.slice(0, 3));
  t.is(queue.callCount, 1);
  queue.add(callFor('Tux'));
  t.is(show(queue.take()), 'Fox*1 Tux*1');
});

test('calls that share an entry expire with the first, so only such share one as came soon after it', (t) => {
  const queue = queueOf([], { shares: true });
  const calls = [
    callFor('Tux', 10),
    callFor('Whale', 12),
    callFor('Tux', 10 + SHARE_MS),
    callFor('Tux', 11 + SHARE_MS),
  ];
  for (const call of calls) queue.add(call);
  const expired: Call[] = [];
  queue.expire(11, (call) => expired.push(call));
  t.deepEqual(expired, [calls[0], calls[2]]);
  t.is(queue.callCount, 2);
  queue.add(callFor('Tux', 12 + SHARE_MS));
  queue.add(callFor('Whale', 12 + SHARE_MS));
  t.is(show(queue.take()), 'Whale*2 Tux*2');
  // Nobody who comes later joins what has been taken.
  queue.add(callFor('Tux', 12 + SHARE_MS));
  t.is(show(queue.take()), 'Tux*1');
});

for (const shares of [false, true]) {
  const kind = shares ? 'of distinct names ' : '';
  test(`60,000 waiting calls ${kind}are not looked at again and again while they wait, and once when they expire`, (t) => {
    const calls = 60_000;
    const looks = 75;
    let touches = 0;
    const touched = <T>(value: T): T => {
      touches++;
      return value;
    };
    const queue = new BatchQueue<string, number>({
      batchItemsMax: 4096,
      queueItemsMax: calls,
      keyOf: shares ? (item) => touched(item) : undefined,
    });
    for (let index = 0; index < calls; index++) {
      const call = callFor(`toy ${index}`);
      // One in a thousand has its time each millisecond.
      const expiresAt = Math.floor((index * 1000) / calls);
      Object.defineProperty(call, 'expiresAt', { get: () => touched(expiresAt) });
      queue.add(call);
    }
    touches = 0;
    let expired = 0;
    for (let look = 0; look < looks; look++) queue.expire(-1, () => expired++);
    t.is(expired, 0);
    t.true(touches <= looks, `${touches} touches while nothing expires`);
    touches = 0;
    for (let now = 0; now < 1000; now += 20) queue.expire(now, () => expired++);
    queue.expire(1000, () => expired++);
    t.is(expired, calls);
    t.true(touches <= 3 * calls, `${touches} touches while all expire`);
    t.true(queue.isEmpty);
  });
}

// The same queue as one would write it without a thought for speed: a list of lists.
class PlainQueue {
  entries: Call[][] = [];
  constructor(
    readonly batchItemsMax: number,
    readonly queueItemsMax: number,
    readonly shares: boolean,
  ) {}

  add(call: Call): boolean {
    if (this.entries.flat().length >= this.queueItemsMax) return false;
    const isShared = ([first]: Call[]): boolean =>
      this.shares && first!.item === call.item && call.expiresAt <= first!.expiresAt + SHARE_MS;
    const shared = this.entries.findLast(isShared);
    if (shared === undefined) this.entries.push([call]);
    else shared.push(call);
    return true;
  }

  take(): Call[][] {
    return this.entries.splice(0, this.batchItemsMax);
  }

  expire(now: number): void {
    this.entries = this.entries.filter(([first]) => first!.expiresAt > now);
  }
}

test('property: any sequence of steps does what the plain queue does', (t) => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: fc.constantFrom('Tux', 'Whale', 'Fox'), afterMs: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.record({ expireAfterMs: fc.nat(20) }) },
  );
  const limits = fc.record({ batch: fc.integer({ min: 1, max: 4 }), queue: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(limits, fc.boolean(), fc.array(step, { maxLength: 60 }), (max, shares, steps) => {
      const queue = queueOf([], { batchItemsMax: max.batch, queueItemsMax: max.queue, shares });
      const plain = new PlainQueue(max.batch, max.queue, shares);
      let now = 0;
      for (const one of steps) {
        if (one === 'take') {
          const batch = queue.take().map((entry) => {
            const calls: Call[] = [];
            forEachCall(entry, (call) => calls.push(call));
            return calls;
          });
          t.deepEqual(batch, plain.take());
        } else if ('expireAfterMs' in one) {
          now += one.expireAfterMs;
          queue.expire(now, ignore);
          plain.expire(now);
        } else {
          now += one.afterMs;
          const call = callFor(one.add, now + DEADLINE_MS);
          t.is(queue.add(call), plain.add(call));
        }
        t.is(queue.callCount, plain.entries.flat().length);
      }
    }),
    { numRuns: 500 },
  );
});

test('calls that were taken are freed by scavenges, however old the queue is', (t) => {
  const batches = 5_000;
  const queue = new BatchQueue<number[], number>({
    queueItemsMax: 10,
    batchItemsMax: 10,
    keyOf: (item) => item.length,
  });
  const kept = bytesKeptByScavenges(batches, () => {
    queue.add(new PendingCall(new Array<number>(50).fill(0.5), neverExpires, ignore, ignore));
    queue.take();
  });
  t.true(kept < 100 * batches, `${kept} bytes of ${batches} calls with 400 bytes each`);
});
