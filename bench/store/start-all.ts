// start-all.ts: several servers at once: most of starting is waiting. All of them come up, or none stays.

import type { Target } from './server-process.js';

/** @throws what the first that did not come up throws, when the others have been stopped */
export async function startAll(starting: readonly Promise<Target>[]): Promise<Target[]> {
  const started = await Promise.allSettled(starting);
  const targets = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return targets;
  await Promise.all(targets.map((target) => target.stop()));
  throw failed.reason;
}
