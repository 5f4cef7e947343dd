// counting-thread.ts: a worker thread that counts sales when it is told to, as a service's thread would.

import { type MessagePort, workerData } from 'node:worker_threads';
import {
  counter,
  DurationHistogram,
  formatMetrics,
  gauge,
  registerReadings,
  ThreadMetrics,
} from '../../src/metrics/index.js';

/** What a test tells the thread; each is answered with `{ done: … }`. */
export type Command =
  | { readonly do: 'sell'; readonly toy: string; readonly count: number }
  | { readonly do: 'gather' }
  | { readonly do: 'end' }
  /** Blocks the thread, answering first, until the word in shared memory is not 0. */
  | { readonly do: 'block'; readonly until: Int32Array };

const port = workerData as MessagePort;
const metrics = new ThreadMetrics();
const sales = new Map<string, number>();
const salesRows = () => Array.from(sales, ([toy, value]) => ({ labels: { toy }, value }));
registerReadings(metrics, [
  counter('toys_sold_total', 'Toys sold.', salesRows),
  gauge('sessions', 'Open sessions.', () => 1),
]);
const times = new DurationHistogram({ name: 'sale_seconds', help: 'Time of a sale.', metrics });
metrics.shareOn(port);

port.on('message', async (command: Command | { readonly do?: undefined }) => {
  switch (command.do) {
    case 'sell':
      sales.set(command.toy, (sales.get(command.toy) ?? 0) + command.count);
      for (let sale = 0; sale < command.count; sale++) times.series({ toy: command.toy }).observe(0.002);
      port.postMessage({ done: 'sell' });
      break;
    case 'gather':
      port.postMessage({ done: await formatMetrics(await metrics.gatherAll()) });
      break;
    case 'end':
      await metrics.close();
      port.close();
      break;
    case 'block':
      port.postMessage({ done: 'block' });
      Atomics.wait(command.until, 0, 0);
      break;
  }
});
port.postMessage({ done: 'start' });
