// running-service.ts: what a service is to whoever runs it.

import type { Log } from './log.js';
import type { Settings } from './settings.js';

export interface RunningService {
  /** What it listens on, as the ready line shows it: `127.0.0.1:5001` or `http://127.0.0.1:5000`. */
  readonly address: string;
  /** Settles, with the reason, when the service can no longer do its work and must be started again. */
  readonly failed: Promise<Error>;
  /** Drains, writes what must be written, releases everything. Never rejects for what a client did. */
  stop(): Promise<void>;
}

export type StartService = (settings: Settings, log: Log) => Promise<RunningService>;
