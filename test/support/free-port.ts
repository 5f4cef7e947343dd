// free-port.ts: a port for a service that others must know before it runs.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give out by themselves (Linux from 32768, others from 49152). One of those may be taken by
 * any connection before the service is there; also by one that is made to it: a peer that tries again and again to reach a
 * port of its own range is connected to itself in the end.
 */
const PORTS = [10_000, 32_768] as const;
const IN_USE = 'EADDRINUSE';

/** A port on loopback that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(...PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === IN_USE) continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
