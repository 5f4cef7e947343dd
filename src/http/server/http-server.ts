// http-server.ts: the HTTP connections of one thread. It listens to nothing: sockets are handed to it by `serve()`.
//
// What is shared by all its sessions lives here, once: the answer writer with its Date line, the clock with every time-out,
// spare request heads, and the list of sessions to be flushed at the end of this turn of the event loop. What happens on a
// connection is in session.ts.
// Structurally a ThreadService of the pool, of which it knows nothing: serve, setPressure, drain, close.
import type { Socket } from 'node:net';
import type { HttpError, HttpErrorCode } from '../http-error.js';
import { type HttpLimits, httpLimits } from '../limits.js';
import { RequestHead } from '../parser/message-head.js';
import { AnswerWriter } from './answer-writer.js';
import type { Exchange } from './exchange.js';
import type { Router } from './router.js';
import { Session } from './session.js';
import { SessionClock } from './session-clock.js';
import type { RequestIds, SessionExchange } from './session-exchange.js';
import type { HostedSession, SessionHost } from './session-host.js';

export interface HttpServerOptions {
  readonly router: Router;
  readonly limits?: Partial<HttpLimits>;
  /** False keeps to net.Socket's public methods, for comparison and for tests of that way; see raw-socket.ts. */
  readonly rawSockets?: boolean;
  /**
   * Which requests have a name for logs (`Exchange.requestId`). 'client': those that came with a fitting `X-Request-Id`;
   * their answers repeat it. 'all': the others get one too, which is not told. None by default: looking costs a little.
   */
  readonly requestIds?: 'client' | 'all';
  /**
   * Called when an exchange has its answer, or the beginning of one that is sent in parts: pattern of its route ('' where none
   * matched), status, handler's time, name, companion.
   */
  readonly onExchange?: (
    route: string,
    status: number,
    durationMs: number,
    requestId: string,
    companion: object | undefined,
  ) => void;
  /** Called with a whole request before its handler; may give it a companion. */
  readonly onRequest?: (exchange: Exchange) => void;
  /** Called when an answer that is sent in parts has begun, with the socket that it goes to. */
  readonly onStreamBegin?: (socket: Socket) => void;
  /** Called when a message is refused before it reaches a handler. */
  readonly onRefused?: (error: HttpError, requestId: string) => void;
  /** Called with what a handler threw or rejected with; the client gets 500. */
  readonly onHandlerError?: (error: unknown, route: string, requestId: string, companion: object | undefined) => void;
}

/** Counters since the start, and what is open now. */
export interface HttpServerStats {
  /** Connections open now. */
  readonly sessions: number;
  /** Those of them that wait for a request and are owed nothing. */
  readonly idleSessions: number;
  /** Answers that are being sent in parts. */
  readonly streams: number;
  /** Connections ever served. */
  readonly sessionsTotal: number;
  /** Messages refused by the parser or for taking too long, by code. */
  readonly refused: Readonly<Partial<Record<HttpErrorCode, number>>>;
}

/** Request heads kept for reuse; more than this many requests rarely wait for answers at once. */
const SPARE_HEADS_MAX = 1024;

/** Serves HTTP/1.1 on the sockets it is given, all on the calling thread. What SessionHost has of it is for its sessions. */
export class HttpServer implements SessionHost {
  readonly limits: HttpLimits;
  readonly router: Router;
  readonly writer = new AnswerWriter(Date.now());
  readonly clock: SessionClock;
  readonly usesRawSockets: boolean;
  readonly isMeasuring: boolean;
  readonly requestIds: RequestIds;
  readonly onRequest: ((exchange: Exchange) => void) | undefined;
  isDraining = false;
  private isUnderPressure = false;
  private readonly sessions = new Set<HostedSession>();
  private sessionsTotal = 0;
  private streams = 0;
  private readonly refused: Partial<Record<HttpErrorCode, number>> = {};
  private readonly spareHeads: RequestHead[] = [];
  private toFlush: HostedSession[] = [];
  private readonly flushAll = () => this.flushSessions();
  private readonly drained: (() => void)[] = [];

  constructor(private readonly options: HttpServerOptions) {
    this.limits = httpLimits(options.limits);
    this.router = options.router;
    this.usesRawSockets = options.rawSockets ?? true;
    this.isMeasuring = options.onExchange !== undefined;
    this.requestIds = options.requestIds ?? 'none';
    this.onRequest = options.onRequest;
    this.clock = new SessionClock(
      this.limits,
      () => this.idleTimeoutMs,
      () => this.writer.setTime(Date.now()),
    );
  }

  /** Takes over an accepted socket that nobody has read from. The session ends with the socket's 'close'. */
  serve(socket: Socket): void {
    if (!this.clock.isRunning) this.clock.start(this.isDraining);
    this.sessionsTotal++;
    this.sessions.add(new Session(socket, this));
  }

  /** Says whether connections wait for a place: idle ones are then closed earlier. */
  setPressure(connectionsWait: boolean): void {
    this.isUnderPressure = connectionsWait;
  }

  /**
   * Ends all sessions without refusing anything: requests that have come are answered, with `Connection: close`, and
   * idle connections get `drainIdleTimeoutMs` for one that is under way. Resolves when no session is left.
   */
  drain(): Promise<void> {
    if (!this.isDraining) {
      this.isDraining = true;
      if (this.clock.isRunning) this.clock.start(true);
      for (const session of this.sessions) session.beginDrain();
    }
    return new Promise((resolve) => {
      this.drained.push(resolve);
      this.resolveDrained();
    });
  }

  /** Cuts all connections now. */
  close(): void {
    for (const session of this.sessions) session.destroy();
  }

  stats(): HttpServerStats {
    let idleSessions = 0;
    for (const session of this.sessions) if (session.isIdle) idleSessions++;
    const { sessionsTotal, streams, refused } = this;
    return { sessions: this.sessions.size, idleSessions, streams, sessionsTotal, refused: { ...refused } };
  }

  private get idleTimeoutMs(): number {
    const { limits, isDraining, isUnderPressure } = this;
    if (isDraining) return limits.drainIdleTimeoutMs;
    return isUnderPressure ? limits.idleTimeoutUnderPressureMs : limits.idleTimeoutMs;
  }

  takeHead(): RequestHead {
    return this.spareHeads.pop() ?? new RequestHead();
  }

  returnHead(head: RequestHead): void {
    head.release();
    if (this.spareHeads.length < SPARE_HEADS_MAX) this.spareHeads.push(head);
  }

  /**
   * In the check phase that follows this poll phase, so that all answers that arrive from other services in this turn
   * leave in one write per connection. A microtask would run after each of them.
   */
  flushSoon(session: HostedSession): void {
    session.isFlushDue = true;
    if (this.toFlush.push(session) === 1) setImmediate(this.flushAll);
  }

  exchangeFinished({ route, status, requestId, companion }: SessionExchange, durationMs: number): void {
    this.options.onExchange?.(route, status, durationMs, requestId, companion);
  }

  streamBegan(socket: Socket): void {
    this.streams++;
    this.options.onStreamBegin?.(socket);
  }

  streamEnded(): void {
    this.streams--;
  }

  requestRefused(error: HttpError, requestId: string): void {
    this.refused[error.code] = (this.refused[error.code] ?? 0) + 1;
    this.options.onRefused?.(error, requestId);
  }

  handlerFailed(error: unknown, { route, requestId, companion }: SessionExchange): void {
    this.options.onHandlerError?.(error, route, requestId, companion);
  }

  sessionClosed(session: HostedSession): void {
    this.sessions.delete(session);
    if (this.sessions.size > 0) return;
    this.clock.stop(); // a server without any connection keeps no process alive
    this.resolveDrained();
  }

  private flushSessions(): void {
    const sessions = this.toFlush;
    this.toFlush = [];
    for (const session of sessions) {
      session.isFlushDue = false;
      session.flush();
    }
  }

  private resolveDrained(): void {
    if (this.sessions.size > 0) return;
    for (const resolve of this.drained.splice(0)) resolve();
  }
}
