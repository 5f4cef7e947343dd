// file-tricks.ts: what people, editors and logrotate do to files of a store that runs. Each trick leaves whatever it takes
// away beside the file, so that a person could look at it; none of them writes anything that was not there.

import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeededRandom } from '../support/simulated-random.js';
import type { ServiceName } from './saboteur.js';

/** The files that a service relies on while it runs, and people find. */
const FILES: Readonly<Record<'catalog' | 'order', readonly string[]>> = {
  catalog: ['catalog.csv', 'journal'],
  order: ['orders.csv'],
};

export const FILE_OWNERS = ['catalog', 'order'] as const satisfies readonly ServiceName[];

const TRICKS = {
  /** rm */
  removed: (path: string) => rm(path),
  /** mv, as logrotate does it */
  renamed: (path: string) => rename(path, `${path}.moved`),
  /** A copy in its place, as `sed -i` and most editors leave it. */
  swapped: async (path: string) => {
    await copyFile(path, `${path}.copy`);
    await rename(`${path}.copy`, path);
  },
} as const;

/** Plays a trick on one of the owner's files. @returns which, in words; undefined if the file was not there */
export async function playTrick(
  dataDir: string,
  owner: 'catalog' | 'order',
  random: SeededRandom,
): Promise<string | undefined> {
  const file = random.pick(FILES[owner]);
  const trick = random.pick(Object.keys(TRICKS) as (keyof typeof TRICKS)[]);
  try {
    await TRICKS[trick](join(dataDir, owner, file));
    return `${owner}/${file} ${trick}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
