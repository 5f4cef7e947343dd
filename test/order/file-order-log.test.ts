// The order log in orders.csv passes the tests that every home of the orders passes.

import { copyFile, link } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { testOrderLog } from './order-log-contract.js';
import { makeDirectory, openLog, removeDirectories } from './shop.js';

test.after.always(removeDirectories);

testOrderLog(test, 'orders.csv', async () => {
  let directory = await makeDirectory();
  return {
    open: () => openLog(directory),
    // What a killed process leaves: the file with its second name. The log itself is closed, for the test's sake.
    async crash(log) {
      const left = await makeDirectory();
      await copyFile(join(directory, 'orders.csv'), join(left, 'orders.csv'));
      await link(join(left, 'orders.csv'), join(left, '.orders.csv'));
      await log.close();
      directory = left;
    },
    dispose: async () => undefined,
  };
});
