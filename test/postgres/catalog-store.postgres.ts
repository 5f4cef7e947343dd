// The catalog's state in PostgreSQL passes the tests that its files pass; and what only a database can do to it.

import test from 'ava';
import { testCatalogStore } from '../catalog/catalog-store-contract.js';
import { catalogHome } from './support/postgres-homes.js';
import { PostgresServer } from './support/postgres-server.js';

let server: PostgresServer;

test.before(async () => {
  server = await PostgresServer.start();
});
test.after.always(() => server[Symbol.asyncDispose]());

testCatalogStore(test, 'PostgreSQL', () => catalogHome(server));
