// baseline.ts: this checkout beside another one, `--baseline`: did a change make the store faster or slower?

import type { BenchOptions } from '../run/bench-options.js';
import { startToystore } from '../store/toystore.js';
import { contest, INSTANCES } from './contest.js';
import type { RatioBar } from './ratios.js';

const STORE = 'toystore';
const BASELINE = 'baseline';
const ROUNDS = 11;
const ROUND_MS = 1000;

/** What the redesign of catalog and order service was asked for, beside the commit before it. */
const BARS: readonly RatioBar[] = [
  { operation: 'order', clients: 64, quantity: 'throughput', bar: { atLeast: 1.15 } },
  { operation: 'query', clients: 64, quantity: 'throughput', bar: { atLeast: 0.97 } },
  { operation: 'order', clients: 1, quantity: 'p50', bar: { atMost: 0.85 } },
  { operation: 'request', clients: 5, p: 0.4, quantity: 'throughput', bar: { atLeast: 1.2 } },
];

export const baseline = contest(({ options: { settings, baseline: root } }) => ({
  contestants: [
    { name: STORE, start: () => startToystore({ settings }), instances: INSTANCES },
    {
      name: BASELINE,
      start: () => startToystore({ settings: withoutTraces(settings), label: BASELINE, root }),
      instances: INSTANCES,
    },
  ],
  loads: [
    { work: 'query', clients: 64 },
    { work: 'order', clients: 64 },
    { work: 'order', clients: 1 },
    { work: { p: 0.4 }, clients: 5 },
  ],
  beside: { [BASELINE]: BARS },
  rounds: ROUNDS,
  roundMs: ROUND_MS,
}));

/** With `--baseline .` what traces cost is the difference. */
function withoutTraces(settings: BenchOptions['settings']): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !name.startsWith('OTEL_')));
}
