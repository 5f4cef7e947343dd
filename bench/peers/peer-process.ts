// peer-process.ts: what every program that is measured does alike: reads its flags, listens, says when it is ready, and stops.
// Ctrl-C in a terminal does not reach it: whoever starts it gives it a process group of its own.

import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { parseArgs } from 'node:util';

/** The value of `--name`, empty where it is not given. */
export function flag(name: string): string {
  const { values } = parseArgs({ options: { [name]: { type: 'string' } }, strict: false });
  return String(values[name] ?? '');
}

/** Listens on a free port of the loopback, and returns it. */
export async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

/** Says on stdout that the process serves at a port of the loopback, and lets `stop` end it in order. */
export function ready(name: string, port: number, stop: () => unknown = () => {}): void {
  const end = async (): Promise<void> => {
    await stop();
    process.exit(0);
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  process.stdout.write(`${name} ready on 127.0.0.1:${port}\n`);
}
