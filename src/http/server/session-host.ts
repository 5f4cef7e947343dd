// session-host.ts: what a session and its server are to each other, so that neither has to know all of the other.
import type { Socket } from 'node:net';
import type { HttpError } from '../http-error.js';
import type { HttpLimits } from '../limits.js';
import type { RequestHead } from '../parser/message-head.js';
import type { AnswerWriter } from './answer-writer.js';
import type { Router } from './router.js';
import type { SessionClock } from './session-clock.js';
import type { RequestIds, SessionExchange } from './session-exchange.js';

/** What a server does with its sessions. */
export interface HostedSession {
  /** Whether the server has been asked to flush it, and has not yet. */
  isFlushDue: boolean;
  /** Whether it waits for a request and owes no answer. */
  readonly isIdle: boolean;
  /** Writes what is due: the turn of the event loop ends. */
  flush(): void;
  beginDrain(): void;
  destroy(): void;
}

/** What a session needs of its server. */
export interface SessionHost {
  readonly limits: HttpLimits;
  readonly router: Router;
  readonly writer: AnswerWriter;
  readonly clock: SessionClock;
  readonly isDraining: boolean;
  /** Whether connections are read and written without net.Socket's streams, where that can be done. */
  readonly usesRawSockets: boolean;
  readonly requestIds: RequestIds;
  /** Whether somebody wants to know how long exchanges take. */
  readonly isMeasuring: boolean;
  takeHead(): RequestHead;
  returnHead(head: RequestHead): void;
  /** Calls `session.flush()` at the end of this turn of the event loop. */
  flushSoon(session: HostedSession): void;
  /** Wants to see each request before its handler does. */
  readonly onRequest: ((exchange: SessionExchange) => void) | undefined;
  exchangeFinished(exchange: SessionExchange, durationMs: number): void;
  /** @param socket that the answer goes to */
  streamBegan(socket: Socket): void;
  streamEnded(): void;
  requestRefused(error: HttpError, requestId: string): void;
  handlerFailed(error: unknown, exchange: SessionExchange): void;
  sessionClosed(session: HostedSession): void;
}
