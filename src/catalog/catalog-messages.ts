// catalog-messages.ts: what passes between the main thread of the catalog, which sells, and its threads, which serve gRPC,
// over the pool's ports.
//
//   thread ── call: the protobuf message as it came ──► main ── the protobuf answer, or a status ──► thread
//   thread ── watch ──► main ── watch ──► thread                one message of a Watch stream, either way
//                       main ── state ──► thread                what it may answer, and what its health service says
//
// A thread only carries bytes of what it does not answer itself: decoding a message there, cloning its objects across and
// reading them again would cost more than the one decoding that is needed.

import type { LogLevel } from '../log.js';
import type { TlsIdentity } from '../tls/tls-identity.js';
import type { TracingOptions } from '../tracing/index.js';

/** What the pool gives to each thread of the catalog. */
export interface CatalogThreadData {
  /** Memory of the StockTable. */
  readonly table: SharedArrayBuffer;
  /** Memory of the Ownership; undefined where nobody else can take over. */
  readonly ownership: SharedArrayBuffer | undefined;
  readonly logLevel: LogLevel;
  /** Undefined: nothing is recorded. */
  readonly tracing: TracingOptions | undefined;
  /** What to show of itself in TLS; undefined: no TLS. */
  readonly peers: TlsIdentity | undefined;
}

/** The calls that the main thread serves. What it refuses comes with the name of a gRPC status as its code. */
export type CatalogCalls = {
  processOrder: {
    request: {
      readonly bytes: Uint8Array;
      /** As the call's metadata says, and so is the other one. */
      readonly requestId: string;
      readonly traceparent: string | undefined;
    };
    reply: Uint8Array;
  };
  processOrders: { request: Uint8Array; reply: Uint8Array };
  recover: { request: Uint8Array; reply: readonly Uint8Array[] };
  /** All messages of the stream. */
  restore: { request: readonly Uint8Array[]; reply: Uint8Array };
  watch: { request: WatchMessage; reply: unknown };
  /** Toys, by their place in the table; answered when none of them is delegated. */
  recall: { request: readonly number[]; reply: unknown };
  recallAll: { request: undefined; reply: unknown };
};

/** What a thread serves. */
export type CatalogThreadCalls = {
  watch: { request: WatchMessage; reply: unknown };
  state: { request: StateMessage; reply: unknown };
};

/** One message of a Watch stream, either way; without bytes: the stream has ended. */
export interface WatchMessage {
  /** Number of the stream, given by the thread. */
  readonly watch: number;
  readonly bytes: Uint8Array | undefined;
}

/** What a thread has to know of the engine. */
export interface StateMessage {
  readonly isSelling: boolean;
  /** Whether finds may be answered: not while a front end may hold what a catalog before this one has shown. */
  readonly isShowing: boolean;
  /** Whether no other catalog can have taken over. */
  readonly isOwner: boolean;
}
