// Metrics of real worker threads, gathered: sums are right and never fall.

import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import test from 'ava';
import {
  counter,
  formatMetrics,
  MetricsHub,
  type MetricsSnapshot,
  registerReadings,
  ThreadMetrics,
} from '../../src/metrics/index.js';
import type { Command } from './counting-thread.js';

const THREAD = new URL('./counting-thread.js', import.meta.url);

/** A thread that counts, and the port on which the hub and the test talk to it. */
class CountingThread implements AsyncDisposable {
  readonly port: MessagePort;
  readonly worker: Worker;

  private constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.worker = new Worker(THREAD, { workerData: port2, transferList: [port2] });
  }

  static async start(hub?: MetricsHub): Promise<CountingThread> {
    const thread = new CountingThread();
    await thread.#answer();
    hub?.add(thread.port);
    return thread;
  }

  async tell(command: Command): Promise<string> {
    const answer = this.#answer();
    this.port.postMessage(command);
    return answer;
  }

  async end(): Promise<void> {
    this.port.postMessage({ do: 'end' } satisfies Command);
    await once(this.worker, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate();
  }

  #answer(): Promise<string> {
    return new Promise((resolve) => {
      const onMessage = (message: { done?: string }): void => {
        if (message.done === undefined) return;
        this.port.off('message', onMessage);
        resolve(message.done);
      };
      this.port.on('message', onMessage);
    });
  }
}

/** The value of one row, 0 if there is none. */
function valueIn(snapshot: MetricsSnapshot, name: string, toy?: string): number {
  const rows = snapshot.flatMap((family) => family.values.map((row) => ({ name: row.metricName ?? family.name, row })));
  const found = rows.filter(({ name: rowName, row }) => rowName === name && row.labels.toy === toy);
  return found.reduce((sum, { row }) => sum + row.value, 0);
}

test('counts of all threads and of the hub’s own are added up, under the labels of the service', async (t) => {
  const own = new ThreadMetrics();
  const read = () => [{ labels: { toy: 'Tux' }, value: 1000 }];
  registerReadings(own, [counter('toys_sold_total', 'Toys sold.', read)]);
  const hub = new MetricsHub(own, { labels: { service: 'catalog' } });
  await using first = await CountingThread.start(hub);
  await using second = await CountingThread.start(hub);
  await first.tell({ do: 'sell', toy: 'Tux', count: 1 });
  await second.tell({ do: 'sell', toy: 'Tux', count: 10 });
  await second.tell({ do: 'sell', toy: 'Whale', count: 100 });

  const snapshot = await hub.gather();
  t.is(valueIn(snapshot, 'toys_sold_total', 'Tux'), 1011);
  t.is(valueIn(snapshot, 'toys_sold_total', 'Whale'), 100);
  t.is(valueIn(snapshot, 'sale_seconds_count', 'Tux'), 11);
  t.is(valueIn(snapshot, 'sessions'), 2);
  t.true(snapshot.every((family) => family.values.every((row) => row.labels.service === 'catalog')));
  t.regex(await formatMetrics(snapshot), /^toys_sold_total\{service="catalog",toy="Tux"\} 1011$/m);
});

test('a thread that asks is told what all have counted, itself included', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics());
  await using first = await CountingThread.start(hub);
  await using second = await CountingThread.start(hub);
  await first.tell({ do: 'sell', toy: 'Fox', count: 2 });
  await second.tell({ do: 'sell', toy: 'Fox', count: 3 });
  const answers = await Promise.all([first.tell({ do: 'gather' }), second.tell({ do: 'gather' })]);
  for (const text of answers) t.regex(text, /^toys_sold_total\{toy="Fox"\} 5$/m);
});

test('asked for some families it tells no others, and forgets none', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics());
  await using thread = await CountingThread.start(hub);
  await thread.tell({ do: 'sell', toy: 'Tux', count: 3 });
  await hub.gather();
  await thread.tell({ do: 'sell', toy: 'Tux', count: 4 });
  const some = await hub.gather(['toys_sold_total', 'unknown']);
  t.deepEqual(new Set(some.map(({ name }) => name)), new Set(['toys_sold_total']));
  t.is(valueIn(some, 'toys_sold_total', 'Tux'), 7);
  // Of each family what the thread said last.
  await thread.worker.terminate();
  const last = await hub.gather();
  t.is(valueIn(last, 'toys_sold_total', 'Tux'), 7);
  t.is(valueIn(last, 'sale_seconds_count', 'Tux'), 3);
});

test('what a thread counted stays when it ends, its gauges do not', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics());
  await using staying = await CountingThread.start(hub);
  await staying.tell({ do: 'sell', toy: 'Tux', count: 1 });
  for (let ended = 1; ended <= 4; ended++) {
    await using thread = await CountingThread.start(hub);
    await thread.tell({ do: 'sell', toy: 'Tux', count: 10 });
    await thread.end();
    const snapshot = await hub.gather();
    t.is(valueIn(snapshot, 'toys_sold_total', 'Tux'), 1 + 10 * ended);
    t.is(valueIn(snapshot, 'sale_seconds_count', 'Tux'), 1 + 10 * ended);
    t.is(valueIn(snapshot, 'sessions'), 1);
  }
});

test('what was shown of a thread that dies is not taken back', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics());
  await using thread = await CountingThread.start(hub);
  await thread.tell({ do: 'sell', toy: 'Tux', count: 7 });
  t.is(valueIn(await hub.gather(), 'toys_sold_total', 'Tux'), 7);
  await thread.worker.terminate();
  t.is(valueIn(await hub.gather(), 'toys_sold_total', 'Tux'), 7);
});

test('a thread that dies while it is asked holds nobody up', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics(), { threadTimeoutMs: 600_000 });
  await using thread = await CountingThread.start(hub);
  const word = new Int32Array(new SharedArrayBuffer(4));
  await thread.tell({ do: 'block', until: word });
  const gathered = hub.gather();
  await thread.worker.terminate();
  t.is(valueIn(await gathered, 'toys_sold_total', 'Tux'), 0);
});

test('a thread that is busy is counted with what it said last', async (t) => {
  const hub = new MetricsHub(new ThreadMetrics(), { threadTimeoutMs: 20 });
  await using thread = await CountingThread.start(hub);
  await thread.tell({ do: 'sell', toy: 'Tux', count: 7 });
  // Slow machines may need more than one try before the thread answers in time.
  while (valueIn(await hub.gather(), 'toys_sold_total', 'Tux') !== 7);
  const word = new Int32Array(new SharedArrayBuffer(4));
  await thread.tell({ do: 'block', until: word });
  t.is(valueIn(await hub.gather(), 'toys_sold_total', 'Tux'), 7);
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
});

test('nobody gathers at the other end: the one who asks is told so', async (t) => {
  await using thread = await CountingThread.start();
  const failed = once(thread.worker, 'error');
  thread.port.postMessage({ do: 'gather' } satisfies Command);
  const [error] = await failed;
  t.like(error, { code: 'CALL_TIMEOUT' });
});
