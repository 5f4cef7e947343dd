// chaos-settings.ts: the flags of `npm run chaos`.

import { parseFlags, UsageError } from '../../src/flags.js';
import { DURABILITIES, type Durability } from '../../src/settings.js';

export interface ChaosSettings {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: number;
  readonly durability: Durability;
  readonly json: boolean;
}

const SECONDS_MAX = 86_400;
const CLIENTS_MAX = 1_000;
const SEED_MAX = 0xffff_ffff;
const TEXT = { type: 'string' } as const;
const OPTIONS = { seconds: TEXT, clients: TEXT, seed: TEXT, durability: TEXT, json: { type: 'boolean' } } as const;
const DEFAULTS = { seconds: 60, clients: 16, durability: 'commit' } as const;

export const CHAOS_HELP = `Usage: npm run chaos -- [flags]
       npm run chaos -- --postgres [flags]    over PostgreSQL: see its --help
       npm run chaos -- --cluster [flags]     over a cluster under Patroni

Starts the store in a temporary directory, lets buyers order from it while its services are killed and stopped at
random, and then checks every line of the books: from the files, from queries, and from what the buyers were told.
Ctrl-C ends it early, with all checks.

Flags (default):
  --seconds N        how long services are killed (${DEFAULTS.seconds}); the checks come on top
  --clients N        buyers at the same time (${DEFAULTS.clients})
  --durability WORD  ${DURABILITIES.join(' or ')} (${DEFAULTS.durability})
  --seed N           the wishes and blows of an earlier run; when they meet is up to the machine (drawn, and printed)
  --json             print one JSON object

Exit code: 0 the books are right, 1 they are not, and where to look is printed, 2 wrong usage.
`;

/** @throws UsageError for an unknown flag, a stray argument or a value that does not fit */
export function parseChaosSettings(argv: readonly string[]): ChaosSettings {
  const flags = parseFlags(argv, OPTIONS, process.env);
  const number = (name: 'seconds' | 'clients' | 'seed', min: number, max: number, fallback: number): number => {
    const text = flags[name];
    if (text === undefined) return fallback;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} is ${JSON.stringify(text)}: it must be a whole number from ${min} to ${max}`);
  };
  const { durability = DEFAULTS.durability, json = false } = flags;
  const known = DURABILITIES.find((one) => one === durability);
  if (known === undefined) {
    throw new UsageError(`--durability is ${JSON.stringify(durability)}: it must be ${DURABILITIES.join(' or ')}`);
  }
  return {
    seconds: number('seconds', 1, SECONDS_MAX, DEFAULTS.seconds),
    clients: number('clients', 1, CLIENTS_MAX, DEFAULTS.clients),
    seed: number('seed', 0, SEED_MAX, Math.floor(Math.random() * SEED_MAX)),
    durability: known,
    json,
  };
}
