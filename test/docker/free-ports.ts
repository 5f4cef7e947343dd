// free-ports.ts: ports to publish. They lie below the range from which systems take the ports of outgoing connections
// (32768 and up on Linux): one of those, held by anybody's connection for a moment, would make the engine's bind fail.

import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST_PORT = 20_000;
const PORT_COUNT = 10_000;
const TRIES_MAX = 100;

/** The first of `count` neighbouring ports on which nobody listened a moment ago. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const first = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isFree))).every((free) => free)) return first;
  }
  throw new Error(`no ${count} free ports from ${FIRST_PORT} on`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '0.0.0.0');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
