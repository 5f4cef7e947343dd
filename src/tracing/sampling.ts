// sampling.ts: which requests are recorded. Decided before anything is made for a trace, so that a request that is not
// recorded costs one number drawn; OpenTelemetry's own samplers are asked only when a span is being made already.
//
//   with a traceparent   parentbased_…: as the caller does, so that a trace is recorded by everybody or by nobody
//                        else: all, none, or by the trace's id, so that everybody who asks so decides alike
//   without              all, none, or that share of them
//
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration

import { UsageError } from '../flags.js';
import type { Traceparent } from './traceparent.js';

/** By the names that OTEL_TRACES_SAMPLER has for them: the share of requests recorded, where OTEL_TRACES_SAMPLER_ARG does
 *  not say it, and whether the caller's decision goes before it. */
const SAMPLERS: Readonly<Record<string, { readonly share: number | 'argument'; readonly isParentBased: boolean }>> = {
  always_on: { share: 1, isParentBased: false },
  always_off: { share: 0, isParentBased: false },
  traceidratio: { share: 'argument', isParentBased: false },
  parentbased_always_on: { share: 1, isParentBased: true },
  parentbased_always_off: { share: 0, isParentBased: true },
  parentbased_traceidratio: { share: 'argument', isParentBased: true },
};

const SAMPLER_DEFAULT = 'parentbased_traceidratio';
/** One request of a hundred shows what is usual, and costs nothing that can be measured. */
const SHARE_DEFAULT = 0.01;
/** As OpenTelemetry says, where a ratio was asked for by name and none is given. */
const SHARE_OF_NAMED = 1;

/** The last 56 bits of an id are random (https://www.w3.org/TR/trace-context-2/#random-trace-id-flag). The first 48 of them
 *  are looked at: more would not be exact in a double. */
const RANDOM_DIGITS = [-14, -2] as const;
const RANDOM_VALUES = 2 ** 48;

/** Plain data: threads get a clone. */
export interface Sampling {
  readonly sampler: string;
  /** 0 to 1. */
  readonly share: number;
  readonly isParentBased: boolean;
}

/** @throws UsageError for a value that does not fit */
export function parseSampling(env: NodeJS.ProcessEnv): Sampling {
  const sampler = env.OTEL_TRACES_SAMPLER || SAMPLER_DEFAULT;
  const known = Object.hasOwn(SAMPLERS, sampler) ? SAMPLERS[sampler] : undefined;
  if (known === undefined) {
    const names = Object.keys(SAMPLERS).join(', ');
    throw new UsageError(`OTEL_TRACES_SAMPLER is ${JSON.stringify(sampler)}: it must be one of ${names}`);
  }
  const { share, isParentBased } = known;
  if (share !== 'argument') return { sampler, share, isParentBased };
  const text = env.OTEL_TRACES_SAMPLER_ARG || String(env.OTEL_TRACES_SAMPLER ? SHARE_OF_NAMED : SHARE_DEFAULT);
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw new UsageError(`OTEL_TRACES_SAMPLER_ARG is ${JSON.stringify(text)}: it must be a number from 0 to 1`);
  }
  return { sampler, share: ratio, isParentBased };
}

/**
 * Whether a request is recorded.
 *
 * @param parent what its caller says; undefined where it says nothing
 * @param draw a number from 0 up to 1, without 1
 */
export function isRecorded(
  { share, isParentBased }: Sampling,
  parent: Traceparent | undefined,
  draw: () => number = Math.random,
): boolean {
  if (parent === undefined) return draw() < share;
  if (isParentBased) return parent.isSampled;
  const random = Number.parseInt(parent.traceId.slice(...RANDOM_DIGITS), 16) / RANDOM_VALUES;
  return random >= 1 - share;
}
