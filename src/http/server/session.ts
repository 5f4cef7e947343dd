// session.ts: the life of one connection, from its first byte to its last, from top to bottom. Sockets and time happen here,
// bytes in the parser.
//
//   socket ─bytes→ RequestParser ─→ exchange ─→ handler       exchanges wait in request order; answers that are due are
//      ↑                                          │           joined and written once per turn of the event loop
//      └──── one write ←── text ←─ in order ←─────┘
//
//   OPEN ──────→ CLOSING ─────────→ LINGERING ────→ closed
//        last request   all answers         peer closed too, or time is up; what it still sends is thrown away,
//        or refusal     are written         so that no reset swallows our last answer (RFC 9112 9.6)
//
// Nothing is read while too many requests wait for answers or too many answers wait to be taken. The bytes that come are
// only lent to a session: what is not used up at once is copied. It has no timer: session-clock.ts tells it what has taken
// too long.
import type { Socket } from 'node:net';
// The global of that name is a getter, which is never compiled in: half a microsecond for each request.
import { performance } from 'node:perf_hooks';
import { HttpError } from '../http-error.js';
import type { HttpLimits } from '../limits.js';
import { BodyCollector } from '../parser/body-collector.js';
import type { RequestHead } from '../parser/message-head.js';
import { RequestParser } from '../parser/request-parser.js';
import type { AnswerWriter } from './answer-writer.js';
import { Deadline, type DeadlineOwner, type DeadlineQueue } from './deadline-queue.js';
import { ExchangeQueue } from './exchange-queue.js';
import { rawSocket } from './raw-socket.js';
import type { Router } from './router.js';
import { type SessionClock, UNSENT_CHECKS } from './session-clock.js';
import { type ExchangeOwner, type RequestIds, SessionExchange } from './session-exchange.js';
import { type SessionSocket, type SocketUser, StreamSocket } from './session-socket.js';

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
  flushSoon(session: Session): void;
  exchangeFinished(route: string, status: number, durationMs: number, requestId: string): void;
  streamBegan(socket: Socket): void;
  streamEnded(exchange: SessionExchange, isComplete: boolean): void;
  requestRefused(error: HttpError, requestId: string): void;
  handlerFailed(error: unknown, route: string, requestId: string): void;
  sessionClosed(session: Session): void;
}

const OPEN = 0;
const CLOSING = 1;
const LINGERING = 2;
const CLOSED = 3;

/** Answers joined up to this size are written at once, so that a long pipeline does not build one huge string. */
const WRITE_CHARACTERS = 64 * 1024;

/**
 * Written to one connection in one turn of the event loop; the rest in the next. A peer that takes large answers as fast
 * as they can be made would have the thread to itself otherwise.
 */
const TURN_CHARACTERS = 256 * 1024;

/** One connection of a server. */
export class Session implements SocketUser, ExchangeOwner, DeadlineOwner {
  /** Whether the server has been asked to flush this session, and has not yet. */
  isFlushDue = false;
  readonly writer: AnswerWriter;
  private state = OPEN;
  private readonly socket: SessionSocket;
  private readonly parser: RequestParser;
  private readonly body = new BodyCollector();
  /** The exchange that is being read, or will be. */
  private reading: SessionExchange;
  private readonly waiting = new ExchangeQueue<SessionExchange>();
  private isReading = false;
  /** Not reading: too much waits to be answered or taken, or has been written in this turn. */
  private isBlocked = false;
  /** Written since the last flush, which comes at the end of each turn in which this gets large. */
  private turnCharacters = 0;
  private isPeerDone = false;
  /** For what comes from the peer next. */
  private readonly peerDeadline = new Deadline(this);
  /** Whether a head or a message has been completed since that deadline was set. */
  private hasProgressed = false;
  /** For the peer to take answers. */
  private readonly unsentDeadline = new Deadline(this);
  private lastBacklog = 0;
  private unmovedChecks = 0;

  /** @param accepted the socket, handed over paused, and never read from */
  constructor(
    private readonly accepted: Socket,
    private readonly host: SessionHost,
  ) {
    this.writer = host.writer;
    this.parser = new RequestParser(host.limits, host.takeHead());
    this.reading = new SessionExchange(this, this.parser.head);
    const raw = host.usesRawSockets ? rawSocket(accepted, this) : undefined;
    this.socket = raw ?? new StreamSocket(accepted, this);
    this.awaitPeer();
    this.socket.resume();
  }

  received(bytes: Buffer, length: number): void {
    if (this.state !== OPEN) return;
    this.parser.feed(bytes, length);
    this.read();
    if (this.parser.isInMessage) this.keepBytes();
    this.writeAndReadOn();
  }

  /** Reads all requests that have come, or as many as there is room for. */
  private read(): void {
    this.isReading = true;
    while (this.state === OPEN) {
      if (!this.hasRoom()) {
        this.isBlocked = true;
        this.socket.pause();
        break;
      }
      const event = this.parser.next();
      if (event === 'head') this.beginRequest();
      else if (event === 'body') this.body.add(this.parser.bytes, this.parser.bodyStart, this.parser.bodyEnd);
      else if (event === 'end') this.endRequest();
      else if (event === 'error') this.refuse(this.parser.error!);
      else {
        if (this.isPeerDone) this.beginClosing();
        else this.awaitPeer();
        break;
      }
    }
    this.isReading = false;
  }

  private hasRoom(): boolean {
    const { limits } = this.host;
    return (
      this.waiting.length < limits.pipelineDepthMax &&
      this.socket.unsentBytes <= limits.unsentBytesMax &&
      this.turnCharacters <= TURN_CHARACTERS
    );
  }

  /** The head is complete: find the resource, which knows how large a body may be, and whether one is wanted at all. */
  private beginRequest(): void {
    const { head } = this.parser;
    const { router, requestIds } = this.host;
    const exchange = this.reading;
    this.hasProgressed = true;
    exchange.takeName(requestIds);
    if (head.fields.hostCount === 0 && head.versionMinor === 1) return this.refuse(new HttpError('HOST_MISSING'));
    if (head.isHttps && !this.socket.isSecure) return this.refuse(new HttpError('MISDIRECTED'));
    const resource = router.find(head.source, head.pathFirst, head.pathAfter, exchange.parameterRanges);
    exchange.resource = resource;
    if (resource?.bodyBytesMax !== undefined) this.parser.bodyBytesMax = resource.bodyBytesMax;
    const { expectsContinue, contentLength, hasContentCoding } = head.fields;
    if (!expectsContinue || head.versionMinor === 0 || !(head.isChunked || contentLength > 0)) return;
    if (router.headAnswer(exchange, resource, hasContentCoding) !== undefined) {
      // The body may follow or not, so what follows cannot be told from it.
      head.isKeepAlive = false;
      this.endRequest();
    } else if (contentLength <= this.parser.bodyBytesMax) {
      this.waiting.addContinue();
    }
  }

  /** The request is complete, or needs no more: it takes its place in the row, and its handler runs. */
  private endRequest(): void {
    const { head } = this.parser;
    const exchange = this.reading;
    exchange.body = this.body.take();
    exchange.isHead = head.method === 'HEAD';
    exchange.isHttp10 = head.versionMinor === 0;
    exchange.isKeepAlive = head.isKeepAlive && !this.host.isDraining;
    if (!exchange.isKeepAlive) this.state = CLOSING;
    if (this.host.isMeasuring) exchange.startedAtMs = performance.now();
    this.hasProgressed = true;
    this.waiting.dropContinue(); // a body that came without one needs none
    this.waiting.add(exchange);
    const isOver = this.handle(exchange, head.fields.hasContentCoding);
    if (isOver && exchange.isAnswered && this.waiting.first === undefined) {
      exchange.reuse();
      head.release();
    } else {
      this.parser.head = this.host.takeHead();
      this.reading = new SessionExchange(this, this.parser.head);
      if (exchange.isAnswered) this.releaseHead(exchange);
      else exchange.keep();
    }
    if (this.waiting.text.length >= WRITE_CHARACTERS) this.write();
  }

  /**
   * Runs the handler of the request's resource, and answers for it if it fails.
   * @returns whether the handler is done with the exchange; one that returned a promise may still fail later
   */
  private handle(exchange: SessionExchange, hasContentCoding: boolean): boolean {
    try {
      const done = this.host.router.handle(exchange, exchange.resource, hasContentCoding);
      // A handler written as `exchange => start(...)` returns whatever that returns; only a promise can fail later.
      if (!(done instanceof Promise)) return true;
      done.catch((error: unknown) => this.handlerFailed(exchange, error));
      return false;
    } catch (error) {
      this.handlerFailed(exchange, error);
      return true;
    }
  }

  private handlerFailed(exchange: SessionExchange, error: unknown): void {
    this.host.handlerFailed(error, exchange.route, exchange.requestId);
    if (!exchange.isAnswered) exchange.sendError(500, 'internal error');
    else if (exchange.isOpen) this.destroy(); // half an answer must not look like a whole one
  }

  /** What has come and cannot be used yet: a message not complete, or more of them than there is room for. */
  private keepBytes(): void {
    if (this.state !== OPEN) return;
    if (this.parser.isInBody) this.reading.keep();
    this.parser.keep();
  }

  /** An exchange has its answer, or the beginning of one: it leaves when those before it have left. */
  answered(exchange: SessionExchange): void {
    const { host, waiting } = this;
    // While draining the last answer ends the connection, unless another request is on its way.
    const isLast = exchange === waiting.last && !this.isReading && !this.parser.isInMessage;
    if (host.isDraining && isLast && this.state === OPEN) this.beginClosing();
    if (exchange.outgoing !== undefined) this.streamBegins(exchange);
    if (host.isMeasuring) {
      const durationMs = performance.now() - exchange.startedAtMs;
      host.exchangeFinished(exchange.route, exchange.status, durationMs, exchange.requestId);
    }
    if (exchange !== this.reading) this.releaseHead(exchange);
    if (this.state === CLOSED || exchange !== waiting.first) return;
    this.takeDueAnswers();
    if (!this.isReading && !this.isFlushDue) host.flushSoon(this);
  }

  private streamBegins(exchange: SessionExchange): void {
    if (this.state === CLOSED) return;
    if (exchange.isOpen) this.host.streamBegan(this.accepted);
    if (this.host.isDraining || this.isPeerDone) queueMicrotask(() => exchange.outgoing?.wantEnd());
    if (exchange.isKeepAlive || this.state !== OPEN) return;
    // HTTP/1.0: the connection's last, whatever was thought of it before.
    this.state = CLOSING;
    this.waiting.dropBehind(exchange, (dropped) => this.abort(dropped));
  }

  /** There is more of an answer, or its end. @returns whether there is room for more */
  streamed(exchange: SessionExchange): boolean {
    const { host, waiting } = this;
    if (this.state === CLOSED) return false;
    if (!exchange.isOpen) host.streamEnded(exchange, true);
    if (exchange !== waiting.first) return exchange.outgoing!.waitingCharacters <= host.limits.unsentBytesMax;
    this.takeDueAnswers();
    if (waiting.text.length >= WRITE_CHARACTERS) this.write();
    if (!this.isReading && !this.isFlushDue) host.flushSoon(this);
    return this.hasRoomForStream();
  }

  /** As much as for answers; and no more in one turn than others get. */
  private hasRoomForStream(): boolean {
    const unsent = this.waiting.text.length + this.socket.unsentBytes;
    return unsent <= this.host.limits.unsentBytesMax && this.turnCharacters <= TURN_CHARACTERS;
  }

  /** The head is not needed any longer, and another exchange may have it. */
  private releaseHead(exchange: SessionExchange): void {
    if (exchange.head === undefined) return;
    this.host.returnHead(exchange.head);
    exchange.head = undefined;
  }

  /** Makes answers whose turn has come ready to be written. */
  private takeDueAnswers(): void {
    const { waiting } = this;
    const { isContinueDue } = waiting;
    waiting.takeDueAnswers();
    // Idle from now on, or asked for a body only now.
    const isOurTurnOver = waiting.first === undefined && (isContinueDue || !this.parser.isInMessage);
    if (isOurTurnOver && !this.isReading && this.state === OPEN) {
      this.hasProgressed = true;
      this.awaitPeer();
    }
  }

  /** Writes what is due, and reads on, at the end of a turn of the event loop: what comes now belongs to the next. */
  flush(): void {
    this.turnCharacters = 0;
    this.writeAndReadOn();
  }

  drained(): void {
    this.lastBacklog = 0;
    this.flush();
  }

  /** Writes what is due, and reads on if that was what held reading up. */
  private writeAndReadOn(): void {
    this.write();
    while (this.isBlocked && this.hasRoom()) {
      this.isBlocked = false;
      this.hasProgressed = true; // the clock did not run while we were not listening
      this.read();
      this.write();
      if (!this.isBlocked) this.socket.resume();
    }
    // Well before there is no room left: the count starts anew when the turn ends, not when the room does.
    if (this.turnCharacters >= WRITE_CHARACTERS && !this.isFlushDue) this.host.flushSoon(this);
    const stream = this.waiting.first?.outgoing;
    if (stream?.isFull && this.hasRoomForStream()) stream.makeRoom();
  }

  private write(): void {
    const { socket } = this;
    const text = this.waiting.takeText();
    this.turnCharacters += text.length;
    if (this.state === CLOSING && this.waiting.first === undefined) {
      this.state = LINGERING;
      this.peerDeadline.cancel();
      socket.end(text);
      socket.resume(); // to throw away
    } else if (text !== '') {
      socket.write(text);
    }
    if (socket.unsentBytes > 0 && this.unsentDeadline.queue === undefined) this.watchUnsent();
  }

  /** Answers what the parser refused, after all that waits; nothing after it is read. */
  private refuse(error: HttpError): void {
    // The head of the refused message may have been read: then it may have a name.
    const { requestId, requestIdLine } = this.reading;
    this.host.requestRefused(error, requestId);
    this.waiting.dropContinue();
    this.body.take();
    this.state = CLOSING;
    const exchange = new SessionExchange(this, undefined);
    exchange.refuse(error, requestIdLine, this.parser.head.method === 'HEAD');
    this.waiting.add(exchange);
    this.takeDueAnswers();
  }

  /** No more requests are read; the last of those that wait for their answers says so. */
  private beginClosing(): void {
    this.state = CLOSING;
    if (this.waiting.last !== undefined) this.waiting.last.isKeepAlive = false;
  }

  /** The peer will send no more; what it asked for is still answered. */
  peerDone(): void {
    this.isPeerDone = true;
    if (this.state === OPEN) {
      this.parser.finish();
      if (!this.isBlocked) this.read();
    }
    for (const exchange of this.waiting) exchange.outgoing?.wantEnd();
    this.flush();
  }

  /** Waits for what comes next, from now on if it was not that already. */
  private awaitPeer(): void {
    const { parser } = this;
    const { clock } = this.host;
    let queue = clock.request;
    if (parser.isInMessage) queue = parser.isInBody ? clock.body : clock.head;
    if (queue === this.peerDeadline.queue && !this.hasProgressed) return;
    this.hasProgressed = false;
    queue.restart(this.peerDeadline, clock.nowMs);
  }

  private watchUnsent(): void {
    const { clock } = this.host;
    this.lastBacklog = this.socket.backlog;
    this.unmovedChecks = 0;
    clock.unsent.restart(this.unsentDeadline, clock.nowMs);
  }

  timedOut(deadline: Deadline, queue: DeadlineQueue): void {
    const { clock } = this.host;
    if (deadline === this.unsentDeadline) this.unsentTimedOut();
    else if (queue === clock.linger) this.destroy();
    else if (this.state !== OPEN) return;
    else if (queue === clock.request && this.isIdle) this.leave();
    else if (queue === clock.request || this.isBlocked || this.waiting.isContinueDue) {
      // It is we who are slow: with an answer, with room for more, or with asking for a body.
      queue.restart(deadline, clock.nowMs);
    } else {
      this.refuse(new HttpError(queue === clock.head ? 'HEAD_TIMEOUT' : 'BODY_TIMEOUT'));
      this.flush();
    }
  }

  /** The kernel may have taken some of what waits since the last look, if not all. */
  private unsentTimedOut(): void {
    const { backlog } = this.socket;
    if (backlog === 0) return;
    const { unmovedChecks } = this;
    const hasMoved = backlog !== this.lastBacklog;
    if (!hasMoved && unmovedChecks + 1 >= UNSENT_CHECKS) return this.destroy();
    this.watchUnsent();
    this.unmovedChecks = hasMoved ? 0 : unmovedChecks + 1;
  }

  /** Whether it waits for a request and owes no answer. */
  get isIdle(): boolean {
    return this.state === OPEN && this.waiting.length === 0 && !this.parser.isInMessage;
  }

  /** Closes a connection on which nothing is under way. */
  private leave(): void {
    this.state = LINGERING;
    this.socket.destroySoon();
  }

  /** However long it has been idle, a request may be under way: it is waited for from now on. */
  beginDrain(): void {
    for (const exchange of this.waiting) exchange.outgoing?.wantEnd();
    if (this.state !== OPEN) return;
    this.hasProgressed = true;
    this.awaitPeer();
  }

  /** Our last answer has left, and the end of our half with it. */
  ended(): void {
    const { clock } = this.host;
    if (this.state !== CLOSED) clock.linger.restart(this.peerDeadline, clock.nowMs);
  }

  private abort(exchange: SessionExchange): void {
    if (exchange.isOpen) this.host.streamEnded(exchange, false);
    exchange.abort();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.socket.destroy();
  }

  closed(): void {
    this.state = CLOSED;
    this.peerDeadline.cancel();
    this.unsentDeadline.cancel();
    for (const exchange of this.waiting) this.abort(exchange);
    this.host.returnHead(this.parser.head);
    this.host.sessionClosed(this);
  }
}
