// index.ts: every scenario by the name it has on the command line.

import type { ScenarioName } from '../help.js';
import { http } from '../http/constant-answer.bench.js';
import { lock } from '../lock/uncontended.bench.js';
import { parser } from '../parser/requests.bench.js';
import { pool } from '../pool/connections.bench.js';
import { recovery } from '../recovery/start.bench.js';
import { overload } from '../rpc/waiting-calls.bench.js';
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
  http,
  parser,
  pool,
  lock,
  overload,
  durable,
  recovery,
  docker,
  postgres,
  idle,
  cache,
  watchers,
  baseline,
};
