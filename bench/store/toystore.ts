// toystore.ts: the store itself as a target: all three services as `npm start` runs them, on free ports, with a data
// directory of its own on the real disk and more stock than any run can sell.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { DATA_FOLDER, STORE_CLI } from '../run/paths.js';
import { startServer, type Target } from './server-process.js';

/** The six toys of the repository's toys.csv. */
export const TOYS = ['Tux', 'Whale', 'Elephant', 'Dolphin', 'Fox', 'Python'] as const;
const STOCK = 4_294_967_295;
/** A toys.csv with the most stock that a toy may have. */
export const STOCKED_CSV = `name,price,quantity\n${TOYS.map((toy) => `${toy},15.99,${STOCK}\n`).join('')}`;

/** How the store is to run; settings left out keep their defaults. */
export interface ToystoreOptions {
  readonly settings?: Readonly<Record<string, string>>;
}

/** @throws Error when the store has not been built or does not come up */
export async function startToystore({ settings = {} }: ToystoreOptions = {}): Promise<Target> {
  if (!existsSync(STORE_CLI)) throw new Error('the store is not built: run `npm ci` first');
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-'));
  const seed = path.join(folder, 'toys.csv');
  await writeFile(seed, STOCKED_CSV);
  const [frontend, catalog, order] = await findFreePorts(3);
  return startServer({
    name: 'toystore',
    args: [STORE_CLI, 'start'],
    env: {
      HOST: '127.0.0.1',
      FRONTEND_PORT: String(frontend),
      CATALOG_PORT: String(catalog),
      ORDER_PORT: String(order),
      DATA_DIR: path.join(folder, 'data'),
      SEED_CSV: seed,
      ...settings,
    },
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}

/** Ports that were free a moment ago. All are held until all are known, so that no two are the same. */
export async function findFreePorts(count: number): Promise<number[]> {
  const holders = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve, reject) => {
          const server = net.createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = holders.map((holder) => (holder.address() as net.AddressInfo).port);
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return ports;
}
