// order-error.ts: what can go wrong with the order log and with the catalog's side of the protocol.

/**
 * - `MISMATCH`: orders.csv and the journal contradict each other; a person must look. Ends the start.
 * - `CORRUPT`: a record of the journal does not make sense, though its checksum holds. Ends the start.
 * - `SYNC_FAILED`: what is on disk is in doubt; only a restart helps.
 * - `CLOSED`: the log was closed while something waited to be written.
 * - `FENCED`: the catalog serves a later incarnation: another order service, or a later start of this one.
 * - `PROTOCOL`: the catalog answered what it must never answer.
 */
export type OrderErrorCode = 'MISMATCH' | 'CORRUPT' | 'SYNC_FAILED' | 'CLOSED' | 'FENCED' | 'PROTOCOL';

/** The one error class of src/order. The message is one line, fit for an operator. */
export class OrderError extends Error {
  override readonly name = 'OrderError';

  constructor(
    readonly code: OrderErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
