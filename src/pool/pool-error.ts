// pool-error.ts: everything that src/pool throws or rejects with, apart from the lock's misuse (lock-error.ts) and
// system errors of listen(), which pass through as Node made them. Callers branch on `code`, never on the message.

/**
 * INVALID_OPTION        an option is out of range; the message names it
 * NOT_RUNNING           the call needs a started, not yet closed pool
 * ALREADY_LISTENING     listen() was called twice
 * THREAD_FAILED         a thread died, or its module could not be loaded; `cause` holds the thread's error
 * HANDOFF_UNSUPPORTED   handoff 'native' was asked for and this Node.js has none
 * HANDOFF_FAILED        the channel to a thread could not be set up
 * NO_DESCRIPTORS        the process is out of descriptors: a thread cannot start, or nothing is accepted until some are free
 */
export type PoolErrorCode =
  | 'INVALID_OPTION'
  | 'NOT_RUNNING'
  | 'ALREADY_LISTENING'
  | 'THREAD_FAILED'
  | 'HANDOFF_UNSUPPORTED'
  | 'HANDOFF_FAILED'
  | 'NO_DESCRIPTORS';

/** An error of the pool, told apart by its code. */
export class PoolError extends Error {
  override readonly name = 'PoolError';
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
