// held-readings.ts: how the toys that front ends hold show in `/metrics`.

import { counter, gauge, type Reading } from '../metrics/index.js';
import type { WatchStats } from './catalog-watch.js';
import type { HeldToys } from './held-toys.js';

/** What one thread holds, and how often that was of use. */
export function heldReadings(held: HeldToys): Reading[] {
  return [
    counter('toystore_held_hits_total', 'Finds answered from what the front end holds.', () => held.stats.hits),
    counter('toystore_held_misses_total', 'Finds for which the catalog was asked.', () => held.stats.misses),
    gauge('toystore_held_toys', 'Toys held, in each thread; some may be over.', () => held.stats.toys),
  ];
}

const NOTHING_YET: WatchStats = { invalidations: 0, leasesRunOut: 0, registrations: 0 };

/** What the catalog has told the front end; undefined before it is asked. */
export function watchReadings(stats: () => WatchStats | undefined): Reading[] {
  const total = (name: string, help: string, read: (stats: WatchStats) => number): Reading =>
    counter(`toystore_held_${name}`, help, () => read(stats() ?? NOTHING_YET));
  return [
    total('invalidations_total', 'Toys that the catalog has taken back.', ({ invalidations }) => invalidations),
    total('leases_run_out_total', 'Leases that were over before they were renewed.', (all) => all.leasesRunOut),
    total('registrations_total', 'Times that the catalog made the front end a holder.', (all) => all.registrations),
  ];
}
