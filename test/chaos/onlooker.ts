// onlooker.ts: one who looks at stocks and buys nothing, as fast as the store answers: by HTTP at the second front end, or
// by gRPC at the catalog itself. What it is shown goes into the same histories as the buyers' own looks.

import { setTimeout as pause } from 'node:timers/promises';
import { credentials, Metadata } from '@grpc/grpc-js';
import { CatalogClient, type FindToyResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { createChannelOptions } from '../../src/rpc/index.js';
import { SeededRandom } from '../support/simulated-random.js';
import type { ChaosNotes } from './chaos-notes.js';
import type { ChaosToy } from './shelf.js';
import { StoreCaller } from './store-caller.js';

export interface OnlookerOptions {
  readonly seed: number;
  readonly shelf: readonly ChaosToy[];
  readonly notes: ChaosNotes;
  /** Aborted when it is enough. */
  readonly closing: AbortSignal;
}

/** A find is answered within 2 s; more is left to a catalog that is stopped. */
const GRPC_DEADLINE_MS = 3_000;
/** After each look: the histories of a minute are to be checked within one. */
const LOOK_PAUSE_MS_MAX = 10;

/** Looks by HTTP. @param port of a front end */
export async function lookByHttp(port: number, options: OnlookerOptions): Promise<void> {
  const caller = new StoreCaller(port);
  await look(options, async (toy) => {
    const reply = await caller.call('GET', `/products/${encodeURIComponent(toy)}`);
    if (reply.kind !== 'answer' || reply.status !== 200) return undefined;
    return JSON.parse(reply.body).data.quantity;
  });
  caller.close();
}

/** Looks by gRPC. @param address of the catalog */
export async function lookByGrpc(address: string, options: OnlookerOptions): Promise<void> {
  const client = new CatalogClient(address, credentials.createInsecure(), createChannelOptions());
  await look(options, async (name) => {
    const deadline = Date.now() + GRPC_DEADLINE_MS;
    const response = await new Promise<FindToyResponse | undefined>((resolve) => {
      client.findToy({ name }, new Metadata(), { deadline }, (error, found) =>
        resolve(error === null ? found : undefined),
      );
    });
    return response?.toy?.quantity;
  });
  client.close();
}

async function look(
  { seed, shelf, notes, closing }: OnlookerOptions,
  stockOf: (toy: string) => Promise<number | undefined>,
): Promise<void> {
  const random = new SeededRandom(seed);
  while (!closing.aborted) {
    const toy = random.pick(shelf).name;
    const answered = notes.histories.get(toy)!.read();
    const stock = await stockOf(toy);
    if (stock !== undefined) {
      notes.queries++;
      answered(stock);
    }
    await pause(random.integer(0, LOOK_PAUSE_MS_MAX));
  }
}
