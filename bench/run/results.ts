// results.ts: what one run leaves behind, in the shape of results.json.
//
// `rows` are latency distributions: every one has clients, operation, p50 and p99 in milliseconds. `figures` are what is not
// about customers, and comparisons (see figures.ts).

import { type Figure, type Measured, median } from '../figures.js';
import { type LatencyFigures, LatencyHistogram } from '../load/latency-histogram.js';
import type { LoadReport, OperationReport } from '../load/load-job.js';
import type { MachineFacts } from './machine.js';

/** One measured distribution: one kind of request under one load. Times in milliseconds. */
export interface Row extends LatencyFigures {
  readonly scenario: string;
  /** Whose answers were measured: `toystore`, or a peer. */
  readonly subject: string;
  readonly operation: 'query' | 'order';
  readonly clients: number;
  /** Probability of an order after a query, where sessions ran. */
  readonly p?: number | undefined;
  /** Requests per second offered, in an open loop: the median of the rounds. Latencies count from the intended time. */
  readonly rate?: number | undefined;
  /** The share of the top rate that was offered; a store just started. */
  readonly variant?: string | undefined;
  /** Expected answers of this kind per second: the median of the rounds. */
  readonly throughput: number;
  /** Open loop only. */
  readonly missed?: number | undefined;
  readonly late?: number | undefined;
  /** Of one core: near 1 the load generator was the limit. */
  readonly generatorCpu: number;
  /** Each round by itself; their spread is the noise. */
  readonly rounds: {
    readonly p50: readonly number[];
    readonly p99: readonly number[];
    readonly throughput: readonly number[];
  };
  /** An HDR histogram of 0.1 µs ticks, compressed, base64. */
  readonly histogram: string;
}

/** All of results.json. */
export interface BenchResults {
  readonly startedAt: string;
  readonly seconds: number;
  readonly command: string;
  readonly quick: boolean;
  /** False when Ctrl-C or a failure ended the run early. */
  readonly complete: boolean;
  readonly machine: MachineFacts;
  /** By scenario: how far the machine's own speed spread meanwhile (see noise.ts). */
  readonly noise: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
  /** What a reader has to know beside the numbers. */
  readonly notes: readonly string[];
}

/** What a row is of; the rest is measured. */
export type RowKey = Pick<Row, 'subject' | 'clients' | 'p' | 'variant'>;

/**
 * Puts the rounds of one load together: histograms are added, throughputs and per-round percentiles kept apart.
 *
 * @returns a row for each kind of request that happened, or failed, at least once
 */
export function rowsFromReports(key: RowKey, reports: readonly LoadReport[]): Measured<Row>[] {
  return (['query', 'order'] as const).flatMap((operation) => {
    const parts = reports.map((report) => ({ report, part: report[operation] }));
    const happened = parts.filter(({ part }) => part.count + part.errors > 0);
    return happened.length === 0 ? [] : [makeRow(key, operation, happened)];
  });
}

function makeRow(
  key: RowKey,
  operation: Row['operation'],
  parts: readonly { report: LoadReport; part: OperationReport }[],
): Measured<Row> {
  const all = new LatencyHistogram();
  const rounds = { p50: [] as number[], p99: [] as number[], throughput: [] as number[] };
  for (const { report, part } of parts) {
    const round = LatencyHistogram.decode(part.histogram);
    all.add(round);
    rounds.p50.push(round.atMs(50));
    rounds.p99.push(round.atMs(99));
    rounds.throughput.push(report.seconds > 0 ? part.count / report.seconds : 0);
  }
  const errors = parts.reduce((total, { part }) => total + part.errors, 0);
  const schedules = parts.flatMap(({ report }) => report.schedule ?? []);
  const isOpenLoop = schedules.length > 0;
  return {
    ...key,
    rate: isOpenLoop ? median(schedules.map(({ rate }) => rate)) : undefined,
    operation,
    ...all.figures(errors),
    throughput: median(rounds.throughput),
    missed: isOpenLoop ? schedules.reduce((total, { missed }) => total + missed, 0) : undefined,
    late: isOpenLoop ? schedules.reduce((total, { late }) => total + late, 0) : undefined,
    generatorCpu: Math.max(...parts.map(({ report }) => report.generatorCpu)),
    rounds,
    histogram: all.encode(),
  };
}
