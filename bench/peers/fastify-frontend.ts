// fastify-frontend.ts: the front end of a peer, with Fastify as its documentation uses it: routes, a schema to check what
// comes in, schemas to write what goes out.
//
//   node fastify-frontend.js --port N --catalog HOST:PORT --order HOST:PORT

import fastify from 'fastify';
import { connectBackends, type OrderBody } from './peer-backends.js';
import { portFlag, ready } from './peer-process.js';

const backends = connectBackends();
const app = fastify({ forceCloseConnections: true });

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

app.get<{ Params: { name: string } }>('/products/:name', { schema: findSchema }, async (request, reply) => {
  const { status, body } = await backends.find(request.params.name);
  return reply.code(status).send(body);
});

app.post<{ Body: OrderBody }>('/orders', { schema: orderSchema }, async (request, reply) => {
  const { status, body } = await backends.buy(request.body);
  return reply.code(status).send(body);
});

const address = await app.listen({ host: '127.0.0.1', port: portFlag() });
ready('fastify', address, async () => {
  await app.close();
  backends.close();
});
