// catalog-process.ts: the peers' catalog: six toys in a Map. Nothing is written to disk, or with --fsync each sale.
//
//   node catalog-process.js --port N [--fsync FILE --writes side-by-side|in-turn]

import type { handleUnaryCall } from '@grpc/grpc-js';
import {
  CatalogService,
  type FindToyRequest,
  type FindToyResponse,
  type ProcessOrderRequest,
  type ProcessOrderResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { serveGrpc } from './grpc-service.js';
import { SyncedFile } from './synced-file.js';

const TOYS = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'];
const PRICE_CENTS = 1599;
/** More than any run can sell. */
const STOCK = 4_294_967_295;
const DONE = 0;
const NO_SUCH_TOY = -1;
const NOT_ENOUGH_STOCK = -2;

const file = await SyncedFile.open();
const toys = new Map(TOYS.map((name) => [name, { name, priceCents: PRICE_CENTS, quantity: STOCK }]));

const findToy: handleUnaryCall<FindToyRequest, FindToyResponse> = (call, callback) => {
  const toy = toys.get(call.request.name);
  callback(null, toy === undefined ? { result: NO_SUCH_TOY, toy: undefined } : { result: DONE, toy });
};

const processOrder: handleUnaryCall<ProcessOrderRequest, ProcessOrderResponse> = (call, callback) => {
  const { name, quantity } = call.request;
  const toy = toys.get(name);
  if (toy === undefined) return callback(null, { result: NO_SUCH_TOY });
  if (quantity > toy.quantity) return callback(null, { result: NOT_ENOUGH_STOCK });
  toy.quantity -= quantity;
  if (file === undefined) return callback(null, { result: DONE });
  file.append(`${name},${quantity}\n`).then(() => callback(null, { result: DONE }), callback);
};

serveGrpc('catalog', CatalogService, { findToy, processOrder });
