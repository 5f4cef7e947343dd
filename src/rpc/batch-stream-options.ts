// batch-stream-options.ts: what a batch stream is told, and what it decides by itself, with the reasons.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { RpcCode, RpcError } from './rpc-error.js';

export interface BatchStreamOptions<Item, Outcome, Request, Response> {
  /** Opens a new stream on the channel, without a deadline. The server must send its headers at once. */
  open: () => ClientDuplexStream<Request, Response>;
  /** The message for these items; at least one. Called anew when a batch is sent again, then perhaps with fewer. */
  pack: (items: Item[]) => Request;
  /** One outcome for each of the items that the message was packed from, in their order. Any other number, or throwing,
   *  means that the peer broke the protocol. */
  unpack: (response: Response, items: Item[]) => Outcome[];
  /** Items of one key that come soon after another while they wait share one place in the batch, and its outcome. */
  keyOf?: (item: Item) => string | number;
  /** Messages that may be unanswered at a time. */
  windowMax: number;
  /** Items in one message. */
  batchItemsMax: number;
  /** Calls that may wait for a batch; one more is refused with RESOURCE_EXHAUSTED. */
  queueItemsMax: number;
  /** How long a call may take, in milliseconds, to within 20 of them; Infinity (the default): as long as it takes. */
  deadlineMs?: number;
  /** How long a stream must be down before all calls, and every new one, fail with UNAVAILABLE, until it is up again.
   *  Infinity (the default): calls wait to their deadlines. */
  failFastMs?: number;
  /** The longest pause before the stream is opened again, in milliseconds. */
  backoffMaxMs?: number;
  /** Told when the stream comes up, and when it goes down or could not be opened at first, with the reason. */
  onStateChange?: (isConnected: boolean, reason: RpcError | undefined) => void;
}

/** Expired calls are looked for this often: a deadline is met to within this. One timer for all calls, because one for
 *  each would cost more than the call. */
export const DEADLINE_CHECK_MS = 20;
/** Opening a stream on a channel that is down costs well under a millisecond and sends nothing; the channel has a back-off
 *  of its own, and the two add up, so this one stays far below a second. */
export const BACKOFF_MAX_DEFAULT_MS = 250;

/** Statuses by which a peer refuses a batch: sending it again would get the same answer. All others are tried again. */
export const FINAL_CODES: ReadonlySet<RpcCode> = new Set<RpcCode>([
  'INVALID_ARGUMENT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]);
