// held-readings.ts: how the toys that front ends hold show in `/metrics`.

import type { Reading } from '../metrics/index.js';
import type { WatchStats } from './catalog-watch.js';
import type { HeldToys } from './held-toys.js';

/** What one thread holds, and how often that was of use. */
export function heldReadings(held: HeldToys): Reading[] {
  return [
    {
      ...{ name: 'toystore_held_hits_total', help: 'Finds answered from what the front end holds.', type: 'counter' },
      read: () => held.stats.hits,
    },
    {
      ...{ name: 'toystore_held_misses_total', help: 'Finds for which the catalog was asked.', type: 'counter' },
      read: () => held.stats.misses,
    },
    {
      ...{ name: 'toystore_held_toys', help: 'Toys held, in each thread; some may be over.', type: 'gauge' },
      read: () => held.stats.toys,
    },
  ];
}

const NOTHING_YET: WatchStats = { invalidations: 0, leasesRunOut: 0, registrations: 0 };

/** What the catalog has told the front end; undefined before it is asked. */
export function watchReadings(stats: () => WatchStats | undefined): Reading[] {
  const counter = (name: string, help: string, read: (stats: WatchStats) => number): Reading => ({
    ...{ name: `toystore_held_${name}`, help, type: 'counter' },
    read: () => read(stats() ?? NOTHING_YET),
  });
  return [
    counter('invalidations_total', 'Toys that the catalog has taken back.', ({ invalidations }) => invalidations),
    counter('leases_run_out_total', 'Leases that were over before they were renewed.', (all) => all.leasesRunOut),
    counter('registrations_total', 'Times that the catalog made the front end a holder.', (all) => all.registrations),
  ];
}
