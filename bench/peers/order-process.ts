// order-process.ts: the peers' orders: each is one call to the catalog, then the next number. Nothing is written to disk.
//
//   node order-process.js --port N --catalog HOST:PORT

import { credentials, type handleUnaryCall } from '@grpc/grpc-js';
import {
  CatalogClient,
  type ProcessOrderRequest,
  type ProcessOrderResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { OrderService, type PlaceOrderRequest, type PlaceOrderResponse } from '../../proto/gen/toystore/v1/order.js';
import { serveGrpc, unary } from './grpc-service.js';
import { flag } from './peer-process.js';

const SOLD = 0;

const catalog = new CatalogClient(flag('catalog', '127.0.0.1:5001'), credentials.createInsecure());
const processOrder = unary<ProcessOrderRequest, ProcessOrderResponse>(catalog, catalog.processOrder);
const orders: ProcessOrderRequest[] = [];

const placeOrder: handleUnaryCall<PlaceOrderRequest, PlaceOrderResponse> = (call, callback) => {
  const { name, quantity } = call.request;
  processOrder({ name, quantity }).then(
    ({ result }) => {
      if (result !== SOLD) return callback(null, { result, orderNumber: 0 });
      callback(null, { result, orderNumber: orders.push({ name, quantity }) - 1 });
    },
    (error) => callback(error),
  );
};

serveGrpc('order', OrderService, { placeOrder });
