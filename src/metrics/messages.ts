// messages.ts: what threads say to each other about metrics.
//
//   main ── metrics:port ───────> thread     the one message on the service's own port: it brings a port for the rest
//
//   main ── metrics:snapshot? ──> thread     "what have you counted?"
//   main <── metrics:snapshot ─── thread
//   main <── metrics:last ─────── thread     "I am going; this is all"
//   main <── metrics:all? ─────── thread     "what have all of us counted?"
//   main ── metrics:all ────────> thread
//
// A port of its own, because what a service says on the service port is its own affair: numbers of questions would
// have to be kept apart, and every service would have to let strange messages pass.

import type { MessagePort } from 'node:worker_threads';
import type { MetricsSnapshot } from './metrics-snapshot.js';

export interface MetricsPortMessage {
  readonly type: 'metrics:port';
  readonly port: MessagePort;
}

/** From the hub to a thread. */
export type HubMessage =
  | { readonly type: 'metrics:snapshot?'; readonly id: number }
  | { readonly type: 'metrics:all'; readonly id: number; readonly snapshot: MetricsSnapshot };

/** From a thread to the hub. */
export type ThreadMessage =
  | { readonly type: 'metrics:snapshot'; readonly id: number; readonly snapshot: MetricsSnapshot }
  | { readonly type: 'metrics:last'; readonly snapshot: MetricsSnapshot }
  | { readonly type: 'metrics:all?'; readonly id: number };

/** The port that a message on the service's port brings, if it is that message. */
export function metricsPortOf(message: unknown): MessagePort | undefined {
  const isPortMessage =
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'metrics:port';
  return isPortMessage ? (message as MetricsPortMessage).port : undefined;
}
