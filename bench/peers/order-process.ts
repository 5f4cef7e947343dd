// order-process.ts: the peers' orders: each is one call to the catalog, then the next number. Nothing is written to disk,
// or with --fsync each order.
//
//   node order-process.js --catalog HOST:PORT [--fsync FILE]

import { credentials, type handleUnaryCall } from '@grpc/grpc-js';
import { CatalogClient, ProcessOrderRequest, type ProcessOrderResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { OrderService, type PlaceOrderRequest, PlaceOrderResponse } from '../../proto/gen/toystore/v1/order.js';
import { maker, serveGrpc, unary } from './grpc-service.js';
import { flag } from './peer-process.js';
import { openSyncedFile } from './synced-file.js';

const SOLD = 0;

const catalog = new CatalogClient(flag('catalog'), credentials.createInsecure());
const processOrder = unary<ProcessOrderRequest, ProcessOrderResponse>(catalog, catalog.processOrder);
const purchase = maker(ProcessOrderRequest);
const receipt = maker(PlaceOrderResponse);
const append = await openSyncedFile();
const orders: { name: string; quantity: number }[] = [];

const placeOrder: handleUnaryCall<PlaceOrderRequest, PlaceOrderResponse> = (call, callback) => {
  const { name, quantity } = call.request;
  const place = async (): Promise<PlaceOrderResponse> => {
    const { result } = await processOrder(purchase({ name, quantity }));
    if (result !== SOLD) return receipt({ result });
    const orderNumber = orders.push({ name, quantity }) - 1;
    await append?.(`${orderNumber},${name},${quantity}\n`);
    return receipt({ result, orderNumber });
  };
  place().then((response) => callback(null, response), callback);
};

serveGrpc('order', OrderService, { placeOrder });
