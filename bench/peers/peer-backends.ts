// peer-backends.ts: what the front ends of the peers share: their two gRPC clients, and what the answers mean in HTTP.
//
//   --catalog HOST:PORT --order HOST:PORT

import { credentials } from '@grpc/grpc-js';
import { CatalogClient, type FindToyRequest, type FindToyResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { OrderClient, type PlaceOrderRequest, type PlaceOrderResponse } from '../../proto/gen/toystore/v1/order.js';
import { unary } from './grpc-service.js';
import { flag } from './peer-process.js';

const CENTS_PER_UNIT = 100;
const FOUND = 0;
const SOLD = 0;
const NO_SUCH_TOY = -1;

/** An answer of the HTTP API. */
export interface Answer {
  status: number;
  body: object;
}

/** `POST /orders` carries this. */
export interface OrderBody {
  name: string;
  quantity: number;
}

/** Connects to the two services that the flags name. */
export function connectBackends() {
  const catalog = new CatalogClient(flag('catalog', '127.0.0.1:5001'), credentials.createInsecure());
  const order = new OrderClient(flag('order', '127.0.0.1:5002'), credentials.createInsecure());
  const findToy = unary<FindToyRequest, FindToyResponse>(catalog, catalog.findToy);
  const placeOrder = unary<PlaceOrderRequest, PlaceOrderResponse>(order, order.placeOrder);
  return {
    async find(name: string): Promise<Answer> {
      const { result, toy } = await findToy({ name });
      if (result !== FOUND || toy === undefined) return notFound();
      const { priceCents, quantity } = toy;
      return { status: 200, body: { data: { name: toy.name, price: priceCents / CENTS_PER_UNIT, quantity } } };
    },
    async buy({ name, quantity }: OrderBody): Promise<Answer> {
      const { result, orderNumber } = await placeOrder({ name, quantity, key: '', requestId: '', transientKey: false });
      if (result === NO_SUCH_TOY) return notFound();
      if (result !== SOLD) return { status: 409, body: { error: { code: 409, message: 'not enough stock' } } };
      return { status: 200, body: { data: { order_number: orderNumber } } };
    },
    close(): void {
      catalog.close();
      order.close();
    },
  };
}

export function notFound(): Answer {
  return { status: 404, body: { error: { code: 404, message: 'product not found' } } };
}
