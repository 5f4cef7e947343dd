// thread-messages.ts: what gRPC threads and the engine's thread say to each other over the service port.
//
//   gRPC thread ── { id, kind, bytes } ──► engine's thread      the protobuf message as it came, not decoded
//               ◄── { id, bytes } ─────                         the protobuf answer, ready to be sent
//
// A thread only carries bytes: decoding a message there, cloning its objects across and reading them again would cost
// more than the one decoding that is needed. One port message for each gRPC message, however many orders it has.

/** To the engine's thread. */
export interface DeskRequest {
  readonly id: number;
  /** Which call the bytes belong to: PlaceOrders (one message of it), PlaceOrder or GetOrder. */
  readonly kind: 'orders' | 'order' | 'get';
  readonly bytes: Uint8Array;
  /** How long the caller waits; only with `order`. */
  readonly patienceMs: number | undefined;
  /** What the call's metadata says; not with `orders`, whose messages say it. */
  readonly requestId: string;
}

/** From the engine's thread: an answer, an error in its place, or whether orders are taken from now on. */
export type DeskAnswer =
  | { readonly kind: 'answer'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'error'; readonly id: number; readonly code: DeskErrorCode; readonly message: string }
  | { readonly kind: 'selling'; readonly isSelling: boolean };

/** Names of gRPC statuses. */
export type DeskErrorCode = 'INVALID_ARGUMENT' | 'UNAVAILABLE' | 'INTERNAL';

/**
 * The bytes in a buffer of just their size: cloning a part of a larger buffer would clone all of it. Handing the buffer
 * over instead of cloning it costs more than it saves, up to some ten thousand bytes.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}
