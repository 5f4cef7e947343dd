// An order that the front end takes and the order service does not: its bounds may be narrower than ours.

import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import test from 'ava';
import { OrderService, type PlaceOrdersRequest, type PlaceOrdersResponse } from '../../proto/gen/toystore/v1/order.js';
import { startFrontend } from '../../src/frontend/start-frontend.js';
import { Log } from '../../src/log.js';
import { parseSettings } from '../../src/settings.js';
import { RESULT } from '../../src/store-contract.js';
import { buy, buyOnceSelling } from '../support/store-client.js';

/** An order service that gives every order the same result. */
async function answering(result: number): Promise<{ port: number; keys: string[]; close(): void }> {
  const keys: string[] = [];
  const server = new Server();
  const unused = () => undefined;
  server.addService(OrderService, {
    placeOrder: unused,
    getOrder: unused,
    placeOrders: (stream: ServerDuplexStream<PlaceOrdersRequest, PlaceOrdersResponse>) => {
      stream.sendMetadata(new Metadata());
      stream.on('data', ({ orders }: PlaceOrdersRequest) => {
        keys.push(...orders.map(({ key }) => key));
        stream.write({ results: orders.map(() => result), orderNumbers: orders.map(() => 0) });
      });
      stream.on('end', () => stream.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { port, keys, close: () => server.forceShutdown() };
}

test('an order that the order service finds invalid is answered 400; made-up keys are marked', async (t) => {
  const order = await answering(RESULT.INVALID);
  const settings = parseSettings([], {
    FRONTEND_PORT: '0',
    THREADS: '0',
    CATALOG_ADDRESS: '127.0.0.1:1',
    ORDER_ADDRESS: `127.0.0.1:${order.port}`,
  });
  const frontend = await startFrontend(settings, new Log('silent'));
  t.teardown(async () => {
    await frontend.stop();
    order.close();
  });
  const port = Number(new URL(frontend.address).port);
  const answer = await buyOnceSelling(port, 'Tux', 1);
  t.is(answer.status, 400, answer.body);
  t.regex(order.keys.at(-1)!, /^ [A-Za-z0-9_-]{17,40}$/);
  t.is((await buy(port, 'Tux', 1, 'cart-17')).status, 400);
  t.is(order.keys.at(-1), 'cart-17');
});
