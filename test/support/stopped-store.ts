// stopped-store.ts: how a store stops, and what its books say at the next start.

import { buyOnceSelling, stockOf } from './store-client.js';
import { ANY_STORE, StoreProcess } from './store-process.js';

export async function stopTimed(store: StoreProcess): Promise<{ code: number | null; seconds: number }> {
  const startMs = performance.now();
  const { code } = await store.stop('SIGTERM');
  return { code, seconds: (performance.now() - startMs) / 1_000 };
}

/** An order for which the catalog answers, after a start over the same directory: the books are whole. */
export async function booksOf(dataDir: string): Promise<{ stock: number; nextOrder: string }> {
  await using store = await StoreProcess.start(ANY_STORE, { dataDir });
  const answer = await buyOnceSelling(store.port, 'Whale', 1);
  return { stock: await stockOf(store.port, 'Tux'), nextOrder: answer.body };
}
