// toystore.ts: the store itself as a target: all three services as `npm start` runs them, on free ports, with a data
// directory of its own on the real disk and more stock than any run can sell.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BenchOptions } from '../run/bench-options.js';
import { DATA_FOLDER, ROOT } from '../run/paths.js';
import { startServer, type Target } from './server-process.js';
import { toysCsv } from './toys.js';

/** How the store is to run; settings left out keep their defaults. */
export interface ToystoreOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** What it is called in tables. */
  readonly label?: string | undefined;
  /** The built checkout that it runs from; this one if left out. */
  readonly root?: string | undefined;
  /** Through npm, as users start it: to see how long that takes. */
  readonly byNpm?: boolean;
}

/** The store's command line in a checkout. @throws Error when it has not been built */
export function storeCli(root: string = ROOT): string {
  const cli = path.join(root, 'dist', 'src', 'cli.js');
  if (!existsSync(cli)) throw new Error(`the store in ${root} is not built: run \`npm ci\` there first`);
  return cli;
}

/** Any free ports, an empty data directory and a stock of toys. */
export async function makeStorePlace(): Promise<{ settings: Record<string, string>; remove(): Promise<void> }> {
  const { folder, remove } = await makeDataFolder();
  const seed = path.join(folder, 'toys.csv');
  await writeFile(seed, toysCsv());
  const settings = {
    HOST: '127.0.0.1',
    FRONTEND_PORT: '0',
    CATALOG_PORT: '0',
    ORDER_PORT: '0',
    DATA_DIR: path.join(folder, 'data'),
    SEED_CSV: seed,
  };
  return { settings, remove };
}

/** An empty folder on the disk that a store would use, and its end. */
export async function makeDataFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  await mkdir(DATA_FOLDER, { recursive: true });
  const folder = await mkdtemp(path.join(DATA_FOLDER, 'bench-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** @throws Error when the store has not been built or does not come up */
export async function startToystore({ settings, label, root = ROOT, byNpm }: ToystoreOptions = {}): Promise<Target> {
  const cli = storeCli(root);
  const place = await makeStorePlace();
  return startServer({
    name: 'toystore',
    label,
    program: byNpm ? 'npm' : undefined,
    args: byNpm ? ['start'] : [cli, 'start'],
    cwd: root,
    env: { ...place.settings, ...settings },
    cleanUp: place.remove,
  });
}

/** The store to measure: the one at `--url`, which is left running and sells what is asked for, or one started for it. */
export async function storeTarget({ url, settings }: BenchOptions): Promise<Target> {
  if (url !== undefined) return { name: 'toystore', ...url, pid: undefined, stop: async () => {} };
  return startToystore({ settings });
}
