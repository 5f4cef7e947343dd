// start.bench.ts: how long until a service is there again that has a million orders, or a million toys, to read?
//
//   order     nothing · a million orders in the journal · the same after a checkpoint, in orders.csv
//   catalog   six toys · a million toys · a million toys and, in the journal, a million sales of them
//
// Real processes, from their start to their ready line; then each is asked for something that only the right data has.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { CatalogClient, type FindToyRequest, type FindToyResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { type GetOrderRequest, type GetOrderResponse, OrderClient } from '../../proto/gen/toystore/v1/order.js';
import { unary } from '../peers/grpc-service.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds, median } from '../rounds.js';
import { DATA_FOLDER } from '../run/paths.js';
import type { Target } from '../store/server-process.js';
import { MILLION, makeCatalog, makeOrders, makeToys } from './made-files.js';
import { measureStart, type ServiceStart } from './started-service.js';

const BAR_SECONDS = 5;
const FOUND = 0;

interface Start extends Omit<ServiceStart, 'service' | 'folder'> {
  readonly name: string;
  readonly isMillion: boolean;
}

export async function run(options: RunOptions): Promise<Result[]> {
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-recovery-'));
  try {
    return [...(await measureOrder(folder, options)), ...(await measureCatalog(folder, options))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureOrder(folder: string, options: RunOptions): Promise<Result[]> {
  options.onProgress?.('making a million orders');
  const inJournal = path.join(folder, 'orders-in-journal');
  const inFile = path.join(folder, 'orders-in-file');
  await makeOrders(inJournal, inFile);
  const check = (running: Target) => checkOrder(running, MILLION - 1, 'Elephant');
  return measureStarts('order', folder, options, [
    { name: 'no orders', data: undefined, isMillion: false, check: async () => undefined },
    { name: 'in the journal', data: inJournal, isMillion: true, check },
    { name: 'in orders.csv', data: inFile, isMillion: true, check },
  ]);
}

async function measureCatalog(folder: string, options: RunOptions): Promise<Result[]> {
  options.onProgress?.('making a million toys and a million sales');
  const toys = path.join(folder, 'toys');
  const sales = path.join(folder, 'sales');
  await makeToys(toys);
  const { stock, stockAfterSales, lastToy } = await makeCatalog(sales);
  return measureStarts('catalog', folder, options, [
    { name: 'six toys', data: undefined, isMillion: false, check: (running) => checkToy(running, 'Tux', 100) },
    { name: 'a million toys', data: toys, isMillion: true, check: (running) => checkToy(running, lastToy, stock) },
    {
      name: 'and a million sales',
      data: sales,
      isMillion: true,
      check: (running) => checkToy(running, lastToy, stockAfterSales),
    },
  ]);
}

/** The time of each start, with its bar, and the memory that it took. */
async function measureStarts(
  service: ServiceStart['service'],
  folder: string,
  options: RunOptions,
  starts: readonly Start[],
): Promise<Result[]> {
  const peaks = new Map<string, number[]>(starts.map(({ name }) => [name, []]));
  const times = await measureRounds(
    {
      case: `${service}: from its start until it is ready`,
      unit: 's',
      better: 'lower',
      rounds: options.quick ? 1 : 3,
      warmups: 0,
      subjects: starts.map(({ name, isMillion, ...start }) => ({
        name,
        measure: async () => {
          const { seconds, peakMib } = await measureStart({ service, folder, ...start });
          peaks.get(name)!.push(peakMib);
          return seconds;
        },
        bar: isMillion ? { atMost: BAR_SECONDS } : undefined,
      })),
    },
    options,
  );
  const memory = [...peaks].flatMap(([subject, rounds]): Result[] => {
    if (rounds.length === 0 || rounds.includes(0)) return [];
    const value = median(rounds);
    return [
      { case: `${service}: most resident memory until then`, subject, value, unit: 'MiB', better: 'lower', rounds },
    ];
  });
  return [...times, ...memory];
}

async function checkOrder({ host, port }: Target, number: number, name: string): Promise<void> {
  const client = new OrderClient(`${host}:${port}`, credentials.createInsecure());
  try {
    const order = await unary<GetOrderRequest, GetOrderResponse>(client, client.getOrder)({ number });
    if (order.result !== FOUND || order.name !== name) throw new Error(`order ${number} is not there`);
  } finally {
    client.close();
  }
}

async function checkToy({ host, port }: Target, name: string, quantity: number): Promise<void> {
  const client = new CatalogClient(`${host}:${port}`, credentials.createInsecure());
  try {
    const { toy } = await unary<FindToyRequest, FindToyResponse>(client, client.findToy)({ name });
    if (toy?.quantity !== quantity) throw new Error(`${name}: ${toy?.quantity} are left, not ${quantity}`);
  } finally {
    client.close();
  }
}
