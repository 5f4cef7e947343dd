// start-postgres-catalog.ts: the catalog over a database: any number of them may run, and one serves.

import { readFile } from 'node:fs/promises';
import { CatalogService } from '../../proto/gen/toystore/v1/catalog.js';
import { MetricsService } from '../../proto/gen/toystore/v1/metrics.js';
import type { Log } from '../log.js';
import type { HeldSeat } from '../postgres/index.js';
import type { RunningService } from '../running-service.js';
import { startSeated } from '../seated-service.js';
import type { Settings } from '../settings.js';
import { CatalogError } from './catalog-error.js';
import { type CatalogRows, parseCatalog } from './catalog-file.js';
import { Ownership } from './ownership.js';
import { PostgresCatalogStore } from './postgres-catalog-store.js';
import { startCatalogIn } from './start-catalog.js';

/** Starts a catalog that serves as soon as no other one does. @throws UsageError, the system's error for the address */
export function startPostgresCatalog(settings: Settings, log: Log): Promise<RunningService> {
  return startSeated({
    name: 'catalog',
    settings,
    log,
    port: settings.catalogPort,
    definitions: [CatalogService, MetricsService],
    start: (seat, database, port) => {
      const home = {
        place: database.description,
        ownership: ownershipOf(seat),
        openStore: (events: { readonly onState: () => void }) =>
          PostgresCatalogStore.open({ ...events, seat, seed: () => readSeed(settings.seedCsv) }),
        release: () => seat.leave(),
      };
      return startCatalogIn(home, { ...settings, catalogPort: port }, log);
    },
  });
}

function ownershipOf(seat: HeldSeat): SharedArrayBuffer {
  const memory = Ownership.create();
  const ownership = new Ownership(memory);
  seat.listen({ onRenewed: (servesUntilMs) => ownership.extend(servesUntilMs) });
  return memory;
}

async function readSeed(path: string): Promise<CatalogRows> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new CatalogError('BAD_FILE', `${path} cannot be read, and the database has no toys yet: set SEED_CSV`, {
      cause,
    });
  }
  return parseCatalog(bytes, path);
}
