// chaos-report.ts: what came out of a run of chaos, for people.

import type { ChaosProgress, ChaosResult } from './chaos-run.js';
import type { ChaosSettings } from './chaos-settings.js';
import { SERVICES } from './saboteur.js';

/** The rest is in violations.json. */
const VIOLATIONS_SHOWN_MAX = 20;

/** The command that repeats a run. */
export function replayCommand({ seconds, clients, durability, seed }: ChaosSettings): string {
  const flags = `--seconds ${seconds} --clients ${clients} --durability ${durability} --seed ${seed}`;
  return `npm run chaos -- ${flags}`;
}

/** One line on the state of a run. */
export function formatProgress({ notes, kills, stage }: ChaosProgress, elapsedMs: number): string {
  const { sold, refused, violations } = notes;
  const killed = SERVICES.reduce((sum, service) => sum + kills[service], 0);
  const wrong = violations.length === 0 ? '' : `, ${violations.length} VIOLATIONS`;
  return `${Math.floor(elapsedMs / 1000)} s  ${stage}: ${sold} sold, ${refused} refused, ${killed} kills${wrong}`;
}

/** The summary of a run. */
export function formatResult(result: ChaosResult, settings: ChaosSettings): string {
  const { violations, failures, kills, stops, tricks } = result;
  const done = Object.entries(tricks).map(([trick, times]) => `${trick} ${times}`);
  const ofEach = (counts: ChaosResult['kills']): string =>
    SERVICES.map((service) => `${service} ${counts[service]}`).join(', ');
  const lines = [
    violations.length === 0 ? 'The books are right.' : `The books are wrong in ${violations.length} places.`,
    `  orders          ${result.sold} sold, ${result.refused} refused, ${result.open} sent once and never answered`,
    `  asked again     ${result.repeats} orders of before; ${result.queries} queries`,
    `  not answered    ${failures.unavailable} with 503, ${failures.tooLate} with 504, ` +
      `${failures.lost} connections lost, ${failures.unreachable} not connected`,
    `  killed          ${ofEach(kills)}`,
    `  paused          ${ofEach(stops)}, each for a while`,
    `  tricks          ${done.sort().join(', ') || 'none'}`,
    `  longest outage  ${(result.longestOutageMs / 1000).toFixed(1)} s without an answered order`,
    `  again           ${replayCommand(settings)}`,
  ];
  if (violations.length === 0) return `${lines.join('\n')}\n`;
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN_MAX)) lines.push(`  wrong: ${violation}`);
  lines.push(`Files, store.log, history.jsonl and violations.json are in ${result.dataDir}`);
  return `${lines.join('\n')}\n`;
}
