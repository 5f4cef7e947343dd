// compare.ts: the whole store beside its peers in one run: queries and orders per second, and latency, at 1 and at 64
// connections, six toys in turn. The store alone is also taken from 1 to 1,000 connections: does throughput hold?
//
//   toystore     as it stands: three processes with their threads, orders synced to disk
//   fastify      three processes, one unary gRPC call per request, nothing on disk
//   raw-socket   a constant string: what Node's sockets cost before anyone has parsed a byte (queries only)

import { BODY, TARGET } from '../http/answer.js';
import { startProgram, type Target } from '../store/server-process.js';
import { storeTarget } from '../store/toystore.js';
import { runContest } from './contest.js';
import type { RatioBar } from './ratios.js';
import type { Scenario } from './scenario.js';
import { sweepOf } from './sweep.js';

const CONNECTIONS = [1, 64] as const;
/** The store alone, when there is time. */
const SWEEP_CONNECTIONS = [1, 4, 16, 64, 256, 1000] as const;
const STORE = 'toystore';
const BASELINE = 'fastify';

/** What the project asks of itself, as ratios to the baseline. */
const BARS: readonly RatioBar[] = [
  { operation: 'query', clients: 64, quantity: 'throughput', bar: { atLeast: 15 } },
  { operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 8 } },
  { operation: 'query', clients: 1, quantity: 'p50', bar: { atMost: 1 / 3 } },
];

export const compare: Scenario = async (context) => {
  const { options } = context;
  const common = options.connections ?? CONNECTIONS;
  const swept = options.connections ?? (options.quick ? CONNECTIONS : SWEEP_CONNECTIONS);
  const takes = ({ clients }: { readonly clients: number }): boolean => common.includes(clients);
  const rows = await runContest(context, {
    contestants: [
      { name: STORE, start: () => storeTarget(options) },
      { name: BASELINE, start: () => startProgram(BASELINE, 'peers/peer-store.js'), takes },
      { name: 'raw-socket', start: startFloor, only: { path: TARGET, body: BODY }, takes },
    ],
    loads: (['query', 'order'] as const).flatMap((work) => swept.map((clients) => ({ work, clients }))),
    beside: { [BASELINE]: BARS },
  });
  context.addFigures(sweepOf(rows.filter(({ subject }) => subject === STORE)));
};

/** A socket that answers whatever arrives with the same bytes. */
function startFloor(): Promise<Target> {
  return startProgram('http-server', 'http/server-process.js', ['--server', 'raw socket'], { label: 'raw-socket' });
}
