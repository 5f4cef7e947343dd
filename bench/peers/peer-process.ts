// peer-process.ts: what every process of a peer does alike: reads `--port N`, says when it is ready, and stops on SIGTERM
// or SIGINT, or when the process that started it is gone. Ctrl-C in a terminal reaches every process of its group: one
// that has a parent to tell it when to stop leaves Ctrl-C to the parent, which may still be measuring it.

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
 * Says that the process serves, on stdout and to the process that started it, and lets `stop` end it in order.
 *
 * @param address as `http://127.0.0.1:5000`, or host:port
 */
export function ready(name: string, address: string, stop: () => Promise<void> | void): void {
  let isStopping = false;
  const stopOnce = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await stop();
    process.exit(0);
  };
  process.on('SIGTERM', stopOnce);
  process.on('SIGINT', process.send === undefined ? stopOnce : () => {});
  process.on('disconnect', stopOnce);
  process.stdout.write(`${name} ready on ${address}\n`);
  process.send?.({ address });
}
