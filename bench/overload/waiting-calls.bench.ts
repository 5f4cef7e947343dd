// waiting-calls.bench.ts: what does a thread of the front end do while the catalog hangs and 60,000 calls wait for it?
// Nothing, it should be: they are looked through for those whose time is up, fifty times a second.
//
//   catalog: SIGSTOP ── 60,000 finds of different names ── event-loop utilization while they wait ── SIGCONT
//
// One message is under way and never answered; all others wait in the queue of the batch stream.

import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { CatalogClient, FindToysRequest, type FindToysResponse } from '../../proto/gen/toystore/v1/catalog.js';
import { BatchStream, createChannelOptions } from '../../src/rpc/index.js';
import { maker } from '../peers/grpc-service.js';
import type { Result, RunOptions } from '../result.js';
import { measureRounds } from '../rounds.js';
import type { Target } from '../store/server-process.js';
import { startService } from '../store/toystore.js';

const CALLS = 60_000;
/** The front end's own limits. */
const BATCH_ITEMS_MAX = 4_096;
const QUEUE_ITEMS_MAX = 65_536;
/** Nobody's time is up while it is measured: what is measured is looking, not answering. */
const DEADLINE_MS = 5_000;
const ROUND_MS = 1_000;
const ROUND_QUICK_MS = 400;
const ROUNDS = 5;
const ROUNDS_QUICK = 2;
const POLL_MS = 20;
/** Of the thread. Making the whole queue anew each time took 0.35. */
const BAR = { atMost: 0.03 };

type Finds = BatchStream<string, number, FindToysRequest, FindToysResponse>;

export async function run(options: RunOptions): Promise<Result[]> {
  const catalog = await startService('catalog');
  const stub = new CatalogClient(
    `${catalog.host}:${catalog.port}`,
    credentials.createInsecure(),
    createChannelOptions(),
  );
  const roundMs = options.quick ? ROUND_QUICK_MS : ROUND_MS;
  try {
    return await measureRounds(
      {
        case: `event-loop utilization of a thread, ${CALLS.toLocaleString('en')} calls waiting for a catalog that hangs`,
        unit: 'of the thread',
        better: 'lower',
        rounds: options.quick ? ROUNDS_QUICK : ROUNDS,
        subjects: [{ name: 'batch stream', measure: () => utilization(stub, catalog, roundMs), bar: BAR }],
      },
      options,
    );
  } finally {
    stub.close();
    await catalog.stop();
  }
}

async function utilization(stub: CatalogClient, { pid }: Target, roundMs: number): Promise<number> {
  const request = maker(FindToysRequest);
  const finds: Finds = new BatchStream({
    open: () => stub.findToys(),
    pack: (names) => request({ names: names.map((name) => Buffer.from(name)) }),
    unpack: ({ results }) => [...results],
    keyOf: (name) => name,
    windowMax: 1,
    batchItemsMax: BATCH_ITEMS_MAX,
    queueItemsMax: QUEUE_ITEMS_MAX,
  });
  while (!finds.isConnected) await delay(POLL_MS);
  process.kill(pid!, 'SIGSTOP');
  try {
    const calls = Array.from({ length: CALLS }, (_, index) => finds.call(`Toy number ${index}`, DEADLINE_MS));
    const outcomes = Promise.allSettled(calls);
    await delay(POLL_MS);
    const before = performance.eventLoopUtilization();
    await delay(roundMs);
    const { utilization: share } = performance.eventLoopUtilization(before);
    const { waitingCalls } = finds.stats();
    if (waitingCalls < CALLS - BATCH_ITEMS_MAX) throw new Error(`only ${waitingCalls} calls were waiting`);
    await finds.close();
    await outcomes;
    return share;
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
}
