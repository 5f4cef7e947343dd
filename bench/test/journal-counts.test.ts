import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { readJournalCounts } from '../store/journal-counts.js';

const PAGE = `# HELP toystore_journal_sync_seconds Time of a sync to disk.
# TYPE toystore_journal_sync_seconds summary
toystore_journal_sync_seconds{quantile="0.5",service="catalog"} 0.0004
toystore_journal_sync_seconds_sum{service="catalog"} 1.5
toystore_journal_sync_seconds_count{service="catalog"} 120
toystore_journal_sync_seconds_count{service="order"} 100
toystore_orders_total{service="order"} 1e+3
`;

async function countsOf(t: { teardown(fn: () => void): void }, page: string): ReturnType<typeof readJournalCounts> {
  const server = http.createServer((_, response) => response.end(page)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return readJournalCounts({ name: 'toystore', host: '127.0.0.1', port, pid: undefined, stop: async () => {} });
}

test('syncs of each service and orders are read from the metrics', async (t) => {
  t.deepEqual(await countsOf(t, PAGE), { orders: 1000, catalogSyncs: 120, orderSyncs: 100 });
});

test('a service that is missing from the page is an error, not a zero', async (t) => {
  await t.throwsAsync(countsOf(t, PAGE.replaceAll('service="order"', 'service="other"')), {
    message: '/metrics has no toystore_orders_total of the service order',
  });
});
