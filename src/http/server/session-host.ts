// session-host.ts: what a session needs of its server, and nothing else of it.

import type { HttpError } from '../http-error.js';
import type { HttpLimits } from '../limits.js';
import type { RequestHead } from '../parser/message-head.js';
import type { AnswerWriter } from './answer-writer.js';
import type { Router } from './router.js';
import type { Session } from './session.js';

/** What a session needs of its server. */
export interface SessionHost {
  readonly limits: HttpLimits;
  readonly router: Router;
  readonly writer: AnswerWriter;
  /** Milliseconds on a clock that only goes forward, as of the last tick. */
  readonly nowMs: number;
  readonly isDraining: boolean;
  /** How long a connection may be idle, as things are. */
  readonly idleTimeoutMs: number;
  /** Whether connections are read and written without net.Socket's streams, where that can be done. */
  readonly usesRawSockets: boolean;
  /** Which requests get a name. */
  readonly requestIds: 'none' | 'client' | 'all';
  /** Whether somebody wants to know how long exchanges take. */
  readonly isMeasuring: boolean;
  takeHead(): RequestHead;
  returnHead(head: RequestHead): void;
  /** Calls `session.flush()` at the end of this turn of the event loop. */
  flushSoon(session: Session): void;
  exchangeFinished(route: string, status: number, durationMs: number, requestId: string): void;
  requestRefused(error: HttpError, requestId: string): void;
  handlerFailed(error: unknown, route: string, requestId: string): void;
  sessionClosed(session: Session): void;
}
