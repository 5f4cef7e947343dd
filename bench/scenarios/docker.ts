import type { Scenario } from './scenario.js';
export const docker: Scenario = { plannedSeconds: () => 1, run: async () => {} };
