// docs/operations.md lists every metric of the store, and nothing that the store does not show.

import { readFile } from 'node:fs/promises';
import test from 'ava';
import { buy, call, stockOf } from '../support/store-client.js';
import { StoreProcess } from '../support/store-process.js';

const DOCUMENT = new URL('../../../docs/operations.md', import.meta.url);

test('the page of a store that works has exactly the metrics that are documented', async (t) => {
  await using store = await StoreProcess.start('start');
  t.is((await buy(store.port, 'Tux', 3)).status, 200);
  t.is(await stockOf(store.port, 'Tux'), 97);
  const { body } = await call(store.port, 'GET', '/metrics');

  const shown = [...body.matchAll(/^# TYPE (toystore_\w+) /gm)].map(([, name]) => name).sort();
  const table = [...(await readFile(DOCUMENT, 'utf8')).matchAll(/^\| `(toystore_\w+)` +\|/gm)];
  t.deepEqual(shown, table.map(([, name]) => name).sort());

  for (const service of ['frontend', 'catalog', 'order']) {
    t.true(body.includes(`\ntoystore_up{service="${service}"} 1\n`), service);
    t.true(body.includes(`\nprocess_cpu_seconds_total{service="${service}"} `), service);
  }
  t.true(body.includes('\ntoystore_stock{service="catalog",toy="Tux"} 97\n'));
  t.true(body.includes('\ntoystore_orders_total{service="order"} 1\n'));
  t.true(
    body.includes(
      '\ntoystore_http_request_duration_seconds_count{service="frontend",route="/orders",status="200"} 1\n',
    ),
  );
});
