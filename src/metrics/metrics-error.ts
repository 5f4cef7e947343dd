// metrics-error.ts: what can go wrong with gathering metrics.

/** `NO_ANSWER`: the thread that gathers did not answer in time; ask again later. */
export type MetricsErrorCode = 'NO_ANSWER';

export class MetricsError extends Error {
  override readonly name = 'MetricsError';

  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}
