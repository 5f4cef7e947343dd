// index.ts: every scenario by the name it has on the command line.

import type { ScenarioName } from '../help.js';
import { baseline } from './baseline.js';
import { cache } from './cache.js';
import { compare } from './compare.js';
import { durable } from './durable.js';
import { folderScenario } from './folder.js';
import { idle } from './idle.js';
import { rate } from './rate.js';
import type { Scenario } from './scenario.js';
import { clients, docker, probability } from './sessions.js';

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  clients,
  probability,
  rate,
  compare,
  http: folderScenario('http', { seconds: 20, quickSeconds: 4 }),
  parser: folderScenario('parser', { seconds: 12, quickSeconds: 3 }),
  pool: folderScenario('pool', { seconds: 16, quickSeconds: 4 }),
  lock: folderScenario('lock', { seconds: 12, quickSeconds: 3 }),
  overload: folderScenario('overload', { seconds: 12, quickSeconds: 4 }),
  durable,
  recovery: folderScenario('recovery', { seconds: 90, quickSeconds: 45 }),
  docker,
  idle,
  cache,
  baseline,
};
