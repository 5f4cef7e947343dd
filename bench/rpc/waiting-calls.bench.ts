// waiting-calls.bench.ts: what do calls cost that wait for a peer which is away? They are looked at every 20 ms for
// whether their time has come; that must not grow with their number.

import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { CatalogClient as CatalogStub, FindToysRequest } from '../../proto/gen/toystore/v1/catalog.js';
import { BatchStream, createChannelOptions } from '../../src/rpc/index.js';
import { maker } from '../peers/grpc-service.js';
import type { Result, RunBenchmark } from '../result.js';
import { measureRounds, type Subject } from '../rounds.js';

/** Nothing listens at port 1 of the loopback. */
const NOBODY = '127.0.0.1:1';
const CALLS = 60_000;
const ROUND_MS = 1_000;
const ROUND_QUICK_MS = 250;
const ROUNDS = 5;
const ROUNDS_QUICK = 2;
/** Percent of the thread, of which opening the stream again and again takes some three. */
const BAR = { atMost: 5 };

const request = maker(FindToysRequest);

export const run: RunBenchmark = (options): Promise<Result[]> => {
  const roundMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
  const subject = (count: number): Subject => ({
    name: `${count} calls of distinct names wait`,
    bar: BAR,
    measure: () => percentBusy(count, roundMs),
  });
  return measureRounds(
    {
      case: 'a stream to a peer that is away, share of its thread',
      unit: '%',
      better: 'lower',
      rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
      subjects: [subject(0), subject(CALLS)],
    },
    options,
  );
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
