// store-readiness.ts: asks a front end whether the whole store can do its work.

import { setTimeout as pause } from 'node:timers/promises';
import { parseHttpUrl } from './address.js';
import { askStatus } from './http-probe.js';

/** Finding and selling is possible a moment after all three listen; a store that cannot sell says why in `/readyz`. */
const READY_TIMEOUT_MS = 5_000;
const ASK_EVERY_MS = 20;
const OK = 200;

/** Whether `/readyz` says yes within a few seconds. */
export async function waitUntilReady(url: string): Promise<boolean> {
  const address = parseHttpUrl(url);
  if (address === undefined) return false;
  const giveUpAt = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < giveUpAt) {
    const status = await askStatus(address, '/readyz', READY_TIMEOUT_MS).catch(() => undefined);
    if (status === OK) return true;
    await pause(ASK_EVERY_MS);
  }
  return false;
}
