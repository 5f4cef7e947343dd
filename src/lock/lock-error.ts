// lock-error.ts: misuse of a SharedRwLock. It is always a bug of the caller, and the lock is as it was before the call.

/**
 * ALREADY_HELD      acquire by a holder that holds the lock or waits for it: the lock is not recursive
 * NOT_HELD          release of a lock that this holder does not hold in that mode
 * BAD_WORDS         the words are not on a SharedArrayBuffer, or are too few
 * TOO_MANY_HOLDERS  every holder slot is taken; dispose of locks, and repair() after each thread's end
 * DISPOSED          use after dispose
 */
export type LockErrorCode = 'ALREADY_HELD' | 'NOT_HELD' | 'BAD_WORDS' | 'TOO_MANY_HOLDERS' | 'DISPOSED';

/** A misuse of the lock, told apart by its code. */
export class LockError extends Error {
  override readonly name = 'LockError';
  readonly code: LockErrorCode;

  constructor(code: LockErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
