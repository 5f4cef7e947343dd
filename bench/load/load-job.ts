// load-job.ts: what the load generator's process is asked for and what it answers; the only words between the two.

/**
 * What each connection sends: queries, or orders, of each toy in turn; sessions, in which a query of a random toy is followed,
 * with probability `p` and if some are left, by an order for it; or GET of one path, counted as `query`, with the body that
 * each answer must have, byte for byte.
 */
export type Work = 'query' | 'order' | { readonly p: number } | { readonly path: string; readonly body: string };

/** One load: so many connections, so long. */
export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly work: Work;
  readonly durationMs: number;
  /** Sent before the clock starts and counted nowhere. */
  readonly warmupMs: number;
  /**
   * Requests per second for all connections together, sent at evenly spaced times whether or not earlier ones were
   * answered (open loop). Left out: each connection sends when its last answer is in (closed loop). Not for sessions.
   */
  readonly rate?: number | undefined;
  /** Closed loop only: how many each connection sends; then the load is over, if `durationMs` is not before. */
  readonly requestsEach?: number | undefined;
}

/** What one kind of request came to. */
export interface OperationReport {
  /** Answers that were right. */
  readonly count: number;
  /** An encoded LatencyHistogram of them. In an open loop latencies count from the intended time. */
  readonly histogram: string;
  readonly errors: number;
  /** A few different ones, as examples. */
  readonly errorSamples: readonly string[];
}

/** What a job came to. */
export interface LoadReport {
  readonly query: OperationReport;
  readonly order: OperationReport;
  readonly seconds: number;
  /** Of one core, 0 to 1: near 1 the generator itself is the limit, and what was measured is a lower bound. */
  readonly generatorCpu: number;
  /** Open loop only. */
  readonly schedule?: ScheduleReport | undefined;
}

/** How well an open loop kept its schedule. */
export interface ScheduleReport {
  /** Requests per second, as asked for. */
  readonly rate: number;
  readonly intended: number;
  /** Not sent by the end: every connection was waiting for an answer. */
  readonly missed: number;
  /** Sent more than a millisecond after the intended time. */
  readonly late: number;
}

/** To the generator's process. */
export type ToGenerator = { readonly type: 'run'; readonly job: LoadJob } | { readonly type: 'stop' };

/** From it. A stopped job still ends in a report, of what was measured until then. */
export type FromGenerator =
  | { readonly type: 'report'; readonly report: LoadReport }
  | { readonly type: 'failed'; readonly message: string };
