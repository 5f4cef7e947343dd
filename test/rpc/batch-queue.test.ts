import test from 'ava';
import fc from 'fast-check';
import { BatchQueue, forEachCall, PendingCall } from '../../src/rpc/batch-queue.js';
import { bytesKeptByScavenges } from '../support/scavenged-heap.js';

type Call = PendingCall<string, number>;

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

test('expire() takes out the calls whose time has come, whether they lead an entry or follow', (t) => {
  const queue = queueOf([], { shares: true });
  const calls = [callFor('Tux', 10), callFor('Tux', 30), callFor('Whale', 10), callFor('Tux', 20), callFor('Fox', 30)];
  for (const call of calls) queue.add(call);
  const expired: Call[] = [];
  queue.expire(20, (call) => expired.push(call));
  t.deepEqual(expired, [calls[0], calls[3], calls[2]]);
  t.is(queue.callCount, 2);
  queue.add(callFor('Tux'));
  queue.add(callFor('Whale'));
  t.is(show(queue.take()), 'Tux*2 Fox*1 Whale*1');
});

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
    const shared = this.shares ? this.entries.find(([first]) => first?.item === call.item) : undefined;
    if (shared === undefined) this.entries.push([call]);
    else shared.push(call);
    return true;
  }

  take(): Call[][] {
    return this.entries.splice(0, this.batchItemsMax);
  }

  expire(now: number): void {
    this.entries = this.entries
      .map((calls) => calls.filter((call) => call.expiresAt > now))
      .filter((calls) => calls.length > 0);
  }
}

test('property: any sequence of steps does what the plain queue does', (t) => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: fc.constantFrom('Tux', 'Whale', 'Fox'), expiresAt: fc.nat(50) }) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.record({ now: fc.nat(50) }) },
  );
  const limits = fc.record({ batch: fc.integer({ min: 1, max: 4 }), queue: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(limits, fc.boolean(), fc.array(step, { maxLength: 60 }), (max, shares, steps) => {
      const queue = queueOf([], { batchItemsMax: max.batch, queueItemsMax: max.queue, shares });
      const plain = new PlainQueue(max.batch, max.queue, shares);
      for (const one of steps) {
        if (one === 'take') {
          const batch = queue.take().map((entry) => {
            const calls: Call[] = [];
            forEachCall(entry, (call) => calls.push(call));
            return calls;
          });
          t.deepEqual(batch, plain.take());
        } else if ('now' in one) {
          queue.expire(one.now, ignore);
          plain.expire(one.now);
        } else {
          const call = callFor(one.add, one.expiresAt);
          t.is(queue.add(call), plain.add(call));
        }
        t.is(queue.callCount, plain.entries.flat().length);
      }
    }),
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
