// assert.ts: checks for our own mistakes. What a peer, a disk or a user does wrong is an error value or a typed error,
// never an assertion.

/** Thrown when the program contradicts itself; nothing recovers from it on purpose. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws an AssertionError with `message` unless `condition` holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends a `switch` over a closed union: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
