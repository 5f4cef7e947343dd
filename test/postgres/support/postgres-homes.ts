// postgres-homes.ts: the homes of both services' state in a real PostgreSQL, for the tests that files pass too.

import { fileURLToPath } from 'node:url';
import { parseCatalog } from '../../../src/catalog/catalog-file.js';
import { PostgresCatalogStore } from '../../../src/catalog/postgres-catalog-store.js';
import { systemClock } from '../../../src/clock.js';
import { PostgresOrderLog } from '../../../src/order/postgres-order-log.js';
import { Database, type HeldSeat, Reader, takeSeat } from '../../../src/postgres/index.js';
import { type CatalogHome, HOME_CSV } from '../../catalog/catalog-store-contract.js';
import type { OrderLogHome } from '../../order/order-log-contract.js';
import type { PostgresServer } from './postgres-server.js';

const MIGRATIONS = fileURLToPath(new URL('../../../../sql/', import.meta.url));

export function storeDatabase(url: string): Promise<Database> {
  return Database.create({ url, schema: 'toystore', applicationName: 'test', migrations: MIGRATIONS });
}

/** Takes a seat at once: a test that ends a holder without a word need not wait for its lease. */
export async function takeStoreSeat(server: PostgresServer, url: string, name: 'catalog' | 'order'): Promise<HeldSeat> {
  const database = await storeDatabase(url);
  await (await database.connect()).close();
  await server.query(`UPDATE toystore.seats SET holder = NULL WHERE service = '${name}'`, url);
  const seat = await takeSeat({
    database,
    clock: systemClock,
    name,
    closing: new AbortController().signal,
    onWaiting: () => undefined,
  });
  return seat!;
}

export async function catalogHome(server: PostgresServer): Promise<CatalogHome> {
  const url = await server.createDatabase();
  let seat: HeldSeat | undefined;
  return {
    async open() {
      seat = await takeStoreSeat(server, url, 'catalog');
      return PostgresCatalogStore.open({
        seat,
        seed: async () => parseCatalog(Buffer.from(HOME_CSV), 'toys.csv'),
        onState: () => undefined,
      });
    },
    crash: async () => seat?.leave(),
    dispose: async () => seat?.leave(),
  };
}

/** @param keysRead as PostgresOrderLogOptions has it */
export async function orderHome(
  server: PostgresServer,
  keysRead?: number,
): Promise<OrderLogHome & { readonly url: string }> {
  const url = await server.createDatabase();
  let seat: HeldSeat | undefined;
  let reader: Reader | undefined;
  const end = async (): Promise<void> => {
    await Promise.all([seat?.leave(), reader?.close()]);
  };
  return {
    url,
    async open() {
      seat = await takeStoreSeat(server, url, 'order');
      reader = new Reader(await storeDatabase(url), systemClock);
      return PostgresOrderLog.open({
        seat,
        reader,
        clock: systemClock,
        keySeed: 1,
        ...(keysRead === undefined ? {} : { keysRead }),
      });
    },
    crash: end,
    dispose: end,
  };
}
