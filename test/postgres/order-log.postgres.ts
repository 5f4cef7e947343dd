// The orders in PostgreSQL pass the tests that the file passes; and what only a database can do to them.

import test from 'ava';
import { OrderError } from '../../src/order/order-error.js';
import { testOrderLog } from '../order/order-log-contract.js';
import { orderHome } from './support/postgres-homes.js';
import { PostgresServer } from './support/postgres-server.js';

let server: PostgresServer;

test.before(async () => {
  server = await PostgresServer.start();
});
test.after.always(() => server[Symbol.asyncDispose]());

testOrderLog(test, 'PostgreSQL', () => orderHome(server));

test('customers’ keys of orders that are too old for the memory are looked up in the table', async (t) => {
  const home = await orderHome(server, 10);
  let log = await home.open();
  await log.begin('testtest');
  const sales = Array.from({ length: 50 }, (_, index) => ({
    tag: { incarnation: 1, sequence: index + 1 },
    name: 'Tux',
    quantity: 1,
    key: `${index % 2 === 0 ? '' : ' '}key-${index}`,
  }));
  await (await log.append(sales)).durable;
  await log.close();
  log = await home.open();
  t.is((await log.findByKey('key-0'))?.number, 0);
  t.is((await log.findByKey('key-48'))?.number, 48);
  // Nobody asks for it any more: its front end has long had its answer.
  t.is(await log.findByKey(' key-1'), undefined);
  t.is((await log.findByKey(' key-49'))?.number, 49);
  t.is(await log.findByKey('key-50'), undefined);
  await log.close();
});

test('a row that is gone is told at the start, with its number', async (t) => {
  const home = await orderHome(server);
  const log = await home.open();
  await log.begin('testtest');
  const sales = [1, 2, 3].map((sequence) => ({ tag: { incarnation: 1, sequence }, name: 'Tux', quantity: 1, key: '' }));
  await (await log.append(sales)).durable;
  await log.close();
  await server.query('DELETE FROM toystore.orders WHERE order_number = 1', home.url);
  const error = await t.throwsAsync(home.open(), { instanceOf: OrderError });
  t.is(error.code, 'UNREADABLE');
  t.regex(error.message, /^the table orders has no row for order 1/);
  await home.dispose();
});
