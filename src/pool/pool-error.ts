// pool-error.ts: everything that src/pool throws or rejects with, apart from the lock's misuse (lock-error.ts) and
// system errors of listen(), which pass through as Node made them. Callers branch on `code`, never on the message.

/**
 * INVALID_OPTION        an option is out of range; the message names it
 * NOT_RUNNING           the call needs a started, not yet closed pool
 * ALREADY_LISTENING     listen() was called twice
 * THREAD_FAILED         a thread died, or its module could not be loaded; `cause` holds the thread's error
 * HANDOFF_UNSUPPORTED   handoff 'native' was asked for and this Node.js has none
 * HANDOFF_FAILED        the channel to a thread could not be set up
 * NO_DESCRIPTORS        the process is out of descriptors, and accepts nothing until some are free
 * CALL_FAILED           the handler of a port call threw; the message is the handler's
 * CALL_TIMEOUT          a port call was not answered in time
 * PORT_CLOSED           the other end of a port has gone
 */
export type PoolErrorCode =
  | 'INVALID_OPTION'
  | 'NOT_RUNNING'
  | 'ALREADY_LISTENING'
  | 'THREAD_FAILED'
  | 'HANDOFF_UNSUPPORTED'
  | 'HANDOFF_FAILED'
  | 'NO_DESCRIPTORS'
  | 'CALL_FAILED'
  | 'CALL_TIMEOUT'
  | 'PORT_CLOSED';

/** An error of the pool, told apart by its code. */
export class PoolError extends Error {
  override readonly name = 'PoolError';
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
