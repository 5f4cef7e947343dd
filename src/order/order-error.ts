// order-error.ts: what can go wrong with the order log and with the catalog's side of the protocol.

/**
 * - `UNREADABLE`: what is in the directory is not a log of this version. Ends the start.
 * - `LOG_FAILED`: what is kept of the newest orders is in doubt; nothing more is sold before a new start.
 * - `CLOSED`: the log was closed while something waited to be written.
 * - `REFUSED`: the catalog compared the two books and refuses to sell; the message is its line. A person must look.
 * - `FENCED`: the catalog serves another order service, or a later start of this one.
 * - `PROTOCOL`: the catalog answered what it must never answer.
 * - `CATALOG_AWAY`: an order cannot be shown before the catalog has answered, and it does not.
 */
export type OrderErrorCode =
  | 'UNREADABLE'
  | 'LOG_FAILED'
  | 'CLOSED'
  | 'REFUSED'
  | 'FENCED'
  | 'PROTOCOL'
  | 'CATALOG_AWAY';

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
