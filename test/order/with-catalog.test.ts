import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { OrderClient, type PlaceOrdersRequest, type PlaceOrdersResponse } from '../../proto/gen/toystore/v1/order.js';
import { startCatalog } from '../../src/catalog/start-catalog.js';
import { startOrder } from '../../src/order/start-order.js';
import { BatchStream, createChannelOptions, HealthCheck } from '../../src/rpc/index.js';
import type { RunningService } from '../../src/running-service.js';
import { parseSettings } from '../../src/settings.js';
import { makeDirectory, removeDirectories, silent } from './shop.js';

test.after.always(removeDirectories);

type Buy = (name: string, quantity: number, key: string) => Promise<string>;

interface Store {
  readonly dataDir: string;
  readonly buy: Buy;
  stop(): Promise<void>;
}

/** Both services with their threads and sockets, and a buyer on one stream, as a front end has it. */
async function open(t: ExecutionContext, dataDir: string, settings: Record<string, string> = {}): Promise<Store> {
  const env = { ...settings, DATA_DIR: dataDir, THREADS: '2', CATALOG_PORT: '0', ORDER_PORT: '0' };
  const services: RunningService[] = [];
  const catalog = await startCatalog(parseSettings([], env), silent);
  services.push(catalog);
  const order = await startOrder(parseSettings([], { ...env, CATALOG_ADDRESS: catalog.address }), silent);
  services.push(order);
  const stub = new OrderClient(order.address, credentials.createInsecure(), createChannelOptions());
  const health = new HealthCheck(order.address);
  while (!(await health.isServing('toystore.v1.Order/sell', 1000)))
    await new Promise((resolve) => setTimeout(resolve, 10));
  health.close();
  const stream = new BatchStream<PlaceOrdersRequest['orders'][0], string, PlaceOrdersRequest, PlaceOrdersResponse>({
    open: () => stub.placeOrders(),
    pack: (orders) => ({ orders, holder: 0 }),
    unpack: ({ results, orderNumbers }) =>
      results.map((result, index) => (result === 0 ? `number ${orderNumbers[index]}` : `refused ${result}`)),
    windowMax: 4,
    batchItemsMax: 16,
    queueItemsMax: 10_000,
    deadlineMs: 20_000,
  });
  const store: Store = {
    dataDir,
    buy: (name, quantity, key) => stream.call({ name, quantity, key, requestId: '' }),
    async stop() {
      await stream.close();
      stub.close();
      for (const service of services.splice(0).reverse()) await service.stop();
    },
  };
  t.teardown(() => store.stop());
  return store;
}

test('orders of many buyers: the books agree, after a restart too', async (t) => {
  const dataDir = await makeDirectory();
  const store = await open(t, dataDir);
  const names = ['Tux', 'Whale', 'Elephant'];
  // 450 units are asked for, 300 are there.
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, (_, index) => store.buy(names[index % 3]!, 1 + (index % 2), `key-${index}`)),
  );
  const sold = outcomes.filter((outcome) => outcome.startsWith('number'));
  t.is(new Set(sold).size, sold.length);
  t.true(outcomes.every((outcome) => outcome.startsWith('number') || outcome === 'refused -2'));
  t.is(await store.buy('Unicorn', 1, ''), 'refused -1');
  await store.stop();

  const rows: { order_number: string; name: string; quantity: string; key: string }[] = parse(
    await readFile(join(dataDir, 'order', 'orders.csv')),
    { columns: true },
  );
  const stock: { name: string; quantity: string }[] = parse(await readFile(join(dataDir, 'catalog', 'catalog.csv')), {
    columns: true,
  });
  t.deepEqual(
    rows.map((row) => row.order_number),
    sold.map((_, index) => String(index)),
  );
  for (const name of names) {
    const bought = rows.filter((row) => row.name === name).reduce((sum, row) => sum + Number(row.quantity), 0);
    t.is(bought, 100, `all of ${name} is sold`);
    t.is(stock.find((row) => row.name === name)?.quantity, '0');
  }
  for (const row of rows) t.is(outcomes[Number(row.key.slice(4))], `number ${row.order_number}`);

  const again = await open(t, dataDir);
  const first = rows[0]!;
  t.is(await again.buy(first.name, Number(first.quantity), first.key), 'number 0');
  t.is(await again.buy('Fox', 1, 'new'), `number ${rows.length}`);
});

test('two buyers race for the last unit: one wins', async (t) => {
  const dataDir = await makeDirectory();
  const seed = join(dataDir, 'one.csv');
  await writeFile(seed, 'name,price,quantity\nTux,15.99,1\n');
  const store = await open(t, dataDir, { SEED_CSV: seed });
  const outcomes = await Promise.all([store.buy('Tux', 1, 'a'), store.buy('Tux', 1, 'b')]);
  t.deepEqual(outcomes.sort(), ['number 0', 'refused -2']);
});
