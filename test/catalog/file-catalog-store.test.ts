// FileCatalogStore: what every home of the catalog's state must do, in a real directory.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FileCatalogStore } from '../../src/catalog/file-catalog-store.js';
import { HOME_CSV, testCatalogStore } from './catalog-store-contract.js';

testCatalogStore(test, 'files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'catalog-store-'));
  const seedPath = join(directory, 'seed.csv');
  await writeFile(seedPath, HOME_CSV);
  return {
    open: () => FileCatalogStore.open({ directory, seedPath, syncMode: 'commit' }, { onState: () => undefined }),
    async crash(store) {
      // What it has open stays open: a killed process is as silent.
      store.abandon();
    },
    dispose: () => rm(directory, { recursive: true }),
  };
});
