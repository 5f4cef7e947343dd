// catalog-messages.ts: what passes between the main thread of the catalog, which sells, and its threads, which serve gRPC,
// over the pool's ports.
//
//   thread ── call ask { kind, bytes } ──► main              the protobuf message as it came, not decoded
//          ◄── the protobuf answers, or a status ──
//   thread ◄── watch messages of one stream ──► main
//   thread ◄── { state } ── main                             what the thread may answer and what its health service says
//
// A thread only carries bytes of what it does not answer itself: decoding a message there, cloning its objects across and
// reading them again would cost more than the one decoding that is needed.

import type { LogLevel } from '../log.js';
import type { RpcCode } from '../rpc/index.js';

/** What the pool gives to each thread of the catalog. */
export interface CatalogThreadData {
  /** Memory of the StockTable. */
  readonly table: SharedArrayBuffer;
  readonly logLevel: LogLevel;
}

export interface DeskRequest {
  /** Which call the bytes belong to; of a stream, one message (ProcessOrders) or all of them (Restore). */
  readonly kind: 'processOrder' | 'processOrders' | 'recover' | 'restore';
  readonly messages: readonly Uint8Array[];
  /** What the call's metadata says; of ProcessOrder alone. */
  readonly requestId: string;
}

export type DeskReply =
  | { readonly messages: readonly Uint8Array[] }
  | { readonly code: RpcCode; readonly message: string };

/** The calls that the main thread serves. */
export type CatalogCalls = {
  ask: { request: DeskRequest; reply: DeskReply };
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
}

export function isWatchMessage(message: unknown): message is WatchMessage {
  return typeof message === 'object' && message !== null && 'watch' in message;
}

export function isStateMessage(message: unknown): message is StateMessage {
  return typeof message === 'object' && message !== null && 'isShowing' in message;
}

/** The bytes in a buffer of just their size: cloning a part of a larger buffer would clone all of it. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
