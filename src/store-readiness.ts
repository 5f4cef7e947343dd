// store-readiness.ts: asks a front end whether the whole store can do its work.

import { setTimeout as pause } from 'node:timers/promises';
import { type Address, parseHttpUrl } from './address.js';
import { ClientConnection } from './http/index.js';

/** Finding and selling is possible a moment after all three listen; a store that cannot sell says why in `/readyz`. */
const READY_TIMEOUT_MS = 5_000;
const ASK_EVERY_MS = 20;

/** Whether `/readyz` says yes within a few seconds. */
export async function waitUntilReady(url: string): Promise<boolean> {
  const address = parseHttpUrl(url);
  if (address === undefined) return false;
  const giveUpAt = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    if (await isReady(address)) return true;
    await pause(ASK_EVERY_MS);
  }
  return false;
}

async function isReady({ host, port }: Address): Promise<boolean> {
  const connection = new ClientConnection({ host, port, timeoutMs: READY_TIMEOUT_MS });
  try {
    return (await connection.request('GET', '/readyz')).status === 200;
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
