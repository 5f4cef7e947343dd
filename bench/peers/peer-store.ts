// peer-store.ts: a whole peer: catalog, order and front end, each a process of its own, as the store has them.
//
//   node peer-store.js                   --►  "fastify ready on 127.0.0.1:N"
//   node peer-store.js --fsync FOLDER         catalog and order sync a file in it for each order; its name: "fastify-fsync"
//
// On SIGTERM they are stopped from the front to the back.

import path from 'node:path';
import { startProgram, type Target } from '../store/server-process.js';
import { flag, ready } from './peer-process.js';

const fsyncFolder = flag('fsync');

const fsyncTo = (file: string): string[] => (fsyncFolder === '' ? [] : ['--fsync', path.join(fsyncFolder, file)]);
const addressOf = ({ host, port }: Target): string => `${host}:${port}`;

const catalog = await startProgram('catalog', 'peers/catalog-process.js', fsyncTo('sales.csv'));
const toCatalog = ['--catalog', addressOf(catalog)];
const order = await startProgram('order', 'peers/order-process.js', [...toCatalog, ...fsyncTo('orders.csv')]);
const toOrder = ['--order', addressOf(order)];
const frontend = await startProgram('fastify', 'peers/fastify-frontend.js', [...toCatalog, ...toOrder]);

const name = fsyncFolder === '' ? 'fastify' : 'fastify-fsync';
ready(name, frontend.port, async () => {
  for (const process of [frontend, order, catalog]) await process.stop();
});
