// waiting-calls.bench.ts: what do calls cost that wait for a peer which is away? They are looked at every 20 ms for
// whether their time has come; that must not grow with their number.

import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { CatalogClient as CatalogStub, FindToysRequest } from '../../proto/gen/toystore/v1/catalog.js';
import { BatchStream, createChannelOptions } from '../../src/rpc/index.js';
import { maker } from '../peers/grpc-service.js';
import { measureRounds } from '../rounds.js';
import { amountOf } from '../run/bench-options.js';
import type { Scenario } from '../scenarios/scenario.js';

/** Nothing listens at port 1 of the loopback. */
const NOBODY = '127.0.0.1:1';
const CALLS = 60_000;
const ROUND_MS = 1_000;
const ROUNDS = 5;
/** Percent of the thread, of which opening the stream again and again takes some three. */
const BAR = { atMost: 5 };

const request = maker(FindToysRequest);

export const overload: Scenario = async (context) => {
  const roundMs = amountOf(context.options, ROUND_MS);
  const subjects = [0, CALLS].map((count) => ({
    name: `${count} calls of distinct names wait`,
    measure: () => percentBusy(count, roundMs),
  }));
  const quantity = {
    case: 'a stream to a peer that is away, share of its thread',
    unit: '%',
    better: 'lower',
    bars: Object.fromEntries(subjects.map(({ name }) => [name, BAR])),
  } as const;
  await measureRounds({ quantities: [quantity], subjects, rounds: ROUNDS }, context);
};

async function percentBusy(count: number, roundMs: number): Promise<number> {
  const stub = new CatalogStub(NOBODY, credentials.createInsecure(), createChannelOptions());
  const stream = new BatchStream({
    open: () => stub.findToys(),
    pack: (names: string[]) => request({ names: names.map((name) => Buffer.from(name)) }),
    unpack: ({ results }) => results,
    keyOf: (name) => name,
    windowMax: 1,
    batchItemsMax: 4_096,
    queueItemsMax: CALLS,
    deadlineMs: 60_000,
  });
  const calls = Array.from({ length: count }, (_, index) => stream.call(`toy ${index}`).catch(() => {}));
  const before = performance.eventLoopUtilization();
  await delay(roundMs);
  const { utilization } = performance.eventLoopUtilization(before);
  await stream.close();
  await Promise.all(calls);
  stub.close();
  return 100 * utilization;
}
