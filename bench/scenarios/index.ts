// index.ts: every scenario by the name it has on the command line.

import type { ScenarioName } from '../help.js';
import { clients } from './clients.js';
import { compare } from './compare.js';
import { docker } from './docker.js';
import { folderScenario } from './folder.js';
import { probability } from './probability.js';
import { rate } from './rate.js';
import type { Scenario } from './scenario.js';
import { soak } from './soak.js';

export const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  clients,
  probability,
  rate,
  compare,
  http: folderScenario('http', { seconds: 40, quickSeconds: 8 }),
  parser: folderScenario('parser', { seconds: 25, quickSeconds: 6 }),
  pool: folderScenario('pool', { seconds: 25, quickSeconds: 6 }),
  lock: folderScenario('lock', { seconds: 20, quickSeconds: 5 }),
  journal: folderScenario('journal', { seconds: 15, quickSeconds: 4 }),
  docker,
  soak,
};
