// A session that gives its place back while its connection lasts: others are served meanwhile, and nothing is counted twice.

import test from 'ava';
import { LineClient } from './support/line-client.js';
import { forEachHandoff, startPool, until } from './support/pools.js';

for (const threads of [0, 1]) {
  forEachHandoff(test, `${threads} threads and one place: those who watch take none`, async (t, handoff) => {
    const { pool, port } = await startPool(t, { handoff, threads, maxThreads: threads, sessionsPerThread: 1 });
    const watchers = await LineClient.connectMany(port, 3);
    for (const watcher of watchers) t.is(await watcher.ask('watch'), 'thread 0');
    const customer = await LineClient.connect(port);
    t.is(await customer.ask('who'), 'thread 0');
    // The place is taken: who comes next waits, until the customer leaves, whichever watchers leave.
    const next = await LineClient.connect(port);
    const answer = next.ask('who');
    await until(() => pool.stats().queueLength === 1);
    await watchers[0]!.close();
    t.is(await customer.ask('who'), 'thread 0');
    t.is(pool.stats().queueLength, 1);
    await customer.close();
    t.is(await answer, 'thread 0');
    t.is(await watchers[1]!.ask('who'), 'thread 0');
  });
}
