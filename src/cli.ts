#!/usr/bin/env node
// cli.ts: picks the program. Each is loaded only when it is asked for: the load client needs no gRPC.

import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { EXIT_OK, EXIT_USAGE } from './process-end.js';
import { reportFatal, runService } from './run-service.js';
import type { StartService } from './running-service.js';

const HELP = `Usage: node dist/src/cli.js <command> [flags]

  start      the whole store on this machine (npm start)
  catalog    the catalog service            (npm run catalog)
  order      the order service              (npm run order)
  frontend   the front end                  (npm run frontend)
  client     the load client                (npm run client)
  import     a store from its files into a database     (npm run import)
  export     and back                                   (npm run export)
  health     asks a running service whether it is well, for containers

Each command has --help.
`;

/** In files, or over a database: what is not used is not loaded. */
const startCatalog: StartService = async (settings, log) =>
  settings.databaseUrl === undefined
    ? (await import('./catalog/start-catalog.js')).startCatalog(settings, log)
    : (await import('./catalog/start-postgres-catalog.js')).startPostgresCatalog(settings, log);

const startOrder: StartService = async (settings, log) =>
  settings.databaseUrl === undefined
    ? (await import('./order/start-order.js')).startOrder(settings, log)
    : (await import('./order/start-postgres-order.js')).startPostgresOrder(settings, log);

async function run(command: string | undefined, argv: readonly string[]): Promise<number> {
  switch (command) {
    case 'start':
      return (await import('./supervisor.js')).runStore(fileURLToPath(import.meta.url), argv);
    case 'catalog':
      return runService('catalog', startCatalog, argv);
    case 'order':
      return runService('order', startOrder, argv);
    case 'frontend':
      return runService('frontend', (await import('./frontend/start-frontend.js')).startFrontend, argv);
    case 'client':
      return (await import('./client/run-client.js')).runClient(argv);
    case 'import':
    case 'export':
      return (await import('./run-transfer.js')).runTransfer(command, argv);
    case 'health':
      return (await import('./run-health.js')).runHealth(argv);
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(HELP);
      return EXIT_OK;
    default:
      process.stderr.write(
        `unknown command ${JSON.stringify(command)}: it must be start, catalog, order, frontend, client, import, export or health\n`,
      );
      return EXIT_USAGE;
  }
}

/** Lets V8 keep what it has compiled, where Node.js can (22.8): for this process, its threads, and what it starts. */
function keepCompiledCode(): void {
  const { enableCompileCache } = module as { enableCompileCache?: () => { directory?: string } };
  const { directory } = enableCompileCache?.() ?? {};
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
}

keepCompiledCode();
const [command, ...argv] = process.argv.slice(2);
// Whoever reads the ready line may close the pipe then: that must not end a store that prints another one later.
process.stdout.on('error', () => {});
// Not process.exit at once: what was printed must reach a pipe first; a service that is stopped holds nothing open.
process.exitCode = await run(command, argv).catch(reportFatal);
setImmediate(() => process.exit());
