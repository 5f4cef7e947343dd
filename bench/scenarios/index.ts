// index.ts: every scenario by the name it has on the command line.

import type { ScenarioName } from '../help.js';
import { run as http } from '../http/constant-answer.bench.js';
import { run as lock } from '../lock/uncontended.bench.js';
import { run as parser } from '../parser/requests.bench.js';
import { run as pool } from '../pool/connections.bench.js';
import { run as recovery } from '../recovery/start.bench.js';
import type { RunBenchmark } from '../result.js';
import { run as overload } from '../rpc/waiting-calls.bench.js';
import { baseline } from './baseline.js';
import { cache } from './cache.js';
import { compare } from './compare.js';
import { durable } from './durable.js';
import { idle } from './idle.js';
import { postgres } from './postgres.js';
import { rate } from './rate.js';
import type { Scenario } from './scenario.js';
import { clients, docker, probability } from './sessions.js';
import { watchers } from './watchers.js';

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  clients,
  probability,
  rate,
  compare,
  http: part('http', http),
  parser: part('parser', parser),
  pool: part('pool', pool),
  lock: part('lock', lock),
  overload: part('overload', overload),
  durable,
  recovery: part('recovery', recovery),
  docker,
  postgres,
  idle,
  cache,
  watchers,
  baseline,
};

/** The scenario of a part by itself: what a `*.bench.ts` measures. */
function part(scenario: string, run: RunBenchmark): Scenario {
  return async ({ options: { quick, baseline: other }, signal, step, addFigures }) => {
    const results = await run({ quick, baseline: other, signal, onProgress: step });
    addFigures(results.map((result) => ({ scenario, ...result })));
  };
}
