// The load generator as the scenarios use it: a process of its own, against a server in this one that does as it is told.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import test from 'ava';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { LoadGenerator } from '../load/load-generator.js';
import type { LoadJob, LoadReport } from '../load/load-job.js';
import { listen } from '../peers/peer-process.js';

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

const TOY = (name: string, quantity = 100): string =>
  `{"data":{"name":"${name}","price":15.99,"quantity":${quantity}}}`;

function answer(response: http.ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

const properly: Handler = (request, response) => {
  if (request.method === 'POST') answer(response, 200, '{"data":{"order_number":7}}');
  else answer(response, 200, TOY(request.url!.slice('/products/'.length)));
};

let generator: LoadGenerator;
test.before(() => {
  generator = new LoadGenerator();
});
test.after.always(() => generator.close());

async function load(
  handler: Handler,
  job: Partial<LoadJob>,
  signal?: AbortSignal,
  by: LoadGenerator = generator,
): Promise<LoadReport> {
  const server = http.createServer(handler);
  const port = await listen(server);
  const whole = {
    connections: 3,
    durationMs: 300,
    warmupMs: 50,
    work: 'query' as const,
    ...job,
  };
  try {
    return await by.run({ host: '127.0.0.1', port, ...whole }, signal);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test.serial('closed loop: queries are counted, nothing is ordered, nothing fails', async (t) => {
  const { query, order, seconds, generatorCpu } = await load(properly, {});
  t.true(query.count > 0);
  t.is(query.errors, 0);
  t.is(order.count, 0);
  t.true(seconds > 0.29 && seconds < 0.31);
  t.true(generatorCpu > 0);
});

test.serial('sessions: with p 1 there are about as many orders as queries, with p 0 none', async (t) => {
  const always = await load(properly, { work: { p: 1 } });
  t.true(Math.abs(always.query.count - always.order.count) <= 6);
  const never = await load(properly, { work: { p: 0 } });
  t.is(never.order.count, 0);
});

const WRONG: readonly [name: string, status: number, body: string][] = [
  ['another toy', 200, TOY('Cat')],
  ['a refusal', 503, '{"error":{"code":503,"message":"later"}}'],
  ['an empty body', 200, ''],
];
for (const [name, status, body] of WRONG) {
  test.serial(`${name} is an error, apart from the latencies, with a sample`, async (t) => {
    const { query } = await load((_, response) => answer(response, status, body), {});
    t.is(query.count, 0);
    t.true(query.errors > 0);
    t.deepEqual(query.errorSamples, [`${status} ${body}`]);
  });
}

test.serial('requests that are numbered: each connection sends so many, and the load is over', async (t) => {
  const { query, seconds } = await load(properly, { requestsEach: 20, durationMs: 60_000, warmupMs: 0 });
  t.is(query.count, 3 * 20);
  t.true(seconds < 30);
});

test.serial('open loop: the schedule is kept and everything is accounted for', async (t) => {
  const { query, schedule } = await load(properly, { rate: 200, connections: 8, durationMs: 500 });
  t.is(schedule!.intended, query.count + query.errors + schedule!.missed);
  t.true(schedule!.intended >= 99 && schedule!.intended <= 101, `${schedule!.intended}`);
});

test.serial('open loop: a stall counts for every request that was due during it', async (t) => {
  let isStalled = false;
  let stalled = 0;
  const handler: Handler = (request, response) => {
    // The first request after the warm-up is held for a while, with all that come meanwhile.
    stalled += 1;
    if (stalled === 30) {
      isStalled = true;
      setTimeout(() => {
        isStalled = false;
      }, 200);
    }
    const send = (): void => {
      if (isStalled) setTimeout(send, 1);
      else properly(request, response);
    };
    send();
  };
  const { query } = await load(handler, { rate: 200, connections: 2, durationMs: 600 });
  const latencies = LatencyHistogram.decode(query.histogram);
  // 200 ms at 200 a second: some 40 of 120 were held up, although only two connections were waiting.
  t.true(latencies.atMs(75) > 20, `p75 ${latencies.atMs(75)} ms`);
  t.true(latencies.atMs(100) > 150);
});

test.serial('open loop: what could never be sent is reported as missed', async (t) => {
  const slowly: Handler = (request, response) => {
    setTimeout(() => properly(request, response), 50);
  };
  const { schedule } = await load(slowly, { rate: 1000, connections: 1, durationMs: 300 });
  t.true(schedule!.missed > 200, `${schedule!.missed} of ${schedule!.intended}`);
});

test.serial('a lost connection is an error; the load goes on', async (t) => {
  let requests = 0;
  const handler: Handler = (request, response) => {
    requests += 1;
    if (requests === 5) response.destroy();
    else properly(request, response);
  };
  const { query } = await load(handler, { connections: 1, warmupMs: 0, durationMs: 600 });
  t.is(query.errors, 1);
  t.true(query.count > 5);
});

test.serial('an aborted load still reports what was measured', async (t) => {
  const abort = new AbortController();
  let requests = 0;
  const handler: Handler = (request, response) => {
    requests += 1;
    if (requests === 50) abort.abort();
    properly(request, response);
  };
  const { query, seconds } = await load(handler, { durationMs: 60_000, warmupMs: 0 }, abort.signal);
  t.true(query.count >= 40);
  t.true(seconds < 30);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test.serial(
    `${signal} to the whole group: the load's process leaves it to its parent, and still reports`,
    async (t) => {
      const child = fork(new URL('../load/load-process.js', import.meta.url), {
        execArgv: [],
        serialization: 'advanced',
      });
      let requests = 0;
      const server = http.createServer((request, response) => {
        requests += 1;
        if (requests === 50) child.kill(signal);
        if (requests === 100) child.send({ type: 'stop' });
        properly(request, response);
      });
      const work = { work: 'query', connections: 3, durationMs: 60_000, warmupMs: 0 };
      child.send({ type: 'run', job: { host: '127.0.0.1', port: await listen(server), ...work } });
      const said = await Promise.race([once(child, 'message'), once(child, 'exit')]);
      server.close();
      t.is(said[0]?.type, 'report', `instead: ${said}`);
      t.true(said[0].report.query.count >= 90);
      child.disconnect();
      t.deepEqual(await once(child, 'exit'), [0, null]);
    },
  );
}

test('a generator whose process has ended says so, and can be closed', async (t) => {
  const dead = new LoadGenerator();
  dead.close();
  await t.throwsAsync(load(properly, {}, undefined, dead), { message: 'the load generator died' });
  t.notThrows(() => dead.close());
});

test.serial('a server that is not there is an error with its reason', async (t) => {
  const job = { host: '127.0.0.1', port: 1, connections: 1, durationMs: 100, warmupMs: 0 };
  const run = generator.run({ ...job, work: 'query' });
  await t.throwsAsync(run, { message: /ECONNREFUSED/ });
});
