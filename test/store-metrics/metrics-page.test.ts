// One page for the whole store: two services asked over gRPC, one of them gone.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { MetricsHub, registerReadings, ThreadMetrics } from '../../src/metrics/index.js';
import { GrpcThread } from '../../src/rpc/index.js';
import { MetricsClient } from '../../src/store-metrics/metrics-client.js';
import { metricsPage } from '../../src/store-metrics/metrics-page.js';
import { metricsService } from '../../src/store-metrics/metrics-service.js';

/** A service with one thread that has sold toys: the hub and the thread live in this one. */
async function startService(service: string, sold: number): Promise<AsyncDisposable & { client: MetricsClient }> {
  const hub = new MetricsHub(new ThreadMetrics(), { labels: { service } });
  const metrics = new ThreadMetrics();
  const { port1, port2 } = new MessageChannel();
  metrics.shareOn(port1);
  hub.add(port2);
  const help = 'Toys sold.';
  const reading = { name: 'toystore_toys_sold_total', help, type: 'counter', read: () => sold } as const;
  registerReadings(metrics.registry, [reading]);
  const thread = new GrpcThread({ services: [metricsService(metrics)] });
  const server = createServer((socket) => thread.serve(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new MetricsClient(() => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      thread.close();
      server.close();
      port1.close();
    },
  };
}

test('the page shows every service that answers, and which do not', async (t) => {
  await using catalog = await startService('catalog', 3);
  await using order = await startService('order', 5);
  // Port 1 is nobody's.
  const gone = new MetricsClient(() => '127.0.0.1:1');
  const text = await metricsPage([
    { service: 'catalog', gather: () => catalog.client.gather() },
    { service: 'order', gather: () => order.client.gather() },
    { service: 'gone', gather: () => gone.gather() },
  ]);
  gone.close();
  t.deepEqual(
    text.split('\n').filter((line) => line !== ''),
    [
      '# HELP toystore_up Whether the service told its metrics.',
      '# TYPE toystore_up gauge',
      'toystore_up{service="catalog"} 1',
      'toystore_up{service="order"} 1',
      'toystore_up{service="gone"} 0',
      '# HELP toystore_toys_sold_total Toys sold.',
      '# TYPE toystore_toys_sold_total counter',
      'toystore_toys_sold_total{service="catalog"} 3',
      'toystore_toys_sold_total{service="order"} 5',
    ],
  );
});
