// catalog-messages.ts: what passes between the main thread of the catalog and its other threads, over the pool's ports.
//
//   thread ── BELL ──► main: there is something in the ring          main ── BELL ──► thread: look what has been decided
//   thread ── call recover ──► main                                  main ── { selling } ──► thread: for the health service
//
// A bell carries nothing: the truth is in shared memory, so main rings for itself when a thread has ended.
// Measured against Atomics.waitAsync on Node 20, 24 and 26: the same 60 µs there and back, less processor time, and no
// promise left behind in a thread that is ended.

import type { LogLevel } from '../log.js';
import type { CatalogMemoryParts } from './catalog-memory.js';
import type { Tag } from './unsettled-sales.js';

/** What the pool gives to each thread of the catalog. */
export interface CatalogThreadData {
  readonly memory: CatalogMemoryParts;
  readonly logLevel: LogLevel;
}

export const BELL = 1;

/** Whether toys are sold has changed, or the thread is new. */
export interface SellingMessage {
  readonly selling: boolean;
}

/** A sale as it is cloned between threads: a Buffer arrives as a Uint8Array. */
export interface SaleMessage {
  readonly incarnation: number;
  readonly sequence: number;
  readonly name: Uint8Array;
  readonly quantity: number;
  readonly key: string;
  readonly transientKey: boolean;
}

/** The calls that the main thread serves. */
export type CatalogCalls = {
  recover: { request: Tag; reply: { readonly incarnation: number; readonly sales: readonly SaleMessage[] } };
};

export function isSellingMessage(message: unknown): message is SellingMessage {
  return typeof message === 'object' && message !== null && 'selling' in message;
}

/** The seller of a thread of the pool; 0 is the main thread's own. */
export function sellerOf(threadIndex: number): number {
  return threadIndex + 1;
}
