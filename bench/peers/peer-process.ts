// peer-process.ts: what every program of a peer does alike: reads its flags, says when it is ready, and stops on SIGTERM.
// Ctrl-C in a terminal does not reach it: whoever starts it gives it a process group of its own.

import { parseArgs } from 'node:util';

/** The value of `--name`, or `fallback` where it is not given. */
export function flag(name: string, fallback: string): string {
  const { values } = parseArgs({ options: { [name]: { type: 'string' } }, strict: false });
  const value = values[name];
  return typeof value === 'string' ? value : fallback;
}

/** The port to listen on; 0, the default: any free one. */
export function portFlag(): number {
  return Number(flag('port', '0'));
}

/**
 * Says on stdout that the process serves, and lets `stop` end it in order.
 *
 * @param address as `http://127.0.0.1:5000`, or host:port
 */
export function ready(name: string, address: string, stop: () => Promise<void> | void): void {
  const end = async (): Promise<void> => {
    await stop();
    process.exit(0);
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  process.stdout.write(`${name} ready on ${address}\n`);
}
