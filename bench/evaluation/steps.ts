// steps.ts: the runs that docs/evaluation.md is made of, in its order, and the plots that it shows.

/** One `npm run bench -- …`, with settings of the store in front. */
export interface Step {
  /** Of its folder, and of it on the command line. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
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
  { name: 'periodic', argv: FEW, env: { DURABILITY: 'periodic' } },
  { name: 'probability', argv: ['probability'], plots: ['latency-by-probability'] },
  { name: 'own-thread', argv: ONE_TO_FIVE, env: { THREADS: '5', SESSIONS_PER_THREAD: '1' } },
  { name: 'five-shared', argv: ONE_TO_FIVE, env: { THREADS: '5' } },
  { name: 'two-shared', argv: ONE_TO_FIVE, env: { THREADS: '2' } },
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
  { name: 'recovery', argv: ['recovery'] },
];
