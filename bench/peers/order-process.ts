// order-process.ts: the peers' orders: each is one call to the catalog, then the next number. Nothing is written to disk,
// or with --fsync each order.
//
//   node order-process.js --port N --catalog HOST:PORT [--fsync FILE --writes side-by-side|in-turn]

import { credentials, type handleUnaryCall } from '@grpc/grpc-js';
import {
  CatalogClient,
  type ProcessOrderRequest,
  type ProcessOrderResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { OrderService, type PlaceOrderRequest, type PlaceOrderResponse } from '../../proto/gen/toystore/v1/order.js';
import { serveGrpc, unary } from './grpc-service.js';
import { flag } from './peer-process.js';
import { SyncedFile } from './synced-file.js';

const SOLD = 0;

const catalog = new CatalogClient(flag('catalog', '127.0.0.1:5001'), credentials.createInsecure());
const processOrder = unary<ProcessOrderRequest, ProcessOrderResponse>(catalog, catalog.processOrder);
const file = await SyncedFile.open();
const orders: ProcessOrderRequest[] = [];

const placeOrder: handleUnaryCall<PlaceOrderRequest, PlaceOrderResponse> = (call, callback) => {
  const { name, quantity } = call.request;
  processOrder({ name, quantity }).then(
    ({ result }) => {
      if (result !== SOLD) return callback(null, { result, orderNumber: 0 });
      const orderNumber = orders.push({ name, quantity }) - 1;
      if (file === undefined) return callback(null, { result, orderNumber });
      file.append(`${orderNumber},${name},${quantity}\n`).then(() => callback(null, { result, orderNumber }), callback);
    },
    (error) => callback(error),
  );
};

serveGrpc('order', OrderService, { placeOrder });
