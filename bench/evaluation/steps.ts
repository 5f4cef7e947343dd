// steps.ts: the runs that docs/evaluation.md is made of, in its order, and the plots that it shows. No package is needed
// to read it, so that the launcher can refuse a step that there is not.

import { UsageError } from '../../src/flags.js';

/** One `npm run bench -- …`. */
export interface Step {
  /** Of its folder, and of it on the command line. */
  readonly name: string;
  readonly argv: readonly string[];
  /** The major version of Node.js to run it on, where that is not the present one's affair. */
  readonly nodeMajor?: number;
  /** Of its `charts/`, those that go to docs/evaluation. */
  readonly plots?: readonly string[];
}

const FEW = ['clients', '--clients', '1,5,64'] as const;
const ONE_TO_FIVE = ['clients', '--clients', '1,2,3,4,5'] as const;

export const STEPS: readonly Step[] = [
  {
    name: 'clients',
    argv: ['clients'],
    plots: ['latency-by-clients', 'throughput-by-clients', 'latency-by-percentile', 'latency-histogram'],
  },
  { name: 'commit', argv: FEW },
  { name: 'periodic', argv: [...FEW, '--set', 'DURABILITY=periodic'] },
  { name: 'probability', argv: ['probability'], plots: ['latency-by-probability'] },
  { name: 'own-thread', argv: [...ONE_TO_FIVE, '--threads', '5', '--set', 'SESSIONS_PER_THREAD=1'] },
  { name: 'five-shared', argv: [...ONE_TO_FIVE, '--threads', '5', '--set', 'PACKED_SESSIONS=1'] },
  { name: 'two-shared', argv: [...ONE_TO_FIVE, '--threads', '2', '--set', 'PACKED_SESSIONS=1'] },
  { name: 'packed', argv: [...ONE_TO_FIVE, '--threads', '2'] },
  // The images bring their own Node.js: beside them the bare store must run on the same.
  { name: 'docker', argv: ['docker'], nodeMajor: 24, plots: ['docker-query', 'docker-order'] },
  {
    name: 'speed',
    argv: ['compare', 'rate', 'durable'],
    plots: [
      'compare-query',
      'compare-order',
      'throughput-by-connections',
      'latency-by-rate-query',
      'latency-by-rate-order',
      'durable-order',
    ],
  },
  { name: 'cache', argv: ['cache'], plots: ['cache-query', 'cache-order'] },
  { name: 'postgres', argv: ['postgres'] },
  { name: 'recovery', argv: ['recovery'] },
];

/** @param words names of steps, all if there are none, and perhaps `--quick`. @throws UsageError */
export function chosenSteps(words: readonly string[]): { steps: readonly Step[]; isQuick: boolean } {
  const names = words.filter((word) => word !== '--quick');
  const unknown = names.find((name) => !STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    const known = STEPS.map((step) => step.name).join(', ');
    throw new UsageError(`unknown step ${JSON.stringify(unknown)}: it must be one of ${known}`);
  }
  const steps = names.length === 0 ? STEPS : STEPS.filter((step) => names.includes(step.name));
  return { steps, isQuick: words.includes('--quick') };
}
