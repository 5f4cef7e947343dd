// fastify-frontend.ts: the front end of the peer, with Fastify as its documentation uses it: routes, a schema to check what
// comes in, schemas to write what goes out. Behind it one unary gRPC call for each request.
//
//   node fastify-frontend.js --catalog HOST:PORT --order HOST:PORT

import { credentials } from '@grpc/grpc-js';
import fastify, { type FastifyReply } from 'fastify';
import { CatalogClient, FindToyRequest, type FindToyResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { OrderClient, PlaceOrderRequest, type PlaceOrderResponse } from '../../proto/gen/toystore/v1/order.js';
import { maker, unary } from './grpc-service.js';
import { flag, ready } from './peer-process.js';

const CENTS_PER_UNIT = 100;
const FOUND = 0;
const SOLD = 0;
const NO_SUCH_TOY = -1;

const catalog = new CatalogClient(flag('catalog'), credentials.createInsecure());
const order = new OrderClient(flag('order'), credentials.createInsecure());
const findToy = unary<FindToyRequest, FindToyResponse>(catalog, catalog.findToy);
const placeOrder = unary<PlaceOrderRequest, PlaceOrderResponse>(order, order.placeOrder);

const toFind = maker(FindToyRequest);
const toPlace = maker(PlaceOrderRequest);

const dataOf = (properties: object) => ({
  200: { type: 'object', properties: { data: { type: 'object', properties } } },
});

const findSchema = {
  response: dataOf({ name: { type: 'string' }, price: { type: 'number' }, quantity: { type: 'integer' } }),
};

const orderSchema = {
  body: {
    type: 'object',
    required: ['name', 'quantity'],
    properties: { name: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
  },
  response: dataOf({ order_number: { type: 'integer' } }),
};

const refuse = (reply: FastifyReply, code: number, message: string) =>
  reply.code(code).send({ error: { code, message } });

const app = fastify({ forceCloseConnections: true });

app.get<{ Params: { name: string } }>('/products/:name', { schema: findSchema }, async (request, reply) => {
  const { result, toy } = await findToy(toFind(request.params));
  if (result !== FOUND || toy === undefined) return refuse(reply, 404, 'product not found');
  const { name, priceCents, quantity } = toy;
  return reply.send({ data: { name, price: priceCents / CENTS_PER_UNIT, quantity } });
});

app.post<{ Body: { name: string; quantity: number } }>('/orders', { schema: orderSchema }, async (request, reply) => {
  const { result, orderNumber } = await placeOrder(toPlace(request.body));
  if (result === NO_SUCH_TOY) return refuse(reply, 404, 'product not found');
  if (result !== SOLD) return refuse(reply, 409, 'not enough stock');
  return reply.send({ data: { order_number: orderNumber } });
});

const address = await app.listen({ host: '127.0.0.1', port: 0 });
ready('fastify', Number(new URL(address).port), async () => {
  await app.close();
  catalog.close();
  order.close();
});
