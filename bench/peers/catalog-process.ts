// catalog-process.ts: the peers' catalog: six toys in a Map. Nothing is written to disk, or with --fsync each sale.
//
//   node catalog-process.js [--fsync FILE]

import type { handleUnaryCall } from '@grpc/grpc-js';
import {
  CatalogService,
  type FindToyRequest,
  FindToyResponse,
  type ProcessOrderRequest,
  ProcessOrderResponse,
} from '../../proto/gen/toystore/v1/catalog.js';
import { PRICE_CENTS, STOCK, TOYS } from '../store/toys.js';
import { maker, serveGrpc } from './grpc-service.js';
import { openSyncedFile } from './synced-file.js';

const DONE = 0;
const NO_SUCH_TOY = -1;
const NOT_ENOUGH_STOCK = -2;

const append = await openSyncedFile();
const found = maker(FindToyResponse);
const outcome = maker(ProcessOrderResponse);
const toys = new Map(TOYS.map((name) => [name, { name, priceCents: PRICE_CENTS, quantity: STOCK }]));

const findToy: handleUnaryCall<FindToyRequest, FindToyResponse> = (call, callback) => {
  const toy = toys.get(call.request.name);
  callback(null, found(toy === undefined ? { result: NO_SUCH_TOY } : { result: DONE, toy }));
};

const processOrder: handleUnaryCall<ProcessOrderRequest, ProcessOrderResponse> = (call, callback) => {
  const { name, quantity } = call.request;
  const answer = (result: number): void => callback(null, outcome({ result }));
  const toy = toys.get(name);
  if (toy === undefined) return answer(NO_SUCH_TOY);
  if (quantity > toy.quantity) return answer(NOT_ENOUGH_STOCK);
  toy.quantity -= quantity;
  if (append === undefined) return answer(DONE);
  append(`${name},${quantity}\n`).then(() => answer(DONE), callback);
};

serveGrpc('catalog', CatalogService, { findToy, processOrder });
