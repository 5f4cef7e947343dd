// peer-store.ts: a whole peer: catalog, order and front end, each a process of its own, as the store has them.
//
//   node peer-store.js [--port N]       --►  "fastify ready on http://127.0.0.1:N"
//                      --fsync FOLDER    catalog and order sync a file in it for each order; its name: "fastify-fsync"
//
// Services listen on free ports. On SIGTERM they are stopped from the front to the back; should one die, all stop.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { flag, ready } from './peer-process.js';

const fsyncFolder = flag('fsync', '');
const name = fsyncFolder === '' ? 'fastify' : 'fastify-fsync';
const processes: ChildProcess[] = [];

/** Starts a process of the peer; its address, once it is ready. */
async function start(file: string, flags: readonly string[]): Promise<string> {
  // Their ready lines would be taken for this one's.
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), flags, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  processes.unshift(child);
  child.once('exit', fail);
  const [{ address }] = (await once(child, 'message')) as [{ address: string }];
  return address;
}

function fail(): void {
  process.stderr.write(`a process of the peer ${name} has ended\n`);
  process.exit(1);
}

const fsyncTo = (file: string): string[] => (fsyncFolder === '' ? [] : ['--fsync', path.join(fsyncFolder, file)]);

const catalog = await start('./catalog-process.js', fsyncTo('sales.csv'));
const order = await start('./order-process.js', ['--catalog', catalog, ...fsyncTo('orders.csv')]);
const address = await start('./fastify-frontend.js', [
  ...['--port', flag('port', '0')],
  ...['--catalog', catalog, '--order', order],
]);

ready(name, address, async () => {
  for (const child of processes) child.off('exit', fail);
  for (const child of processes) {
    // Ctrl-C reaches all of them at once, so this one may have ended already.
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});
