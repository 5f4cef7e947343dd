// messages.ts: what threads say to each other about metrics. The ports belong to the services, which use them for their
// own messages too: everything here is told apart by its type, and whatever has another type is left alone.
//
//   main ── metrics:snapshot? ──> thread     "what have you counted?"      (hub -> ThreadMetrics)
//   main <── metrics:snapshot ─── thread
//   main <── metrics:last ─────── thread     "I am going; this is all"
//   main <── metrics:all? ─────── thread     "what have all of us counted?" (gatherThrough -> hub)
//   main ── metrics:all ────────> thread

import type { MetricsSnapshot } from './metrics-snapshot.js';

export type MetricsMessage =
  | { readonly type: 'metrics:snapshot?'; readonly id: number }
  | { readonly type: 'metrics:snapshot'; readonly id: number; readonly snapshot: MetricsSnapshot }
  | { readonly type: 'metrics:last'; readonly snapshot: MetricsSnapshot }
  | { readonly type: 'metrics:all?'; readonly id: number }
  | { readonly type: 'metrics:all'; readonly id: number; readonly snapshot: MetricsSnapshot };

/** The message, if it is one of ours. */
export function asMetricsMessage(value: unknown): MetricsMessage | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return typeof value.type === 'string' && value.type.startsWith('metrics:') ? (value as MetricsMessage) : undefined;
}
